"""Files of other systems, known by names that only they have, where no mapping was named."""

from __future__ import annotations

from collections.abc import Collection

_KINDS: list[tuple[frozenset[str], str]] = [
    (frozenset({"resourceSpans"}), "an OpenTelemetry trace export (OTLP JSON)"),
    (frozenset({"scopeSpans"}), "an OpenTelemetry trace export (OTLP JSON)"),
    (frozenset({"sessionId", "uuid"}), "a session log of Claude Code"),
    (frozenset({"input", "output", "scores", "tags"}), "a trace export of Langfuse"),
    (frozenset({"cache_hit", "request_tags"}), "a spend log of LiteLLM"),
    (frozenset({"trace_metadata"}), "a trace export of MLflow"),
    (frozenset({"execution_duration", "request_preview"}), "a trace export of MLflow"),
    (frozenset({"spans", "trace_id"}), "a trace export of MLflow"),
    (frozenset({"context.span_id"}), "a span export of Phoenix"),
    (frozenset({"context.trace_id"}), "a span export of Phoenix"),
]
_ONLY_IF_UNREADABLE: list[tuple[frozenset[str], str]] = [
    (frozenset({"spans"}), "a trace export of MLflow with renamed columns"),
]


def kind_of(names: Collection[str], *, is_unreadable: bool = False) -> str | None:
    """Return what a file of these names seems to be; None where it may hold executions.

    Args:
        names: its columns or keys.
        is_unreadable: whether no row of it can be read, so that less tells.
    """
    present = set(names)
    kinds = [*_KINDS, *_ONLY_IF_UNREADABLE] if is_unreadable else _KINDS
    return next((kind for signature, kind in kinds if signature <= present), None)
