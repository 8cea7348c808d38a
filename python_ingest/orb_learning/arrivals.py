"""What every way into raw.executions does with the versions that have just come.

They are counted, so that live and archived ones can be held against all that ever came, and those
of tasks that were forgotten are deleted again, in the transaction that brought them.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

UUID_PATTERN = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


def settle(connection: duckdb.DuckDBPyConnection, version_count: int, now: datetime) -> int:
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
    if has_forgotten(connection):
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


def drop_forgotten_rests(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the unreadable rows, dead letters and halves of tasks that were forgotten."""
    if not has_forgotten(connection):
        return
    for table, content in (
        ("raw.unreadable_rows", "content"),
        ("raw.dead_letters", "payload"),
        ("raw.pending_halves", "task_id::varchar"),
    ):
        connection.execute(
            f"delete from {table} where list_has_any("  # noqa: S608
            f"list_transform(regexp_extract_all({content}, ?), lambda id: lower(id)), "
            "(select list(task_id::varchar) from raw.forgotten))",
            [UUID_PATTERN],
        )


def has_forgotten(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any task was forgotten."""
    return bool(connection.execute("select 1 from raw.forgotten limit 1").fetchall())


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    [(count,)] = connection.execute(statement).fetchall()
    return int(count)
