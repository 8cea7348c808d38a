"""A connection to the lake's Postgres beside DuckDB's: its locks, its numbers, and the fence.

DuckDB's own connections are pooled: a lock would be acquired by one and released by another.

- The gate: an advisory lock. Who appends holds it shared for a transaction, so that many do at
  once. Who deletes holds it alone, because a delete in DuckLake conflicts with every insert.
- The fence: a process that was killed may have left Postgres a COMMIT to finish. Whoever opens the
  lake to write waits until nobody's connection is left whose door is gone; only then what is in the
  lake is known, and nothing is loaded twice.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from orb_learning.errors import DatabaseLockedError, LakeError, LoaderBusyError
from orb_learning.filesystem import say_wait
from orb_learning.filesystem.waiting import NOTICE_SECONDS
from orb_learning.locator import catalog_words
from orb_learning.store.lake.lake_errors import explain, first_line

if TYPE_CHECKING:
    import psycopg

WRITES = "orb-write:"
DOOR = "orb-door:"
NAMES = {"writes": WRITES, "door": DOOR}
"""Of Postgres' connections, in queries for them."""
FENCE_SECONDS = 60.0
COMMITS_A_SECOND = 10.0
"""Of all hosts together: half of what a lake was measured to take."""
CONNECT_SECONDS = 10

ORPHANS: LiteralString = """
    select writing.pid
    from pg_stat_activity as writing
    where
        writing.datname = current_database()
        and starts_with(writing.application_name, %(writes)s)
        and not exists (
            select from pg_stat_activity as door
            where
                door.application_name
                = %(door)s || substr(writing.application_name, length(%(writes)s) + 1)
        )
"""
HOSTS: LiteralString = (
    "select count(*) from pg_stat_activity "
    "where datname = current_database() and starts_with(application_name, %(door)s)"
)
SCHEMA = "orb"
SET_UP: LiteralString = """
    create schema if not exists orb;
    create sequence if not exists orb.load_seq;
    create sequence if not exists orb.dead_letter_id;
"""


class Door:
    """The connection of one that writes.

    Args:
        locator: the lake's.
        wait_seconds: for how long to wait for a lock.

    Raises:
        LakeError: psycopg is not installed, or Postgres cannot be reached.
    """

    def __init__(self, locator: Path | str, *, wait_seconds: float):
        try:
            import psycopg
        except ImportError as error:
            raise LakeError(
                "psycopg, by which a lake is written, is not installed here: "
                "pip install 'orb-learning[lake]'"
            ) from error
        self.locator = locator
        self.key = uuid.uuid4().hex
        self._errors: type[Exception] = psycopg.Error
        self._drained: set[uuid.UUID] = set()
        with self._translated():
            self._connection: psycopg.Connection[Any] = psycopg.connect(
                catalog_words(locator),
                application_name=DOOR + self.key,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
            )
        self.wait_seconds = wait_seconds

    @property
    def application_name(self) -> str:
        """The name that DuckDB's connections have which belong to this door."""
        return WRITES + self.key

    def close(self) -> None:
        """Release every lock. DuckDB's connections are to be closed before."""
        self._connection.close()

    def set_up(self) -> None:
        """Make the sequences, where they are not."""
        with self._translated():
            known = self._connection.execute("select to_regclass('orb.dead_letter_id')").fetchone()
            if known == (None,):
                self._connection.execute(SET_UP)

    def has_lake(self) -> bool:
        """Whether the catalog has one already."""
        return self._rows("select to_regclass('public.ducklake_metadata')") != [(None,)]

    @contextmanager
    def gate(self, *, alone: bool) -> Iterator[None]:
        """Hold the gate, shared or alone.

        Raises:
            DatabaseLockedError: others had it for too long.
            LakeError: Postgres is away.
        """
        shared = "" if alone else "_shared"
        self._lock(f"pg_advisory_lock{shared}", _number("gate"), "the lake's gate")
        try:
            yield
        finally:
            # Where the connection is gone, so is the lock.
            if not self._connection.closed:
                self._unlock(f"pg_advisory_unlock{shared}", _number("gate"))

    def build_alone(self) -> None:
        """Be the one builder until the door is closed; others wait in line.

        Raises:
            DatabaseLockedError: another builds for longer than the wait.
        """
        self._lock("pg_advisory_lock", _number("build"), "the lake's builder")

    def pass_fence(self) -> None:
        """Wait until Postgres is done with what killed processes left.

        Raises:
            DatabaseLockedError: names the backend that does not end.
        """
        deadline = time.monotonic() + FENCE_SECONDS
        noticed = time.monotonic() + NOTICE_SECONDS
        while pids := self._rows(ORPHANS, NAMES):
            if time.monotonic() > deadline:
                raise DatabaseLockedError(
                    f"{self.locator}: the Postgres backend {pids[0][0]} still works for a process "
                    f"that is gone, so it is not known what was loaded; try again later, or end it "
                    f"by pg_terminate_backend({pids[0][0]})"
                )
            if time.monotonic() > noticed:
                noticed = float("inf")
                say_wait("commits of processes that ended", f"Postgres backend {pids[0][0]}")
            time.sleep(0.02)  # nothing tells when a backend has ended

    def drain(self, outbox_ids: Collection[uuid.UUID]) -> bool:
        """Be the one that loads these outboxes until the door is closed.

        Returns:
            whether any is new to it: its offset is what it is from now on.

        Raises:
            LoaderBusyError: another host loads one of them, from a copy of it.
        """
        new = set(outbox_ids) - self._drained
        for outbox_id in sorted(new):
            number = _number(str(outbox_id))
            if self._rows("select pg_try_advisory_lock(%s)", [number]) != [(True,)]:
                raise LoaderBusyError(
                    f"the outbox {outbox_id} is being loaded from another place; one host drains "
                    f"an outbox, so take the copy of it away"
                )
            self._drained.add(outbox_id)
        if new:  # whoever had them before may be gone, and its last commit under way
            self.pass_fence()
        return bool(new)

    def reserve(self, sequence: str, count: int) -> int:
        """Take so many numbers in a row; return the first. A kill may leave a gap."""
        with self._translated(), self._connection.transaction():
            self._connection.execute("select pg_advisory_xact_lock(%s)", [_number(sequence)])
            row = self._connection.execute(
                "select setval(%s::regclass, nextval(%s::regclass) + %s - 1) - %s + 1",
                [f"{SCHEMA}.{sequence}", f"{SCHEMA}.{sequence}", count, count],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def least_pause(self) -> float:
        """Return the seconds between two loads by which all hosts stay under the lake's rate."""
        return float(self._rows(HOSTS, NAMES)[0][0]) / COMMITS_A_SECOND

    def _lock(self, function: str, number: int, what: str) -> None:
        milliseconds = max(1, int(self.wait_seconds * 1000))
        with self._translated(what):
            self._connection.execute(
                "select set_config('lock_timeout', %s, false)", [str(milliseconds)]
            )
            self._connection.execute(f"select {function}(%s)", [number])

    def _unlock(self, function: str, number: int) -> None:
        with self._translated():
            self._connection.execute(f"select {function}(%s)", [number])

    def _rows(
        self, query: LiteralString, values: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        with self._translated():
            rows: list[tuple[Any, ...]] = self._connection.execute(query, values).fetchall()
            return rows

    @contextmanager
    def _translated(self, what: str = "the catalog") -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            if getattr(error, "sqlstate", None) == "55P03":
                raise DatabaseLockedError(
                    f"{self.locator}: others had {what} for {self.wait_seconds:g} s; try again "
                    f"when they are done"
                ) from error
            raise explain(str(error), self.locator) or LakeError(
                f"{self.locator}: Postgres refuses {what}. {first_line(str(error))}"
            ) from error


def _number(name: str) -> int:
    """Return the advisory lock's number of a name."""
    return int.from_bytes(sha256(f"orb-learning {name}".encode()).digest()[:8], "big", signed=True)
