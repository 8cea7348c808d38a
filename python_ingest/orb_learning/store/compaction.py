"""Giving the disk back what deleted rows took.

DuckDB uses freed blocks again but never shortens a file for them; what was deleted stays in them,
too, until something else is written there. A copy of the database has neither (docs/operations.md
has the figures).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from orb_learning.errors import DatabaseError, DiskFullError
from orb_learning.filesystem import make_private, sync, translated_disk_errors
from orb_learning.locator import is_lake
from orb_learning.store.checksums import table_checksums
from orb_learning.store.connection import (
    connect,
    connect_without_lock,
    open_with_lock,
)
from orb_learning.store.duckdb_errors import translated_errors
from orb_learning.store.paths import check_path
from orb_learning.store.sealing import CONFIG
from orb_learning.store.sizes import database_bytes
from orb_learning.store.sql_text import identifier, literal
from orb_learning.store.upkeep import rewrite_deleted
from orb_learning.store.written_log import log_of, make_log

WAIT_SECONDS = 30.0
"""For how long to wait while others have the file."""
LEAST_FREE_SHARE = 0.3
LEAST_FREE_BYTES = 64 * 2**20
"""From so much free space on, of the file's size and at all, a copy is worth its time."""


def is_compaction_worth_it(path: Path) -> bool:
    """Whether enough of the file is free blocks; a lake has none.

    Raises:
        DatabaseError: the database cannot be read.
    """
    if is_lake(path):
        return False
    with connect(path, read_only=True) as connection:
        [(block_size, total, free)] = connection.execute(
            "select block_size, total_blocks, free_blocks from pragma_database_size() "
            "where database_name = current_database()"
        ).fetchall()
    return bool(free * block_size >= LEAST_FREE_BYTES and free >= LEAST_FREE_SHARE * total)


def compact(path: Path) -> tuple[int, int]:
    """Put a copy without free blocks in the file's place, once it holds the same rows.

    Nobody can open the file meanwhile. A kill at any moment leaves the old file or the new one. Of
    a lake, every file with a deleted row is written anew without it.

    Args:
        path: the database.

    Returns:
        its bytes before and after.

    Raises:
        DatabaseError: it cannot be opened or copied, the disk is full, or the copy differs; no row
            is another one.
    """
    if is_lake(path):
        before = database_bytes(path)
        rewrite_deleted(path, wait_seconds=WAIT_SECONDS)
        return before, database_bytes(path)
    check_path(path, must_exist=True)
    copied = path.with_name(f".{path.name}.compacting")
    opening = partial(duckdb.connect, path, config=CONFIG)
    connection, lock = open_with_lock(path, opening, shared=False, wait_seconds=WAIT_SECONDS)
    try:
        with _explained(path):
            try:
                _remove(copied)  # of a run that was killed
                connection.execute("checkpoint")
                before = path.stat().st_size
                _copy(connection, copied)
                shutil.copymode(path, copied)
                sync(copied)
                # Before the connection ends, and with it DuckDB's lock, which keeps out whoever
                # does not acquire ours.
                copied.replace(path)
                sync(path.parent)
            finally:
                _remove(copied)
    finally:
        connection.close()
        lock.release()
    return before, path.stat().st_size


def _copy(connection: duckdb.DuckDBPyConnection, copied: Path) -> None:
    [(name,)] = connection.execute("select current_database()").fetchall()
    connection.execute(f"attach {literal(copied)} as compacted")
    make_private(copied)  # still without a row
    make_log(copied)
    connection.execute(f"copy from database {identifier(name)} to compacted")
    # Detaching would do it, too, but not say if it failed; and the log stays behind.
    connection.execute("checkpoint compacted")
    connection.execute("detach compacted")
    log = log_of(copied)
    if log.exists() and log.stat().st_size:
        raise DatabaseError(
            f"a part of the copy of the database is in {log} and not in the copy; the database "
            f"was left as it is, try again"
        )
    here = table_checksums(connection)
    # Opened anew, it has what is in the file, and nothing else.
    with connect_without_lock(copied) as opened:
        there = table_checksums(opened)
    if here != there:
        tables = [table for table in here if here[table] != there.get(table)]
        raise DatabaseError(
            f"a copy of the database holds other rows than it in {', '.join(tables)}; the database "
            f"was left as it is; check the disk and try again"
        )


def _remove(copied: Path) -> None:
    copied.unlink(missing_ok=True)
    log_of(copied).unlink(missing_ok=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    not_done = f"{path} was not made smaller, its rows are as they were"
    full = (
        f"{not_done}: the disk is full, and a copy of it needs room beside it; free some space "
        f"and run it again"
    )
    with translated_disk_errors(
        lambda: DiskFullError(full), lambda error: DatabaseError(f"{not_done}: {error}")
    ):
        try:
            with translated_errors(path):
                yield
        except DiskFullError as error:
            raise DiskFullError(full) from error
