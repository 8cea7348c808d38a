"""The tombstones of tasks that were erased on request: none of them comes back."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

UUID_PATTERN = "[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
"""With hyphens, or as 32 digits, which is how a trace is named."""
RESIDUES = {
    "raw.unreadable_rows": "content",
    "raw.dead_letters": "payload",
    "raw.pending_halves": "task_id::varchar",
}
"""The tables that may name a task besides raw.executions, and the text that names it."""


def drop_residual_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the unreadable rows, dead letters and partial records of erased tasks."""
    if not has_tombstones(connection):
        return
    for table, content in RESIDUES.items():
        forgotten = "(select list(task_id::varchar) from raw.forgotten)"
        connection.execute(f"delete from {table} where {mentions_any_sql(content, forgotten)}")  # noqa: S608


def mentions_any_sql(content: str, task_ids: str) -> str:
    """Return the SQL of whether a text names one of some ids, which are texts, too."""
    return (
        f"list_has_any(list_transform(regexp_extract_all({content}, '{UUID_PATTERN}'), "
        f"lambda id: try_cast(id as uuid)::varchar), {task_ids})"
    )


def has_tombstones(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any task was erased."""
    return bool(connection.execute("select 1 from raw.forgotten limit 1").fetchall())


def existing_tables(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> list[str]:
    """Return those of some tables that the database has."""
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database()"
    ).fetchall()
    known = {name for (name,) in rows}
    return [table for table in tables if table in known]
