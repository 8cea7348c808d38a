"""Files as other systems write them, without `--from`: API answers, bulk exports, older clients."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orb_learning.errors import ImportFileError
from orb_learning.ingest import import_file
from orb_learning.store import connect, rows_as_dicts

AT = "2026-11-20T10:00:00.123Z"


def imported(folder: Path, name: str, *records: Any, system: str) -> list[dict[str, Any]]:
    """Import records, a line each; returns their executions, without what is unknown."""
    file = folder / name
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    result = import_file(folder / "a.db", file, now=datetime.fromisoformat("2026-11-26T12:00:00"))
    assert (result.mapping, result.unreadable_count) == (system, 0)
    with connect(folder / "a.db", read_only=True) as connection:
        rows = rows_as_dicts(
            connection.execute("select * exclude _loaded_at from raw.executions order by _load_seq")
        )
    known = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [row | {"metadata": json.loads(row.get("metadata", "{}"))} for row in known]


def claude(kind: str, second: int, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": kind, "sessionId": "5b0c8e6e-6c1f-4f0e-9a55-0d3a52f7a00a", "parentUuid": None,
        "uuid": f"5b0c8e6e-6c1f-4f0e-9a55-0d3a52f7b{second:03}", "cwd": "/home/u/shop",
        "timestamp": f"2026-11-20T10:00:{second:02}.000Z", "message": message, **more,
    }  # fmt: skip


def claude_said(second: int, text: str, **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 20}
    said = {"role": "assistant", "id": f"msg_{second}", "model": "claude-sonnet-4-5-20250929"}
    message = said | {"content": [{"type": "text", "text": text}], "usage": usage}
    return claude("assistant", second, message | more)


SYNTHETIC = {"model": "<synthetic>", "usage": {"input_tokens": 0, "output_tokens": 0}}


def test_an_api_error_is_the_sessions_only_where_it_is_the_last(tmp_path: Path) -> None:
    snapshot = {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}}
    asked = claude("user", 1, {"role": "user", "content": "fix it"})
    failed = claude_said(2, "API Error: 529", stop_reason="stop_sequence", **SYNTHETIC)
    failed["isApiErrorMessage"] = True
    again = claude("user", 3, {"role": "user", "content": "go on"})
    ended = claude_said(4, "Done.", stop_reason="end_turn")
    lines = [snapshot, asked, failed, again, ended]
    [row] = imported(tmp_path, "session.jsonl", *lines, system="claude-code")
    assert (row["success"], row["solution_summary"]) == (True, "Done.")
    assert row["metadata"]["llm_calls"] == 1
    assert "models" not in row["metadata"]
    assert row["actual_cost"] == pytest.approx(10 * 3e-06 + 20 * 1.5e-05)
    rows = imported(tmp_path, "session2.jsonl", asked, failed, system="claude-code")
    assert (rows[-1]["success"], rows[-1]["error_message"]) == (False, "API Error: 529")


def codex(kind: str, second: int, **payload: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-11-20T10:00:{second:02}Z", "type": kind, "payload": payload}


def codex_session(number: int, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    session = f"0199f3b2-6c1f-7f0e-9a55-0d3a52f7a{number:03}"
    return [
        codex("session_meta", 0, id=session, cwd="/w/shop", originator="codex_cli_rs"),
        codex("event_msg", 1, type="user_message", message="add a test"),
        *lines,
    ]


def test_a_rollout_without_its_turns_ends_ended_well_by_an_answer(tmp_path: Path) -> None:
    """Clients before 2026 do not write task_complete, so no session of theirs was valid."""
    call = codex("response_item", 2, type="function_call", name="shell", call_id="c")
    result = codex("response_item", 3, type="function_call_output", call_id="c", output="ok")
    said = codex("event_msg", 4, type="agent_message", message="Added.")
    content = [{"type": "output_text", "text": "Added."}]
    answer = codex("response_item", 4, type="message", role="assistant", content=content)
    more = codex("event_msg", 5, type="user_message", message="and more")
    aborted = codex("event_msg", 6, type="turn_aborted", reason="interrupted")
    done = codex("event_msg", 6, type="task_complete", last_agent_message="Done.")
    for number, lines, success, ending in [
        (1, [call, result, said, answer], True, "agent_message"),
        (2, [said, answer, call, result], None, None),
        (3, [said, answer, more], None, None),
        (4, [said, answer, more, aborted], False, "turn_aborted"),
        (5, [said, answer, more, aborted, more, said], True, "agent_message"),
        (6, [said, done, more], None, None),
        (7, [said, done], True, "task_complete"),
    ]:
        session = codex_session(number, *lines)
        row = imported(tmp_path, f"rollout-{number}.jsonl", *session, system="codex")[-1]
        found = row.get("success"), row["metadata"].get("outcome_from")
        assert found == (success, ending), number


TRACE = {
    "id": "a" * 32, "timestamp": AT, "name": "qa", "input": {"role": "user", "content": "why?"},
    "output": {"role": "assistant", "content": "because"}, "sessionId": None, "tags": [],
    "latency": 1.5, "totalCost": 0.01, "environment": "prod", "projectId": "p",
    "observations": ["o1", "o2"], "scores": ["s1"],
}  # fmt: skip
OBSERVATION = {
    "id": "b" * 32, "traceId": "a" * 32, "type": "GENERATION", "name": "answer", "startTime": AT,
    "endTime": "2026-11-20T10:00:02.123Z", "model": "gpt-4o", "level": "DEFAULT",
    "usageDetails": {"input": 10, "output": 5}, "costDetails": {"total": 0.02},
    "input": [{"role": "user", "content": "why?"}], "environment": "prod",
}  # fmt: skip


def test_a_saved_answer_of_an_api_is_its_list(tmp_path: Path) -> None:
    failed = OBSERVATION | {"id": "c" * 32, "level": "ERROR", "statusMessage": "timed out"}
    answer = {"data": [OBSERVATION, failed], "meta": {"page": 1, "totalItems": 2}}
    good, bad = imported(tmp_path, "observations.json", answer, system="langfuse")
    assert (good["success"], good["duration_seconds"], good["task_type"]) == (True, 2.0, "answer")
    assert (bad["success"], bad["error_type"]) == (False, "timeout")
    answer = {"data": [TRACE], "meta": {"page": 1, "totalItems": 1}}
    row = imported(tmp_path, "traces.json", answer, system="langfuse")[-1]
    assert (row["task_description"], row["solution_summary"]) == ("why?", "because")
    assert "success" not in row  # its observations, which would tell, are ids alone
    spent = {"request_id": "c-1", "call_type": "acompletion", "spend": 0.5, "startTime": AT}
    rows = imported(tmp_path, "spend.json", {"data": [spent], "total": 1}, system="litellm")
    assert rows[-1]["actual_cost"] == 0.5


def test_langfuses_bulk_export_has_its_own_names(tmp_path: Path) -> None:
    trace = {
        "id": "a" * 32, "timestamp": AT, "name": "qa", "project_id": "p", "bookmarked": False,
        "session_id": None, "environment": "prod", "input": "why?", "output": "because",
    }  # fmt: skip
    [row] = imported(tmp_path, "traces.jsonl", trace, system="langfuse")
    assert (row["repo"], row["task_description"]) == ("p", "why?")
    observation = {
        "id": "b" * 32, "trace_id": "a" * 32, "type": "GENERATION", "name": "answer",
        "start_time": AT, "end_time": "2026-11-20T10:00:02.123Z", "level": "ERROR",
        "status_message": "timed out", "provided_model_name": "gpt-4o", "project_id": "p",
        "usage_details": {"input": 10, "output": 5}, "cost_details": {"total": 0.02},
    }  # fmt: skip
    row = imported(tmp_path, "observations.jsonl", observation, system="langfuse")[-1]
    assert (row["success"], row["error_type"], row["duration_seconds"]) == (False, "timeout", 2.0)
    assert row["actual_cost"] == pytest.approx(0.02)
    assert row["metadata"]["model"] == "gpt-4o"
    assert row["metadata"]["input_tokens"] == 10


def test_a_spend_logs_repository_is_the_one_that_the_callback_records(tmp_path: Path) -> None:
    spent = {"request_id": "c-1", "call_type": "acompletion", "spend": 0.5, "startTime": AT}
    told = {"user_api_key_team_alias": "shop", "status": "success"}
    log = spent | {"team_id": "7f3c", "metadata": told}
    [row] = imported(tmp_path, "spend.jsonl", log, system="litellm")
    assert (row["repo"], row["success"]) == ("shop", True)


def test_a_spend_log_that_was_cut_keeps_its_other_rows(tmp_path: Path) -> None:
    """One short line made the whole file none of LiteLLM's."""
    file = tmp_path / "spend.csv"
    row = '{},acompletion,0.5,2026-11-20 10:00:00,"[{{""role"":""user"",""content"":""hi""}}]"\n'
    head = "request_id,call_type,spend,startTime,messages\n"
    file.write_text(head + row.format("a") + row.format("b") + "c,acomp")
    result = import_file(tmp_path / "a.db", file)
    assert (result.mapping, result.row_count) == ("litellm", 3)
    with connect(tmp_path / "a.db", read_only=True) as connection:
        query = "select count(*) from raw.executions where task_description = 'hi'"
        assert connection.execute(query).fetchall() == [(2,)]


def test_a_long_line_hides_no_system(tmp_path: Path) -> None:
    spent = {"request_id": "a", "call_type": "c", "spend": 1, "startTime": AT}
    long = spent | {"request_id": "b", "response": "x" * 17_000_000}
    file = tmp_path / "spend.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in (spent, long, spent)))
    result = import_file(tmp_path / "a.db", file)
    assert (result.mapping, result.row_count) == ("litellm", 2)
    assert result.unreadable_reasons == (("record 2 is not JSON, or longer than 16 MB", 1),)


def test_a_trajectory_says_whose_it_is(tmp_path: Path) -> None:
    run = {
        "trajectory": [{"action": "ls", "execution_time": 1.5}],
        "history": [{"role": "user", "content": [{"type": "text", "text": "solve"}]}],
        "info": {"exit_status": "exit_cost", "model_stats": {"instance_cost": 0.25}},
    }
    [row] = imported(tmp_path, "django__django-3.traj", run, system="swe-agent")
    assert (row["repo"], row["task_description"], row["error_type"]) == (
        ("django/django", "solve", "timeout")
    )
    strange = tmp_path / "strange.traj"
    strange.write_text("{}")
    with pytest.raises(ImportFileError, match="no trajectory of SWE-agent"):
        import_file(tmp_path / "a.db", strange)
