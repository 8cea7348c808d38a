"""The two halves of an execution, what was decided and what came of it, made one record."""

from __future__ import annotations

from typing import Any

from orb_learning.record import ExecutionRecord


def correlate(routing: dict[str, Any] | None, outcome: dict[str, Any] | None) -> ExecutionRecord:
    """Join a routing decision and an execution outcome of the same task.

    Where both say something the outcome wins, because it knows what was really run; what was
    decided stays in ``metadata.routing``. A half alone is recorded as what it is, and
    ``metadata.half`` says which.

    Args:
        routing: the decision's fields of the record, as JSON has them; None if it never came.
        outcome: the same of the outcome.

    Raises:
        ValueError: there is no half, they are of different tasks, or one is no record
            (pydantic.ValidationError).
    """
    if routing is None and outcome is None:
        raise ValueError("neither half is there")
    routed, ended = _known(routing), _known(outcome)
    if routed and ended and routed.get("task_id") != ended.get("task_id"):
        raise ValueError("the halves are of different tasks")
    values = routed | ended
    metadata = routed.get("metadata", {}) | ended.get("metadata", {})
    if "routing" in routed.get("metadata", {}):
        metadata["routing"] = routed["metadata"]["routing"]
    if routing is None or outcome is None:
        metadata["half"] = "outcome" if routing is None else "routing"
    if metadata:
        values["metadata"] = metadata
    return ExecutionRecord.model_validate(values)


def _known(half: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (half or {}).items() if value is not None}
