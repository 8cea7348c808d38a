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

from orb_learning.store.connection import transaction
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
    rows = [
        ("place", name, size_of(path), _row_count(connection) if name == DATABASE_PLACE else None)
        for name, path in places.items()
    ]
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
    """Return each table's name, the bytes of its blocks in the file, and its rows.

    A block belongs to one table. Indexes and free blocks belong to none.
    """
    [(block_bytes,)] = connection.execute(
        "select block_size from pragma_database_size() where database_name = current_database()"
    ).fetchall()
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = current_database() and not temporary order by all"
    ).fetchall()
    sizes = []
    for schema, table in tables:
        name = f"{identifier(schema)}.{identifier(table)}"
        [(blocks,)] = connection.execute(
            "select count(distinct block) from ("
            "select unnest(list_prepend(block_id, additional_block_ids)) as block "
            "from pragma_storage_info(?)) where block >= 0",
            [name],
        ).fetchall()
        sizes.append((f"{schema}.{table}", blocks * block_bytes, _row_count(connection, name)))
    return sizes


def _row_count(connection: duckdb.DuckDBPyConnection, table: str = "raw.executions") -> int:
    [(count,)] = connection.execute(f"select count(*) from {table}").fetchall()  # noqa: S608
    return int(count)
