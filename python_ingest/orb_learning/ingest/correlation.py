"""The two partial records of an execution, a routing decision and an outcome, made one record."""

from __future__ import annotations

from typing import Any

from orb_learning.record import ExecutionRecord


def correlate(routing: dict[str, Any] | None, outcome: dict[str, Any] | None) -> ExecutionRecord:
    """Join a routing decision and an execution outcome of the same task.

    Where both have a value the outcome's counts, because it knows what was really run. What was
    decided stays in ``metadata.routing``. An unmatched partial record is recorded as what it is,
    and ``metadata.half`` says which.

    Args:
        routing: the decision's fields of the record, as JSON has them; None if it never came.
        outcome: the same of the outcome.

    Raises:
        ValueError: both are missing, they are of different tasks, or one is no record
            (pydantic.ValidationError).
    """
    if routing is None and outcome is None:
        raise ValueError("neither a routing decision nor an outcome is there")
    routed, ended = _known(routing), _known(outcome)
    if routed and ended and routed.get("task_id") != ended.get("task_id"):
        raise ValueError("the routing decision and the outcome are of different tasks")
    values = routed | ended
    metadata = routed.get("metadata", {}) | ended.get("metadata", {})
    if "routing" in routed.get("metadata", {}):
        metadata["routing"] = routed["metadata"]["routing"]
    if routing is None or outcome is None:
        metadata["half"] = "outcome" if routing is None else "routing"
    if metadata:
        values["metadata"] = metadata
    return ExecutionRecord.model_validate(values)


def _known(partial: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (partial or {}).items() if value is not None}
