"""Requests of spans as the outbox keeps them: OTLP in JSON, a record for a trace's spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic_core import to_json

from orb_learning.mappings import COUNTED_ATTRIBUTES, LONGEST_TEXT

MOST_SPANS_A_RECORD = 200
MOST_ATTRIBUTES, MOST_ELEMENTS, DEEPEST_VALUE = 500, 100, 5
_COUNTED = frozenset(COUNTED_ATTRIBUTES)

Redact = Callable[[str], str]


class Kept(NamedTuple):
    """What is kept of a request."""

    payloads: list[str]
    rejected: int
    """Spans that cannot be read."""


def payloads_of(request: ExportTraceServiceRequest, redact: Redact | None) -> Kept:
    """Return a request's records for the outbox.

    Each is a request of OTLP in JSON with spans of one trace. It has the attributes that count,
    with their texts cut and redacted.

    Args:
        request: the request.
        redact: returns a text without what must not be kept.
    """
    text = _texts(redact)
    payloads: list[str] = []
    rejected = 0
    for resource in request.resource_spans:
        about = _attributes(
            (one for one in resource.resource.attributes if one.key == "service.name"), text
        )
        traces: dict[bytes, list[dict[str, Any]]] = {}
        for scope in resource.scope_spans:
            for span in scope.spans:
                if _is_readable(span):
                    traces.setdefault(span.trace_id, []).append(_span(span, text))
                else:
                    rejected += 1
        for spans in traces.values():
            for start in range(0, len(spans), MOST_SPANS_A_RECORD):
                part = spans[start : start + MOST_SPANS_A_RECORD]
                whole = {"resource": {"attributes": about}, "scopeSpans": [{"spans": part}]}
                payloads.append(to_json({"resourceSpans": [whole]}).decode())
    return Kept(payloads, rejected)


def _texts(redact: Redact | None) -> Redact:
    # Cut twice: what a secret at the first cut leaves of itself goes with the second.
    if redact is None:
        return lambda text: text[:LONGEST_TEXT]
    return lambda text: redact(text[: 2 * LONGEST_TEXT])[:LONGEST_TEXT] if text else text


def _is_readable(span: Span) -> bool:
    return (
        len(span.trace_id) == 16
        and len(span.span_id) == 8
        and any(span.trace_id)
        and any(span.span_id)
        and 0 < span.start_time_unix_nano < 2**63
        and span.end_time_unix_nano < 2**63
    )


def _span(span: Span, text: Redact) -> dict[str, Any]:
    found: dict[str, Any] = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "name": text(span.name),
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "attributes": _attributes(span.attributes, text),
    }
    if span.parent_span_id:
        found["parentSpanId"] = span.parent_span_id.hex()
    if span.end_time_unix_nano:
        found["endTimeUnixNano"] = str(span.end_time_unix_nano)
    if span.status.code or span.status.message:
        found["status"] = {"code": span.status.code, "message": text(span.status.message)}
    telling = (
        event
        for event in span.events
        if event.name == "exception"
        or (event.name.startswith("gen_ai.") and event.name.endswith("details"))
    )
    events = [
        {"name": event.name, "attributes": _attributes(event.attributes, text)}
        for event in islice(telling, MOST_ELEMENTS)
    ]
    if events:
        found["events"] = events
    return found


def _attributes(attributes: Iterable[KeyValue], text: Redact) -> list[dict[str, Any]]:
    counted = (
        one
        for one in attributes
        if one.key.split(".", 1)[0] in _COUNTED or one.key == "service.name"
    )
    return [
        {"key": one.key[:LONGEST_TEXT], "value": _value(one.value, text, 0)}
        for one in islice(counted, MOST_ATTRIBUTES)
    ]


def _value(value: AnyValue, text: Redact, depth: int) -> dict[str, Any]:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"stringValue": text(value.string_value)}
    if kind == "int_value":
        return {"intValue": str(value.int_value)}
    if kind == "double_value":
        return {"doubleValue": value.double_value}
    if kind == "bool_value":
        return {"boolValue": value.bool_value}
    if depth < DEEPEST_VALUE and kind == "array_value":
        values = value.array_value.values[:MOST_ELEMENTS]
        return {"arrayValue": {"values": [_value(one, text, depth + 1) for one in values]}}
    if depth < DEEPEST_VALUE and kind == "kvlist_value":
        pairs = value.kvlist_value.values[:MOST_ELEMENTS]
        listed = [
            {"key": text(one.key), "value": _value(one.value, text, depth + 1)} for one in pairs
        ]
        return {"kvlistValue": {"values": listed}}
    return {}
