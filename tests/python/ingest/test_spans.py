"""Spans: which execution a trace is, whatever order, batches and ways they come in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from traces import agent_run, chat, request_json, span

from orb_learning.collector.bodies import JSON, parse_request
from orb_learning.collector.spans import payloads_of
from orb_learning.ingest import drop_old_spans
from orb_learning.ingest import spans as spans_loader
from orb_learning.ingest.spans import load_span_payloads
from orb_learning.store import delete_tasks, migrate, rows_as_dicts

NOW = datetime.fromisoformat("2026-11-26T12:00:00")


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        migrate(connection)
        yield connection


@pytest.fixture
def raw(empty: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    clear(empty)
    return empty


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("executions", "spans", "forgotten", "refused_records"):
        connection.execute(f"delete from raw.{table}")


def newest(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = rows_as_dicts(
        connection.execute(
            "select * exclude (_load_seq, _loaded_at) from raw.executions "
            "qualify row_number() over (partition by task_id order by _load_seq desc) = 1 "
            "order by task_id"
        )
    )
    known = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [row | {"metadata": json.loads(row["metadata"])} for row in known]


def load(
    connection: duckdb.DuckDBPyConnection, spans: Sequence[dict[str, Any]], now: datetime = NOW
) -> Any:
    return load_span_payloads(connection, [request_json(spans)], now)


def test_the_outermost_agent_span_is_the_execution(raw: duckdb.DuckDBPyConnection) -> None:
    assert load(raw, agent_run(7)) == (5, 0, 0, 1)
    [row] = newest(raw)
    assert row.pop("task_id").int == 7
    assert row == {
        "timestamp": datetime.fromisoformat("2026-11-21T10:00:01"),
        "task_type": "fixer",
        "task_description": "fix the basket",
        "repo": "shop",
        "pool_type": "openai",
        "success": True,
        "duration_seconds": 20.0,
        "actual_cost": pytest.approx(0.007),
        "solution_summary": "Fixed.",
        "metadata": {
            "model": "gpt-4o",
            "input_tokens": 2000,
            "output_tokens": 200,
            "cost_from": "prices",
            "llm_calls": 2,
            "llm_errors": 1,
            "tool_calls": 1,
            "spans": 5,
            "operation": "invoke_agent",
        },
    }


def test_older_names_and_openinference_say_the_same(raw: duckdb.DuckDBPyConnection) -> None:
    older = {
        "gen_ai__system": "openai",
        "gen_ai__request__model": "gpt-4o",
        "gen_ai__usage__prompt_tokens": 1000,
        "gen_ai__usage__completion_tokens": 100,
        "gen_ai__prompt__0__role": "user",
        "gen_ai__prompt__0__content": "hello",
    }
    openinference = {
        "openinference__span__kind": "LLM",
        "llm__provider": "openai",
        "llm__model_name": "gpt-4o",
        "llm__token_count__prompt": 1000,
        "llm__token_count__completion": 100,
        "llm__input_messages__0__message__role": "user",
        "llm__input_messages__0__message__content": "hello",
    }
    load(raw, [span(1, 1, **older), span(2, 1, **openinference)])
    first, second = newest(raw)
    for row in (first, second):
        assert (row["pool_type"], row["task_description"]) == ("openai", "hello")
        assert row["actual_cost"] == pytest.approx(0.0035)
        assert row["metadata"]["input_tokens"] == 1000


def test_conventions_that_are_mixed_in_a_trace_count_a_call_once(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    """An agent of OpenInference's, a call of OpenTelemetry's, and the client's own inside it."""
    tokens = {"llm__token_count__prompt": 1000, "llm__token_count__completion": 100}
    load(
        raw,
        [
            span(1, 1, openinference__span__kind="AGENT", agent__name="fixer", seconds=9),
            chat(1, 2, 1),
            span(1, 3, 2, openinference__span__kind="LLM", llm__model_name="gpt-4o", **tokens),
            span(1, 4, 1, traceloop__span__kind="tool"),
        ],
    )
    [row] = newest(raw)
    assert (row["task_type"], row["duration_seconds"]) == ("fixer", 9.0)
    assert row["actual_cost"] == pytest.approx(0.0035)
    told = row["metadata"]
    assert (told["llm_calls"], told["tool_calls"], told["input_tokens"]) == (1, 1, 1000)


def test_absurd_times_and_numbers_of_a_span_end_nothing(raw: duckdb.DuckDBPyConnection) -> None:
    last = str(2**63 - 1)
    absurd = {
        "gen_ai__usage__input_tokens": 2**63 - 1,
        "gen_ai__usage__output_tokens": -5,
        "gen_ai__usage__cost": 1.7e308,
    }
    spans = [
        chat(1, 1) | {"startTimeUnixNano": last, "endTimeUnixNano": "1"},
        chat(2, 1, **absurd), chat(2, 2, **absurd), chat(3, 1, gen_ai__usage__cost=float("nan")),
        chat(4, 1) | {"parentSpanId": "f" * 16}, chat(5, 1),
    ]  # fmt: skip
    assert load(raw, spans).versions == 5
    rows = newest(raw)
    assert rows[0]["timestamp"].year == 2262
    assert "input_tokens" not in rows[1]["metadata"]
    assert rows[3]["success"]


def test_a_reported_cost_goes_before_the_list_of_prices(raw: duckdb.DuckDBPyConnection) -> None:
    load(
        raw,
        [
            chat(1, 1, gen_ai__usage__cost=0.5),
            chat(2, 1, gen_ai__request__model="nobody-knows-it"),
            chat(3, 1, error="no answer", error__type="TimeoutError"),
        ],
    )
    reported, unknown, failed = newest(raw)
    assert (reported["actual_cost"], reported["metadata"]["cost_from"]) == (0.5, "reported")
    assert "actual_cost" not in unknown
    assert (failed["success"], failed["error_type"], failed["error_message"]) == (
        False,
        "timeout",
        "no answer",
    )
    assert failed["metadata"]["error_type"] == "TimeoutError"


@pytest.mark.parametrize(
    "prefix",
    [
        "gen_ai__usage__cache_{}__input_tokens",
        "gen_ai__usage__cache_{}_input_tokens",
        "gen_ai__usage__details__cache_{}_tokens",
        "llm__token_count__prompt_details__cache_{}",
    ],
)
def test_tokens_of_a_cache_have_their_own_prices(
    raw: duckdb.DuckDBPyConnection, prefix: str
) -> None:
    written = "creation" if "input" in prefix else "write"
    cached = {prefix.format("read"): 600, prefix.format(written): 300}
    load(raw, [chat(1, 1, gen_ai__request__model="claude-sonnet-4-5", **cached)])
    [row] = newest(raw)
    # A million: fresh ones $3, from the cache $0.30, to the cache $3.75, out $15.
    assert row["actual_cost"] == pytest.approx(
        100 * 3e-06 + 600 * 3e-07 + 300 * 3.75e-06 + 100 * 1.5e-05
    )


def test_more_cached_tokens_than_came_in_cost_no_more_than_those(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    cached = {
        "gen_ai__usage__cache_read__input_tokens": 800,
        "gen_ai__usage__cache_creation__input_tokens": 10**9,
    }
    load(raw, [chat(1, 1, gen_ai__request__model="claude-sonnet-4-5", **cached)])
    [row] = newest(raw)
    assert row["actual_cost"] == pytest.approx(800 * 3e-07 + 200 * 3.75e-06 + 100 * 1.5e-05)


def test_spans_that_come_again_make_no_version(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, agent_run(7))
    assert load(raw, agent_run(7)) == (0, 0, 0, 0)
    assert raw.execute("select count(*) from raw.executions").fetchall() == [(1,)]


def test_of_two_states_of_a_span_the_later_counts(raw: duckdb.DuckDBPyConnection) -> None:
    whole = chat(1, 1)
    begun = whole | {"endTimeUnixNano": whole["startTimeUnixNano"]}
    for states in ([begun, whole], [whole, begun]):
        clear(raw)
        for state in states:
            load(raw, [state])
        [row] = newest(raw)
        assert row["duration_seconds"] == 1.0


def test_a_span_later_than_its_trace_is_kept_is_counted(raw: duckdb.DuckDBPyConnection) -> None:
    run = agent_run(7)
    load(raw, run[1:])
    age = timedelta(days=7)
    assert drop_old_spans(raw, NOW + age, age) == 0
    assert drop_old_spans(raw, NOW + age + timedelta(seconds=1), age) == 4
    assert load(raw, [run[0], chat(8, 1)], NOW + timedelta(days=8)) == (1, 1, 0, 1)
    assert raw.execute(
        "select count(*) from raw.executions where task_id = '00000000-0000-0000-0000-000000000007'"
    ).fetchall() == [(1,)]
    assert raw.execute("select reason, refused_count from raw.refused_records").fetchall() == [
        ("late_span", 1)
    ]


def test_a_trace_has_so_many_spans_and_the_others_are_counted(
    raw: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a million, each load took 10 s and two gigabytes, while nobody else had the database."""
    lowered = spans_loader._SPANS_BEYOND.replace(f"{spans_loader.MOST_SPANS_A_TRACE}", "3")
    monkeypatch.setattr(spans_loader, "_SPANS_BEYOND", lowered)
    assert load(raw, [span(1, number) for number in (1, 2)] + [span(2, 1)]) == (3, 0, 0, 2)
    assert load(raw, [span(1, number) for number in (2, 3, 4, 5)]) == (1, 0, 2, 1)
    assert load(raw, [span(1, 6)]) == (0, 0, 1, 0)
    assert [row["metadata"]["spans"] for row in newest(raw)] == [3, 1]
    refused = raw.execute("select reason, sum(refused_count) from raw.refused_records group by 1")
    assert refused.fetchall() == [("span_of_a_large_trace", 3)]


def test_an_erased_trace_does_not_come_back(raw: duckdb.DuckDBPyConnection) -> None:
    run = agent_run(7)
    load(raw, run[1:])
    delete_tasks(raw, [newest(raw)[0]["task_id"]], NOW)
    assert raw.execute("select count(*) from raw.spans").fetchall() == [(0,)]
    assert load(raw, run) == (0, 0, 0, 0)
    assert newest(raw) == []


def test_spans_that_are_each_others_parents_end(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, [chat(1, 1, 2), chat(1, 2, 1), chat(1, 3, 3)])
    [row] = newest(raw)
    assert row["metadata"]["spans"] == 3


def test_hostile_names_and_texts_are_data(raw: duckdb.DuckDBPyConnection) -> None:
    hostile = "'); drop table raw.spans; --\x00<script>\ud7ff"
    spans = [chat(1, 1, gen_ai__agent__name=hostile, gen_ai__usage__input_tokens="many")]
    spans[0]["attributes"] += [
        {"key": 'gen_ai."x', "value": {"stringValue": hostile}},
        {"key": "gen_ai.agent.name", "value": {"stringValue": "the second of its name"}},
        {"key": "gen_ai.input.messages", "value": {"stringValue": "[" * 10_000}},
    ]
    load(raw, spans)
    [row] = newest(raw)
    assert row["task_type"] == hostile
    assert len(row["task_description"]) == 8_000


def test_a_conversation_that_is_cut_tells_what_was_asked(raw: duckdb.DuckDBPyConnection) -> None:
    """Most of an agent's are longer than what is kept of a text."""
    asked = {"role": "user", "parts": [{"type": "text", "content": 'fix the "basket"\nnow'}]}
    called = {"role": "assistant", "parts": [{"type": "tool_call", "name": "read", "id": "1"}]}
    told = {"role": "user", "parts": [{"type": "tool_call_response", "result": "x" * 9_000}]}
    plain = [
        {"role": "system", "content": "be brief " * 9},
        {"role": "user", "content": "y" * 9_000},
    ]
    unasked = [
        {"role": "system", "content": "z" * 9_000},
        {"role": "user", "content": "never kept"},
    ]
    spans = [
        chat(number, 1, gen_ai__input__messages=json.dumps(messages))
        for number, messages in enumerate([[asked, called, told], plain, unasked], 1)
    ]
    load(raw, spans)
    first, second, third = (row["task_description"] for row in newest(raw))
    assert first == 'fix the "basket"\nnow'
    assert second.startswith("yyy")
    assert set(second) == {"y"}
    assert third == "span 1"


@st.composite
def traces(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return spans of two traces: trees, with lost parents, and a span that came in two states."""
    found = []
    for trace in (1, 2):
        for number in range(1, draw(st.integers(2, 5))):
            parent = draw(st.sampled_from([None, *range(1, number), 99]))
            kind = draw(st.sampled_from(["chat", "agent", "tool", "other"]))
            start = draw(st.integers(0, 3))
            error = draw(st.sampled_from([None, "Timeout"]))
            if kind == "chat":
                made = chat(trace, number, parent, start=start, error=error)
            else:
                names = {"agent": "invoke_agent", "tool": "execute_tool", "other": "other"}
                operation = names[kind]
                made = span(
                    trace,
                    number,
                    parent,
                    start=start,
                    error=error,
                    gen_ai__operation__name=operation,
                )
            found.append(made)
            if draw(st.booleans()):
                found.append(made | {"endTimeUnixNano": made["startTimeUnixNano"]})
    return found


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(spans=traces(), data=st.data())
def test_order_and_batches_do_not_matter(
    empty: duckdb.DuckDBPyConnection, spans: list[dict[str, Any]], data: st.DataObject
) -> None:
    clear(empty)
    load(empty, spans)
    whole = newest(empty)
    clear(empty)
    shuffled = data.draw(st.permutations(spans))
    cut = data.draw(st.integers(0, len(spans)))
    for part in (shuffled[:cut], shuffled[cut:], shuffled[: len(spans) // 2]):
        if part:
            load(empty, part)
    assert newest(empty) == whole


TEXTS = st.text(max_size=20) | st.sampled_from(["x" * 9_000, "[" * 9_000, "\x00", "'; drop", "nan"])
VALUES = st.recursive(
    TEXTS.map(lambda text: {"stringValue": text})
    | st.integers(-(2**63), 2**63 - 1).map(lambda number: {"intValue": str(number)})
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: {"doubleValue": number})
    | st.booleans().map(lambda truth: {"boolValue": truth}),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: {"arrayValue": {"values": found}})
        | st.dictionaries(st.text(max_size=5), inner, max_size=3).map(
            lambda found: {
                "kvlistValue": {"values": [{"key": k, "value": v} for k, v in found.items()]}
            }
        )
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        "gen_ai.agent.name", "gen_ai.operation.name", "gen_ai.usage.input_tokens", "input.value",
        "gen_ai.request.model", "gen_ai.input.messages", "output.value", "error.type",
        "llm.cost.total", "exception.message", "http.url", "gen_ai.\"'x",
        "openinference.span.kind", "session.id",
    ]
)  # fmt: skip
ATTRIBUTES = st.lists(st.builds(lambda k, v: {"key": k, "value": v}, KEYS, VALUES), max_size=6)


@pytest.mark.slow
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
)
@given(told=st.lists(st.tuples(ATTRIBUTES, ATTRIBUTES, TEXTS, TEXTS), min_size=15, max_size=25))
def test_the_collector_and_a_file_give_the_same_whatever_the_attributes(
    empty: duckdb.DuckDBPyConnection,
    told: list[tuple[list[dict[str, Any]], list[dict[str, Any]], str, str]],
) -> None:
    spans = []
    for trace, (attributes, of_event, name, message) in enumerate(told, 1):
        failed = span(trace, 1, error=message) | {"name": name, "attributes": attributes}
        events = [{"name": "exception", "attributes": of_event}]
        spans += [failed | {"events": events}, chat(trace, 2, 1)]
    sent = request_json(spans)
    clear(empty)
    load_span_payloads(empty, [sent], NOW)
    of_file = newest(empty)
    clear(empty)
    kept = payloads_of(parse_request(sent.encode(), JSON), None)
    load_span_payloads(empty, kept.payloads, NOW)
    for row, other in zip(newest(empty), of_file, strict=True):
        assert row == other
