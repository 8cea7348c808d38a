"""The file that concurrent readers share, open only while it is needed.

The first reader opens it, those beside it get connections of their own, and the last one closes it,
because DuckDB lets nobody write a file that is open for reading. Readers that overlap without end
give it up from time to time. With an idle timeout it stays open a while for the next reader:
opening costs 30 ms, and reading again what was just read nearly nothing. A writer that waits for
the lock gets the file at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.errors import (
    DatabaseLockedError,
    DatabaseMissingError,
    LakeError,
    NotADatabaseError,
)
from orb_learning.filesystem import ReadWriteLock, get_logger, told_wait
from orb_learning.locator import is_lake
from orb_learning.store.connection import connect, connect_without_lock
from orb_learning.store.duckdb_errors import built_by_this_version, translated_errors
from orb_learning.store.lake import translated_lake_errors
from orb_learning.store.protocol import store_of

log = get_logger(__name__)

LONGEST_HOLD_SECONDS = 1.0
"""For so long readers that overlap keep the file; then new ones wait until all have left it."""

WATCH_SECONDS = 0.01
"""How often an idle file is looked at: whether a writer waits, or the timeout is over."""

Fallback = Callable[[], tuple[Path, datetime] | None]


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


class SharedFile:
    """One file and its connections; threads share it.

    Args:
        path: the DuckDB file.
        statistics: what was counted before, and how many connections are kept.
        wait_seconds: for how long a reader waits for whoever writes.
        fallback: returns the file to read while the database cannot be, and when it was made.
        sandbox_memory_mb: as of ``connect``.
        idle_timeout_seconds: for how long the file stays open without readers.
    """

    def __init__(
        self,
        path: Path,
        statistics: PoolStatistics,
        *,
        wait_seconds: float,
        fallback: Fallback | None,
        sandbox_memory_mb: int | None,
        idle_timeout_seconds: float,
    ):
        self.path = path
        self.statistics = statistics
        """Without ``in_use`` and ``idle``, see ``current_statistics``."""
        self._wait_seconds = wait_seconds
        self._fallback = fallback
        self._sandbox_memory_mb = sandbox_memory_mb
        self._idle_timeout_seconds = idle_timeout_seconds
        self._changed = threading.Condition()
        self._opened: AbstractContextManager[duckdb.DuckDBPyConnection] | None = None
        self._root: duckdb.DuckDBPyConnection | None = None
        self._opening = False
        self._file_id: tuple[int, ...] | None = None
        self._held_since = 0.0
        self._idle_until = 0.0
        self._is_watched = False
        self._is_broken = False
        self._is_lake = is_lake(path)
        self._translated = translated_lake_errors if self._is_lake else translated_errors
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._in_use = 0

    def current_statistics(self) -> PoolStatistics:
        """Return how the file is used."""
        with self._changed:
            return replace(self.statistics, in_use=self._in_use, idle=len(self._idle))

    def count(self, **added: int) -> None:
        """Add to numbers of the statistics."""
        with self._changed:
            now = {name: getattr(self.statistics, name) + n for name, n in added.items()}
            self.statistics = replace(self.statistics, **now)

    def take(self, began: float) -> duckdb.DuckDBPyConnection:
        """Return a connection that was checked; the file is opened if it is not.

        Args:
            began: the ``time.monotonic`` since which the reader waits.
        """
        deadline = began + self._wait_seconds
        with self._changed:
            if self._must_wait():
                with told_wait(self.path):
                    self._wait_until(deadline)
            if self._root is not None and self._in_use == 0 and not self._may_stay_open():
                self._close()
            if self._root is not None:
                return self._hand_out(self._root, began)
            self._opening = True
        try:  # without the mutex: it may take long, and the event loop reads the statistics
            opened, root, as_of = self._open(max(0.0, deadline - time.monotonic()))
        except BaseException:
            with self._changed:
                self._opening = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._opening = False
            self._opened, self._root = opened, root
            self._is_broken = False
            self.statistics = replace(self.statistics, as_of=as_of)
            self.count(files_opened=1)
            self._changed.notify_all()
            return self._hand_out(root, began)

    def _must_wait(self) -> bool:
        return self._opening or self._is_held_too_long()

    def _wait_until(self, deadline: float) -> None:
        while self._must_wait():
            if not self._changed.wait(deadline - time.monotonic()):
                raise DatabaseLockedError(
                    f"{self.path}: it could not be opened in {self._wait_seconds:g} s, "
                    f"because others write it or readers before this one go on"
                )

    def give_back(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep a connection for the next reader; close the file if there is none."""
        with self._changed:
            self._in_use -= 1
            if len(self._idle) < self.statistics.size:
                self._idle.append(connection)
            else:
                connection.close()
            if self._in_use == 0:
                if self._idle_timeout_seconds:
                    self._stay_open()
                else:
                    self._close()
            self._changed.notify_all()

    def close(self) -> None:
        """Close the file."""
        with self._changed:
            self._close()

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Turn DuckDB's errors about the file and the models into this package's."""
        try:
            with self._translated(self.path), built_by_this_version(self.path):
                yield
        except LakeError:
            self._is_broken = True
            raise

    def _open(
        self, wait_seconds: float
    ) -> tuple[
        AbstractContextManager[duckdb.DuckDBPyConnection],
        duckdb.DuckDBPyConnection,
        datetime | None,
    ]:
        """Open the database, or else the newest backup; returns when that was made, too."""
        self._file_id = None  # no backup stays open without readers
        opened = connect(
            self.path,
            read_only=True,
            wait_seconds=wait_seconds,
            sandbox_memory_mb=self._sandbox_memory_mb,
        )
        try:
            root = opened.__enter__()
            self._file_id = _id_of(self.path)
            return opened, root, None
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
            opened = connect_without_lock(copy, sandbox_memory_mb=self._sandbox_memory_mb)
            return opened, opened.__enter__(), made_at

    def _hand_out(self, root: duckdb.DuckDBPyConnection, began: float) -> duckdb.DuckDBPyConnection:
        connection = self._checked(root)
        if self._in_use == 0:
            self._held_since = time.monotonic()
        self._in_use += 1
        longest = max(self.statistics.longest_wait_seconds, time.monotonic() - began)
        self.statistics = replace(self.statistics, longest_wait_seconds=longest)
        self.count(queries=1)
        return connection

    def _checked(self, root: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        try:
            while self._idle:
                connection = self._idle.pop()
                try:
                    connection.execute("select 1").fetchall()
                except duckdb.Error:
                    self.count(connections_replaced=1)
                else:
                    return connection
            connection = store_of(root).cursor(root)
        except BaseException:
            if self._in_use == 0:
                self._close()
            raise
        self.count(connections_opened=1)
        return connection

    def _is_held_too_long(self) -> bool:
        held_seconds = time.monotonic() - self._held_since
        return not self._is_lake and self._in_use > 0 and held_seconds > LONGEST_HOLD_SECONDS

    def _may_stay_open(self) -> bool:
        """No writer waits, and nobody has put another file in its place; of a lake, it works."""
        if self._is_lake:
            return not self._is_broken
        waits = ReadWriteLock(self.path).writer_waiting()
        return not waits and self._file_id == _id_of(self.path)

    def _stay_open(self) -> None:
        if self._is_lake:
            return  # opening it asks Postgres 35 times, and it stands in nobody's way
        self._idle_until = time.monotonic() + self._idle_timeout_seconds
        if not self._is_watched:
            self._is_watched = True
            threading.Thread(target=self._watch, name="orb-reader-watch", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(WATCH_SECONDS)  # whoever waits for a lock notifies nobody
            with self._changed:
                is_over = time.monotonic() >= self._idle_until
                if self._in_use == 0 and (is_over or not self._may_stay_open()):
                    self._close()
                if self._root is None and not self._opening:
                    self._is_watched = False
                    return

    def _close(self) -> None:
        opened, self._opened, self._root = self._opened, None, None
        while self._idle:
            self._idle.pop().close()
        if opened is not None:
            opened.__exit__(None, None, None)


def _id_of(path: Path) -> tuple[int, ...] | None:
    """Return what differs once the file was replaced or written."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
