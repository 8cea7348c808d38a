"""What is in the database: its relations and what the model `metadata` says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from orb_learning.database import connect


@dataclass(frozen=True)
class Status:
    """The database at one moment; empty where nothing has been built."""

    database: Path
    size_bytes: int
    facts: dict[str, str | None]
    """What `metadata` holds, by key, as text."""
    relations: dict[str, int]
    """The rows of each mart and public relation, by name."""


def read_status(database: Path) -> Status:
    """Read the status of a database.

    Raises:
        DatabaseError: there is no database, or it cannot be read.
    """
    with connect(database, read_only=True) as connection:
        built = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main' and "
            "(table_name in ('executions', 'metadata') or ends_with(table_name, '_mv')) order by all"
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
