"""Files of other systems through `orb import`: the rows that a person would expect."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from traces import request_json, span

from orb_learning.errors import ImportFileError
from orb_learning.ingest import import_file
from orb_learning.mappings import SystemMapping, mapping_from_file, named_mapping
from orb_learning.mappings import rows as mapping_rows
from orb_learning.record import task_uuid
from orb_learning.store import connect, executions_of, rows_as_dicts

CASES = Path(__file__).parents[2] / "data/cases"
EXPORTS = CASES.with_name("exports")
NOW = datetime.fromisoformat("2026-11-26T12:00:00")


def imported(
    database: Path, file: Path, system: str | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Import a file and return the newest version of each of its tasks, without what is unknown."""
    mapping = named_mapping(system) if system else options.pop("mapping", None)
    import_file(database, file, mapping=mapping, now=NOW, **options)
    with connect(database, read_only=True) as connection:
        rows = rows_as_dicts(
            connection.execute(
                "select * exclude (_load_seq, _loaded_at) from raw.executions "
                "qualify row_number() over (partition by task_id order by _load_seq desc) = 1 "
                'order by "timestamp", task_id'
            )
        )
    known = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [row | {"metadata": json.loads(row.get("metadata", "{}"))} for row in known]


def written(file: Path, *records: Any) -> Path:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def test_a_spend_log_is_what_litellm_recorded(tmp_path: Path) -> None:
    rows = imported(tmp_path / "a.db", CASES / "litellm_spendlogs_renamed.csv", "litellm")
    assert len(rows) == 3
    first = rows[0]
    assert first.pop("task_id").version == 5
    assert first == {
        "timestamp": datetime.fromisoformat("2026-11-20T10:00:00.123"),
        "task_type": "acompletion",
        "task_description": 'fix "it"\nplease',
        "repo": "team-a",
        "pool_type": "openai",
        "success": True,
        "duration_seconds": pytest.approx(5.377),
        "actual_cost": pytest.approx(1.25e-05),
        "metadata": {
            "model": "gpt-4o-mini",
            "input_tokens": 12,
            "cache_hit": False,
            "tags": ["a"],
            "external_id": "chatcmpl-0abc",
        },
    }


def test_langfuse_traces_carry_scores_and_a_quality(tmp_path: Path) -> None:
    file = CASES / "langfuse_traces_renamed.jsonl"
    rows = imported(tmp_path / "a.db", file, "langfuse", score="q")
    assert [str(row["task_id"]) for row in rows] == [
        f"4bf92f35-77b3-4da6-a3ce-929d0e0e473{n}" for n in range(3)
    ]
    assert all(row["success"] and row["quality_score"] == 100 for row in rows)
    assert rows[0]["metadata"] == {"model": "gpt-4o", "tags": ["a"], "scores": {"q": 1}}
    assert "quality_score" not in imported(tmp_path / "b.db", file, "langfuse")[0]


def test_mlflow_traces_of_one_id_are_versions_of_a_task(tmp_path: Path) -> None:
    [row] = imported(tmp_path / "a.db", CASES / "mlflow_traces_renamed.parquet", "mlflow")
    assert row["metadata"]["external_id"] == "tr-4bf92f3577b34da6a3ce929d0e0e4736"
    assert (row["success"], row["error_type"], row["duration_seconds"]) == (False, "unknown", 2.0)


def test_phoenix_spans_of_a_trace_are_one_execution(tmp_path: Path) -> None:
    [row] = imported(tmp_path / "a.db", CASES / "phoenix_spans_renamed.parquet", "phoenix")
    assert str(row["task_id"]) == "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
    assert (row["success"], row["task_description"], row["repo"]) == (True, "hi", "default")
    assert row["metadata"]["input_tokens"] == 12
    assert row["actual_cost"] == pytest.approx(12 * 2.5e-06)


@pytest.mark.parametrize("name", ["mlflow_search_traces.parquet", "mlflow_traces.jsonl"])
def test_what_a_real_mlflow_writes_is_its_traces(tmp_path: Path, name: str) -> None:
    fixed, failed = imported(tmp_path / "a.db", EXPORTS / name, score="correctness")
    for row in (fixed, failed):
        assert (row["task_type"], row["pool_type"]) == ("fixer", "make_mlflow.py")
        assert row["metadata"]["external_id"].startswith("tr-")
        assert row["metadata"]["input_tokens"] == 1000
        assert row["metadata"]["model"] == "gpt-4o"
        assert row["actual_cost"] == pytest.approx(1000 * 2.5e-06 + 100 * 1e-05)
        assert 0 < row["duration_seconds"] < 60
    assert (fixed["task_description"], fixed["success"]) == ("fix the basket", True)
    assert (fixed["solution_summary"], fixed["quality_score"]) == ("Fixed.", 90)
    assert (failed["task_description"], failed["success"]) == ("fix the till", False)
    assert (failed["error_type"], failed["error_message"]) == ("timeout", "no answer")
    assert "solution_summary" not in failed


@pytest.mark.parametrize("name", ["phoenix_spans.parquet", "phoenix_spans.jsonl"])
def test_what_a_real_phoenix_writes_is_its_traces(tmp_path: Path, name: str) -> None:
    fixed, failed = imported(tmp_path / "a.db", EXPORTS / name)
    for row in (fixed, failed):
        assert (row["task_type"], row["pool_type"]) == ("fixer", "openai")
        assert (row["metadata"]["spans"], row["metadata"]["llm_calls"]) == (2, 1)
        assert row["metadata"]["model"] == "gpt-4o"
        assert row["actual_cost"] == pytest.approx(1000 * 2.5e-06 + 100 * 1e-05)
    assert (fixed["task_description"], fixed["solution_summary"]) == ("fix the basket", "Fixed.")
    assert (failed["task_description"], failed["success"]) == ("fix the till", False)
    assert failed["error_type"] == "timeout"
    assert failed["error_message"] == "TimeoutError: no answer"
    assert failed["metadata"]["error_type"] == "TimeoutError"


def test_otlp_files_say_whose_they_are(tmp_path: Path) -> None:
    [row] = imported(tmp_path / "a.db", CASES / "otlp_traces.jsonl")
    assert row["timestamp"] == datetime.fromisoformat("2026-11-21T10:00:00.123456")
    assert (row["success"], row["error_type"], row["error_message"]) == (False, "unknown", "x")
    assert row["duration_seconds"] == 1.0
    assert "actual_cost" not in row


def test_a_claude_code_session_counts_usage_once_a_message(tmp_path: Path) -> None:
    [row] = imported(tmp_path / "a.db", CASES / "claude_code_session.jsonl")
    assert str(row["task_id"]) == "5b0c8e6e-6c1f-4f0e-9a55-0d3a52f7a001"
    assert (row["pool_type"], row["repo"]) == ("claude-code", "p")
    assert row["metadata"]["input_tokens"] == 3
    assert row["metadata"]["output_tokens"] == 5
    assert "success" not in row


def claude_line(kind: str, message: dict[str, Any], second: int, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "sessionId": "5b0c8e6e-6c1f-4f0e-9a55-0d3a52f7a009",
        "uuid": f"5b0c8e6e-6c1f-4f0e-9a55-0d3a52f7b{second:03}",
        "parentUuid": None,
        "cwd": "/home/u/shop",
        "timestamp": f"2026-11-20T10:00:{second:02}.000Z",
        "message": message,
        **more,
    }


def test_a_session_that_grew_is_a_new_version_of_its_task(tmp_path: Path) -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 1,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 30,
    }
    said = {"role": "assistant", "id": "msg_1", "model": "claude-sonnet-4-5"}
    asked = claude_line("user", {"role": "user", "content": "fix the basket"}, 1)
    begun = claude_line("assistant", {**said, "usage": usage}, 2, requestId="r1")
    ended = claude_line(
        "assistant",
        {
            **said,
            "content": [{"type": "text", "text": "Fixed."}],
            "usage": {**usage, "output_tokens": 20},
            "stop_reason": "end_turn",
        },
        4,
        requestId="r1",
    )
    database = tmp_path / "a.db"
    file = written(tmp_path / "session.jsonl", asked, begun)
    with file.open("a") as half:
        half.write('{"type": "assist')
    [first] = imported(database, file)
    assert "success" not in first
    [row] = imported(database, written(file, asked, begun, ended))
    assert row["task_id"] == first["task_id"]
    assert (row["success"], row["duration_seconds"]) == (True, 3.0)
    assert (row["task_description"], row["solution_summary"]) == ("fix the basket", "Fixed.")
    assert row["metadata"]["input_tokens"] == 100
    assert row["metadata"]["output_tokens"] == 20
    # A million: fresh ones $3, from the cache $0.30, to the cache $3.75, out $15.
    assert row["actual_cost"] == pytest.approx(
        10 * 3e-06 + 60 * 3e-07 + 30 * 3.75e-06 + 20 * 1.5e-05
    )


def test_a_cut_line_of_a_growing_log_is_kept_as_unreadable(tmp_path: Path) -> None:
    file = CASES / "claude_code_session.jsonl"
    cut = tmp_path / "session.jsonl"
    cut.write_text(file.read_text() + '{"type": "assist')
    result = import_file(tmp_path / "a.db", cut, now=NOW)
    assert (result.row_count, result.unreadable_count, result.mapping) == (1, 1, "claude-code")


def test_a_codex_rollout_is_its_session(tmp_path: Path) -> None:
    def line(kind: str, second: int, **payload: Any) -> dict[str, Any]:
        return {
            "timestamp": f"2026-11-20T10:00:{second:02}Z",
            "type": kind,
            "payload": payload,
        }

    session = "0199f3b2-6c1f-7f0e-9a55-0d3a52f7a001"
    usage = {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 7}
    records = [
        line(
            "session_meta",
            0,
            id=session,
            cwd="/w/shop",
            originator="codex_cli",
            git={"branch": "b"},
        ),
        line("turn_context", 1, model="gpt-4o", cwd="/w/shop"),
        line("event_msg", 1, type="user_message", message="add a test"),
        line("event_msg", 2, type="token_count", info={"total_token_usage": usage}),
        line("event_msg", 3, type="token_count", info={"total_token_usage": usage}),
        line("event_msg", 9, type="task_complete", last_agent_message="Added."),
    ]
    [row] = imported(tmp_path / "a.db", written(tmp_path / "rollout.jsonl", *records))
    assert str(row["task_id"]) == session
    assert (row["repo"], row["pool_type"], row["success"]) == ("shop", "codex", True)
    assert (row["task_description"], row["solution_summary"]) == ("add a test", "Added.")
    assert row["duration_seconds"] == 9.0
    assert row["actual_cost"] == pytest.approx(60 * 2.5e-06 + 40 * 1.25e-06 + 7 * 1e-05)


def test_evaluations_are_an_execution_an_instance(tmp_path: Path) -> None:
    openhands = {
        "instance_id": "django__django-1",
        "instruction": "mend it",
        "test_result": {"git_patch": "diff", "report": {"resolved": True}},
        "metadata": {"llm_config": {"model": "gpt-4o"}, "start_time": "2026-11-20 10:00:00"},
        "history": [
            {"timestamp": "2026-11-20T10:00:01"},
            {"timestamp": "2026-11-20T10:00:31"},
        ],
        "metrics": {"accumulated_cost": 0.5},
        "error": None,
    }
    [row] = imported(tmp_path / "a.db", written(tmp_path / "output.jsonl", openhands))
    assert (row["success"], row["duration_seconds"], row["actual_cost"]) == (True, 30.0, 0.5)
    assert (row["task_description"], row["solution_summary"]) == ("mend it", "diff")

    mini = {
        "info": {"exit_status": "LimitsExceeded", "model_stats": {"instance_cost": 0.25}},
        "messages": [
            {"role": "user", "content": "mend that", "timestamp": 1795255200.5},
            {"role": "assistant", "content": "so", "timestamp": 1795255210.5},
        ],
        "instance_id": "sympy__sympy-22",
    }
    file = tmp_path / "sympy__sympy-22.traj.json"
    file.write_text(json.dumps(mini, indent=2))
    [row] = imported(tmp_path / "b.db", file)
    assert (row["success"], row["error_type"]) == (False, "timeout")
    assert (row["repo"], row["duration_seconds"]) == ("sympy/sympy", 10.0)

    inspect = {
        "eval": {"run_id": "r", "task": "arith", "task_id": "t", "model": "openai/gpt-4o"},
        "stats": {"started_at": "2026-11-20T10:00:00+00:00"},
        "samples": [
            {
                "id": n,
                "epoch": 1,
                "input": "1 + 1?",
                "scores": {"match": {"value": verdict}},
                "output": {"model": "gpt-4o", "completion": "2"},
                "model_usage": {"openai/gpt-4o": {"input_tokens": 10, "output_tokens": 1}},
                "total_time": 1.5,
            }
            for n, verdict in enumerate("CI")
        ],
    }
    file = tmp_path / "log.json"
    file.write_text(json.dumps(inspect))
    rows = imported(tmp_path / "c.db", file)
    assert sorted((row["success"], row.get("error_type")) for row in rows) == [
        (False, "quality_gate"),
        (True, None),
    ]
    assert rows[0]["actual_cost"] == pytest.approx(10 * 2.5e-06 + 1e-05)


def test_spend_logs_and_failures_are_known_by_their_columns(tmp_path: Path) -> None:
    failed = {
        "request_id": "chatcmpl-9",
        "call_type": "acompletion",
        "spend": 0.0,
        "startTime": "2026-11-20T10:00:00",
        "endTime": "2026-11-20T10:00:09",
        "model": "gpt-4o",
        "status": "failure",
        "messages": [{"role": "user", "content": "hello"}],
        "metadata": {
            "error_information": {"error_class": "Timeout", "error_message": "after 9 s"},
            "attempted_retries": 2,
        },
    }
    [row] = imported(tmp_path / "a.db", written(tmp_path / "logs.jsonl", failed))
    assert (row["success"], row["error_type"], row["error_message"]) == (
        False,
        "timeout",
        "after 9 s",
    )
    assert row["metadata"]["error_type"] == "Timeout"
    assert row["metadata"]["retries"] == 2


def test_a_mapping_of_ones_own_is_a_select_over_source(tmp_path: Path) -> None:
    sql = tmp_path / "own.sql"
    sql.write_text(
        "select field(record, ['$.no']) as task_id, field(record, ['$.at']) as \"timestamp\",\n"
        "    'x' as task_type, true as success from source;\n"
    )
    file = written(tmp_path / "own.jsonl", {"no": 7, "at": "2026-11-20T10:00:00"})
    [row] = imported(tmp_path / "a.db", file, mapping=mapping_from_file(sql))
    assert row["metadata"] == {"external_id": "7"}
    for bad, part in (
        ("delete from raw.executions", "no SELECT"),
        ("select 1 as colour", "colour"),
    ):
        with pytest.raises(ImportFileError, match=part):
            imported(tmp_path / "a.db", file, mapping=SystemMapping("own", bad), again=True)


def test_spans_of_many_attributes_fit_into_an_imports_memory(tmp_path: Path) -> None:
    """200 of 500 attributes took 10 s and over 512 MB: with the square of their number."""
    told = [{"key": f"gen_ai.n{n}", "value": {"stringValue": "x"}} for n in range(500)]
    told[7:7] = [{"key": "gen_ai.n3", "value": {"stringValue": "a second of its name"}}]
    spans = [span(1, number) | {"attributes": told} for number in range(1, 201)]
    file = tmp_path / "traces.jsonl"
    file.write_text(request_json(spans))
    [row] = imported(tmp_path / "a.db", file)
    assert row["metadata"]["spans"] == 200
    with connect(tmp_path / "a.db", read_only=True) as connection:
        query = "select distinct attributes::varchar from raw.spans"
        [(attributes,)] = connection.execute(query).fetchall()
    assert json.loads(attributes) == {f"gen_ai.n{n}": "x" for n in range(499)}


def test_long_records_are_mapped_in_parts(tmp_path: Path) -> None:
    """A log of 45 MB was refused: DuckDB works on 2,048 records at once, whatever their length."""
    said = {"call_type": "c", "spend": 1, "startTime": "2026-11-20T10:00:00Z", "status": "success"}
    long = {"messages": [{"role": "user", "content": "x" * 8_000}], "response": "y" * 8_000}
    file = tmp_path / "spend.jsonl"
    with file.open("w") as written_to:
        for number in range(4_000):
            written_to.write(json.dumps(said | long | {"request_id": f"{number}"}) + "\n")
    result = import_file(tmp_path / "a.db", file, now=NOW)
    assert (result.row_count, result.unreadable_count) == (4_000, 0)


@pytest.mark.parametrize(
    ("file", "system"),
    [
        (EXPORTS / "mlflow_search_traces.parquet", "mlflow"),
        (EXPORTS / "phoenix_spans.jsonl", "phoenix"),
        (CASES / "litellm_spendlogs_renamed.csv", "litellm"),
        (CASES / "langfuse_traces_renamed.jsonl", "langfuse"),
        (CASES / "otlp_traces.jsonl", "otlp"),
    ],
)
def test_records_in_parts_are_the_same_executions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path, system: str
) -> None:
    whole = imported(tmp_path / "a.db", file, system)
    monkeypatch.setattr(mapping_rows, "CHARACTERS_A_PART", 1)
    assert imported(tmp_path / "b.db", file, system) == whole


def test_of_many_scores_the_first_100_count(tmp_path: Path) -> None:
    scores = [{"name": f"n{n}", "value": n} for n in range(5_000)]
    trace = {"id": "a", "timestamp": "2026-11-20T10:00:00Z", "sessionId": None, "scores": scores}
    [row] = imported(tmp_path / "a.db", written(tmp_path / "traces.jsonl", *[trace] * 5))
    assert row["metadata"]["scores"] == {f"n{n}": n for n in range(100)}


@pytest.mark.parametrize("in_one_file", [True, False])
@pytest.mark.parametrize("system", ["litellm", "langfuse", "own"])
def test_a_reused_id_of_a_system_replaces_no_earlier_task(
    tmp_path: Path, system: str, in_one_file: bool
) -> None:
    own = "field(record, ['$.no']) as task_id, field(record, ['$.startTime']) as \"timestamp\""
    sql = tmp_path / "own.sql"
    sql.write_text(f"select {own}, record ->> '$.said' as task_description from source")
    mapping = mapping_from_file(sql) if system == "own" else named_mapping(system)
    days = [(1, "mend it"), (8, "write it"), (8, "write it"), (9, "mend it")]
    records = [
        {
            "request_id": "task-7", "id": "task-7", "no": "task-7", "line": line,
            "startTime": f"2026-04-{day:02}T10:00:00Z", "timestamp": f"2026-04-{day:02}T10:00:00Z",
            "messages": [{"role": "user", "content": text}], "input": text, "said": text,
        }
        for line, (day, text) in enumerate(days)
    ]  # fmt: skip
    database, base = tmp_path / "a.db", task_uuid("task-7", mapping.name)
    for number, each in enumerate([records] if in_one_file else [[one] for one in records]):
        file = written(tmp_path / f"{number}.jsonl", *each)
        import_file(database, file, mapping=mapping, id_scope="not theirs")
    with connect(database) as connection:
        found = connection.execute(
            "select task_id, task_description, metadata ->> 'external_id', "
            "metadata ->> 'external_id_reused' from raw.executions order by _load_seq"
        ).fetchall()
        assert executions_of(connection, [base]) == {base, found[1][0]}
    first, second, third, fourth = found
    assert first == fourth == (base, "mend it", "task-7", None)
    assert second == third == (second[0], "write it", "task-7", "true")
    assert second[0] != base


def test_a_file_of_another_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="no record of it is one of codex's"):
        imported(tmp_path / "a.db", CASES / "claude_code_session.jsonl", "codex")
