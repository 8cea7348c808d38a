"""A file as a store: one writer at a time, who has it alone, with keys and sequences."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import duckdb

from orb_learning.errors import DatabaseError
from orb_learning.store.sql_text import identifier

LEAST_DUCKDB = (2, 0, 0)
"""Before it, an index goes stale after a kill, and some files cannot be opened after one."""


def check_duckdb() -> None:
    """Refuse a DuckDB that does not keep a file as this package needs it.

    Raises:
        DatabaseError: names both versions.
    """
    version = tuple(int(part) for part in duckdb.__version__.split(".")[:3] if part.isdigit())
    if version < LEAST_DUCKDB:
        least = ".".join(map(str, LEAST_DUCKDB))
        raise DatabaseError(
            f"DuckDB {duckdb.__version__} is installed here, and a database file needs {least} or "
            f"newer; pip install 'duckdb>={least}', or set ORB_DATABASE to a lake's catalog"
        )


def read_database_id(connection: duckdb.DuckDBPyConnection) -> uuid.UUID:
    """Return the database's id."""
    [(database_id,)] = connection.execute("select database_id from raw.database_id").fetchall()
    assert isinstance(database_id, uuid.UUID)
    return database_id


def read_offsets(connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
    """Return the offset of each outbox: the largest of its rows."""
    return dict(
        connection.execute(
            "select outbox_id, max(position) from raw.outbox_positions group by outbox_id"
        ).fetchall()
    )


class FileStore:
    """A DuckDB file. Its connections write one at a time (connection.py)."""

    @contextmanager
    def beginning(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002 (of the protocol)
        *,
        alone: bool,  # noqa: ARG002 (who writes has the file alone)
    ) -> Iterator[None]:
        """Hold nothing: the connection has the file."""
        yield

    def cursor(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Return a cursor."""
        return connection.cursor()

    @contextmanager
    def reading(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
    ) -> Iterator[None]:
        """Do nothing: nobody writes a file that is open to read."""
        yield

    def reserve(self, connection: duckdb.DuckDBPyConnection, count: int) -> int:
        """Take load numbers from their sequence."""
        return _reserve(connection, "raw.load_seq", count)

    def reserve_dead_letters(self, connection: duckdb.DuckDBPyConnection, count: int) -> int:
        """Take numbers of dead letters from their sequence."""
        return _reserve(connection, "raw.dead_letter_id", count)

    def drain(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
        outbox_ids: Collection[uuid.UUID],  # noqa: ARG002
    ) -> bool:
        """Do nothing: who has the file has its outboxes."""
        return False

    def database_id(self, connection: duckdb.DuckDBPyConnection) -> uuid.UUID:
        """Read it: another file may stand there now."""
        return read_database_id(connection)

    def stored_offsets(self, connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
        """Read them."""
        return read_offsets(connection)

    def store_offsets(
        self,
        connection: duckdb.DuckDBPyConnection,
        offsets: Mapping[uuid.UUID, int],
        now: datetime,
    ) -> None:
        """Keep one row an outbox."""
        connection.executemany(
            "insert or replace into raw.outbox_positions values (?, ?, ?)",
            [(outbox_id, offset, now) for outbox_id, offset in offsets.items()],
        )

    def backed_up_offsets(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
    ) -> dict[uuid.UUID, int]:
        """Return none: its backups are this host's."""
        return {}

    def last_load_number(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Ask the sequence."""
        [(last,)] = connection.execute(
            "select coalesce(max(last_value), 0) from duckdb_sequences() "
            "where database_name = current_database() and sequence_name = 'load_seq'"
        ).fetchall()
        return int(last)

    def count_versions(
        self, connection: duckdb.DuckDBPyConnection, day: date, version_count: int
    ) -> None:
        """Keep one row a day."""
        connection.execute(
            "insert into raw.loaded_counts values (?, ?) on conflict (loaded_on) "
            "do update set version_count = version_count + excluded.version_count",
            [day, version_count],
        )

    def count_feedback(
        self, connection: duckdb.DuckDBPyConnection, received: int, removed: int
    ) -> None:
        """Keep one row."""
        connection.execute(
            "update raw.feedback_counts "
            "set came_count = came_count + ?, gone_count = gone_count + ?",
            [received, removed],
        )

    def replace_rows(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        key: Sequence[str],  # noqa: ARG002 (the table has it)
        query: str,
        parameters: Mapping[str, Any],
    ) -> None:
        """Let the table's key say what is replaced."""
        connection.execute(
            f"insert or replace into {table} by name {query}",
            dict(parameters) or None,
        )

    def database_size(self, connection: duckdb.DuckDBPyConnection) -> int | None:  # noqa: ARG002
        """Leave it to the file."""
        return None

    def table_sizes(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
        """Count each table's blocks. A block is one table's; indexes and free ones are nobody's."""
        [(block_bytes,)] = connection.execute(
            "select block_size from pragma_database_size() where database_name = current_database()"
        ).fetchall()
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where database_name = current_database() and not temporary order by all"
        ).fetchall()
        sizes = []
        for schema, table in tables:
            [(blocks,)] = connection.execute(
                "select count(distinct block) from ("
                "select unnest(list_prepend(block_id, additional_block_ids)) as block "
                "from pragma_storage_info(?)) where block >= 0",
                [f"{identifier(schema)}.{identifier(table)}"],
            ).fetchall()
            sizes.append((f"{schema}.{table}", blocks * block_bytes))
        return sizes

    def looks_around(self, connection: duckdb.DuckDBPyConnection) -> bool:  # noqa: ARG002
        """Look each time."""
        return True

    def least_pause(self, connection: duckdb.DuckDBPyConnection) -> float:  # noqa: ARG002
        """Leave none: nobody else loads."""
        return 0.0


def _reserve(connection: duckdb.DuckDBPyConnection, sequence: str, count: int) -> int:
    [(first,)] = connection.execute(
        "select min(number) from (select nextval(?) as number from range(?))", [sequence, count]
    ).fetchall()
    return int(first)
