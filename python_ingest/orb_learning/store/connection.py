"""The one place that opens the DuckDB file.

DuckDB lets one process write a file, or many read it, never both, so a connection is opened
for one piece of work and closed after it; who finds the file taken waits, up to a limit. Threads
and processes of this package, and dbt by its plugin, wait in line (turns.py); who takes no turns
is asked again and again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.errors import (
    DatabaseError,
    DatabaseLockedError,
    DatabaseMissingError,
    DiskFullError,
    NewerDatabaseError,
    NotADatabaseError,
    NotBuiltError,
)
from orb_learning.filesystem import Lock, acquire
from orb_learning.store.schema import check_version, migrate

RESERVED_STEMS = {"raw", "main", "temp", "system"}
"""A file's stem is its catalog's name; these make ``raw.executions`` or ``main.x`` ambiguous."""

DAMAGE = (
    "not a valid DuckDB database",
    "Could not read enough bytes",
    "Corrupt database file",
    "sqlite_scanner",
)
"""What DuckDB says of a file that is no database, or no longer a whole one."""

CONFIG: dict[str, Any] = {
    # DuckDB would take an SQLite file for an order to download an extension. The file's header must
    # not be read to find that out: closing a file ends the locks that this process has on it,
    # DuckDB's too, and another process could write beside it.
    "autoinstall_known_extensions": "false",
    # DuckDB 2.0.0 takes the sums over a left join for 0 where the other side is empty, and keeps
    # them in a byte: 777 becomes 9, and `having sum(n) > 500` finds nothing (2026-11).
    "disabled_optimizers": "statistics_propagation",
}

SEALED_CONFIG: dict[str, Any] = {
    **CONFIG,
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}
"""Of a sealed file: no query reaches another file, the network or a variable of this process."""

_sealing = threading.Lock()
_open_mutex = threading.Lock()
"""Held while DuckDB opens a file. It looks into the file first, and closing that look ends this
process's locks on the file, also that of a thread that has just opened it: of four threads that
read without this, half read without a lock, beside whoever writes (measured 2026-11-23)."""


def _renew_mutex_in_child() -> None:
    global _open_mutex
    _open_mutex = threading.Lock()  # the thread that held it was not forked


os.register_at_fork(after_in_child=_renew_mutex_in_child)

FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.25


def utc_now() -> datetime:
    """Return the present time in UTC, without a zone, as DuckDB's TIMESTAMP holds it."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def connect(
    path: Path | str,
    *,
    read_only: bool = False,
    wait_seconds: float = 30.0,
    sealed_within_mb: int | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database in UTC, and close it at the end.

    A writable connection creates the file and brings the raw schema up to date.

    Args:
        path: the database file.
        read_only: whether only to read, beside other readers.
        wait_seconds: for how long to wait while another process has the file.
        sealed_within_mb: if given, no query can reach anything but this file, use more memory than
            so many MB, or change a setting. It holds for the whole process while the file is open.

    Raises:
        DatabaseError: one of its subclasses says what is wrong with the file.
    """
    path = Path(path)
    check_path(path, must_exist=read_only)
    config = _config(sealed_within_mb)
    opening = partial(duckdb.connect, path, read_only=read_only, config=config)
    connection, turn = open_in_turn(path, opening, shared=read_only, wait_seconds=wait_seconds)
    try:
        with translated_errors(path):
            _begin(connection, sealed_within_mb)
            check_version(connection, path)
            if not read_only:
                migrate(connection)
            yield connection
    finally:
        connection.close()
        turn.end()


@contextmanager
def connect_still(
    path: Path, *, sealed_within_mb: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file in UTC to read it without a turn: nobody writes it, or the caller has the turn.

    Args:
        path: the file.
        sealed_within_mb: as of ``connect``.

    Raises:
        DatabaseError: one of its subclasses says what is wrong with the file.
    """
    check_path(path, must_exist=True)
    with translated_errors(path):
        with _open_mutex:
            connection = duckdb.connect(path, read_only=True, config=_config(sealed_within_mb))
        try:
            _begin(connection, sealed_within_mb)
            check_version(connection, path)
            yield connection
        finally:
            connection.close()


def _config(sealed_within_mb: int | None) -> dict[str, Any]:
    if sealed_within_mb is None:
        return CONFIG
    return SEALED_CONFIG | {"memory_limit": f"{sealed_within_mb}MB"}


def _begin(connection: duckdb.DuckDBPyConnection, sealed_within_mb: int | None) -> None:
    if sealed_within_mb is None:
        connection.execute("set timezone = 'UTC'")
        return
    with _sealing:
        settings = "select current_setting('lock_configuration')"
        if connection.execute(settings).fetchall() == [(False,)]:  # else the file is open already
            # For the cursors, too: after the lock, they cannot set it.
            connection.execute("set global timezone = 'UTC'")
            connection.execute("set lock_configuration = true")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done inside, or nothing of it."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # A full disk can end the transaction, or the whole database instance, by itself.
        with suppress(duckdb.Error):
            connection.execute("rollback")
        raise


def check_path(path: Path | str, *, must_exist: bool) -> None:
    """Refuse a path that cannot be the database, with the reason.

    Raises:
        DatabaseError: the stem is reserved or has a quote, it is a directory, or it is missing.
    """
    path = Path(path)
    if path.stem.lower() in RESERVED_STEMS:
        raise DatabaseError(
            f"{path}: a database file may not be named {path.stem!r}, because DuckDB names the "
            f"catalog after it and raw.executions becomes ambiguous; give it another name"
        )
    if {"'", '"'} & set(path.stem):
        raise DatabaseError(
            f"{path}: a database file's name may not have a quote, because dbt writes the catalog, "
            f"which is named after it, into its queries as it is; give it another name"
        )
    if path.is_dir():
        raise DatabaseError(f"{path} is a directory; name the database file in it")
    if path.exists():
        return
    if must_exist:
        raise DatabaseMissingError(
            f"{path} does not exist; `orb sample` or `orb import` makes it, "
            f"or set ORB_DATABASE to the file you mean"
        )
    if not path.parent.is_dir():
        raise DatabaseError(f"{path.parent} is not a directory; create it first")


def open_in_turn(
    path: Path,
    opening: Callable[[], duckdb.DuckDBPyConnection],
    *,
    shared: bool,
    wait_seconds: float,
) -> tuple[duckdb.DuckDBPyConnection, Lock]:
    """Open the file when it is this one's turn, and nobody who takes no turns has it.

    Args:
        path: the database file.
        opening: opens it.
        shared: whether it is opened only to be read.
        wait_seconds: for how long to wait.

    Returns:
        the connection, and the turn to end once it is closed.

    Raises:
        DatabaseError: one of its subclasses says who has the file, or what is wrong with it.
    """
    deadline = time.monotonic() + wait_seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            turn = acquire(path, shared=shared, deadline=deadline)
        except OSError as error:
            raise DatabaseError(f"{path} cannot be written: {error}") from error
        if turn is None:
            raise DatabaseLockedError(
                f"{path} was in use by others of this package (a loader, an import, readers or "
                f"dbt) for {wait_seconds:g} s; try again when they are done"
            )
        try:
            with translated_errors(path), _open_mutex:
                return opening(), turn
        except BaseException as error:
            # Whoever has the file takes no turns. Those in line may be let in where this one
            # is not (readers beside a reader), so nobody sleeps on a turn.
            turn.end()
            if not isinstance(error, DatabaseLockedError) or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _is_lock_conflict(error: BaseException) -> bool:
    text = str(error)
    if isinstance(error, duckdb.ConnectionException):
        return "different configuration" in text
    # The second: DuckDB 2.0 reads a file's header before it takes its lock. Who opens the file
    # while one that takes no turns closes it may have the header of before, and the WAL of after.
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
            f"{database} does not hold what this version reads: run `dbt build`. "
            f"{str(error).splitlines()[0]}"
        ) from error
