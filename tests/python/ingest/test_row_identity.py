"""A row without a task_id: the same execution in every state, format and writing of its file."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orb_learning.ingest.files import import_file, importer
from orb_learning.ingest.files.identity import ROW_NAMESPACE
from orb_learning.store import connect
from orb_learning.store import schema as store_schema
from orb_learning.store.schema import ddl

NESTED = {"b": 1.0, "a": {"d": 2, "c": []}}
TWICE = {"repo": "a", "actual_cost": 0.1, "success": True, "metadata": NESTED}
OTHER = {"repo": "two\nlines", "timestamp": "2026-03-01T00:00:00Z", "file_count": 3, "n": 7}
OTHER |= {"note": ""}  # which a CSV writes as it writes none
ROWS: list[dict[str, Any]] = [TWICE, TWICE, OTHER]


def ids(database: Path, file: Path) -> list[str]:
    database.unlink(missing_ok=True)
    result = import_file(database, file)
    assert (result.row_count, result.unreadable_count) == (len(ROWS), 0)
    with connect(database, read_only=True) as connection:
        found = connection.execute("select task_id::varchar from raw.executions order by _load_seq")
        return [str(task_id) for (task_id,) in found.fetchall()]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    def cell(value: Any) -> str:
        text = json.dumps(value) if isinstance(value, dict) else str("" if value is None else value)
        return '"' + text.replace('"', '""') + '"' if text else ""

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [names, *([cell(row.get(name)) for name in names] for row in rows)]
    return "".join(",".join(one) + "\n" for one in table).encode()


def sorted_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return json.loads(json.dumps(rows, sort_keys=True))


def test_equal_values_have_one_identity_in_any_form(database: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(lines(ROWS))
    expected = ids(database, tmp_path / "x.jsonl")
    assert len(set(expected)) == len(ROWS)
    forms = {
        "gzipped.jsonl.gz": gzip.compress(lines(ROWS)),
        "crlf.jsonl": lines(ROWS).replace(b"\n", b"\r\n"),
        "keys.jsonl": lines(sorted_keys(ROWS)),
        "numbers.jsonl": lines(ROWS).replace(b"0.1", b"1e-1").replace(b"1.0", b"1"),
        "array.json": json.dumps(ROWS, indent=2).encode(),
        "utf16.jsonl": lines(ROWS).decode().encode("utf-16"),
        "table.csv": as_csv(ROWS),
        "crlf.csv": as_csv(ROWS).replace(b"\n", b"\r\n"),
        "utf16.csv": as_csv(ROWS).decode().encode("utf-16-le"),
    }
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        assert ids(database, tmp_path / name) == expected, name
    parquet = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        columns = "timestamp::timestamptz as timestamp, * exclude (timestamp)"
        connection.execute(
            f"copy (select {columns} from read_json('{tmp_path / 'x.jsonl'}')) to '{parquet}'"
        )
    assert ids(database, parquet) == expected


def test_a_value_that_differs_is_another_execution(database: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(lines(ROWS))
    changed = [row | {"model": f"other {place}"} for place, row in enumerate(ROWS)]
    (tmp_path / "y.jsonl").write_bytes(lines(changed))
    assert not set(ids(database, tmp_path / "x.jsonl")) & set(ids(database, tmp_path / "y.jsonl"))


def test_equal_rows_are_counted_across_batches(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"repo": "same" * 50}, {"repo": "other"}] * 300
    (tmp_path / "x.jsonl").write_bytes(lines(rows))
    (tmp_path / "more.jsonl").write_bytes(lines(rows[:100]))
    monkeypatch.setattr("orb_learning.ingest.files.text.BLOCK_BYTES", 20_000)
    import_file(database, tmp_path / "x.jsonl")
    import_file(database, tmp_path / "more.jsonl")
    with connect(database, read_only=True) as connection:
        query = "select count(*), count(distinct task_id) from raw.executions"
        assert connection.execute(query).fetchall() == [(700, 600)]


def test_a_file_of_an_older_version_keeps_its_identities(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(lines(ROWS))
    with monkeypatch.context() as old:
        version_5 = ddl().partition("-- version 6")[0]
        old.setattr(store_schema, "ddl", lambda: version_5)
        old.setattr(store_schema, "SCHEMA_VERSION", 5)
        # It reads a table that came later.
        old.setattr(importer, "find_waiting_executions", lambda *_: None)
        sha256 = import_file(database, file).sha256
        with connect(database) as connection:
            for row in range(1, len(ROWS) + 1):
                by_row = uuid.uuid5(ROW_NAMESPACE, f"{sha256}:{row}")
                update = "update raw.executions set task_id = ? where _load_seq = ?"
                connection.execute(update, [by_row, row])
    import_file(database, file, again=True)
    with connect(database, read_only=True) as connection:
        query = "select count(*), count(distinct task_id) from raw.executions"
        assert connection.execute(query).fetchall() == [(6, 3)]
