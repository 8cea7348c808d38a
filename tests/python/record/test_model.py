"""ExecutionRecord: types and zones are checked, values are not."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from orb_learning.record.model import COLUMNS, STORED_COLUMNS, ExecutionRecord
from orb_learning.store.schema import ddl


def deeply_nested() -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(10_000):
        value = {"a": value}
    return value


def test_unknown_is_none() -> None:
    record = ExecutionRecord()
    known = {name for name, value in record if value is not None}
    assert known == {"task_id"}


def test_a_time_becomes_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    record = ExecutionRecord(timestamp=datetime(2026, 3, 1, 5, tzinfo=tokyo))
    assert record.timestamp == datetime(2026, 2, 28, 20, tzinfo=UTC)
    assert record.as_row()[1] == datetime(2026, 2, 28, 20)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp", datetime(2026, 3, 1)),  # noqa: DTZ001
        ("timestamp", "2026-03-01T00:00:00"),
        ("timestamp", 1_772_323_200),
        ("task_id", "not a uuid"),
        ("file_count", 2**63),
        ("quality_score", 2**31),
        ("file_count", 1.5),
        ("file_count", "3"),
        ("success", "yes"),
        ("success", 1),
        ("repo", 7),
        ("repo", "\ud800"),
        ("embedding", [0.0] * 383),
        ("embedding", [0.0] * 383 + [None]),
        ("embedding", [0.0] * 383 + [float("nan")]),
        ("embedding", "no base64"),
        ("metadata", ["a list"]),
        ("metadata", {"a": object()}),
        ("metadata", deeply_nested()),
        ("metadata", {"a": float("nan")}),
        ("metadata", {"a": "\ud800"}),
        ("cost", 1.0),
    ],
)
def test_a_wrong_type_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        ExecutionRecord(**{field: value})


def test_a_value_out_of_range_is_a_rules_business() -> None:
    record = ExecutionRecord(
        routing_confidence=7.0, complexity_score=-3, duration_seconds=float("nan"), user_rating=99
    )
    assert record.routing_confidence == 7.0


def test_json_has_a_vector_as_text_and_gives_it_back() -> None:
    record = ExecutionRecord(embedding=[number / 512 for number in range(384)])
    text = record.model_dump_json()
    assert len(text) < 3_000
    assert ExecutionRecord.model_validate_json(text) == record


def test_a_row_goes_into_raw_as_it_is() -> None:
    record = ExecutionRecord(
        task_id=uuid.UUID(int=7),
        timestamp="2026-03-01T00:00:00.123456+01:00",
        task_type="test",
        task_description="emoji 🦆, a NUL \x00, quotes ' \" and -- drop table",
        file_count=-(2**63),
        routing_confidence=0.5,
        success=False,
        embedding=[0.25] * 384,
        metadata={"pool": {"id": 3}, "text": "ü"},
    )
    row = record.as_row()
    assert len(row) == len(COLUMNS)
    with duckdb.connect() as connection:
        connection.execute(ddl())
        connection.execute(
            f"insert into raw.executions values ({', '.join('?' * 27)}, 1, now()::timestamp)", row
        )
        stored = connection.execute(f"select {', '.join(STORED_COLUMNS)} from raw.executions")
        [values] = stored.fetchall()
    kept = dict(zip(STORED_COLUMNS, values, strict=True))
    assert kept["task_id"] == record.task_id
    assert kept["timestamp"] == datetime(2026, 2, 28, 23, 0, 0, 123456)  # noqa: DTZ001
    assert kept["task_description"] == record.task_description
    assert kept["embedding"] == [0.25] * 384
    assert json.loads(kept["metadata"]) == record.metadata
    assert kept["quality_score"] is None
