"""What every way into raw.executions does with the versions that have just come.

They are counted, so that live and archived ones can be held against all that ever came, and those
of tasks that were forgotten are deleted again, in the transaction that brought them.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from orb_learning.store.tombstones import has_tombstones


def count_received(connection: duckdb.DuckDBPyConnection, version_count: int, now: datetime) -> int:
    """Count new versions of executions, without those of forgotten tasks, which go again.

    Args:
        connection: a writable connection, inside the transaction that inserted them.
        version_count: how many were inserted.
        now: their ``_loaded_at``, naive UTC.

    Returns:
        how many are left.
    """
    if not version_count:
        return 0
    refused = 0
    if has_tombstones(connection):
        refused = _count(
            connection,
            "delete from raw.executions where task_id in (select task_id from raw.forgotten)",
        )
    connection.execute(
        "insert into raw.loaded_counts values (?, ?) on conflict (loaded_on) "
        "do update set version_count = version_count + excluded.version_count",
        [now.date(), version_count - refused],
    )
    return version_count - refused


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    [(count,)] = connection.execute(statement).fetchall()
    return int(count)
