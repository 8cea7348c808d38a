"""Checksums of what a database holds, by which a copy of it is verified."""

from __future__ import annotations

import duckdb
from pydantic import BaseModel, ConfigDict

from orb_learning.store.sql_text import identifier


class TableChecksum(BaseModel):
    """The rows of a table, in figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    hash: str
    """The sum of the rows' hashes, whatever their order."""


def table_checksums(connection: duckdb.DuckDBPyConnection) -> dict[str, TableChecksum]:
    """Count and hash the rows of every table, by its name with its schema."""
    found = {}
    for schema, name in connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = current_database() and not internal order by all"
    ).fetchall():
        found[f"{schema}.{name}"] = query_checksum(
            connection, f"{identifier(schema)}.{identifier(name)}"
        )
    return found


def query_checksum(connection: duckdb.DuckDBPyConnection, relation: str) -> TableChecksum:
    """Count and hash the rows of a table, or of a query in parentheses."""
    # An alias that no column has: a column would go before the whole row.
    [(rows, total)] = connection.execute(
        "select count(*), coalesce(sum(hash(_the_whole_row)), 0)::varchar "  # noqa: S608
        f"from {relation} as _the_whole_row"
    ).fetchall()
    return TableChecksum(rows=rows, hash=total)


def read_relations(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """Query every table, view and macro.

    Returns:
        by its name with its schema, DuckDB's error, None where there was none.
    """
    stored = connection.execute(
        """
        select schema_name, table_name from duckdb_tables()
        where database_name = current_database() and not internal
        union all
        select schema_name, view_name from duckdb_views()
        where database_name = current_database() and not internal
        order by all
        """
    ).fetchall()
    macros = connection.execute(
        """
        select distinct on (schema_name, function_name)
            schema_name, function_name, function_type, len(parameters)
        from duckdb_functions()
        where database_name = current_database() and not internal
        order by all
        """
    ).fetchall()
    queries = {
        f"{schema}.{name}": f"select * from {identifier(schema)}.{identifier(name)}"  # noqa: S608
        for schema, name in stored
    }
    for schema, name, kind, count in macros:
        call = f"{identifier(schema)}.{identifier(name)}({', '.join(['null'] * count)})"
        select = "select * from" if kind == "table_macro" else "select"
        queries[f"{schema}.{name}()"] = f"describe {select} {call}"
    return {name: _error_of(connection, query) for name, query in queries.items()}


def _error_of(connection: duckdb.DuckDBPyConnection, query: str) -> str | None:
    # Not all rows, but every operator runs. Not by a LIMIT: DuckDB 2.0.0 joins under a streaming
    # one by nested loops, which took minutes for 100,000 executions (2026-11).
    try:
        connection.execute(query).fetchone()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None
