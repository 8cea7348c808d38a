"""What the tool ``query`` answers; apart, because workers need no SDK."""

from __future__ import annotations

from pydantic import Field, JsonValue

from orb_learning.figures import Result


class QueryResult(Result):
    """The rows of a SELECT."""

    columns: list[str] = Field(description="The columns' names, in order.")
    types: list[str] = Field(description="Their DuckDB types, in the same order.")
    rows: list[list[JsonValue]] = Field(
        description="The rows, each a list of values in the columns' order."
    )
    row_count: int = Field(description="How many rows are here.")
    is_cut: bool = Field(
        description="Whether there are more rows than are here; then aggregate, filter or limit."
    )
