"""A file's ids may be of any kind: they become UUIDs as those of captured executions do."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orb_learning.ingest import import_file
from orb_learning.record import task_uuid
from orb_learning.store.connection import connect
from orb_learning.store.external_ids import executions_of

A_UUID = uuid.UUID("0b8f6a52-0c5e-4f0e-9a3f-2f6d1a7c9e11")
FIRST, SECOND = "2026-04-01T10:00:00Z", "2026-04-08T10:00:00Z"


def executions(database: Path) -> list[tuple[Any, ...]]:
    with connect(database) as connection:
        return connection.execute(
            "select task_id, task_description, metadata ->> 'external_id', "
            "metadata ->> 'external_id_reused' from raw.executions order by _load_seq"
        ).fetchall()


def write_jsonl(file: Path, *records: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def record(task_id: Any, at: str = FIRST, text: str = "mend it", **others: Any) -> dict[str, Any]:
    return {"task_id": task_id, "timestamp": at, "task_description": text, **others}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("task-7", "task-7"),
        (7, "7"),
        ("7", "7"),
        (" \u00fc 1 ", "\u00fc 1"),
        (str(A_UUID), None),
        (A_UUID.hex.upper(), None),
        (f"{{{A_UUID}}}", None),
        (f"urn:uuid:{A_UUID}", None),
    ],
)
def test_an_id_in_a_file_is_the_task_of_the_same_id_captured(
    tmp_path: Path, given: Any, kept: str | None
) -> None:
    file = write_jsonl(tmp_path / "x.jsonl", record(given))
    import_file(tmp_path / "a.db", file, id_scope="pool")
    assert executions(tmp_path / "a.db") == [(task_uuid(given, "pool"), "mend it", kept, None)]


@pytest.mark.parametrize("kind", ["bigint", "double", "varchar"])
@pytest.mark.parametrize("ending", ["parquet", "csv", "db"])
def test_ids_of_each_format_and_type_are_one(tmp_path: Path, ending: str, kind: str) -> None:
    file = tmp_path / f"x.{ending}"
    select = f"select 7::{kind} as task_id, timestamptz '{FIRST}' as timestamp, true as success"
    target = str(file) if ending == "db" else ":memory:"
    with duckdb.connect(target) as connection:
        if ending == "db":
            connection.execute(f"create table executions as {select}")
        else:
            connection.execute(f"copy ({select}) to '{file}'")
    import_file(tmp_path / "a.db", file)
    external = "7.0" if (ending, kind) == ("csv", "double") else "7"  # a CSV holds texts
    assert executions(tmp_path / "a.db") == [(task_uuid(external), None, external, None)]


@pytest.mark.parametrize("in_one_file", [True, False])
def test_a_reused_id_replaces_no_earlier_task(tmp_path: Path, in_one_file: bool) -> None:
    rows = [
        record("task-7"),
        record("task-7", SECOND, "write it", metadata={"a": 1}),
        record("task-7", SECOND, "write it", repo="r"),
    ]
    database = tmp_path / "a.db"
    files = [rows] if in_one_file else [[row] for row in rows]
    for number, each in enumerate(files):
        import_file(database, write_jsonl(tmp_path / f"{number}.jsonl", *each))
    first, second, third = executions(database)
    base = task_uuid("task-7")
    assert first == (base, "mend it", "task-7", None)
    assert second == third == (second[0], "write it", "task-7", "true")
    assert second[0] != base
    with connect(database) as connection:
        assert executions_of(connection, [base]) == {base, second[0]}


def test_a_column_external_id_of_the_file_stays(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "x.jsonl", record("task-7", external_id="theirs"))
    import_file(tmp_path / "a.db", file)
    with connect(tmp_path / "a.db") as connection:
        [(metadata,)] = connection.execute("select metadata from raw.executions").fetchall()
    assert json.loads(metadata) == {"task_id": "task-7", "external_id": "theirs"}
