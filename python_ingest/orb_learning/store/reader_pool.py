"""Reading without standing in the way: some connections at once, and the file only while needed.

Queries run in threads, so the event loop goes on. The first reader opens the file, those beside it
get connections of their own to it, and the last one closes it, because DuckDB lets nobody write
while it is open for reading. Readers that overlap without end give it up from time to time. A pool
that lingers keeps it open a while for the next reader, because opening costs 30 ms and reading what
was just read again nearly nothing; it gives it up at once to a writer that waits for its turn.

Where the database cannot be read, the newest backup is, if there is one: old figures are better
than none, as long as it is said of when they are.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from orb_learning.errors import (
    DatabaseError,
    DatabaseLockedError,
    DatabaseMissingError,
    NotADatabaseError,
    ReaderPoolTimeoutError,
)
from orb_learning.filesystem import writer_waiting
from orb_learning.store import connection as connections
from orb_learning.store.connection import built_by_this_version, connect, connect_still
from orb_learning.store.rows import rows_as_dicts

log = logging.getLogger(__name__)

LONGEST_HOLD_SECONDS = 1.0
"""For so long readers that overlap keep the file; then new ones wait until all have left it."""

WATCH_SECONDS = 0.01
"""How often a file that is kept open for the next reader is looked after."""

T = TypeVar("T")
Fallback = Callable[[], tuple[Path, datetime] | None]

_of_parents: list[object] = []
"""What a fork left of its parent's files; collecting it would close them in DuckDB."""


@dataclass(frozen=True)
class PoolStatistics:
    """A reader pool at one moment, and since it was made."""

    size: int
    overflow: int
    in_use: int = 0
    idle: int = 0
    waiting: int = 0
    queries: int = 0
    files_opened: int = 0
    connections_opened: int = 0
    connections_replaced: int = 0
    """Connections that failed the check before they were handed out."""
    timeouts: int = 0
    longest_wait_seconds: float = 0.0
    as_of: datetime | None = None
    """When the backup was made that was read last, naive UTC; None if it was the database."""


class ReaderPool:
    """Connections that read one database; any event loop and any thread may use it.

    Args:
        database_path: the DuckDB file.
        size: connections that are kept for the next reader as long as the file is open.
        overflow: connections beyond those, closed when they come back.
        wait_seconds: for how long a reader waits for a connection, and for whoever writes.
        fallback: returns the file to read while the database cannot be, and when it was made,
            naive UTC; None where there is none.
        sealed_within_mb: as of ``database.connect``.
        linger_seconds: for how long the database is kept open for the next reader. Writers that
            take turns (turns.py) need not wait for it; others can only read meanwhile.
    """

    def __init__(
        self,
        database_path: Path | str,
        *,
        size: int = 4,
        overflow: int = 2,
        wait_seconds: float = 30.0,
        fallback: Fallback | None = None,
        sealed_within_mb: int | None = None,
        linger_seconds: float = 0.0,
    ):
        if size < 1 or overflow < 0:
            raise ValueError(f"size = {size}, overflow = {overflow}: at least 1 and 0")
        self._path = Path(database_path)
        self._wait_seconds = wait_seconds
        self._fallback = fallback
        self._sealed_within_mb = sealed_within_mb
        self._linger_seconds = linger_seconds
        self._statistics = PoolStatistics(size, overflow)
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._executor = ThreadPoolExecutor(
            self._statistics.size + self._statistics.overflow, "orb-reader"
        )
        self._changed = threading.Condition()
        self._file: AbstractContextManager[duckdb.DuckDBPyConnection] | None = None
        self._root: duckdb.DuckDBPyConnection | None = None
        self._opening = False
        self._file_id: tuple[int, ...] | None = None
        self._held_since = 0.0
        self._lingers_until = 0.0
        self._is_watched = False
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._in_use = 0

    async def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Run a query, and return its rows by column name.

        Raises:
            ReaderPoolTimeoutError: no connection became free in time.
            NotBuiltError: a relation or a column is missing.
            DatabaseError: the file is missing, damaged, or somebody writes it for too long.
        """
        values = dict(parameters or {})
        return await self.run(lambda connection: rows_as_dicts(connection.execute(sql, values)))

    async def run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Call a function with a connection, in a thread; what it raises is raised.

        A caller that is cancelled interrupts the query.
        """
        if self._process != os.getpid():
            # A forked child has neither its parent's threads nor its file, and may not close it.
            _of_parents.append((self._file, self._root, self._idle))
            self._begin()
        reading = _Reading(self, work, time.monotonic())
        try:
            future = self._executor.submit(reading)
        except RuntimeError as error:
            raise DatabaseError(f"{self._path}: the reader pool is closed") from error
        self._count(waiting=1)
        future.add_done_callback(self._count_cancelled)
        outcome = asyncio.wrap_future(future)
        outcome.add_done_callback(_look_at_error)
        try:
            await asyncio.wait({outcome}, timeout=self._wait_seconds)
        except asyncio.CancelledError:
            if not future.cancel():
                reading.interrupt()
            raise
        # A query that has begun may take as long as it needs.
        if not outcome.done() and future.cancel():
            self._count(timeouts=1)
            raise ReaderPoolTimeoutError(
                f"{self._path}: none of {self._statistics.size} connections and "
                f"{self._statistics.overflow} more became free in {self._wait_seconds:g} s; "
                f"make the pool larger, or the queries shorter"
            )
        try:
            result: T = await outcome
        except asyncio.CancelledError:
            reading.interrupt()
            raise
        return result

    def statistics(self) -> PoolStatistics:
        """Return how the pool is used."""
        with self._changed:
            return replace(self._statistics, in_use=self._in_use, idle=len(self._idle))

    def close(self) -> None:
        """Wait for the queries that run, and end the threads; the pool cannot be used again."""
        if self._process == os.getpid():
            self._executor.shutdown(cancel_futures=True)
            with self._changed:
                self._close_file()

    def take(self, began: float) -> duckdb.DuckDBPyConnection:
        """Return a connection that was checked; the file is opened if it is not."""
        deadline = began + self._wait_seconds
        self._count(waiting=-1)
        with self._changed:
            while self._opening or self._is_held_too_long():
                if not self._changed.wait(deadline - time.monotonic()):
                    raise DatabaseLockedError(
                        f"{self._path}: it could not be opened in {self._wait_seconds:g} s, "
                        f"because others write it or readers before this one go on"
                    )
            if self._root is not None and self._in_use == 0 and not self._may_linger():
                self._close_file()
            if self._root is not None:
                return self._hand_out(self._root, began)
            self._opening = True
        try:  # without the lock, because it may take long and the event loop reads the statistics
            file, root, as_of = self._open(max(0.0, deadline - time.monotonic()))
        except BaseException:
            with self._changed:
                self._opening = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._opening = False
            self._file, self._root = file, root
            self._statistics = replace(self._statistics, as_of=as_of)
            self._count(files_opened=1)
            self._changed.notify_all()
            return self._hand_out(root, began)

    def _open(
        self, wait_seconds: float
    ) -> tuple[
        AbstractContextManager[duckdb.DuckDBPyConnection],
        duckdb.DuckDBPyConnection,
        datetime | None,
    ]:
        """Open the database, or else the newest backup; returns when that was made, too."""
        self._file_id = None  # no backup is lingered on
        file = connect(
            self._path,
            read_only=True,
            wait_seconds=wait_seconds,
            sealed_within_mb=self._sealed_within_mb,
        )
        try:
            root = file.__enter__()
            self._file_id = _id_of(self._path)
            return file, root, None
        except (DatabaseLockedError, DatabaseMissingError, NotADatabaseError) as error:
            found = self._fallback() if self._fallback else None
            if found is None:
                raise
            copy, made_at = found
            log.warning(
                "%s; until it can be read, figures are those of the backup of %s UTC",
                error,
                made_at,
            )
            file = connect_still(
                copy,
                sealed_within_mb=self._sealed_within_mb,
            )
            return file, file.__enter__(), made_at

    def _hand_out(self, root: duckdb.DuckDBPyConnection, began: float) -> duckdb.DuckDBPyConnection:
        connection = self._checked(root)
        if self._in_use == 0:
            self._held_since = time.monotonic()
        self._in_use += 1
        longest = max(self._statistics.longest_wait_seconds, time.monotonic() - began)
        self._statistics = replace(self._statistics, longest_wait_seconds=longest)
        self._count(queries=1)
        return connection

    def give_back(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep a connection for the next reader; close the file if there is none."""
        with self._changed:
            self._in_use -= 1
            if len(self._idle) < self._statistics.size:
                self._idle.append(connection)
            else:
                connection.close()
            if self._in_use == 0:
                if self._linger_seconds:
                    self._linger()
                else:
                    self._close_file()
            self._changed.notify_all()

    def _is_held_too_long(self) -> bool:
        return self._in_use > 0 and time.monotonic() - self._held_since > LONGEST_HOLD_SECONDS

    def _linger(self) -> None:
        self._lingers_until = time.monotonic() + self._linger_seconds
        if not self._is_watched:
            self._is_watched = True
            threading.Thread(target=self._watch, name="orb-reader-watch", daemon=True).start()

    def _may_linger(self) -> bool:
        """Nobody waits to write, and nobody has put another file in its place."""
        return not writer_waiting(self._path) and self._file_id == _id_of(self._path)

    def _watch(self) -> None:
        while True:
            time.sleep(WATCH_SECONDS)  # who waits for a lock tells nobody
            with self._changed:
                is_over = time.monotonic() >= self._lingers_until
                if self._in_use == 0 and (is_over or not self._may_linger()):
                    self._close_file()
                if self._root is None and not self._opening:
                    self._is_watched = False
                    return

    def _checked(self, root: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        try:
            while self._idle:
                connection = self._idle.pop()
                try:
                    connection.execute("select 1").fetchall()
                except duckdb.Error:
                    self._count(connections_replaced=1)
                else:
                    return connection
            connection = root.cursor()
            if self._sealed_within_mb is None:
                connection.execute("set timezone = 'UTC'")
        except BaseException:
            if self._in_use == 0:
                self._close_file()
            raise
        self._count(connections_opened=1)
        return connection

    def _close_file(self) -> None:
        file, self._file, self._root = self._file, None, None
        while self._idle:
            self._idle.pop().close()
        if file is not None:
            file.__exit__(None, None, None)

    def _count(self, **added: int) -> None:
        with self._changed:
            now = {name: getattr(self._statistics, name) + n for name, n in added.items()}
            self._statistics = replace(self._statistics, **now)

    def _count_cancelled(self, future: Future[Any]) -> None:
        if future.cancelled():
            self._count(waiting=-1)

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Turn DuckDB's errors about the file and the models into this package's."""
        with connections.translated_errors(self._path), built_by_this_version(self._path):
            yield


class _Reading:
    """One piece of work for a connection, on its way through a thread."""

    def __init__(
        self,
        pool: ReaderPool,
        work: Callable[[duckdb.DuckDBPyConnection], Any],
        began: float,
    ):
        self._pool = pool
        self._work = work
        self._began = began
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._cancelled = False

    def __call__(self) -> Any:
        connection = self._pool.take(self._began)
        try:
            with self._lock:
                if self._cancelled:
                    return None
                self._connection = connection
            with self._pool.translated_errors():
                return self._work(connection)
        finally:
            with self._lock:
                self._connection = None
            self._pool.give_back(connection)

    def interrupt(self) -> None:
        """Stop the query: nobody waits for it any more."""
        with self._lock:
            self._cancelled = True
            if self._connection is not None:
                self._connection.interrupt()


def _id_of(path: Path) -> tuple[int, ...] | None:
    """Return what is another where the file was replaced or written."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _look_at_error(outcome: asyncio.Future[Any]) -> None:
    """Let asyncio not report the error of a query that nobody waits for any more."""
    if not outcome.cancelled():
        outcome.exception()
