"""Deleting tasks from every table that has them, with a tombstone for each."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import duckdb

from orb_learning.store.counts import count_feedback
from orb_learning.store.protocol import store_of
from orb_learning.store.tombstones import drop_residual_rows, existing_tables

TABLES = (
    "raw.executions",
    "raw.external_ids",
    "raw.feedback",
    "main.fct_executions",
    "main.rejected_executions",
)


def delete_tasks(
    connection: duckdb.DuckDBPyConnection, task_ids: Collection[uuid.UUID], now: datetime
) -> None:
    """Delete tasks from raw and core and leave tombstones, in the transaction that is open.

    Args:
        connection: a writable connection, inside a transaction.
        task_ids: the tasks; those that are not here get a tombstone, too.
        now: ``forgotten_at``, naive UTC.
    """
    store_of(connection).replace_rows(
        connection,
        "raw.forgotten",
        ["task_id"],
        """
        select
            task_id,
            count(versions._load_seq) + coalesce(any_value(known.version_count), 0)
                as version_count,
            coalesce(any_value(known.forgotten_at), $now::timestamp) as forgotten_at
        from (select unnest($task_ids::uuid[]) as task_id) as wanted
        left join raw.executions as versions using (task_id)
        left join raw.forgotten as known using (task_id)
        group by task_id
        """,
        {"task_ids": list(set(task_ids)), "now": now},
    )
    for table in existing_tables(connection, TABLES):
        [(count,)] = connection.execute(
            f"delete from {table} where task_id in (select unnest(?::uuid[]))",  # noqa: S608
            [list(task_ids)],
        ).fetchall()
        if table == "raw.feedback":
            count_feedback(connection, removed=count)
    connection.execute(
        "delete from raw.spans where trace_id in (select unnest(?::uuid[]))", [list(task_ids)]
    )
    drop_residual_rows(connection)
