"""All raw rows of a database into another that has none: of a file into a lake, or back.

Both are read by the lake's engine, which opens the files of the newer one. The models are built
anew there: they are made of raw alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import DatabaseError, DatabaseLockedError
from orb_learning.filesystem import ReadWriteLock, make_folder, make_private, sync
from orb_learning.locator import is_lake
from orb_learning.store.checksums import TableChecksum, query_checksum
from orb_learning.store.duckdb_errors import translated_errors
from orb_learning.store.lake import Door, lake_in_hand, open_lake
from orb_learning.store.paths import check_path
from orb_learning.store.schema import SCHEMA_VERSION, migrate
from orb_learning.store.sealing import STORAGE_VERSION
from orb_learning.store.sql_text import identifier, literal
from orb_learning.store.written_log import log_of

SEQUENCES = ("load_seq", "dead_letter_id")
OWN = ("schema_versions",)
"""What a database has of its own."""
ADDED_UP = {
    "outbox_positions": (
        "select outbox_id, max(position) as position, max(loaded_at) as loaded_at "
        "from {table} group by outbox_id"
    ),
    "loaded_counts": (
        "select loaded_on, sum(version_count)::bigint as version_count "
        "from {table} group by loaded_on"
    ),
    "feedback_counts": (
        "select coalesce(sum(came_count), 0)::bigint as came_count, "
        "coalesce(sum(gone_count), 0)::bigint as gone_count from {table}"
    ),
}
"""Where a lake appends, and a file keeps one row."""


def copy_raw(source: Path, target: Path, *, wait_seconds: float) -> dict[str, TableChecksum]:
    """Copy every raw row, compare both sides, and only then commit.

    Args:
        source: a file's path, or a lake's locator.
        target: the other kind, without a row; it is made if it does not exist.
        wait_seconds: for how long to wait for others that have either.

    Returns:
        the rows and the hash of each table, the same on both sides.

    Raises:
        DatabaseError: one of its subclasses says why nothing was copied.
    """
    for one in (source, target):  # before a message shows it
        check_path(one, must_exist=False)
    if is_lake(source) == is_lake(target):
        raise DatabaseError(f"{source} and {target}: one must be a file, and the other a lake")
    if is_lake(target):
        return _into_lake(source, target, wait_seconds)
    return _into_file(source, target, wait_seconds)


def _into_lake(file: Path, locator: Path, wait_seconds: float) -> dict[str, TableChecksum]:
    with (
        _file_at_rest(file, wait_seconds),
        lake_in_hand(locator, wait_seconds=wait_seconds) as lake,
        lake.open() as connection,
        translated_errors(file),
    ):
        _require_empty(connection, "lake", locator)
        connection.execute(f"attach {literal(file)} as copied (read_only)")
        _require_version(connection, "copied", file)
        last = dict(
            connection.execute(
                "select sequence_name, last_value from duckdb_sequences() "
                "where database_name = 'copied' and schema_name = 'raw'"
            ).fetchall()
        )
        connection.execute("begin")
        found = _copy_tables(connection, "copied", "lake")
        # Before the rows are there: none may get a number that one has.
        for name in SEQUENCES:
            lake.door.advance(name, last.get(name) or 0)
        connection.execute("commit")
    return found


def _into_file(locator: Path, file: Path, wait_seconds: float) -> dict[str, TableChecksum]:
    check_path(file, must_exist=False)
    if file.exists():
        raise DatabaseError(f"{file} exists already; name a file that does not")
    make_folder(file.parent)
    partial = file.with_name(f".{file.name}.copying")
    for rest in (partial, log_of(partial)):
        rest.unlink(missing_ok=True)  # of a run that was killed
    name = file.stem  # by which the file's own definitions know it
    with closing(Door(locator, wait_seconds=wait_seconds)) as door:
        last = {sequence: door.last_number(sequence) for sequence in SEQUENCES}
    with open_lake(locator, read_only=True) as connection, translated_errors(file):
        _require_version(connection, "lake", locator)
        connection.execute(
            f"attach {literal(partial)} as {identifier(name)} "
            f"(storage_version 'v{STORAGE_VERSION.removeprefix('v')}.0')"
        )
        make_private(partial)
        connection.execute(f"use {identifier(name)}")
        migrate(connection)
        connection.execute("begin")
        found = _copy_tables(connection, "lake", name)
        _start_sequences(connection, last)
        connection.execute("commit")
        connection.execute(f"checkpoint {identifier(name)}")
        connection.execute("use lake")
        connection.execute(f"detach {identifier(name)}")
    sync(partial)
    partial.replace(file)
    sync(file.parent)
    return found


@contextmanager
def _file_at_rest(file: Path, wait_seconds: float) -> Iterator[None]:
    """Keep writers out of a file that has all its rows.

    Raises:
        DatabaseError: it is missing or in use, or a killed process left a part in its log.
    """
    check_path(file, must_exist=True)
    lock = ReadWriteLock(file).acquire(shared=True, deadline=time.monotonic() + wait_seconds)
    if lock is None:
        raise DatabaseLockedError(f"{file} was in use by others for {wait_seconds:g} s; try again")
    try:
        if log_of(file).exists() and log_of(file).stat().st_size:
            raise DatabaseError(
                f"{log_of(file)} has what is not in the file yet: run `orb load` on the file in "
                f"its own environment, then this again"
            )
        yield
    finally:
        lock.release()


def _copy_tables(
    connection: duckdb.DuckDBPyConnection, source: str, target: str
) -> dict[str, TableChecksum]:
    """Copy each table of raw in the transaction that is open, and compare.

    Raises:
        DatabaseError: a table is another one in the target.
    """
    found = {}
    for table in _tables(connection, source):
        there = f"{identifier(target)}.raw.{identifier(table)}"
        rows = _rows(table, f"{identifier(source)}.raw.{identifier(table)}")
        connection.execute(f"delete from {there}")  # noqa: S608
        connection.execute(f"insert into {there} by name {rows}")
        found[f"raw.{table}"] = query_checksum(connection, f"({rows})")
        copied = query_checksum(connection, f"({_rows(table, there)})")
        if copied != found[f"raw.{table}"]:
            connection.execute("rollback")
            raise DatabaseError(
                f"raw.{table} has {copied.rows:,} rows where it was copied to, and they are not "
                f"the {found[f'raw.{table}'].rows:,} that it has; nothing was copied"
            )
    return found


def _rows(table: str, place: str) -> str:
    return ADDED_UP.get(table, "select * from {table}").format(table=place)


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and schema_name = 'raw' "
        "order by table_name",
        [database],
    ).fetchall()
    return [table for (table,) in rows if table not in OWN]


def _require_empty(connection: duckdb.DuckDBPyConnection, database: str, locator: Path) -> None:
    for table in _tables(connection, database):
        [(count,)] = connection.execute(f"select count(*) from raw.{table}").fetchall()  # noqa: S608
        if count and table != "database_id":
            raise DatabaseError(
                f"{locator} has {count:,} rows in raw.{table}; copy into a lake that has none"
            )


def _require_version(connection: duckdb.DuckDBPyConnection, database: str, locator: Path) -> None:
    [(version,)] = connection.execute(
        f"select max(version) from {database}.raw.schema_versions"  # noqa: S608
    ).fetchall()
    if version != SCHEMA_VERSION:
        raise DatabaseError(
            f"{locator} has version {version} of the raw schema, and this package has "
            f"{SCHEMA_VERSION}; `orb load` brings an older one up to date"
        )


def _start_sequences(connection: duckdb.DuckDBPyConnection, last: Mapping[str, int]) -> None:
    connection.execute("drop sequence raw.load_seq")
    connection.execute(f"create sequence raw.load_seq start {max(1, last['load_seq'])}")
    for name in SEQUENCES:
        ahead = 1 if name == "load_seq" else last[name]
        connection.execute(f"select max(nextval('raw.{name}')) from range({ahead})").fetchall()  # noqa: S608
