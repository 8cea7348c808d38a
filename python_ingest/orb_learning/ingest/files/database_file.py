"""A DuckDB database with an ``executions`` relation: the original's, or one of this project.

It may be a stranger's, whose views run SQL. They do so in a process that may use only so much time,
memory and disk: DuckDB cannot interrupt every function, and some SQL ends its process.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError, NotADatabaseError
from orb_learning.filesystem import open_regular
from orb_learning.ingest.files.names import TIMES, column_of
from orb_learning.ingest.files.parquet import MARK
from orb_learning.ingest.files.read_errors import read_errors
from orb_learning.ingest.files.times import NAIVE_TYPES
from orb_learning.store import (
    EndedError,
    Limits,
    StoppedError,
    answer_apart,
    ask_apart,
    connect_without_lock,
    identifier,
    literal,
    with_whole_digits,
)

_EXACT_IN_PARQUET = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "FLOAT", "DOUBLE", "VARCHAR", "BLOB", "DATE", "UUID", "JSON", "TIMESTAMP",
    "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "FLOAT[]", "DOUBLE[]",
}  # fmt: skip
CHECKPOINT = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('checkpoint')"
"""What writes a database's log into it, as Python."""
LIMITS = {"memory_limit": "512MB", "threads": 1, "max_temp_directory_size": "4GB"}
"""Of DuckDB, while it copies what a database has."""
LEAST_SECONDS, BYTES_A_SECOND = 60.0, 2**20
"""For so long the copying may take, and a second more for so many bytes; ten times as many are
usual."""
MOST_MEMORY_BYTES = 1_536 * 2**20
"""Of the process; DuckDB's own limit leaves single values out."""
LEAST_COPIED_BYTES, MOST_TIMES_ITS_SIZE = 2**30, 10
"""So large the copy may be, and so many times the file's size more."""


def copy_executions(file: Path, parquet: Path) -> list[str]:
    """Copy a database's executions to a Parquet file that is marked as UTC.

    A copy, because a view of the file names the database by the file's stem, under which it cannot
    be attached beside one of the same stem. Views reach only the file and the copy's folder.

    Returns:
        a note, if times without a zone were taken as UTC and the database does not say so.

    Raises:
        ImportFileError: it is no database, has no executions, or not all of it is in the file
            yet, it is damaged, or takes too much time, memory or disk.
        DatabaseError: the file cannot be opened.
    """
    with open_regular(file) as opened:
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
    size = file.stat().st_size
    seconds = LEAST_SECONDS + size / BYTES_A_SECOND
    most_bytes = LEAST_COPIED_BYTES + MOST_TIMES_ITS_SIZE * size
    try:
        notes = ask_apart(
            __name__, [str(file), str(parquet)], Limits(seconds, most_bytes, MOST_MEMORY_BYTES)
        )
    except StoppedError as error:
        raise ImportFileError(
            f"{file}: reading its executions took longer than {seconds:,.0f} s and was stopped; "
            f"are they a view? Write them into a table"
        ) from error
    except EndedError as error:
        raise ImportFileError(
            f"{file}: reading its executions ended the process that did it; are they a view? "
            f"Write them into a table"
        ) from error
    return list(notes)


def _copied_apart(arguments: list[str]) -> list[str]:
    file, parquet = map(Path, arguments)
    try:
        with read_errors(file):
            return _copy(file, parquet)
    except (duckdb.Error, MemoryError) as error:
        reason = (str(error) or "memory").splitlines()[0]
        raise ImportFileError(f"{file}: its executions cannot be read: {reason}") from error


def _copy(file: Path, parquet: Path) -> list[str]:
    with _opened(file, parquet.parent) as connection:
        try:
            described = connection.execute("describe executions").fetchall()
        except duckdb.CatalogException as error:
            raise ImportFileError(
                f"{file} has no table or view named executions; is it a learning database?"
            ) from error
        types = {str(row[0]): str(row[1]) for row in described}
        connection.execute(
            f"copy (select {', '.join(parquet_value(name, types[name]) for name in types)} "  # noqa: S608
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
        with connect_without_lock(file, scratch=scratch, limits=LIMITS, held=True) as connection:
            yield connection
    except NotADatabaseError as error:
        raise ImportFileError(
            f"{file} is damaged or not complete: {error.__cause__}; "
            f"copy it again from where it came from"
        ) from error


def parquet_value(name: str, kind: str) -> str:
    """Return a column's SQL: as it is, or as text where Parquet has no such type."""
    column = identifier(name)
    if kind == "INTERVAL":
        return f"epoch({column}) as {column}"
    if kind in _EXACT_IN_PARQUET or kind.startswith(("FLOAT[", "DECIMAL")):
        return column
    if column_of(name) is not None:
        return f"{column}::varchar as {column}"
    return f"to_json({column}::{with_whole_digits(kind)}) as {column}"


if __name__ == "__main__":
    answer_apart(_copied_apart)
