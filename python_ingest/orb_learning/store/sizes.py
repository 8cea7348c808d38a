"""What the files and the tables take, sampled into raw.storage_samples; rpt_storage reads them.

The relay samples the database and the outbox once an hour; `orb maintain` samples these, the
archive, the backups, and every table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from orb_learning.locator import is_lake
from orb_learning.store.connection import connect, transaction
from orb_learning.store.protocol import store_of
from orb_learning.store.sql_text import identifier

KEEP = timedelta(days=400)
"""A year can be held against the one before."""

DATABASE_PLACE = "database"
"""The place whose sample has a number of rows: the versions in raw.executions."""


def sample_sizes(
    connection: duckdb.DuckDBPyConnection,
    places: Mapping[str, Path],
    now: datetime,
    *,
    with_tables: bool,
) -> None:
    """Sample the sizes of places, and drop samples of the same moment or older than ``KEEP``.

    Args:
        connection: a writable connection to the database.
        places: the database file and folders, by name.
        now: ``sampled_at``, naive UTC.
        with_tables: whether to sample every table, too.
    """
    rows: list[tuple[str, str, int, int | None]] = [
        ("place", name, size_of(path), None)
        for name, path in places.items()
        if name != DATABASE_PLACE
    ]
    if database := places.get(DATABASE_PLACE):
        size = store_of(connection).database_size(connection)
        size = size_of(database) if size is None else size
        rows.insert(0, ("place", DATABASE_PLACE, size, _row_count(connection)))
    if with_tables:
        rows += [("table", *table) for table in table_sizes(connection)]
    with transaction(connection):
        connection.execute(
            "delete from raw.storage_samples where sampled_at < ? or sampled_at = ?",
            [now - KEEP, now],
        )
        connection.executemany(
            "insert into raw.storage_samples values (?, ?, ?, ?, ?)", [(now, *row) for row in rows]
        )


def sample_sizes_hourly(
    connection: duckdb.DuckDBPyConnection, places: Mapping[str, Path], now: datetime
) -> bool:
    """Sample the sizes of places unless the database was sampled in this hour of the clock.

    Returns:
        whether it sampled.
    """
    # By its hour and not by the time since the last: a clock that once ran ahead would stop it.
    hour = now.replace(minute=0, second=0, microsecond=0)
    known = connection.execute(
        "select 1 from raw.storage_samples where kind = 'place' and name = ? "
        "and sampled_at >= ? and sampled_at < ? limit 1",
        [DATABASE_PLACE, hour, hour + timedelta(hours=1)],
    ).fetchall()
    if not known:
        sample_sizes(connection, places, now, with_tables=False)
    return not known


def size_of(path: Path) -> int:
    """Return the bytes of a folder's files, or of a database file and its log; 0 without any."""
    files = [path, Path(f"{path}.wal")]
    for folder, _, names in os.walk(path):
        files += [Path(folder, name) for name in names]
    total = 0
    for file in files:
        with suppress(OSError):  # removed since it was listed
            total += 0 if file.is_dir() else file.stat().st_size
    return total


def table_sizes(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int]]:
    """Return each table's name, the bytes that it takes, and its rows."""
    return [
        (name, size, _row_count(connection, ".".join(map(identifier, name.split(".", 1)))))
        for name, size in store_of(connection).table_sizes(connection)
    ]


def _row_count(connection: duckdb.DuckDBPyConnection, table: str = "raw.executions") -> int:
    [(count,)] = connection.execute(f"select count(*) from {table}").fetchall()  # noqa: S608
    return int(count)


def database_bytes(locator: Path) -> int:
    """Return what a database takes: its file, or the files of a lake's tables."""
    if not is_lake(locator):
        return locator.stat().st_size
    with connect(locator, read_only=True) as connection:
        return store_of(connection).database_size(connection) or 0
