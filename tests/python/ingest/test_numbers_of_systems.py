"""Numbers of other systems that nobody can mean: unknown, and no end of an import."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from orb_learning.ingest import import_file
from orb_learning.mappings import named_mapping
from orb_learning.store import connect

DATA = Path(__file__).parents[2] / "data"
FILES = {
    "langfuse": DATA / "cases/langfuse_traces_renamed.jsonl",
    "mlflow": DATA / "exports/mlflow_traces.jsonl",
    "otlp": DATA / "cases/otlp_traces.jsonl",
    "phoenix": DATA / "exports/phoenix_spans.jsonl",
    "claude-code": DATA / "cases/claude_code_session.jsonl",
}
USAGE = {"input_tokens": 1, "output_tokens": 2, "cached_input_tokens": 3}
RECORDS = {
    "codex": [
        {
            "timestamp": "2026-11-20T10:00:00Z",
            "type": "session_meta",
            "payload": {"id": "s", "originator": "codex_cli"},
        },
        {
            "timestamp": "2026-11-20T10:00:09Z",
            "type": "event_msg",
            "payload": {"type": "token_count", "info": {"total_token_usage": USAGE}},
        },
    ],
    "inspect": [
        {
            "eval": {"eval_id": "e", "created": "2026-11-20T10:00:00Z", "model": "m"},
            "samples": [{"id": 1, "input": "x", "total_time": 1.5, "model_usage": {"m": USAGE}}],
        }
    ],
    "litellm": [
        {"request_id": "a", "startTime": "2026-11-20T10:00:00Z", "spend": 0.1, "prompt_tokens": 5}
    ],
    "openhands": [
        {
            "instance_id": "i",
            "history": [{"timestamp": "2026-11-20T10:00:00Z"}],
            "metrics": {
                "accumulated_cost": 1.5,
                "accumulated_token_usage": {"prompt_tokens": 5, "completion_tokens": 6},
            },
        }
    ],
    "swe-agent": [
        {
            "trajectory": [{"execution_time": 1.5}],
            "messages": [{"role": "user", "content": "x", "timestamp": 1763632800}],
            "info": {"model_stats": {"instance_cost": 1.5, "api_calls": 3}},
        }
    ],
}
WHAT_SPANS_ARE_KNOWN_BY = {"traceId", "spanId", "startTimeUnixNano"}
NOBODY_MEANS = ["nan", "-inf", "1e300", "-1e300", str(2**63 - 1), str(-(2**63)), str(10**25)]


def with_numbers(value: Any, number: str) -> Any:
    """Return a record whose every number, or text that is one, is another."""
    if isinstance(value, dict):
        return {
            key: inner if key in WHAT_SPANS_ARE_KNOWN_BY else with_numbers(inner, number)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [with_numbers(inner, number) for inner in value]
    try:
        float(value)
    except (TypeError, ValueError):
        return value
    return value if isinstance(value, bool) else number


@pytest.mark.parametrize("system", [*FILES, *RECORDS])
def test_no_number_of_a_system_ends_its_import(tmp_path: Path, system: str) -> None:
    if system in FILES:
        records = [json.loads(line) for line in FILES[system].read_text().splitlines()]
    else:
        records = RECORDS[system]
    file, database = tmp_path / f"{system}.jsonl", tmp_path / "learning.db"
    file.write_text(
        "".join(
            json.dumps(with_numbers(record, number)) + "\n"
            for number in NOBODY_MEANS
            for record in records
        )
    )
    import_file(database, file, mapping=named_mapping(system))
    with connect(database, read_only=True) as connection:
        [(kept,)] = connection.execute(
            "select (select count(*) from raw.executions)"
            " + (select count(*) from raw.unreadable_rows)"
        ).fetchall()
        tokens = connection.execute(
            "select metadata ->> '$.input_tokens' from raw.executions"
        ).fetchall()
    assert kept
    for (said,) in tokens:
        assert said is None or math.isfinite(float(said))
