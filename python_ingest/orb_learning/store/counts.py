"""How many executions and how much feedback came, so that live and archived ones can be verified.

Each way into raw counts what it brought, in the transaction that brought it. Versions of tasks that
were erased are deleted again there.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from orb_learning.store.protocol import store_of
from orb_learning.store.tombstones import has_tombstones


def count_received(connection: duckdb.DuckDBPyConnection, version_count: int, now: datetime) -> int:
    """Count new versions of executions, and delete again those of erased tasks.

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
    # Looked for first: in a lake, a delete of nothing beside an insert is no delete of nothing.
    if (
        has_tombstones(connection)
        and connection.execute(
            "select 1 from raw.executions "
            "where task_id in (select task_id from raw.forgotten) limit 1"
        ).fetchall()
    ):
        [(refused,)] = connection.execute(
            "delete from raw.executions where task_id in (select task_id from raw.forgotten)"
        ).fetchall()
    store_of(connection).count_versions(connection, now.date(), version_count - int(refused))
    return version_count - int(refused)


def count_feedback(
    connection: duckdb.DuckDBPyConnection, *, received: int = 0, removed: int = 0
) -> None:
    """Count feedback, in the transaction that brings or deletes it.

    Args:
        connection: a writable connection.
        received: how much came.
        removed: how much was taken back, erased with its task, or turned out to have come twice.
    """
    store_of(connection).count_feedback(connection, received, removed)
