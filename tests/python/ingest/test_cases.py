"""Files as people have them, one fault each: tests/data/cases/README.md says what is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files import import_file
from orb_learning.store import connect

CASES = REPOSITORY / "tests/data/cases"

READ: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "append_only_log_day1.jsonl": ("count(*), sum(actual_cost)", [(2, 2.0)]),
    "append_only_log_day2.jsonl": ("count(*), sum(actual_cost)", [(3, 3.0)]),
    "duration_as_timedelta.parquet": (
        "duration_seconds, cpu_time_seconds is null", [(3.0, False), (4.0, False)]
    ),
    "json_array_named.jsonl": ("task_description, success", [("fix it", True)]),
    "claude_code_session.jsonl": ("task_id::varchar, pool_type", [
        ("5b0c8e6e-6c1f-4f0e-9a55-0d3a52f7a001", "claude-code")
    ]),
    "otlp_traces.jsonl": ("success, error_message", [(False, "x")]),
    "nan_in_metadata.jsonl": ("metadata", [('{"score":"NaN"}',), ('{"score":"Infinity"}',)]),
    "one_nul_byte_in_a_cell.csv": (
        "error_message, success", [("the log had a \0 byte", False), (None, True)]
    ),
    "other_case_beside_own_name.jsonl": (
        "timestamp::varchar, metadata", [("2026-11-20 10:00:00", None)]
    ),
    "pretty_printed_document.json": ("timestamp::varchar, repo", [("2026-11-20 10:00:00", None)]),
}  # fmt: skip
"""Files that are read: what is asked of their rows, and what they hold."""

UNREADABLE = {
    "impossible_offset.jsonl": [(1, "an offset beyond ±15:59, which no zone has")],
    "lone_surrogate.jsonl": [(1, "half a surrogate pair")],
    "time_before_year_1.jsonl": [(1, "outside the years 1 to 9999")],
}
"""Files with rows that cannot be read: their numbers, and a part of the reason."""

REFUSED = {
    "langfuse_traces_renamed.jsonl": ("a trace export of Langfuse", "--from langfuse`", "scores"),
    "litellm_spendlogs_renamed.csv": ("a spend log of LiteLLM", "--from litellm`", "request_tags"),
    "mlflow_traces_renamed.parquet": (
        "a trace export of MLflow",
        "--from mlflow`",
        "has no time zone",
    ),
    "no_known_key.jsonl": ("no column or key has a name", "it has message, type, uuid"),
    "phoenix_spans_renamed.parquet": ("a span export of Phoenix", "--from phoenix`", "span_id"),
}
"""Files that are refused: what they are said to be, and what was found."""


OF_BUILDS = {"clusters_day1.jsonl", "clusters_day2.jsonl"}
"""Files whose fault was a build's: ``test_clusters_built.py``."""


@pytest.mark.parametrize("name", sorted({*READ, *UNREADABLE, *REFUSED}))
def test_a_case_gives_what_is_right(database: Path, name: str) -> None:
    if name in REFUSED:
        with pytest.raises(ImportFileError) as caught:
            import_file(database, CASES / name)
        assert all(part in str(caught.value) for part in REFUSED[name])
        return
    result = import_file(database, CASES / name)
    expected, found = (*READ[name],) if name in READ else ("", [])
    with connect(database, read_only=True) as connection:
        if expected:
            query = f"select {expected} from raw.executions"
            order = "" if "count(*)" in expected else " order by _load_seq"
            assert connection.execute(query + order).fetchall() == found
        unreadable = connection.execute("select row_number, reason from raw.unreadable_rows")
        for (number, reason), (said_of, said) in zip(
            UNREADABLE.get(name, []), unreadable.fetchall(), strict=True
        ):
            assert said_of == number
            assert reason in said
        for (metadata,) in connection.execute("select metadata from raw.executions").fetchall():
            json.loads(metadata or "null", parse_constant=pytest.fail)
    assert result.unreadable_count == len(UNREADABLE.get(name, []))


def test_every_case_is_in_the_table() -> None:
    names = {file.name for file in CASES.iterdir()} - {"README.md", *OF_BUILDS}
    assert names == {*READ, *UNREADABLE, *REFUSED}


def test_a_name_in_another_case_is_said(database: Path) -> None:
    result = import_file(database, CASES / "other_case_beside_own_name.jsonl")
    assert result.notes == ("'Timestamp' is read as timestamp",)


def test_a_log_that_grows_gives_each_line_one_identity(database: Path) -> None:
    for day in (1, 2):
        import_file(database, CASES / f"append_only_log_day{day}.jsonl")
    query = "select count(*), count(distinct task_id) from raw.executions"
    with connect(database, read_only=True) as connection:
        assert connection.execute(query).fetchall() == [(5, 3)]
