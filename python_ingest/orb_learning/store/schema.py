"""The raw schema's version, and its migration: raw.sql, applied as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from orb_learning.errors import NewerDatabaseError

SCHEMA_VERSION = 8


@cache
def ddl() -> str:
    """Return the text of raw.sql."""
    return files(__package__).joinpath("raw.sql").read_text(encoding="utf-8")


def schema_version_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the version of the database's raw schema, 0 where there is none."""
    # Asked at every opening: to look for the table first would take longer than all the rest.
    # fetchall: a result that is not read to its end stands in the way of the caller's next one.
    try:
        [(version,)] = connection.execute(
            "select coalesce(max(version), 0) from raw.schema_versions"
        ).fetchall()
    except duckdb.CatalogException:
        return 0
    return int(version)


def check_version(connection: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Refuse a database that a newer version of this package has written.

    Raises:
        NewerDatabaseError: names both versions.
    """
    version = schema_version_of(connection)
    if version > SCHEMA_VERSION:
        raise NewerDatabaseError(
            f"{path} has version {version} of the raw schema and this package knows versions up to "
            f"{SCHEMA_VERSION}; update orb-learning"
        )


def migrate(connection: duckdb.DuckDBPyConnection) -> bool:
    """Bring the raw schema to this package's version, in one transaction.

    Returns:
        whether there was anything to do.
    """
    if schema_version_of(connection) == SCHEMA_VERSION:
        return False
    connection.execute("begin")
    try:
        connection.execute(ddl())
        connection.execute(
            "insert into raw.schema_versions values (?, ?)",
            [SCHEMA_VERSION, datetime.now(UTC).replace(tzinfo=None)],
        )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return True
