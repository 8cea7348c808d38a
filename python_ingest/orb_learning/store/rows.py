"""Rows of a query as dicts."""

from __future__ import annotations

from typing import Any

import duckdb


def rows_as_dicts(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of an executed query, each by its columns' names."""
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
