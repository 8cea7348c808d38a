"""Parquet: rows with types."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.rows import NO_ENTRIES, Source
from orb_learning.record import COLUMNS
from orb_learning.store import identifier, literal

MARK = "orb_learning"
"""The key-value metadata of a Parquet file whose naive times are UTC: ``orb_learning = 'utc'``."""


def parquet_source(
    connection: duckdb.DuckDBPyConnection, file: Path, *, naive_is_utc: bool
) -> Source:
    """Return a Parquet file's rows; its row numbers begin at 1.

    Raises:
        ImportFileError: none of its columns is one of the record's.
        duckdb.Error: it is not a Parquet file, or is damaged.
    """
    path = _unglobbed(file)
    relation = "read_parquet($path, hive_partitioning = false)"
    described = connection.execute(f"describe select * from {relation}", {"path": path})  # noqa: S608
    types = {str(row[0]): str(row[1]) for row in described.fetchall()}
    columns = {name: kind for name, kind in types.items() if name in COLUMNS}
    check_columns(file, list(types))
    count = connection.execute(f"select count(*) from {relation}", {"path": path}).fetchone()  # noqa: S608
    is_ours = (
        connection.execute(
            "select 1 from parquet_kv_metadata(?) where decode(key) = ? and decode(value) = 'utc'",
            [path, MARK],
        ).fetchone()
        is not None
    )
    # A column of the file hides the reader's own of the same name.
    if "file_row_number" in {name.lower() for name in types}:
        relation = f"(select *, row_number() over () as _row from {relation})"  # noqa: S608
        row_number = "_row"
    else:
        row_number = "file_row_number + 1"
    return Source(
        relation=f"{relation} as file_rows",
        columns=columns,
        last_row_number=int(count[0]) if count else 0,
        content="coalesce(try(to_json(file_rows)::varchar), file_rows::varchar)",
        row_number=row_number,
        extra=_extra([name for name in types if name not in COLUMNS]),
        parameters={"path": path},
        naive_is_utc=naive_is_utc or is_ours,
        is_ours=is_ours,
    )


def check_columns(file: Path, names: list[str]) -> None:
    """Refuse a file that has no column of the record.

    Raises:
        ImportFileError: with the names that it has and those that it should have.
    """
    if not any(name in COLUMNS for name in names):
        found = ", ".join(names)[:300]
        raise ImportFileError(
            f"{file}: no column has a name of an execution's; it has {found}; "
            f"the names, in lower case, are {', '.join(COLUMNS)}"
        )


def _extra(names: list[str]) -> str:
    if not names:
        return NO_ENTRIES
    entries = ", ".join(
        f"{{'key': {literal(name)}, 'value': to_json({identifier(name)})::varchar}}"
        for name in names
    )
    return f"list_filter([{entries}], lambda e: e.value <> 'null')"


def _unglobbed(file: Path) -> str:
    """Return the path as read_parquet takes it: a name with * ? [ is no pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(file.absolute()))
