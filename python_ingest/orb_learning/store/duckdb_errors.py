"""DuckDB's errors about the file, the disk and the models, as errors of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import (
    DatabaseError,
    DatabaseLockedError,
    DiskFullError,
    NewerDatabaseError,
    NotADatabaseError,
    NotBuiltError,
)

DAMAGE = (
    "not a valid DuckDB database",
    "Could not read enough bytes",
    "Corrupt database file",
    "sqlite_scanner",
)
"""Texts in DuckDB's errors about a file that is no database, or is damaged."""


def _is_lock_conflict(error: BaseException) -> bool:
    text = str(error)
    if isinstance(error, duckdb.ConnectionException):
        return "different configuration" in text
    # The second: DuckDB 2.0 reads a file's header before it takes its lock. Who opens the file
    # while one without the lock closes it may have the header of before, and the WAL of after.
    return isinstance(error, duckdb.IOException) and (
        "lock on file" in text or "WAL checkpoint iteration does not match" in text
    )


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about the file or the disk into this package's."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        first_line = text.splitlines()[0]
        if _is_lock_conflict(error):
            raise DatabaseLockedError(
                f"{path} is in use by another process, or by this one in another mode; try again "
                f"when it is done. {first_line}"
            ) from error
        if "No space left" in text or "not enough space" in text.lower():
            raise DiskFullError(
                f"{path}: the disk is full, nothing was written; free some space and run it again. "
                f"{first_line}"
            ) from error
        if "Permission denied" in text:
            raise DatabaseError(
                f"{path} cannot be opened by this user as it must be. {first_line}"
            ) from error
        if "newer version of DuckDB" in text or "newer DuckDB version" in text:
            raise NewerDatabaseError(
                f"{path} was written by a newer version of DuckDB; update duckdb. {first_line}"
            ) from error
        if any(sign in text for sign in DAMAGE):
            raise NotADatabaseError(
                f"{path} is not a DuckDB database, or is damaged; set ORB_DATABASE to another "
                f"file, or restore a backup. {first_line}"
            ) from error
        raise


@contextmanager
def built_by_this_version(database: Path | str = "the database") -> Iterator[None]:
    """Say what to do where a relation, a column or a function that is read is not there.

    Args:
        database: which one is read, for the message.

    Raises:
        NotBuiltError: it was never built, or by another version of the models.
    """
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise NotBuiltError(
            f"{database} does not hold what this version reads: run `orb build`. "
            f"{str(error).splitlines()[0]}"
        ) from error
