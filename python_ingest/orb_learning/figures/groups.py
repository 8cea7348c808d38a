"""The executions of a time range by one thing alone: each tier, pool, model, error or day."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SerializeAsAny

from orb_learning.figures.reader import Snapshot
from orb_learning.figures.results import Figures, Result, Text, TimeRange, UtcTime
from orb_learning.time_ranges import Group

By = Annotated[
    Group | None,
    Field(
        description="Only the whole table of these; day is by hour in 1h and 24h. All tables, each "
        "cut, if left out."
    ),
]


class Bucket(Figures):
    """An hour or a day of the range."""

    bucket_start: UtcTime = Field(description="When the hour (1h, 24h) or UTC day begins.")
    is_complete: bool = Field(
        description="False where it still fills or begins before the range: compare no count of it."
    )
    assigned_time_count: int = Field(
        description="Of how many executions the time was assigned, not recorded: no trend of them."
    )


class TierFigures(Figures):
    """A model tier."""

    model_tier: Text = Field(description="small, medium, large, or what was recorded.")


class PoolFigures(Figures):
    """A pool type."""

    pool_type: Text = Field(description="The kind of pool that executed.")


class RepositoryFigures(Figures):
    """A repository."""

    repo_rank: int = Field(description="1 for the repository with the most executions.")
    repo: Text = Field(description="The repository.")


class TaskTypeFigures(Figures):
    """A task type."""

    task_type_rank: int = Field(description="1 for the task type with the most executions.")
    task_type: Text = Field(description="refactor, test, docs, bugfix, feature and the like.")


class ModelFigures(Figures):
    """A model, as metadata.model names it."""

    model: Text = Field(description="The model; unknown where no execution names one.")
    model_tiers: list[Text] = Field(description="The tiers that it was recorded as.")


class ErrorFigures(BaseModel):
    """An error type of the failures."""

    error_type: Text = Field(description="The type; unknown where none was recorded.")
    error_count: int = Field(description="Failures with it.")
    failure_share: float = Field(description="Its share of all failures, 0 to 1.")
    total_executions: int = Field(description="Executions of the range, which error_rate is over.")
    error_rate: float = Field(description="Share of executions that failed with it, 0 to 1.")
    error_rate_lower: float | None = Field(description="Lower bound of its 95 % interval.")
    error_rate_upper: float | None = Field(description="Upper bound of it.")
    task_count: int = Field(description="How many tasks those executions are runs of.")
    has_enough_samples: bool = Field(description="False if they are too few tasks to act on.")
    repo_count: int = Field(description="Repositories that it came up in.")
    last_error_at: UtcTime = Field(description="When the last execution with it started, UTC.")


class ExecutionsBy(Result):
    """The executions of a time range by one thing."""

    time_range: TimeRange
    by: Group = Field(description="What a row is.")
    rows: list[SerializeAsAny[BaseModel]] = Field(description="The figures of each.")


TABLES: dict[str, tuple[type[BaseModel], str, str]] = {
    "tier": (TierFigures, "rpt_success_by_tier", "order by total_executions desc, model_tier"),
    "pool": (PoolFigures, "rpt_pools", "order by total_executions desc, pool_type"),
    "repository": (RepositoryFigures, "rpt_repositories", "order by repo_rank"),
    "task_type": (TaskTypeFigures, "rpt_task_types", "order by task_type_rank"),
    "model": (ModelFigures, "rpt_success_by_model", "order by total_executions desc, model"),
    "error": (ErrorFigures, "rpt_top_errors", "order by error_rank"),
    "day": (Bucket, "rpt_time_series", "order by bucket_start"),
}
"""For each group its figures, the report that has them, and their order."""


def read_group(
    snapshot: Snapshot, time_range: str, by: str, *, at_most: int | None = None
) -> list[BaseModel]:
    """Return the rows of a group in a time range, all or the first ones."""
    kind, report, order = TABLES[by]
    limit = "" if at_most is None else f" limit {at_most:d}"
    found = snapshot.select(
        kind,
        f"{report} where time_range = $time_range {order}{limit}",
        time_range=time_range,
    )
    return [kind.model_validate(row) for row in found]
