"""LiteLLM's calls as executions: ``litellm.callbacks = [LearningLogger()]``.

Of a proxy, ``callbacks: orb_learning.litellm_logger.learning_logger`` in its config.yaml. Importing
this imports litellm. A call is an execution, and so is each try of a router: a failed one has its
error, and the one that followed says how many retries and fallbacks came before, and which was the
first. A call has the id that LiteLLM's spend logs have, so a log that is imported later gives a
version of it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from orb_learning.capture import TelemetryCapture, outbox_of, redact_secrets
from orb_learning.record import task_uuid
from orb_learning.settings import LearningSettings, load_settings

SCOPE = "litellm"
"""Of its ids, as of the mapping of spend logs."""
ERROR_TYPES = "mappings/seeds/error_types.csv"
FIRST_TRY = "orb_learning_first_try"
"""The key of a request's metadata by which a later try finds the first one: LiteLLM hands the
metadata of a request on from try to try, and one try logs its failure before the next begins."""


class LearningLogger(CustomLogger):  # type: ignore[misc]
    """Records each call, successes and failures, before LiteLLM goes on; it never raises.

    Args:
        settings: where the outbox is, and whether secrets are redacted; the environment's if None.
    """

    def __init__(self, settings: LearningSettings | None = None):
        super().__init__()
        known = settings or load_settings()
        self._outbox = outbox_of(known)
        self.telemetry = TelemetryCapture(
            self._outbox,
            enabled=known.enabled and known.enable_telemetry_capture,
            id_scope=SCOPE,
            redact=redact_secrets if known.redact_secrets else None,
        )

    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Record a call that succeeded."""
        self._record(kwargs, start_time, end_time, success=True)

    def log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Record a call that failed."""
        self._record(kwargs, start_time, end_time, success=False)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Record a call that succeeded."""
        self._record(kwargs, start_time, end_time, success=True)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Record a call that failed."""
        self._record(kwargs, start_time, end_time, success=False)

    def close(self) -> None:
        """Give the outbox back, and say what was not kept."""
        self.telemetry.close()
        self._outbox.close()

    def _record(self, kwargs: Any, start_time: Any, end_time: Any, *, success: bool) -> None:
        call = _object(_object(kwargs).get("standard_logging_object"))
        request = _object(_object(_object(kwargs).get("litellm_params")).get("metadata"))
        result: dict[str, Any] = {"success": success, **_cost(call)}
        task = _task(_object(kwargs), call, request)
        _add_attempt(task, _object(kwargs).get("litellm_trace_id"), request)
        self.telemetry.store_execution_telemetry(
            None,
            task,
            result if success else result | _error(call),
            call.get("startTime") or start_time,
            call.get("endTime") or end_time,
        )


def _task(
    kwargs: Mapping[str, Any], call: Mapping[str, Any], request: Mapping[str, Any]
) -> dict[str, Any]:
    team = _object(call.get("metadata"))
    task = {
        "task_id": call.get("id") or kwargs.get("litellm_call_id"),
        "task_type": call.get("call_type") or kwargs.get("call_type"),
        "task_description": _last_asked(call.get("messages") or kwargs.get("messages")),
        "repo": team.get("user_api_key_team_alias")
        or team.get("user_api_key_team_id")
        or request.get("repo"),
        "pool_type": call.get("custom_llm_provider"),
        "model": call.get("model") or kwargs.get("model"),
        "metadata": _metadata(call, request),
    }
    return {name: value for name, value in task.items() if value not in (None, "")}


def _add_attempt(task: dict[str, Any], trace_id: Any, request: Mapping[str, Any]) -> None:
    """Say of a router's later try which attempt it is, and which task the first one was.

    Args:
        task: the try's, with its metadata.
        trace_id: of the request; all of its tries have the same one.
        request: the request's metadata, which remember the first try.
    """
    counts = [request.get(name) for name in ("attempted_retries", "attempted_fallbacks")]
    before = sum(count for count in counts if isinstance(count, int))
    if counts == [None, None] or not isinstance(request, MutableMapping):
        return  # of no router
    known = _object(request.get(FIRST_TRY))
    if not before:
        first = str(task_uuid(task["task_id"], SCOPE)) if "task_id" in task else None
        known = {"trace_id": trace_id, "task_id": first, "tries": 0}
    elif known.get("trace_id") != trace_id:
        # The first was not logged yet, or the caller gave this metadata to another request, too.
        known = {"trace_id": trace_id, "task_id": None, "tries": before}
    tries = known["tries"] + 1
    request[FIRST_TRY] = {**known, "tries": tries}
    if tries > 1:
        routing = {"attempt": tries, **_object(request.get("routing"))}
        if known["task_id"] is not None:
            routing["first_task_id"] = known["task_id"]
        task.setdefault("metadata", {})["routing"] = routing


def _metadata(call: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the mapping of spend logs has in metadata, too, by the same names."""
    error = _object(call.get("error_information"))
    fallbacks = request.get("attempted_fallbacks")
    said = {
        "model_group": call.get("model_group"),
        "input_tokens": call.get("prompt_tokens") or None,
        "output_tokens": call.get("completion_tokens") or None,
        "cache_hit": call.get("cache_hit"),
        "tags": call.get("request_tags"),
        "user": call.get("end_user"),
        "session_id": call.get("session_id") or call.get("trace_id"),
        "routing": request.get("routing"),  # as LearnedStrategy leaves it there
        "retries": request.get("attempted_retries"),
        "fallbacks": fallbacks,
        "fallback_from": request.get("original_model_group") if fallbacks else None,
        "error_type": error.get("error_class"),
        "error_code": error.get("error_code"),
    }
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _cost(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cost in US dollars; LiteLLM says 0 where it knows none."""
    is_unknown = call.get("response_cost_failure_debug_info") is not None
    return {} if is_unknown else {"actual_cost": call.get("response_cost")}


def _error(call: Mapping[str, Any]) -> dict[str, Any]:
    error = _object(call.get("error_information"))
    message = error.get("error_message") or call.get("error_str")
    kinds = map(_error_type, (error.get("error_class"), message))
    return {
        "error_message": message,
        "error_type": next((kind for kind in kinds if kind), "unknown"),
    }


def _error_type(words: Any) -> str | None:
    lowered = words.lower() if isinstance(words, str) else ""
    return next((kind for pattern, kind in _error_types() if pattern.search(lowered)), None)


@cache
def _error_types() -> list[tuple[re.Pattern[str], str]]:
    text = files("orb_learning").joinpath(ERROR_TYPES).read_text(encoding="utf-8")
    return [
        (re.compile(row["pattern"]), row["error_type"]) for row in csv.DictReader(text.splitlines())
    ]


def _last_asked(messages: Any) -> str | None:
    """Return what the last message of the user says; of other calls, their input."""
    if isinstance(messages, str):
        return messages
    said = [
        "\n".join(_texts(_object(message).get("content")))
        for message in (messages if isinstance(messages, Sequence) else [messages])
        if _object(message).get("role") == "user"
    ]
    return next((words for words in reversed(said) if words), None)


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Sequence):
        for part in content:
            text = part if isinstance(part, str) else _object(part).get("text")
            if isinstance(text, str):
                yield text


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


@cache
def _shared() -> LearningLogger:
    return LearningLogger()


def __getattr__(name: str) -> LearningLogger:
    """Make ``learning_logger`` once it is asked for, so that an import opens nothing."""
    if name == "learning_logger":
        return _shared()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
