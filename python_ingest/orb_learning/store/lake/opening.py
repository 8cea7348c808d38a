"""Opening a lake. Who reads waits for nobody, and who appends keeps the connection open."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import duckdb

from orb_learning.store.lake.attaching import CONFIG, attach, require_data_place, seal_lake
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.lake.lake_store import LakeStore
from orb_learning.store.lake.schema import migrate_lake
from orb_learning.store.protocol import remember_store
from orb_learning.store.schema import SCHEMA_VERSION, check_version, schema_version_of

READS = "orb-read"


@contextmanager
def open_lake(
    locator: Path,
    *,
    read_only: bool = False,
    appends: bool = False,
    wait_seconds: float = 30.0,
    sandbox_memory_mb: int | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a lake; as ``connect`` of a file does, but for the waiting.

    Args:
        locator: the lake's.
        read_only: whether only to read it; then nobody is waited for.
        appends: whether others may append meanwhile; else nobody writes but this one.
        wait_seconds: for how long to wait for others that write.
        sandbox_memory_mb: as of ``connect``.

    Raises:
        DatabaseError: one of its subclasses says what is wrong with the lake.
    """
    if read_only:
        with opened(locator, None, appends=False) as connection:
            if sandbox_memory_mb is not None:
                seal_lake(connection, sandbox_memory_mb)
            with translated_lake_errors(locator):
                yield connection
    elif appends:
        with _kept.borrow(locator, wait_seconds) as connection, translated_lake_errors(locator):
            yield connection
    else:
        with ExitStack() as stack:
            door = Door(locator, wait_seconds=wait_seconds)
            stack.callback(door.close)
            stack.enter_context(door.gate(alone=True))
            door.pass_fence()
            connection = stack.enter_context(opened(locator, door, appends=False))
            stack.enter_context(translated_lake_errors(locator))
            migrate_lake(connection)
            yield connection


@contextmanager
def opened(
    locator: Path, door: Door | None, *, appends: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a lake whose locks the caller holds.

    Args:
        locator: the lake's.
        door: of who writes; None of who reads.
        appends: whether others append beside it.

    Raises:
        DatabaseError: one of its subclasses says what is wrong with the lake.
    """
    connection = duckdb.connect(config=CONFIG)
    try:
        if door is not None:
            door.set_up()
            require_data_place(locator, door)
        name = READS if door is None else door.application_name
        attach(connection, locator, read_only=door is None, application_name=name)
        remember_store(connection, LakeStore(door, appends=appends))
        with translated_lake_errors(locator):
            check_version(connection, locator)
        yield connection
    finally:
        connection.close()


class _Kept:
    """The connection by which this process appends: opening one asks Postgres 35 times."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._process = os.getpid()
        self._locator: Path | None = None
        self._stack = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._door: Door | None = None

    @contextmanager
    def borrow(self, locator: Path, wait_seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection to one thread; it is closed where that fails, and opened again."""
        with self._mutex:
            if self._connection is None or self._locator != locator:
                self.close()
                self._open(locator, wait_seconds)
            assert self._connection is not None
            assert self._door is not None
            self._door.wait_seconds = wait_seconds
            try:
                yield self._connection
            except BaseException:
                self.close()
                raise

    def _open(self, locator: Path, wait_seconds: float) -> None:
        with ExitStack() as stack:
            self._door = Door(locator, wait_seconds=wait_seconds)
            stack.callback(self._door.close)
            self._door.pass_fence()
            new = nullcontext() if self._door.has_lake() else self._door.gate(alone=True)
            with new:  # else two would make it
                self._connection = stack.enter_context(opened(locator, self._door, appends=True))
            with translated_lake_errors(locator):
                if schema_version_of(self._connection) != SCHEMA_VERSION:
                    with self._door.gate(alone=True):
                        migrate_lake(self._connection)
            self._stack = stack.pop_all()
        self._locator = locator

    def close(self) -> None:
        """Close it, DuckDB's side first."""
        self._connection = self._locator = self._door = None
        self._stack.close()


_kept = _Kept()


def _forget_in_child() -> None:
    global _kept
    _of_parents.append(_kept)  # collecting it would end the parent's connections
    _kept = _Kept()


_of_parents: list[_Kept] = []
os.register_at_fork(after_in_child=_forget_in_child)


def close_kept() -> None:
    """Close the connection by which this process appends, where there is one."""
    _kept.close()
