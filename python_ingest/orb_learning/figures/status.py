"""What is in the database: its relations and what the model `metadata` says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.ingest import pending_records, stored_offsets
from orb_learning.outbox import as_time, folder_size
from orb_learning.store import built_by_this_version, connect, schema_version_of


@dataclass(frozen=True)
class Status:
    """The database at one moment; empty where nothing has been built."""

    database: Path
    size_bytes: int
    facts: dict[str, str | None]
    """What `metadata` holds, by key, as text."""
    relations: dict[str, int]
    """The rows of each mart and public relation, by name."""


def read_status(database: Path, *, wait_seconds: float = 30.0) -> Status:
    """Read the status of a database.

    Args:
        database: the file.
        wait_seconds: for how long to wait while another process has it.

    Raises:
        DatabaseError: there is no database, it cannot be read, or was built by another version.
    """
    with (
        connect(database, read_only=True, wait_seconds=wait_seconds) as connection,
        built_by_this_version(database),
    ):
        built = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main' and "
            "(table_name in ('executions', 'metadata') or ends_with(table_name, '_mv')) "
            "order by all"
        ).fetchall()
        names = [str(name) for (name,) in built]
        facts = (
            dict(connection.execute("select key, value from metadata order by key").fetchall())
            if "metadata" in names
            else {}
        )
        relations = {name: _count(connection, name) for name in names if name != "metadata"}
    return Status(database, database.stat().st_size, facts, relations)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.table(relation).count("*").fetchall()[0]
    return int(row[0])


@dataclass(frozen=True)
class OutboxStatus:
    """The outbox at one moment."""

    folder: Path
    size_bytes: int
    pending: int
    """Records that are not in raw yet."""
    oldest: datetime | None
    """When the oldest of them was put, naive UTC."""
    dead_letters: int
    refused: dict[str, int]
    """Records that were refused, as far as their processes could tell, by reason."""
    last_load: datetime | None

    def facts(self) -> dict[str, str]:
        """Return what there is to show, by its name."""
        refused = ", ".join(f"{count:,} {reason}" for reason, count in self.refused.items())
        return {
            "pending": f"{self.pending:,}",
            "oldest pending": str(self.oldest or "none"),
            "dead letters": f"{self.dead_letters:,}",
            "refused": refused or "0",
            "last load": str(self.last_load or "never"),
        }


def read_outbox_status(database: Path, folder: Path, *, wait_seconds: float = 30.0) -> OutboxStatus:
    """Read the status of the outbox that feeds a database.

    Args:
        database: the file.
        folder: the outbox.
        wait_seconds: for how long to wait while another process has the file.

    Raises:
        DatabaseError: there is no database, or it cannot be read.
    """
    with connect(database, read_only=True, wait_seconds=wait_seconds) as connection:
        if schema_version_of(connection) < 2:
            positions, letters, refused, last_load = {}, 0, {}, None
        else:
            positions = stored_offsets(connection)
            letters = _count(connection, "raw.dead_letters")
            refused = dict(
                connection.execute(
                    "select reason, sum(refused_count)::bigint from raw.refused_records "
                    "group by all order by all"
                ).fetchall()
            )
            row = connection.execute("select max(loaded_at) from raw.outbox_positions").fetchone()
            last_load = row[0] if row else None
    pending, oldest = pending_records(folder, positions)
    return OutboxStatus(
        folder,
        folder_size(folder),
        pending,
        as_time(oldest),
        letters,
        refused,
        last_load,
    )
