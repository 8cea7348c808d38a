"""LiteLLM's calls as executions, as they happen: ``litellm.callbacks = [OrbLogger()]``.

Imported only where litellm is. A call that is retried or falls back is an execution for each
attempt; ``metadata.trace_id`` has them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from orb_learning.capture import TelemetryCapture, redact_secrets
from orb_learning.mappings import LONGEST_TEXT, error_type_of
from orb_learning.outbox import Outbox
from orb_learning.settings import LearningSettings, load_settings

SCOPE = "litellm"
"""Of ids, as of the mapping of spend logs: a call and its line there are one task."""


class OrbLogger(CustomLogger):  # type: ignore[misc]
    """Records each attempt of a call in the outbox; it never raises.

    Args:
        settings: where the outbox is; the environment's if None.
    """

    def __init__(self, settings: LearningSettings | None = None) -> None:
        super().__init__()
        settings = settings or load_settings()
        outbox = Outbox(
            settings.outbox_folder,
            synchronous=settings.outbox_synchronous,
            busy_timeout_ms=settings.outbox_busy_timeout_ms,
            size_limit_bytes=settings.outbox_size_limit_mb * 2**20,
        )
        self.telemetry = TelemetryCapture(
            outbox,
            enabled=settings.enabled and settings.enable_telemetry_capture,
            id_scope=SCOPE,
            redact=redact_secrets if settings.redact_secrets else None,
        )

    def log_success_event(self, kwargs: Any, *_: Any) -> None:
        """Record a call that was answered."""
        self._record(kwargs)

    def log_failure_event(self, kwargs: Any, *_: Any) -> None:
        """Record a call that failed."""
        self._record(kwargs)

    async def async_log_success_event(self, kwargs: Any, *_: Any) -> None:
        """Record an awaited call that was answered."""
        self._record(kwargs)

    async def async_log_failure_event(self, kwargs: Any, *_: Any) -> None:
        """Record an awaited call that failed."""
        self._record(kwargs)

    def _record(self, kwargs: Mapping[str, Any]) -> None:
        payload = kwargs.get("standard_logging_object")
        if isinstance(payload, Mapping):
            router = (kwargs.get("litellm_params") or {}).get("metadata") or {}
            self.telemetry.store_records([execution_of(payload, router)])


def execution_of(payload: Mapping[str, Any], router: Mapping[str, Any]) -> dict[str, Any]:
    """Return a StandardLoggingPayload as the fields of an execution.

    Args:
        payload: what LiteLLM says of a call.
        router: the metadata of its parameters, in which a router says of its attempts.
    """
    error = payload.get("error_information") or {}
    success = payload.get("status") == "success"
    message = error.get("error_message") or payload.get("error_str")
    kind = error.get("error_class") or error.get("error_code")
    metadata = {
        "model": payload.get("model"),
        "model_group": payload.get("model_group"),
        "trace_id": payload.get("trace_id"),
        "input_tokens": payload.get("prompt_tokens"),
        "output_tokens": payload.get("completion_tokens"),
        "cache_hit": payload.get("cache_hit"),
        "tags": payload.get("request_tags") or None,
        "user": payload.get("end_user"),
        "retries": router.get("attempted_retries"),
        "fallbacks": router.get("attempted_fallbacks"),
        "error_type": None if success else kind,
    }
    fields = {
        "task_id": payload.get("id"),
        "timestamp": datetime.fromtimestamp(payload["startTime"], UTC),
        "task_type": payload.get("call_type"),
        "task_description": _asked(payload.get("messages")),
        "repo": (payload.get("metadata") or {}).get("user_api_key_team_alias"),
        "pool_type": payload.get("custom_llm_provider"),
        "success": success,
        "duration_seconds": payload["endTime"] - payload["startTime"],
        "actual_cost": payload.get("response_cost"),
        "error_type": None if success else error_type_of(kind, message),
        "error_message": None if success or not message else str(message)[:LONGEST_TEXT],
        "metadata": {name: value for name, value in metadata.items() if value is not None},
    }
    return {name: value for name, value in fields.items() if value is not None}


def _asked(messages: Any) -> str | None:
    """Return the text of the user's last message."""
    if isinstance(messages, str):
        return messages[:LONGEST_TEXT]
    for message in reversed(messages if isinstance(messages, list) else []):
        content = message.get("content") if isinstance(message, Mapping) else None
        if content and message.get("role") == "user":
            if isinstance(content, list):
                texts = [part.get("text") for part in content if isinstance(part, Mapping)]
                content = "\n".join(text for text in texts if text)
            return str(content)[:LONGEST_TEXT] or None
    return None
