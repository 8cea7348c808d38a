"""A record's JSON is the same whether the record itself wrote it or not."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orb_learning.record.encoding import by_record, quick_json, record_json
from orb_learning.record.model import COLUMNS, ExecutionRecord

TASK_ID = str(uuid.UUID(int=7))
PLAIN = {
    "task_id": TASK_ID,
    "timestamp": datetime(2026, 4, 1, tzinfo=UTC),
    "repo": "a „quoted” \\ text\n",
    "file_count": 2**63 - 1,
    "success": False,
    "duration_seconds": 0.1,
    "actual_cost": 3,
    "metadata": {"a": 1, "b": "ü", "c": 0.5, "d": True},
}

values = st.dictionaries(
    st.sampled_from([*COLUMNS, "unheard_of"]),
    st.none()
    | st.booleans()
    | st.integers(-(2**32), 2**32)
    | st.floats()
    | st.text(max_size=5)
    | st.text(st.characters(categories=["Cs"]), max_size=2)
    | st.uuids().map(str)
    | st.uuids()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=9))))
    | st.dictionaries(st.text(max_size=3), st.floats() | st.text(max_size=3), max_size=2),
    max_size=6,
).map(lambda drawn: {"task_id": TASK_ID} | drawn)


def test_plain_values_take_the_quick_way() -> None:
    assert quick_json(PLAIN) is not None
    assert json.loads(quick_json(PLAIN) or "") == json.loads(by_record(PLAIN))


@settings(deadline=None, max_examples=1_000)
@given(values)
def test_the_quick_way_writes_what_the_record_would(drawn: dict[str, Any]) -> None:
    quick = quick_json(drawn)
    if quick is not None:
        assert ExecutionRecord.model_validate_json(quick) == ExecutionRecord.model_validate(drawn)


@pytest.mark.parametrize(
    "odd",
    [
        {"file_count": True},
        {"file_count": 2**63},
        {"quality_score": 2**31},
        {"success": 1},
        {"repo": "\ud800"},
        {"metadata": {"x": float("nan")}},
        {"metadata": {"x": object()}},
        {"metadata": {5: "a name that is no text"}},
        {"timestamp": datetime(2026, 4, 1)},  # noqa: DTZ001
        {"task_id": "7"},
        {"unheard_of": 1},
    ],
)
def test_what_is_no_record_is_refused_by_the_record(odd: dict[str, Any]) -> None:
    assert quick_json(PLAIN | odd) is None
    with pytest.raises(ValueError, match=next(iter(odd))):
        record_json(PLAIN | odd)


def test_a_task_without_an_id_gets_one_of_its_own() -> None:
    ids = {json.loads(record_json({}))["task_id"] for _ in range(3)}
    assert len({uuid.UUID(task_id) for task_id in ids}) == 3
