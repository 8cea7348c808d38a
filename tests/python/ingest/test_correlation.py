"""A routing decision and an execution outcome become one record."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from orb_learning.ingest.correlation import correlate

TASK_ID = uuid.UUID(int=7)
ROUTING = {
    "task_id": str(TASK_ID),
    "timestamp": "2026-04-01T10:00:00Z",
    "task_type": "bugfix",
    "model_tier": "small",
    "cost_estimate": 0.01,
    "metadata": {"team": "a", "routing": {"policy": "epsilon", "propensity": 0.1}},
}
OUTCOME = {
    "task_id": str(TASK_ID),
    "timestamp": "2026-04-01T10:00:05Z",
    "model_tier": "large",
    "success": True,
    "metadata": {"team": "b", "worker_id": "w1"},
}


def test_a_routing_decision_and_its_outcome_are_one_record() -> None:
    record = correlate(ROUTING, OUTCOME)
    assert record.task_id == TASK_ID
    assert record.task_type == "bugfix"
    assert record.cost_estimate == 0.01
    assert record.success is True
    assert record.metadata == {
        "team": "b",
        "worker_id": "w1",
        "routing": {"policy": "epsilon", "propensity": 0.1},
    }


def test_the_outcome_knows_what_was_really_run_and_when() -> None:
    record = correlate(ROUTING, OUTCOME)
    assert record.model_tier == "large"
    assert record.timestamp == datetime(2026, 4, 1, 10, 0, 5, tzinfo=UTC)


def test_what_the_outcome_does_not_know_stays_as_decided() -> None:
    record = correlate(ROUTING, OUTCOME | {"model_tier": None, "timestamp": None})
    assert record.model_tier == "small"
    assert record.timestamp == datetime(2026, 4, 1, 10, tzinfo=UTC)


def test_what_was_decided_is_not_overwritten_by_the_outcome() -> None:
    record = correlate(ROUTING, OUTCOME | {"metadata": {"routing": "elsewhere"}})
    assert record.metadata is not None
    assert record.metadata["routing"] == {"policy": "epsilon", "propensity": 0.1}


@pytest.mark.parametrize(
    ("routing", "outcome", "kind"), [(ROUTING, None, "routing"), (None, OUTCOME, "outcome")]
)
def test_an_unmatched_record_is_recorded_as_what_it_is(
    routing: dict[str, Any] | None, outcome: dict[str, Any] | None, kind: str
) -> None:
    record = correlate(routing, outcome)
    assert record.task_id == TASK_ID
    assert record.success is (None if kind == "routing" else True)
    assert record.metadata is not None
    assert record.metadata["half"] == kind


def test_the_partial_records_are_left_as_they_are() -> None:
    before = repr((ROUTING, OUTCOME))
    correlate(ROUTING, OUTCOME)
    correlate(ROUTING, None)
    assert repr((ROUTING, OUTCOME)) == before


def test_nothing_and_records_of_two_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        correlate(None, None)
    with pytest.raises(ValueError, match="different tasks"):
        correlate(ROUTING, OUTCOME | {"task_id": str(uuid.UUID(int=8))})
