"""``execution_statistics``: how many executions of what kind, and how they went."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from orb_learning.figures.funnel import Stage, record_funnel
from orb_learning.figures.groups import (
    Bucket,
    By,
    ExecutionsBy,
    PoolFigures,
    RepositoryFigures,
    TaskTypeFigures,
    TierFigures,
    read_group,
)
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Figures, Result, Text, TimeRange

MOST_REPOSITORIES = 10
MOST_TASK_TYPES = 15
MOST_PAIRS = 15


class All(Figures):
    """All executions of the range."""

    assigned_time_count: int = Field(
        description="Of how many the time was assigned, not recorded: the series is no trend of "
        "them."
    )


class LikeForLike(BaseModel):
    """Two pools or repositories of which one gets more of the easy work."""

    dimension: str = Field(description="pool or repository.")
    name: Text = Field(description="Which one.")
    other_name: Text = Field(description="Which other one.")
    success_rate: float = Field(description="Its success rate, whatever it did.")
    other_success_rate: float = Field(description="The other's.")
    mix_difference: float = Field(
        description="Share of executions that would have to be of another tier or task type for "
        "both to have one mix, 0 to 1."
    )
    like_for_like_rate: float | None = Field(
        description="Its success rate within the tiers and task types that both have; null of none."
    )
    other_like_for_like_rate: float | None = Field(description="The other's within them.")
    rate_difference: float | None = Field(
        description="like_for_like_rate less the other's; neither is known to lead where its "
        "bounds have 0 between them."
    )
    rate_difference_lower: float | None = Field(description="Lower bound of it, at 95 %.")
    rate_difference_upper: float | None = Field(description="Upper bound of it.")
    matched_count: int = Field(description="Executions that like_for_like_rate is over.")
    other_matched_count: int = Field(description="Those that the other's is over.")
    matched_task_count: int = Field(description="How many tasks those executions are runs of.")
    other_matched_task_count: int = Field(description="How many tasks those of the other are.")
    has_enough_samples: bool = Field(description="False if one is over too few tasks to look at.")


class ExecutionStatistics(Result):
    """How many executions of what kind in a time range, and how they went."""

    time_range: TimeRange
    time_series: list[Bucket] = Field(
        description="Each hour or day of the range, in order; the empty ones too."
    )
    by_model_tier: list[TierFigures] = Field(description="Each tier used, the most used first.")
    by_pool_type: list[PoolFigures] = Field(description="Each pool type, the most used first.")
    top_repositories: list[RepositoryFigures] = Field(
        description="The 10 repositories with the most executions."
    )
    by_task_type: list[TaskTypeFigures] = Field(description="The 15 most frequent task types.")
    like_for_like: list[LikeForLike] = Field(
        description="Pools and repositories whose tiers and task types differ, so that "
        "their plain rates compare unlike work: compare them by the rates here. The 15 pairs "
        "with the most executions in common, as of the last build."
    )
    performance: All = Field(description="All executions of the range together.")
    record_funnel: list[Stage] = Field(
        description="Of all times: from what was recorded to the executions that are counted; what "
        "was lost, and what waits."
    )


async def execution_statistics(
    reader: Reader, time_range: TimeRange = "7d", by: By = None
) -> ExecutionStatistics | ExecutionsBy:
    """Count executions, and sum up their success, cost and duration.

    By hour or day, model tier, pool type, repository and task type; with by, one whole table, of
    models and errors, too. Compare rates by their lower bounds, and only where has_enough_samples
    is true.
    """
    if by is not None:
        return await reader.read(
            lambda snapshot: snapshot.result(
                ExecutionsBy,
                window=time_range,
                time_range=time_range,
                by=by,
                rows=read_group(snapshot, time_range, by),
            )
        )
    return await reader.read(
        lambda snapshot: _statistics(snapshot, time_range, reader.settings.outbox_folder)
    )


def _statistics(snapshot: Snapshot, time_range: str, outbox_folder: Path) -> ExecutionStatistics:
    pairs = snapshot.select(
        LikeForLike,
        f"rpt_like_for_like where time_range = $time_range and shown_rank <= {MOST_PAIRS} "
        "order by shown_rank",
        time_range=time_range,
    )
    [everything] = snapshot.select(
        All, "rpt_performance where time_range = $time_range", time_range=time_range
    )
    return snapshot.result(
        ExecutionStatistics,
        window=f"{time_range}; record_funnel: {ALL_HELD}",
        time_range=time_range,
        time_series=read_group(snapshot, time_range, "day"),
        by_model_tier=read_group(snapshot, time_range, "tier"),
        by_pool_type=read_group(snapshot, time_range, "pool"),
        top_repositories=read_group(snapshot, time_range, "repository", at_most=MOST_REPOSITORIES),
        by_task_type=read_group(snapshot, time_range, "task_type", at_most=MOST_TASK_TYPES),
        like_for_like=pairs,
        performance=everything,
        record_funnel=record_funnel(snapshot, outbox_folder),
    )
