"""What is read of a task, a result and a decision: entries of a mapping, or attributes.

None is required of a mapping; docs/recording.md says what happens without. Other entries may stand
beside these: they are counted, warned of, and not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

Time = datetime | str | float
"""A datetime, an ISO text, or seconds since 1970."""
TaskId = UUID | str | int


class Fields(TypedDict, total=False):
    """The fields of the record, taken by their own names from task, result and decision."""

    task_id: TaskId
    task_type: str
    task_description: str
    repo: str
    file_count: int
    estimated_tokens: int
    model_tier: str
    pool_type: str
    swarm_topology: str
    routing_confidence: float
    complexity_score: int
    success: bool
    duration_seconds: float
    quality_score: int
    cost_estimate: float
    actual_cost: float
    error_type: str
    error_message: str | BaseException
    user_accepted: bool
    user_rating: int
    peak_memory_mb: float
    cpu_time_seconds: float
    solution_summary: str
    embedding: Sequence[float]
    metadata: Mapping[str, Any]
    worker_id: str
    model: str
    tokens: Any
    status: str


class Task(Fields, total=False):
    """What was asked for."""

    id: TaskId
    type: str
    category: str
    prompt: str
    description: str


class Result(Fields, total=False):
    """What came of it."""

    passed: bool
    ok: bool
    error: str | BaseException
    duration: float
    cost: float


class Decision(Fields, total=False):
    """What was decided about a task."""

    candidates: Sequence[Any]
    plan: str
    policy: str
    propensity: float
    attempt: int
    first_task_id: TaskId
