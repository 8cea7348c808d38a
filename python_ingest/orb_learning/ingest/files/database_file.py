"""A DuckDB database with an ``executions`` relation: the original's, or one of this project."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError, NotADatabaseError
from orb_learning.ingest.files.names import TIMES, column_of
from orb_learning.ingest.files.parquet import MARK
from orb_learning.ingest.files.times import NAIVE_TYPES
from orb_learning.store import connect_without_lock, identifier, literal

_EXACT_IN_PARQUET = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "FLOAT", "DOUBLE", "VARCHAR", "BLOB", "DATE", "UUID", "JSON", "TIMESTAMP",
    "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "FLOAT[]", "DOUBLE[]",
}  # fmt: skip
CHECKPOINT = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('checkpoint')"
"""What writes a database's log into it, as Python."""
LIMITS = {"memory_limit": "512MB", "threads": 1}
"""Of DuckDB, while it copies what a database has."""


def copy_executions(file: Path, parquet: Path) -> list[str]:
    """Copy a database's executions to a Parquet file that is marked as UTC.

    A copy, because a view of the file names the database by the file's stem, under which it cannot
    be attached beside one of the same stem. Views reach only the file and the copy's folder.

    Returns:
        a note, if times without a zone were taken as UTC and the database does not say so.

    Raises:
        ImportFileError: it is no database, has no executions, or not all of it is in the file yet.
        DatabaseError: the file cannot be opened.
        duckdb.Error: it is damaged.
    """
    with file.open("rb") as opened:
        # DuckDB would take another database's file for an order to download an extension.
        if opened.read(12)[8:] != b"DUCK":
            raise ImportFileError(f"{file} is not a DuckDB database; is its name's ending right?")
    log = file.with_name(file.name + ".wal")
    if log.exists() and log.stat().st_size:
        raise ImportFileError(
            f"{file} has a write-ahead log beside it, {log.name}, with changes that are not in it "
            f"yet; close what uses it, or run: python -c {shlex.quote(CHECKPOINT)} "
            f"{shlex.quote(str(file))}"
        )
    with _opened(file, parquet.parent) as connection:
        try:
            described = connection.execute("describe executions").fetchall()
        except duckdb.CatalogException as error:
            raise ImportFileError(
                f"{file} has no table or view named executions; is it a learning database?"
            ) from error
        types = {str(row[0]): str(row[1]) for row in described}
        connection.execute(
            f"copy (select {', '.join(_copied(name, types[name]) for name in types)} "  # noqa: S608
            f"from executions) to {literal(parquet)} "
            f"(format parquet, row_group_size 20480, kv_metadata {{{MARK}: 'utc'}})"
        )
        naive = [name for name in types if column_of(name) in TIMES and types[name] in NAIVE_TYPES]
        if not naive or _is_ours(connection):
            return []
        return [f"the times of {' and '.join(naive)} have no zone and were taken as UTC"]


def _is_ours(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from information_schema.tables "
            "where table_schema = 'raw' and table_name = 'schema_versions'"
        ).fetchall()
    )


@contextmanager
def _opened(file: Path, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with connect_without_lock(file, scratch=scratch, limits=LIMITS) as connection:
            yield connection
    except NotADatabaseError as error:
        raise ImportFileError(
            f"{file} is damaged or not complete: {error.__cause__}; "
            f"copy it again from where it came from"
        ) from error


def _copied(name: str, kind: str) -> str:
    """Return a column's SQL: as it is, or as text where Parquet has no such type."""
    column = identifier(name)
    if kind == "INTERVAL":
        return f"epoch({column}) as {column}"
    if kind in _EXACT_IN_PARQUET or kind.startswith(("FLOAT[", "DECIMAL")):
        return column
    if column_of(name) is not None:
        return f"{column}::varchar as {column}"
    return f"to_json({column}) as {column}"
