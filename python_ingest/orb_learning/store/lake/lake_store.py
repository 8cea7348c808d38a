"""A lake as a store: many append at once, nothing has a key, numbers come from Postgres."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any

import duckdb

from orb_learning.store.file_store import read_database_id, read_offsets
from orb_learning.store.lake.attaching import NAME
from orb_learning.store.lake.door import Door
from orb_learning.store.protocol import remember_store

LOOK_SECONDS = 60.0


class LakeStore:
    """The store of one connection.

    Args:
        door: of who writes; None of who reads.
        appends: whether others append beside it; else it has the gate alone already.
    """

    def __init__(self, door: Door | None, *, appends: bool):
        self._door = door
        self._appends = appends
        self._database_id: uuid.UUID | None = None
        # Its own outboxes move by its own commits only, so they are not read again.
        self._offsets: dict[uuid.UUID, int] | None = None
        self._moved: dict[uuid.UUID, int] = {}
        self._looked_at = self._asked_at = float("-inf")
        self._backed_up: dict[uuid.UUID, int] = {}

    @property
    def door(self) -> Door:
        """The door of who writes."""
        assert self._door is not None, "the lake is open to read"
        return self._door

    @contextmanager
    def beginning(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002 (of the protocol)
        *,
        alone: bool,
    ) -> Iterator[None]:
        """Hold the gate, alone or with others that append."""
        self._moved = {}
        if not self._appends or self._door is None:
            yield
        else:
            with self._door.gate(alone=alone):
                yield
        if self._offsets is not None:  # it is committed
            self._offsets |= self._moved

    def cursor(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Return a cursor, and make the lake its catalog, which it has not from its connection."""
        cursor = connection.cursor()
        cursor.execute(f"use {NAME}")
        remember_store(cursor, self)
        return cursor

    @contextmanager
    def reading(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Read one snapshot."""
        connection.execute("begin transaction read only")
        try:
            yield
        finally:
            with suppress(duckdb.Error):  # an error has ended it
                connection.execute("rollback")

    def reserve(self, connection: duckdb.DuckDBPyConnection, count: int) -> int:  # noqa: ARG002
        """Take load numbers from Postgres."""
        return self.door.reserve("load_seq", count)

    def reserve_dead_letters(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
        count: int,
    ) -> int:
        """Take numbers of dead letters from Postgres."""
        return self.door.reserve("dead_letter_id", count)

    def drain(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
        outbox_ids: Collection[uuid.UUID],
    ) -> bool:
        """Hold a lock of Postgres on each."""
        is_new = self.door.drain(outbox_ids)
        if is_new:
            self._offsets = None
        return is_new

    def database_id(self, connection: duckdb.DuckDBPyConnection) -> uuid.UUID:
        """Read it once."""
        if self._database_id is None:
            self._database_id = read_database_id(connection)
        return self._database_id

    def stored_offsets(self, connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
        """Read them where an outbox is new to this connection."""
        if self._offsets is None:
            self._offsets = read_offsets(connection)
        return dict(self._offsets)

    def store_offsets(
        self,
        connection: duckdb.DuckDBPyConnection,
        offsets: Mapping[uuid.UUID, int],
        now: datetime,
    ) -> None:
        """Append rows; the largest of an outbox counts."""
        self._moved |= offsets
        values = ", ".join("(?::uuid, ?::bigint, ?::timestamp)" for _ in offsets)
        connection.execute(
            f"insert into raw.outbox_positions values {values}",  # noqa: S608 (parameters)
            [part for outbox_id, offset in offsets.items() for part in (outbox_id, offset, now)],
        )

    def backed_up_offsets(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
    ) -> dict[uuid.UUID, int]:
        """Ask Postgres, where the host that maintains the lake notes them, once a minute."""
        now = time.monotonic()
        if now - self._asked_at >= LOOK_SECONDS:
            self._backed_up, self._asked_at = self.door.backed_up(), now
        return dict(self._backed_up)

    def last_load_number(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Look at what is there: who reads may not ask Postgres' sequence."""
        [(last,)] = connection.execute(
            "select coalesce(max(last), 0) from ("
            "select max(_load_seq) as last from raw.executions "
            "union all select max(_load_seq) from raw.feedback)"
        ).fetchall()
        return int(last)

    def count_versions(
        self, connection: duckdb.DuckDBPyConnection, day: date, version_count: int
    ) -> None:
        """Append a row; a day's rows add up."""
        connection.execute("insert into raw.loaded_counts values (?, ?)", [day, version_count])

    def count_feedback(
        self, connection: duckdb.DuckDBPyConnection, received: int, removed: int
    ) -> None:
        """Append a row; the rows add up."""
        if received or removed:
            connection.execute("insert into raw.feedback_counts values (?, ?)", [received, removed])

    def replace_rows(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        key: Sequence[str],
        query: str,
        parameters: Mapping[str, Any],
    ) -> None:
        """Delete the rows of those keys, and insert."""
        connection.execute(
            f"create or replace temp table replacing as {query}", dict(parameters) or None
        )
        same = " and ".join(f"replaced.{column} = replacing.{column}" for column in key)
        known = connection.execute(
            f"select 1 from {table} as replaced inner join replacing on {same} limit 1"  # noqa: S608
        ).fetchall()
        if known:
            connection.execute(
                f"delete from {table} as replaced "  # noqa: S608
                f"where exists (select 1 from replacing where {same})"
            )
        connection.execute(f"insert into {table} by name from replacing")

    def database_size(self, connection: duckdb.DuckDBPyConnection) -> int | None:
        """Add up the files of every table."""
        return sum(size for _, size in self.table_sizes(connection))

    def table_sizes(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
        """Add up each table's files, as the catalog has them."""
        rows = connection.execute(
            "select tables.schema_name || '.' || tables.table_name, "
            "sum(files.file_size_bytes + files.delete_file_size_bytes)::bigint "
            "from ducklake_table_info(?) as files "
            "inner join duckdb_tables() as tables on files.table_name = tables.table_name "
            "where tables.database_name = current_database() group by all order by all",
            [NAME],
        ).fetchall()
        return [(name, int(size)) for name, size in rows]

    def looks_around(self, connection: duckdb.DuckDBPyConnection) -> bool:  # noqa: ARG002
        """Look once a minute: each look asks Postgres some twenty times."""
        now = time.monotonic()
        is_time = now - self._looked_at >= LOOK_SECONDS
        if is_time:
            self._looked_at = now
        return is_time

    def least_pause(self, connection: duckdb.DuckDBPyConnection) -> float:  # noqa: ARG002
        """Leave each of all hosts its share."""
        return self.door.least_pause()
