"""What a database of either kind does in its own way, behind one protocol: a file, or a lake."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import duckdb

from orb_learning.store.file_store import FileStore


class Store(Protocol):
    """The database that a connection is to.

    Each method works in the transaction that the caller has open, ``beginning`` excepted.
    """

    def beginning(
        self, connection: duckdb.DuckDBPyConnection, *, alone: bool
    ) -> AbstractContextManager[None]:
        """Hold what a transaction needs, from before it begins until it has ended.

        Args:
            connection: to the database.
            alone: whether it deletes or reads what others may change meanwhile.
        """
        ...

    def cursor(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Return another connection to the same database."""
        ...

    def reading(self, connection: duckdb.DuckDBPyConnection) -> AbstractContextManager[None]:
        """See to it that all that is read inside is of one moment."""
        ...

    def reserve(self, connection: duckdb.DuckDBPyConnection, count: int) -> int:
        """Take so many load numbers in a row, which nobody gets again; return the first."""
        ...

    def reserve_dead_letters(self, connection: duckdb.DuckDBPyConnection, count: int) -> int:
        """Take so many numbers of dead letters in a row; return the first."""
        ...

    def drain(
        self, connection: duckdb.DuckDBPyConnection, outbox_ids: Collection[uuid.UUID]
    ) -> bool:
        """See to it that nobody else loads these outboxes while the connection is open.

        Returns:
            whether another one may have loaded any since their offsets were read.

        Raises:
            LoaderBusyError: another host does.
        """
        ...

    def database_id(self, connection: duckdb.DuckDBPyConnection) -> uuid.UUID:
        """Return the database's id."""
        ...

    def stored_offsets(self, connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
        """Return the offset of each outbox; of those that others drain, perhaps an older one."""
        ...

    def store_offsets(
        self,
        connection: duckdb.DuckDBPyConnection,
        offsets: Mapping[uuid.UUID, int],
        now: datetime,
    ) -> None:
        """Move the offsets of outboxes."""
        ...

    def backed_up_offsets(self, connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
        """Return how far a verified backup of another host's holds each outbox."""
        ...

    def last_load_number(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Return the last load number that was given out, 0 where there was none."""
        ...

    def count_versions(
        self, connection: duckdb.DuckDBPyConnection, day: date, version_count: int
    ) -> None:
        """Add to the versions that came on a day."""
        ...

    def count_feedback(
        self, connection: duckdb.DuckDBPyConnection, received: int, removed: int
    ) -> None:
        """Add to the feedback that came, and to what is gone of it."""
        ...

    def replace_rows(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        key: Sequence[str],
        query: str,
        parameters: Mapping[str, Any],
    ) -> None:
        """Put a query's rows into a table, in the place of those with the same key.

        Args:
            connection: to the database.
            table: the table.
            key: its key's columns.
            query: the rows, by name, one for each key; no caller's text.
            parameters: of the query.
        """
        ...

    def database_size(self, connection: duckdb.DuckDBPyConnection) -> int | None:
        """Return the bytes that the database takes, where no file says so."""
        ...

    def table_sizes(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
        """Return the name of each table, and the bytes that it takes."""
        ...

    def looks_around(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether a load looks, this time, for what is not its records: halves, sizes."""
        ...

    def least_pause(self, connection: duckdb.DuckDBPyConnection) -> float:
        """Return the seconds that a loader leaves between two loads, beside all the others."""
        ...


_FILE = FileStore()
_stores: WeakKeyDictionary[duckdb.DuckDBPyConnection, Store] = WeakKeyDictionary()


def store_of(connection: duckdb.DuckDBPyConnection) -> Store:
    """Return the store of a connection."""
    return _stores.get(connection, _FILE)


def remember_store(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Note the store of a connection that is no file's."""
    _stores[connection] = store
