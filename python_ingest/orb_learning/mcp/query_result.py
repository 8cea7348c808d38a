"""What the tool ``query`` answers; apart, because workers need no SDK."""

from __future__ import annotations

from pydantic import BaseModel, Field, JsonValue

from orb_learning.figures import Result


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
