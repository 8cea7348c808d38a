"""``query``: one SELECT of an agent's own."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import duckdb
from pydantic import BaseModel, Field, JsonValue

from orb_learning.errors import QueryRefusedError
from orb_learning.figures import Reader, Result, Snapshot, shortened
from orb_learning.mcp.result_limits import Bound, bounds_of
from orb_learning.mcp.sql_guard import LONGEST_SQL, check_sql, in_brackets


class Column(BaseModel):
    """A column of the result."""

    name: str = Field(description="Its name.")
    type: str = Field(description="Its DuckDB type.")


class QueryResult(Result):
    """The rows of a SELECT."""

    columns: list[Column] = Field(description="The columns, in order.")
    rows: list[list[JsonValue]] = Field(
        description="The rows, each a list of values in the columns' order."
    )
    row_count: int = Field(description="How many rows are here.")
    is_cut: bool = Field(
        description="Whether there are more rows than are here; then aggregate, filter or limit."
    )


async def query(
    reader: Reader,
    sql: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_SQL,
            description="Exactly one SELECT in DuckDB's SQL, without parameters.",
        ),
    ],
) -> QueryResult:
    """Run one SELECT of your own, read only, over the relations of this database.

    `show tables` lists them and `describe executions` describes one: `executions` has one row an
    execution, with 27 columns; the rpt_ views have ready figures with intervals and sample sizes.
    Times are naive UTC. Rows, characters, time and memory are limited: aggregate in SQL.
    """
    settings = reader.settings

    def rows(snapshot: Snapshot) -> QueryResult:
        statement = check_sql(snapshot.connection, sql)
        connection = snapshot.connection
        with _time_limit(connection, settings.mcp_query_seconds):
            selected = connection.sql(statement)  # not run yet: it has the columns and their types
            columns = [
                Column(name=name, type=str(kind))
                for name, kind in zip(selected.columns, selected.types, strict=True)
            ]
            bounds = bounds_of(selected.types, settings.mcp_query_characters)
            result = connection.execute(
                f"select {', '.join(bound.sql for bound in bounds)} "  # noqa: S608 (no names)
                f"from {in_brackets(statement)}"
            )
            fetched, is_cut = _fetch(
                result, bounds, settings.mcp_query_rows, settings.mcp_query_characters
            )
        return snapshot.result(
            QueryResult, columns=columns, rows=fetched, row_count=len(fetched), is_cut=is_cut
        )

    return await reader.query(rows)


def _fetch(
    result: duckdb.DuckDBPyConnection,
    bounds: list[Bound],
    most_rows: int,
    most_characters: int,
) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    characters = 0
    while row := result.fetchone():
        pairs = zip(row[::2], row[1::2], strict=True)
        values = [
            bound.shown(_json_value(value), size)
            for bound, (value, size) in zip(bounds, pairs, strict=True)
        ]
        characters += len(json.dumps(values))
        if len(rows) == most_rows or characters > most_characters:
            return rows, True
        rows.append(values)
    return rows, False


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryRefusedError(
            f"the query ran for {seconds:g} s and was stopped; read fewer rows"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise QueryRefusedError(
            f"the query needs more memory than there is for it: {str(error).splitlines()[0]}"
        ) from error
    except duckdb.Error as error:
        raise QueryRefusedError(f"DuckDB refuses the query: {error}") from error
    finally:
        timer.cancel()


def _json_value(value: Any) -> Any:
    """Return a value as JSON has it; what JSON lacks is its text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_json_value(part) for part in value]
    if isinstance(value, dict):
        return {shortened(str(key)): _json_value(part) for key, part in value.items()}
    return shortened(str(value))
