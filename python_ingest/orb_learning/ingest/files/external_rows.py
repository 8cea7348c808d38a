"""Rows whose ids are no UUIDs, each with the task_id of the execution that it is of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import duckdb

from orb_learning.ingest.external_ids import REUSED
from orb_learning.store import ExternalRecord, append_rows, tell_executions_apart

ROWS_AT_A_TIME = 10_000


def with_rows_told_apart(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    columns: Collection[str],
    bound: Mapping[str, Any],
) -> str:
    """Return the SQL of a file's rows, with task_ids of their own where an id came again.

    Args:
        connection: a writable connection, in the transaction that is open.
        rows: the SQL of the rows, with ``_row``, ``_reason`` and ``_external``.
        columns: those of the record that the rows have.
        bound: the parameters of ``rows``.
    """
    started = "timestamp" if "timestamp" in columns else "null::timestamp as timestamp"
    described = "task_description" if "task_description" in columns else "null as task_description"
    connection.execute(
        f"create or replace temp table file_external as "  # noqa: S608
        f"select row_number() over (order by _row) as place, _row, task_id, {started}, "
        f"{described} from ({rows}) as rows where _reason is null and _external",
        bound,
    )
    connection.execute("create or replace temp table file_reused (_row bigint, _own uuid)")
    count = connection.sql("select count(*) from file_external").fetchall()[0][0]
    for first in range(1, count + 1, ROWS_AT_A_TIME):
        _tell_apart(connection, first)
    if connection.sql("select count(*) from file_reused").fetchall() == [(0,)]:
        return rows
    marked = (
        "case when _own is null then metadata else json_merge_patch("
        f"coalesce(metadata, '{{}}'::json), '{{\"{REUSED}\": true}}'::json) end"
    )
    return (
        f"select rows.* replace (coalesce(_own, task_id) as task_id, {marked} as metadata) "  # noqa: S608
        f"from ({rows}) as rows left join file_reused using (_row)"
    )


def _tell_apart(connection: duckdb.DuckDBPyConnection, first: int) -> None:
    numbered = connection.execute(
        "select _row, task_id, timestamp, task_description from file_external "
        "where place between ? and ? order by place",
        [first, first + ROWS_AT_A_TIME - 1],
    ).fetchall()
    records = [ExternalRecord(*record) for _, *record in numbered]
    found = tell_executions_apart(connection, records)
    reused = [
        (row, str(own))
        for (row, *_), record, own in zip(numbered, records, found, strict=True)
        if own != record.task_id
    ]
    if reused:
        append_rows(connection, "file_reused", reused)
