"""The write-ahead log beside the database file, which DuckDB makes with the mode of the umask."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from orb_learning.errors import DatabaseError
from orb_learning.filesystem import open_private


def log_of(file: Path) -> Path:
    """Return where DuckDB writes a file's log."""
    return file.with_name(f"{file.name}.wal")


def check_log(file: Path) -> None:
    """Refuse a log that is a link: DuckDB would write another's file through it.

    Raises:
        DatabaseError: it is one.
    """
    if log_of(file).is_symlink():
        raise DatabaseError(f"{log_of(file)} is a link, which DuckDB never makes; remove it")


def make_log(file: Path) -> None:
    """Make the log of an open file, with this package's mode; one that is there stays as it is.

    DuckDB writes the log that it finds, and deletes it with each checkpoint. So whoever writes
    calls this before a transaction.
    """
    with suppress(OSError):  # it is there; or DuckDB says what is wrong with the folder
        os.close(open_private(log_of(file), os.O_RDWR | os.O_EXCL))


def remove_empty_log(file: Path) -> None:
    """Remove a log to which nothing was written; the caller has the file's lock."""
    with suppress(OSError):
        if log_of(file).stat().st_size == 0:
            log_of(file).unlink()
