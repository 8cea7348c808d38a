"""Rows of a query as dicts, and of Python in a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import duckdb

from orb_learning.store.lake.attaching import is_attached
from orb_learning.store.sql_text import identifier


def rows_as_dicts(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of an executed query, each by its columns' names."""
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def append_rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]
) -> None:
    """Append rows to a temporary table: by the Appender, or Arrow, where DuckDB has none yet."""
    if not rows:
        return
    if hasattr(connection, "appender"):
        with connection.appender(table) as appender:
            appender.append_rows(rows)
        return
    import pyarrow

    columns = [list(column) for column in zip(*rows, strict=True)]
    names = [f"column{place}" for place in range(len(columns))]
    connection.register("appended", pyarrow.table(columns, names=names))
    connection.execute(f"insert into {table} from appended")
    connection.unregister("appended")


def written_here(connection: duckdb.DuckDBPyConnection, rows: Any) -> Any:
    """Return the rows of a Python model, from Arrow, as what dbt writes in the model's transaction.

    dbt writes Arrow by another connection. In a lake, the model's own would not see what that
    wrote, because it has read the lake before. A lake has no arrays, so they become lists.
    """
    if not is_attached(connection):
        return rows
    connection.register("rows_of_model", rows)
    columns = connection.table("rows_of_model")
    lists = [
        f"{identifier(name)}::{str(kind).partition('[')[0]}[] as {identifier(name)}"
        for name, kind in zip(columns.columns, columns.types, strict=True)
        if re.search(r"\[[0-9]+\]$", str(kind))
    ]
    replaced = f"replace ({', '.join(lists)})" if lists else ""
    return connection.sql(f"select * {replaced} from rows_of_model")  # noqa: S608 (no texts)
