"""Files of other systems, known by names that only they have, where no mapping was named."""

from __future__ import annotations

from collections.abc import Collection

_KINDS: list[tuple[frozenset[str], str, str]] = [
    (frozenset({"resourceSpans"}), "an OpenTelemetry trace export (OTLP JSON)", "otlp"),
    (frozenset({"scopeSpans"}), "an OpenTelemetry trace export (OTLP JSON)", "otlp"),
    (frozenset({"sessionId", "uuid"}), "a session log of Claude Code", "claude-code"),
    (frozenset({"input", "output", "scores", "tags"}), "a trace export of Langfuse", "langfuse"),
    (frozenset({"cache_hit", "request_tags"}), "a spend log of LiteLLM", "litellm"),
    (frozenset({"trace_metadata"}), "a trace export of MLflow", "mlflow"),
    (frozenset({"execution_duration", "request_preview"}), "a trace export of MLflow", "mlflow"),
    (frozenset({"spans", "trace_id"}), "a trace export of MLflow", "mlflow"),
    (frozenset({"context.span_id"}), "a span export of Phoenix", "phoenix"),
    (frozenset({"context.trace_id"}), "a span export of Phoenix", "phoenix"),
]
_ONLY_IF_UNREADABLE: list[tuple[frozenset[str], str, str]] = [
    (frozenset({"spans"}), "a trace export of MLflow with renamed columns", "mlflow"),
]


def kind_of(names: Collection[str], *, is_unreadable: bool = False) -> tuple[str, str] | None:
    """Return what a file of these names seems to be, and the name of its mapping.

    It is None where the file may hold executions.

    Args:
        names: its columns or keys.
        is_unreadable: whether no row of it can be read, so that less tells.
    """
    present = set(names)
    kinds = [*_KINDS, *_ONLY_IF_UNREADABLE] if is_unreadable else _KINDS
    return next(((kind, by) for signature, kind, by in kinds if signature <= present), None)
