"""The one place that opens the DuckDB file.

DuckDB lets one process write a file, or many read it, never both. So a connection is opened for
one piece of work and closed after it, and whoever finds the file taken waits, up to a limit.
Threads and processes of this package, and dbt by its plugin, wait for the file's lock
(filesystem/rw_lock.py). Whoever has the file without the lock is waited for by polling.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakKeyDictionary

import duckdb

from orb_learning.errors import DatabaseError, DatabaseLockedError
from orb_learning.filesystem import (
    Lock,
    ReadWriteLock,
    Waiting,
    held_open,
    make_folder,
    make_private,
)
from orb_learning.locator import is_lake, only_on_a_file
from orb_learning.store.duckdb_errors import translated_errors
from orb_learning.store.file_store import check_duckdb
from orb_learning.store.lake import open_lake
from orb_learning.store.paths import check_path, check_readable_path, check_unknown_file
from orb_learning.store.protocol import store_of
from orb_learning.store.schema import check_version, migrate
from orb_learning.store.sealing import SEALED_CONFIG, begin, config_of, seal, time_limit
from orb_learning.store.written_log import check_log, make_log, remove_empty_log

_open_mutex = threading.Lock()
"""Held while DuckDB opens a file. It looks into the file first, and closing that look ends this
process's locks on the file, also that of a thread that has just opened it: of four threads that
read without this, half read without a lock, beside whoever writes (measured 2026-11-23)."""

_written: WeakKeyDictionary[duckdb.DuckDBPyConnection, Path] = WeakKeyDictionary()
"""The files of the connections that write."""


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
    sandbox_memory_mb: int | None = None,
    appends: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database in UTC, and close it at the end.

    A writable connection creates the file and brings the raw schema up to date. It has the
    database alone, but to append to a lake.

    Args:
        path: the database file, or a lake's locator.
        read_only: whether only to read, beside other readers.
        wait_seconds: for how long to wait while another process has the file.
        sandbox_memory_mb: if given, no query can reach anything but this file, use more memory than
            so many MB, or change a setting. It holds for the whole process while the file is open.
        appends: whether others may append meanwhile, where they can: to a lake. Then a transaction
            that does more says so by ``alone``.

    Raises:
        DatabaseError: one of its subclasses says what is wrong with the file.
    """
    path = Path(path)
    if is_lake(path):
        with open_lake(
            path,
            read_only=read_only,
            appends=appends,
            wait_seconds=wait_seconds,
            sandbox_memory_mb=sandbox_memory_mb,
        ) as connection:
            yield connection
        return
    check_path(path, must_exist=read_only)
    check_duckdb()
    config = config_of(sandbox_memory_mb)
    opening = partial(duckdb.connect, path, read_only=read_only, config=config)
    connection, lock = open_with_lock(path, opening, shared=read_only, wait_seconds=wait_seconds)
    try:
        with translated_errors(path):
            begin(connection, sandbox_memory_mb)
            check_version(connection, path)
            if not read_only:
                _written[connection] = path
                make_log(path)
                migrate(connection)
            yield connection
    finally:
        connection.close()
        if not read_only:
            remove_empty_log(path)
        lock.release()


@contextmanager
def connect_without_lock(
    path: Path,
    *,
    read_only: bool = True,
    scratch: Path | None = None,
    sandbox_memory_mb: int | None = None,
    limits: Mapping[str, Any] | None = None,
    held: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file that may be a stranger's: nobody writes it, or the caller holds its lock.

    Its views and macros reach no other file, network or setting. Nothing is made beside it.

    Args:
        path: the file.
        read_only: whether only to read it.
        scratch: the one folder where queries may read and write files; a temporary one if None,
            for what does not fit into memory.
        sandbox_memory_mb: as of ``connect``; then there is no such folder.
        limits: settings of DuckDB, such as ``memory_limit``, in place of those of a sealed file.
        held: whether to read it and its log by descriptors: a pipe that takes its name is not
            waited for. This process has the file open in no other way.

    Raises:
        DatabaseError: one of its subclasses says what is wrong with the file.
    """
    only_on_a_file(path, "What reads another file", "query the lake itself")
    check_readable_path(path, must_exist=read_only)
    check_duckdb()
    sealed = SEALED_CONFIG | dict(limits or {})
    config = sealed if sandbox_memory_mb is None else config_of(sandbox_memory_mb)
    with ExitStack() as stack:
        stack.enter_context(translated_errors(path))
        folder = scratch or Path(stack.enter_context(TemporaryDirectory(prefix="orb-")))
        opened = _held(stack, path) if held else path
        with _open_mutex:
            connection = duckdb.connect(opened, read_only=read_only, config=config)
        stack.callback(connection.close)
        if sandbox_memory_mb is None:
            seal(connection, folder)
            stack.enter_context(time_limit(connection, path))
        else:
            begin(connection, sandbox_memory_mb)
        check_version(connection, path)
        yield connection


def _held(stack: ExitStack, path: Path) -> Path:
    try:
        return stack.enter_context(held_open(path, ".wal"))
    except OSError as error:
        raise DatabaseError(f"{path} cannot be opened: {error.strerror}") from error


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection, *, alone: bool = True) -> Iterator[None]:
    """Commit what is done inside, or nothing of it.

    Args:
        connection: a writable connection.
        alone: whether nobody else may write meanwhile; of one that only appends, others may.
    """
    if path := _written.get(connection):
        make_log(path)
    with store_of(connection).beginning(connection, alone=alone):
        connection.execute("begin")
        try:
            yield
            connection.execute("commit")
        except BaseException:
            # A full disk can end the transaction, or the whole database instance, by itself.
            with suppress(duckdb.Error):
                connection.execute("rollback")
            raise


def _make_folder_of(path: Path) -> None:
    try:
        make_folder(path.parent)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be written: {error}") from error


def open_with_lock(
    path: Path,
    opening: Callable[[], duckdb.DuckDBPyConnection],
    *,
    shared: bool,
    wait_seconds: float,
) -> tuple[duckdb.DuckDBPyConnection, Lock]:
    """Acquire the file's lock, and open it once nobody has it without the lock.

    Args:
        path: the database file.
        opening: opens it.
        shared: whether it is opened only to be read.
        wait_seconds: for how long to wait.

    Returns:
        the connection, and the lock to release once it is closed.

    Raises:
        DatabaseError: one of its subclasses says who has the file, or what is wrong with it.
    """
    check_unknown_file(path)
    if not shared:
        _make_folder_of(path)
    deadline = time.monotonic() + wait_seconds
    pause = FIRST_PAUSE_SECONDS
    waiting = Waiting(path)
    while True:
        try:
            lock = ReadWriteLock(path).acquire(shared=shared, deadline=deadline, waiting=waiting)
        except OSError as error:
            raise DatabaseError(f"{path} cannot be written: {error}") from error
        if lock is None:
            raise DatabaseLockedError(
                f"{path} was in use by others of this package (a loader, an import, readers or "
                f"dbt) for {wait_seconds:g} s; try again when they are done"
            )
        try:
            with translated_errors(path), _open_mutex:
                check_log(path)
                is_new = not path.exists()
                connection = opening()
                if is_new:  # still without a row
                    make_private(path)
                return connection, lock
        except BaseException as error:
            # Whoever has the file does not hold the lock. It may let others in that wait for the
            # lock (readers beside a reader), so nobody holds the lock and sleeps.
            lock.release()
            if not isinstance(error, DatabaseLockedError) or time.monotonic() + pause > deadline:
                raise
        waiting.look(path)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
