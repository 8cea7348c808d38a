"""The tasks that were deleted on request: none of them is in the database, and none comes back."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import duckdb

from orb_learning.store.feedback_counts import count_feedback

UUID_PATTERN = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
RESIDUES = {
    "raw.unreadable_rows": "content",
    "raw.dead_letters": "payload",
    "raw.pending_halves": "task_id::varchar",
}
"""Where a task may be named that is not in raw.executions, and in what."""
TABLES = ("raw.executions", "raw.feedback", "main.fct_executions", "main.rejected_executions")


def delete_tasks(
    connection: duckdb.DuckDBPyConnection, task_ids: Collection[uuid.UUID], now: datetime
) -> None:
    """Delete tasks from raw and core and note their ids, in the transaction that is open.

    Args:
        connection: a writable connection, inside a transaction.
        task_ids: the tasks; those that are not here are noted, too.
        now: ``forgotten_at``, naive UTC.
    """
    connection.execute(
        """
        insert into raw.forgotten
        select task_id, count(versions._load_seq), $now
        from (select unnest($task_ids::uuid[]) as task_id) as wanted
        left join raw.executions as versions using (task_id)
        group by task_id
        on conflict (task_id) do update set
            version_count = version_count + excluded.version_count
        """,
        {"task_ids": list(set(task_ids)), "now": now},
    )
    for table in existing_tables(connection, TABLES):
        [(count,)] = connection.execute(
            f"delete from {table} where task_id in (select unnest(?::uuid[]))",  # noqa: S608
            [list(task_ids)],
        ).fetchall()
        if table == "raw.feedback":
            count_feedback(connection, gone=count)
    drop_residual_rows(connection)


def drop_residual_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the unreadable rows, dead letters and halves of tasks that were forgotten."""
    if not has_tombstones(connection):
        return
    for table, content in RESIDUES.items():
        forgotten = "(select list(task_id::varchar) from raw.forgotten)"
        connection.execute(f"delete from {table} where {mentions_any_sql(content, forgotten)}")  # noqa: S608


def mentions_any_sql(content: str, task_ids: str) -> str:
    """Return SQL for whether a text has one of some ids in it, which are texts, too."""
    return (
        f"list_has_any(list_transform(regexp_extract_all({content}, '{UUID_PATTERN}'), "
        f"lambda id: lower(id)), {task_ids})"
    )


def has_tombstones(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any task was forgotten."""
    return bool(connection.execute("select 1 from raw.forgotten limit 1").fetchall())


def existing_tables(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> list[str]:
    """Return those of some tables that the database has."""
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database()"
    ).fetchall()
    known = {name for (name,) in rows}
    return [table for table in tables if table in known]
