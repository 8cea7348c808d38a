"""Reading without standing in the way: some connections at once, and the file only while needed.

Queries run in threads, so the event loop goes on. Their connections come from a SharedFile. Where
the database cannot be read, the newest backup is, if there is one: old figures are better than
none, as long as their date is shown.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from orb_learning.errors import DatabaseError, ReaderPoolTimeoutError
from orb_learning.filesystem import NOTICE_SECONDS, say_wait
from orb_learning.store.protocol import store_of
from orb_learning.store.rows import rows_as_dicts
from orb_learning.store.shared_file import Fallback, PoolStatistics, SharedFile

T = TypeVar("T")

_of_parents: list[SharedFile] = []
"""The files that a fork left of its parent; collecting them would close them in DuckDB."""


class ReaderPool:
    """Connections that read one database; any event loop and any thread may use it.

    Args:
        database_path: the DuckDB file.
        size: connections that are kept for the next reader as long as the file is open.
        overflow: connections beyond those, closed when they come back.
        wait_seconds: for how long a reader waits for a connection, and for whoever writes.
        fallback: returns the file to read while the database cannot be, and when it was made,
            naive UTC; None where there is none.
        sandbox_memory_mb: as of ``connect``.
        idle_timeout_seconds: for how long the database stays open for the next reader. Writers that
            acquire its lock need not wait for that; others can only read meanwhile.
    """

    def __init__(
        self,
        database_path: Path | str,
        *,
        size: int = 4,
        overflow: int = 2,
        wait_seconds: float = 30.0,
        fallback: Fallback | None = None,
        sandbox_memory_mb: int | None = None,
        idle_timeout_seconds: float = 0.0,
    ):
        if size < 1 or overflow < 0:
            raise ValueError(f"size = {size}, overflow = {overflow}: at least 1 and 0")
        self._path = Path(database_path)
        self._wait_seconds = wait_seconds
        self._fallback = fallback
        self._sandbox_memory_mb = sandbox_memory_mb
        self._idle_timeout_seconds = idle_timeout_seconds
        self._begin(PoolStatistics(size, overflow))

    def _begin(self, statistics: PoolStatistics) -> None:
        self._closed = False
        self._process = os.getpid()
        self._executor = ThreadPoolExecutor(statistics.size + statistics.overflow, "orb-reader")
        self._file = SharedFile(
            self._path,
            statistics,
            wait_seconds=self._wait_seconds,
            fallback=self._fallback,
            sandbox_memory_mb=self._sandbox_memory_mb,
            idle_timeout_seconds=self._idle_timeout_seconds,
        )

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
            _of_parents.append(self._file)
            self._begin(self._file.statistics)
        file = self._file
        reading = _Reading(file, work, time.monotonic())
        try:
            future = self._executor.submit(reading)
        except RuntimeError as error:
            raise DatabaseError(f"{self._path}: the reader pool is closed") from error
        file.count(waiting=1)
        future.add_done_callback(self._count_cancelled)
        outcome = asyncio.wrap_future(future)
        outcome.add_done_callback(_look_at_error)
        notice = asyncio.get_running_loop().call_later(NOTICE_SECONDS, self._say_wait, future)
        try:
            await asyncio.wait({outcome}, timeout=self._wait_seconds)
        except asyncio.CancelledError:
            if not future.cancel():
                reading.interrupt()
            raise
        finally:
            notice.cancel()
        # A query that has begun may take as long as it needs.
        if not outcome.done() and future.cancel():
            file.count(timeouts=1)
            raise ReaderPoolTimeoutError(
                f"{self._path}: none of {file.statistics.size} connections and "
                f"{file.statistics.overflow} more became free in {self._wait_seconds:g} s; "
                f"make the pool larger, or the queries shorter"
            )
        try:
            result: T = await outcome
        except asyncio.CancelledError:
            reading.interrupt()
            raise
        return result

    def _say_wait(self, future: Future[Any]) -> None:
        """Say that all connections are in use, where a query has not begun by now."""
        if not (future.running() or future.done()):
            say_wait(f"a free connection of the reader pool of {self._path}")

    def statistics(self) -> PoolStatistics:
        """Return how the pool is used."""
        return self._file.current_statistics()

    def open(self) -> None:
        """Read again after ``close``."""
        if self._closed:
            self._begin(PoolStatistics(self._file.statistics.size, self._file.statistics.overflow))

    def close(self) -> None:
        """Wait for the queries that run, and end the threads; nothing is read before ``open``."""
        self._closed = True
        if self._process == os.getpid():
            self._executor.shutdown(cancel_futures=True)
            self._file.close()

    def _count_cancelled(self, future: Future[Any]) -> None:
        if future.cancelled():
            self._file.count(waiting=-1)


class _Reading:
    """One piece of work for a connection, on its way through a thread."""

    def __init__(
        self,
        file: SharedFile,
        work: Callable[[duckdb.DuckDBPyConnection], Any],
        began: float,
    ):
        self._file = file
        self._work = work
        self._began = began
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._cancelled = False

    def __call__(self) -> Any:
        self._file.count(waiting=-1)
        connection = self._file.take(self._began)
        try:
            with self._lock:
                if self._cancelled:
                    return None
                self._connection = connection
            with self._file.translated_errors(), store_of(connection).reading(connection):
                return self._work(connection)
        finally:
            with self._lock:
                self._connection = None
            self._file.give_back(connection)

    def interrupt(self) -> None:
        """Stop the query: nobody waits for it any more."""
        with self._lock:
            self._cancelled = True
            if self._connection is not None:
                self._connection.interrupt()


def _look_at_error(outcome: asyncio.Future[Any]) -> None:
    """Let asyncio not report the error of a query that nobody waits for any more."""
    if not outcome.cancelled():
        outcome.exception()
