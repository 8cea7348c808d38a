"""Giving the disk back what deleted rows took.

DuckDB uses freed blocks again but never shortens a file for them; what was deleted stays in them,
too, until something else is written there. A copy of the database has neither (docs/operations.md
has the figures).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import duckdb

from orb_learning import contents, database
from orb_learning.errors import DatabaseError
from orb_learning.files import sync

LEAST_FREE_SHARE = 0.3
LEAST_FREE_BYTES = 64 * 2**20
"""From so much free space on, of the file's size and at all, a copy is worth its time."""


def is_worth_it(path: Path) -> bool:
    """Whether enough of the file is free blocks.

    Raises:
        DatabaseError: the database cannot be read.
    """
    with database.connect(path, read_only=True) as connection:
        [(block_size, total, free)] = connection.execute(
            "select block_size, total_blocks, free_blocks from pragma_database_size() "
            "where database_name = current_database()"
        ).fetchall()
    return bool(free * block_size >= LEAST_FREE_BYTES and free >= LEAST_FREE_SHARE * total)


def compact(path: Path, *, wait_seconds: float = 30.0) -> tuple[int, int]:
    """Put a copy without free blocks in the file's place, once it holds the same rows.

    Nobody can open the file meanwhile. A kill at any moment leaves the old file or the new one.

    Args:
        path: the database file.
        wait_seconds: for how long to wait while others have it.

    Returns:
        the file's bytes before and after.

    Raises:
        DatabaseError: it cannot be opened or copied, the disk is full, or the copy differs; the
            file is as it was.
    """
    database.check_path(path, must_exist=True)
    copied = path.with_name(f".{path.name}.compacting")
    opening = partial(duckdb.connect, path, config=database.CONFIG)
    connection, turn = database.open_in_turn(path, opening, shared=False, wait_seconds=wait_seconds)
    try:
        copied.unlink(missing_ok=True)  # of a run that was killed
        with database.translated_errors(path):
            connection.execute("checkpoint")
            before = path.stat().st_size
            _copy(connection, copied)
        sync(copied)
        # Before the connection ends, and with it the lock that keeps out who takes no turns.
        copied.replace(path)
        sync(path.parent)
    finally:
        connection.close()
        turn.end()
        copied.unlink(missing_ok=True)
        copied.with_name(f"{copied.name}.wal").unlink(missing_ok=True)
    return before, path.stat().st_size


def _copy(connection: duckdb.DuckDBPyConnection, copied: Path) -> None:
    [(name,)] = connection.execute("select current_database()").fetchall()
    path = str(copied).replace("'", "''")
    connection.execute(f"attach '{path}' as compacted")
    connection.execute(f"copy from database {contents.quoted(name)} to compacted")
    here = contents.tables(connection)
    connection.execute("use compacted")
    there = contents.tables(connection)
    connection.execute(f"use {contents.quoted(name)}")
    connection.execute("detach compacted")
    if here != there:
        tables = [table for table in here if here[table] != there.get(table)]
        raise DatabaseError(
            f"a copy of the database holds other rows than it in {', '.join(tables)}; the database "
            "was left as it is"
        )
