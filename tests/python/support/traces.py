"""Traces of agents, as requests of OTLP in JSON and in protobuf."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from orb_learning.collector.bodies import JSON, parse_request

START_NS = 1_795_255_200_000_000_000
"""2026-11-21T10:00:00Z."""


def value_of(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}


def span(
    trace: int,
    number: int,
    parent: int | None = None,
    *,
    start: int = 0,
    seconds: float = 1,
    error: str | None = None,
    **attributes: Any,
) -> dict[str, Any]:
    """Return a span; two underscores in an attribute's name are a dot."""
    began = START_NS + start * 10**9
    found: dict[str, Any] = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": f"span {number}",
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + int(seconds * 10**9)),
        "attributes": [
            {"key": name.replace("__", "."), "value": value_of(value)}
            for name, value in attributes.items()
        ],
    }
    if parent is not None:
        found["parentSpanId"] = f"{parent:016x}"
    if error is not None:
        found["status"] = {"code": 2, "message": error}
    return found


def request(spans: Iterable[dict[str, Any]], service: str = "shop") -> dict[str, Any]:
    about = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": about, "scopeSpans": [{"spans": list(spans)}]}]}


def request_json(spans: Iterable[dict[str, Any]]) -> str:
    return json.dumps(request(spans))


def request_bytes(spans: Iterable[dict[str, Any]]) -> bytes:
    made = parse_request(request_json(spans).encode(), JSON)
    return bytes(made.SerializeToString())


def chat(trace: int, number: int, parent: int | None = None, **more: Any) -> dict[str, Any]:
    """Return a call of a model: a thousand tokens in, a hundred out, $0.0035 by the list."""
    attributes = {
        "gen_ai__operation__name": "chat",
        "gen_ai__provider__name": "openai",
        "gen_ai__request__model": "gpt-4o",
        "gen_ai__usage__input_tokens": 1000,
        "gen_ai__usage__output_tokens": 100,
    }
    return span(trace, number, parent, **(attributes | more))


def agent_run(trace: int) -> list[dict[str, Any]]:
    """Return an agent inside a web request: two calls, one of which failed, and a tool."""
    messages = [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {"role": "user", "parts": [{"type": "text", "content": "fix the basket"}]},
    ]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Fixed."}]}]
    return [
        span(trace, 1, start=0, seconds=30),
        span(
            trace,
            2,
            1,
            start=1,
            seconds=20,
            gen_ai__operation__name="invoke_agent",
            gen_ai__agent__name="fixer",
            # The sum of its calls, which must not count twice.
            gen_ai__usage__input_tokens=2000,
            gen_ai__input__messages=json.dumps(messages),
            gen_ai__output__messages=json.dumps(answer),
        ),
        chat(trace, 3, 2, start=2, error="429", error__type="RateLimitError"),
        chat(trace, 4, 2, start=4),
        span(trace, 5, 2, start=6, gen_ai__operation__name="execute_tool"),
    ]
