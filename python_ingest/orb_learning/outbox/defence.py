"""SQLite files are input: whoever may write the outbox's folder may have made them.

A segment has its two tables as they are made and nothing else: no view, trigger, index, generated
column, check or virtual table, whose reading could run without end or call functions.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from orb_learning.outbox.segment import TABLES

LONGEST_READING_SECONDS = 60.0
"""For so long one statement may read, on a slow disk, too."""
LONGEST_VALUE_BYTES = 2**28
_STEPS = 100_000


def open_defensively(path: Path, mode: str, *, busy_seconds: float = 5.0) -> sqlite3.Connection:
    """Open a segment, or a copy of one, that a stranger may have made.

    Args:
        path: the file.
        mode: parameters of SQLite's URI.
        busy_seconds: for how long to wait for who has it.

    Raises:
        sqlite3.DatabaseError: it is no segment.
        OSError: it is a link, or no regular file.
    """
    if path.is_symlink():
        raise OSError(f"{path} is a link")
    if path.exists() and not path.is_file():  # opening a pipe would wait for who writes it
        raise OSError(f"{path} is not a regular file")
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=busy_seconds, isolation_level=None
    )
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE_BYTES)
        connection.execute("pragma trusted_schema = off")
        _limit_time(connection)
        _check_schema(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _limit_time(connection: sqlite3.Connection) -> None:
    deadline = 0.0

    def begin(_: str) -> None:
        nonlocal deadline
        deadline = time.monotonic() + LONGEST_READING_SECONDS

    connection.set_trace_callback(begin)
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)


def _check_schema(connection: sqlite3.Connection) -> None:
    found = dict(connection.execute("select name, sql from sqlite_master").fetchall())
    if missing := sorted(TABLES.keys() - found.keys()):
        raise sqlite3.DatabaseError(f"no such table: {', '.join(missing)}")
    strange = sorted(
        name
        for name, sql in found.items()
        if name not in TABLES or _without_spaces(sql) != _without_spaces(TABLES[name])
    )
    if strange:
        raise sqlite3.DatabaseError(
            f"it is no segment of an outbox: {', '.join(strange)} is none of its tables"
        )


def _without_spaces(sql: str | None) -> str:
    return "".join((sql or "").lower().split())
