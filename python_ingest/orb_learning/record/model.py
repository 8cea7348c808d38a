"""The record of one execution: the one author of its 27 columns.

``raw.executions``, the dbt models and the import take names, types and order from here
(tests hold them equal). Types and time zones are checked here; ranges, sets and presence are
rules in SQL (dbt_project.yml), so that a record with a bad value is kept and named.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

from orb_learning.record.times import to_utc
from orb_learning.record.vector_codec import DIMENSIONS, LARGEST, vector_from_text, vector_to_text


class SqlType(NamedTuple):
    """The DuckDB type that a field has in ``raw.executions``."""

    name: str


_strict_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""One encoder for all calls, because json.dumps makes a new one for each."""


def _from_text(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: parse(value) if isinstance(value, str) else value


def _numbers(value: Any) -> Any:
    """Return a vector's numbers as a list: of its text, a tuple, or an array of any library."""
    if isinstance(value, str):
        return vector_from_text(value)
    if isinstance(value, tuple):
        return list(value)
    as_list = None if isinstance(value, list) else getattr(value, "tolist", None)
    return as_list() if callable(as_list) else value


def _encodable(value: str) -> str:
    value.encode()  # a lone surrogate has no UTF-8 form; UnicodeEncodeError is a ValueError
    return value


def _is_json(value: dict[str, Any]) -> dict[str, Any]:
    try:
        _encodable(_strict_json(value))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from error
    return value


Uuid = Annotated[uuid.UUID, BeforeValidator(_from_text(uuid.UUID)), SqlType("UUID")]
Timestamp = Annotated[
    AwareDatetime,
    BeforeValidator(_from_text(datetime.fromisoformat)),
    AfterValidator(to_utc),
    SqlType("TIMESTAMP"),
]
Text = Annotated[str, AfterValidator(_encodable), SqlType("VARCHAR")]
Integer = Annotated[int, Field(ge=-(2**31), le=2**31 - 1), SqlType("INTEGER")]
BigInteger = Annotated[int, Field(ge=-(2**63), le=2**63 - 1), SqlType("BIGINT")]
Float = Annotated[float, SqlType("FLOAT")]
Boolean = Annotated[bool, SqlType("BOOLEAN")]
Vector = Annotated[
    list[Annotated[float, Field(ge=-LARGEST, le=LARGEST)]],
    BeforeValidator(_numbers),
    Field(min_length=DIMENSIONS, max_length=DIMENSIONS),
    PlainSerializer(vector_to_text, return_type=str, when_used="json-unless-none"),
    SqlType(f"FLOAT[{DIMENSIONS}]"),
]
Json = Annotated[dict[str, Any], AfterValidator(_is_json), SqlType("JSON")]


class ExecutionRecord(BaseModel):
    """One execution of a task by an agent. Unknown is None, never a value that looks measured.

    Times are aware and become UTC; durations are seconds, costs US dollars, memory MB.

    Raises:
        pydantic.ValidationError: a value is of the wrong type, or a time has no zone.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    task_id: Uuid = Field(default_factory=uuid.uuid4)
    timestamp: Timestamp | None = None
    task_type: Text | None = None
    task_description: Text | None = None
    repo: Text | None = None
    file_count: BigInteger | None = None
    estimated_tokens: BigInteger | None = None
    model_tier: Text | None = None
    pool_type: Text | None = None
    swarm_topology: Text | None = None
    routing_confidence: Float | None = None
    complexity_score: Integer | None = None
    success: Boolean | None = None
    duration_seconds: Float | None = None
    quality_score: Integer | None = None
    cost_estimate: Float | None = None
    actual_cost: Float | None = None
    error_type: Text | None = None
    error_message: Text | None = None
    user_accepted: Boolean | None = None
    user_rating: Integer | None = None
    peak_memory_mb: Float | None = None
    cpu_time_seconds: Float | None = None
    solution_summary: Text | None = None
    embedding: Vector | None = None
    metadata: Json | None = None
    uploaded_at: Timestamp | None = None

    def as_row(self) -> tuple[Any, ...]:
        """Return the 27 values in column order as DuckDB takes them: naive UTC, JSON text."""
        values = dict(self)
        for name in ("timestamp", "uploaded_at"):
            if values[name] is not None:
                values[name] = values[name].replace(tzinfo=None)
        if self.metadata is not None:
            values["metadata"] = json.dumps(self.metadata, ensure_ascii=False)
        return tuple(values.values())


def _sql_type(annotation: Any, metadata: list[Any]) -> str:
    parts = [*metadata, *(part for arg in get_args(annotation) for part in get_args(arg))]
    return next(part.name for part in parts if isinstance(part, SqlType))


COLUMNS: dict[str, str] = {
    name: _sql_type(field.annotation, field.metadata)
    for name, field in ExecutionRecord.model_fields.items()
}
"""The 27 column names and their DuckDB types, in order, as the relation ``executions`` has them."""

STORED_COLUMNS: dict[str, str] = COLUMNS | {"embedding": "FLOAT[]"}
"""The same as tables store them: a NULL FLOAT[384] costs as much to write, join and sort as 384
floats (measured with DuckDB 2.0: a table without vectors takes 4 times as long to write and 8 times
to sort), a NULL FLOAT[] nothing. A rule keeps the length."""
