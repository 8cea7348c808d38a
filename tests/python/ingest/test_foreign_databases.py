"""What the views of an imported database do ends, and nothing of it is loaded."""

from __future__ import annotations

import json
import time
from pathlib import Path

import duckdb
import pytest

from orb_learning.errors import ImportFileError
from orb_learning.ingest import import_file
from orb_learning.ingest.files import database_file

ROW = "now()::timestamp as timestamp, 'test' as task_type, true as success"
HOSTILE = {
    "kills its process": (
        "(repeat('[', 100000) || repeat(']', 100000))::json::variant::varchar as x",
        "ended the process that did it",
    ),
    "cannot be interrupted": (
        "levenshtein(repeat('a', 300000), repeat('b', 300000)) as x",
        "took longer than 3 s and was stopped",
    ),
    "never ends": ("x from range(100000000000) t(x)", "took longer than 3 s and was stopped"),
    "takes all memory": ("repeat('a', 1500000000) as x", "needs more memory than"),
    "fills the disk": (
        "uuid()::varchar as x from range(10000000)",
        "damaged, incomplete",
    ),
    "reads what is gone": ("(select gone from other) as x", "executions cannot be read"),
}


def made(path: Path, selected: str) -> Path:
    """Write a database with a view that selects something beside a row."""
    with duckdb.connect(path) as connection:
        connection.execute("create table other (gone integer, kept integer)")
        connection.execute(f"create view executions as select {ROW}, {selected}")
        connection.execute("alter table other drop column gone")
    return path


@pytest.mark.parametrize("what", HOSTILE)
def test_what_a_view_does_ends_in_time_with_a_reason(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "LEAST_SECONDS", 3.0)
    if what == "fills the disk":
        monkeypatch.setattr(database_file, "LEAST_COPIED_BYTES", 2**20)
        monkeypatch.setattr(database_file, "MOST_TIMES_ITS_SIZE", 1)
        monkeypatch.setattr(database_file, "LEAST_SECONDS", 30.0)
    selected, reason = HOSTILE[what]
    file = made(tmp_path / "foreign.db", selected)
    began = time.monotonic()
    with pytest.raises(ImportFileError, match=reason):
        import_file(tmp_path / "learning.db", file)
    assert time.monotonic() - began < 20
    with duckdb.connect(tmp_path / "learning.db", read_only=True) as connection:
        assert connection.execute("select count(*) from raw.executions").fetchall() == [(0,)]


def test_a_table_of_very_many_columns_is_refused(tmp_path: Path) -> None:
    """5,000 of them took 30 s and 2.7 GB, however few rows there were."""
    columns = ", ".join(f"1 as c{number}" for number in range(500))
    for name in ("x.db", "x.csv", "x.parquet"):
        file = tmp_path / name
        with duckdb.connect(file if name == "x.db" else ":memory:") as connection:
            connection.execute(f"create table executions as select {columns}, {ROW}")
            if name != "x.db":
                connection.execute(f"copy executions to '{file}'")
        with pytest.raises(ImportFileError, match="has 503 columns, and 500 may be"):
            import_file(tmp_path / "learning.db", file)


@pytest.mark.parametrize("is_document", [False, True])
def test_an_object_of_very_many_keys_is_unreadable(tmp_path: Path, is_document: bool) -> None:
    """One of 1.2 million took 1.3 GB, and minutes."""
    execution = {"timestamp": "2026-03-01T12:00:00Z", "task_type": "test", "success": True}
    rows = [execution | {f"k{n}": 1 for n in range(count)} for count in (497, 498, 300_000)]
    file = tmp_path / "x.json"
    file.write_text(json.dumps(rows) if is_document else "\n".join(map(json.dumps, rows)))
    began = time.monotonic()
    result = import_file(tmp_path / "learning.db", file)
    assert time.monotonic() - began < 20
    assert (result.row_count, result.unreadable_count) == (1, 2)
    assert result.unreadable_reasons == (("it has more than 500 keys", 2),)


def test_objects_of_ever_other_keys_are_refused(tmp_path: Path) -> None:
    """300,000 keys in 3,000 rows took a minute."""
    file = tmp_path / "x.jsonl"
    with file.open("w") as opened:
        for row in range(101):
            keys = {f"k{row}_{number}": 1 for number in range(100)}
            opened.write(json.dumps({"task_type": "test", **keys}) + "\n")
    with pytest.raises(ImportFileError, match="more than 10,000 different keys"):
        import_file(tmp_path / "learning.db", file)
