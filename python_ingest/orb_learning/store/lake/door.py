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
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, LiteralString

from orb_learning.errors import DatabaseLockedError, LoaderBusyError, MaintenanceBusyError
from orb_learning.filesystem import say_wait
from orb_learning.filesystem.waiting import NOTICE_SECONDS
from orb_learning.store.lake.postgres import (
    lock_number,
    open_postgres,
    translated_postgres_errors,
)

WRITES = "orb-write:"
DOOR = "orb-door:"
NAMES = {"writes": WRITES, "door": DOOR}
"""Of Postgres' connections, in queries for them."""
FENCE_SECONDS = 60.0
COMMITS_A_SECOND = 10.0
"""Of all hosts together: half of what a lake was measured to take."""

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
OTHERS: LiteralString = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
)
HOSTS: LiteralString = (
    "select count(*) from pg_stat_activity "
    "where datname = current_database() and starts_with(application_name, %(door)s)"
)
SCHEMA = "orb"
SET_UP: LiteralString = """
    create schema if not exists orb;
    create sequence if not exists orb.load_seq;
    create sequence if not exists orb.dead_letter_id;
    create table if not exists orb.backed_up (outbox_id uuid primary key, position bigint not null);
"""
BACKED_UP: LiteralString = """
    insert into orb.backed_up values (%s, %s)
    on conflict (outbox_id) do update
    set position = greatest(backed_up.position, excluded.position)
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
        self.locator = locator
        self.key = uuid.uuid4().hex
        self._drained: set[uuid.UUID] = set()
        self._connection = open_postgres(locator, DOOR + self.key)
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
            known = self._connection.execute("select to_regclass('orb.backed_up')").fetchone()
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
        self._lock(f"pg_advisory_lock{shared}", lock_number("gate"), "the lake's gate")
        try:
            yield
        finally:
            # Where the connection is gone, so is the lock.
            if not self._connection.closed:
                self._unlock(f"pg_advisory_unlock{shared}", lock_number("gate"))

    def build_alone(self) -> None:
        """Be the one builder until the door is closed; others wait in line.

        Raises:
            DatabaseLockedError: another builds for longer than the wait.
        """
        self._lock("pg_advisory_lock", lock_number("build"), "the lake's builder")

    def maintain_alone(self) -> None:
        """Be the one maintenance of the lake until the door is closed.

        Raises:
            MaintenanceBusyError: another host's is at work.
        """
        if self._rows("select pg_try_advisory_lock(%s)", [lock_number("maintain")]) != [(True,)]:
            raise MaintenanceBusyError(
                f"another host maintains {self.locator}; run it again when that is done"
            )

    def note_backup(self, offsets: Mapping[uuid.UUID, int]) -> None:
        """Tell every host how far a verified backup holds its outboxes."""
        with self._translated(), self._connection.cursor() as cursor:
            cursor.executemany(BACKED_UP, list(offsets.items()))

    def backed_up(self) -> dict[uuid.UUID, int]:
        """Return how far a verified backup holds each outbox."""
        return dict(self._rows("select outbox_id, position from orb.backed_up"))

    def end_others(self) -> None:
        """End the other connections of this user: what they know of the lake is to be replaced."""
        self._rows(OTHERS)

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
            number = lock_number(str(outbox_id))
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
            self._connection.execute("select pg_advisory_xact_lock(%s)", [lock_number(sequence)])
            row = self._connection.execute(
                "select setval(%s::regclass, nextval(%s::regclass) + %s - 1) - %s + 1",
                [f"{SCHEMA}.{sequence}", f"{SCHEMA}.{sequence}", count, count],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def last_number(self, sequence: str) -> int:
        """Return the last number that was given out."""
        query: LiteralString = (
            "select case when is_called then last_value else 0 end from orb.dead_letter_id"
            if sequence == "dead_letter_id"
            else "select case when is_called then last_value else 0 end from orb.load_seq"
        )
        return int(self._rows(query)[0][0])

    def advance(self, sequence: str, last: int) -> None:
        """Give out no number up to this one again."""
        ahead = last - self.last_number(sequence)
        if ahead > 0:
            self.reserve(sequence, ahead)

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

    def _translated(self, what: str = "the catalog") -> AbstractContextManager[None]:
        return translated_postgres_errors(self.locator, what, self.wait_seconds)
