"""``list_executions``: single executions, the newest or the dearest first."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Recorded, Repo, Result, Text, UtcTime
from orb_learning.record import identify

LONGEST = 200
"""Characters of a text in a list."""

ORDERS = {"newest": "", "dearest": "actual_cost desc nulls last, "}
"""What executions are ordered by before their time."""

MATCHING = """executions_flat
where timestamp <= (select as_of from rpt_freshness)
and ($own is null or task_id = $own or external_id = $external_id)
and ($words is null or contains(lower(task_description), lower($words)))
and ($repo is null or repo = $repo)
and ($tier is null or model_tier = $tier)
and ($pool is null or pool_type = $pool)
and ($model is null or model = $model)
and ($success is null or success = $success)
and ($error_type is null or error_type = $error_type)
and ($day is null or timestamp >= $day::date and timestamp < $day::date + 1)
"""
"""The executions that are all of what is asked for; what is NULL is not asked for."""

Wanted = Annotated[str | None, Field(max_length=1_000)]


TaskId = Annotated[
    str | None,
    Field(
        max_length=1_000,
        pattern=r"[^ ]",
        description="A task's UUID, or its id as it was recorded, by whatever system.",
    ),
]


Order = Annotated[
    Literal["newest", "dearest"],
    Field(description="What comes first; dearest: the highest actual cost."),
]


class Execution(BaseModel):
    """An execution."""

    task_id: UUID
    external_id: Text | None = Field(description="Its id as recorded, where that is no UUID.")
    timestamp: UtcTime = Field(description="When it started, UTC.")
    task_description: Text = Field(description="The task, its first 200 characters.")
    task_type: Text
    repo: Text
    model_tier: Text
    model: Text | None
    pool_type: Text
    success: bool
    error_type: Text | None
    error_message: Text | None = Field(description="Its first 200 characters.")
    duration_seconds: Recorded | None
    actual_cost: Recorded | None = Field(description="US dollars.")
    quality_score: int | None = Field(description="0 to 100.")
    solution_summary: Text | None = Field(description="Its first 200 characters.")


class Executions(Result):
    """Single executions."""

    matching_count: int = Field(description="Executions that are all of what was asked for.")
    cost_known_count: int = Field(description="Those of known cost; dearest puts the others last.")
    rows: list[Execution] = Field(description="In the order asked for.")
    is_cut: bool = Field(description="Whether there are more rows than the limit.")


async def list_executions(
    reader: Reader,
    task_id: TaskId = None,
    words: Annotated[Wanted, Field(description="A part of the task's text, in any case.")] = None,
    repo: Repo = None,
    tier: Annotated[Wanted, Field(description="small, medium, large, or as recorded.")] = None,
    pool: Annotated[Wanted, Field(description="The pool type.")] = None,
    model: Annotated[Wanted, Field(description="The model's name as it was recorded.")] = None,
    success: Annotated[
        bool | None, Field(description="Only those that succeeded, or that failed.")
    ] = None,
    error_type: Annotated[Wanted, Field(description="The error's type.")] = None,
    day: Annotated[
        datetime.date | None, Field(description="The UTC day that it started on.")
    ] = None,
    order: Order = "newest",
    limit: Annotated[int, Field(ge=1, le=100, description="The most rows.")] = 20,
) -> Executions:
    """List executions, newest or dearest first, by id, words, tier, pool, model, outcome or day.

    Use it to look at cases; what to make of many, the other tools say.
    """
    own, external_id = identify(task_id, reader.settings.id_scope) if task_id else (None, None)
    wanted = {
        "own": own,
        "external_id": external_id,
        "words": words,
        "repo": repo,
        "tier": tier,
        "pool": pool,
        "model": model,
        "success": success,
        "error_type": error_type,
        "day": day,
    }

    def executions(snapshot: Snapshot) -> Executions:
        counts = snapshot.row(
            "select count(*) as matching_count, "  # noqa: S608 (a constant)
            f"count(actual_cost) as cost_known_count from {MATCHING}",
            **wanted,
        )
        first = f"order by {ORDERS[order]}timestamp desc, task_id"
        # By their ids, for else the texts of all that match are cut before the first are known.
        shown = f"select task_id from {MATCHING} {first} limit $most"  # noqa: S608 (constants)
        rows = replace(snapshot, longest_text=LONGEST).select(
            Execution,
            f"executions_flat where task_id in ({shown}) {first}",
            most=limit,
            **wanted,
        )
        return snapshot.result(
            Executions,
            window=ALL_HELD if day is None else f"the day {day}",
            **counts,
            rows=rows,
            is_cut=counts["matching_count"] > len(rows),
        )

    return await reader.read(executions)
