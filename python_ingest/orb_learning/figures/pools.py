"""``get_pool_performance``: how each pool type did, by hour."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Limit, Rate, Repo, Result, Text, UtcTime


class PoolHour(Rate):
    """A pool type, repository and UTC hour."""

    hour: UtcTime = Field(description="When the hour begins, UTC.")
    pool_type: Text
    repo: Text
    total_tasks: int = Field(description="Executions of the hour.")
    successful_tasks: int = Field(description="Those that succeeded.")
    avg_duration: float | None = Field(description="Mean duration in seconds.")
    duration_known_count: int = Field(description="Executions that it is over.")
    avg_cost: float | None = Field(description="Mean actual cost, US dollars.")
    cost_known_count: int = Field(description="Executions that it is over.")


class PoolPerformance(Result):
    """How each pool type did, by hour."""

    rows: list[PoolHour] = Field(description="The newest hour first.")
    is_cut: bool = Field(description="Whether there are more rows than the limit.")


def pool_hours(
    snapshot: Snapshot, *, repo: str | None, days_back: int, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the rows of ``PoolHour``, the newest hour first.

    Args:
        snapshot: the database.
        repo: only this repository's.
        days_back: whole UTC days before today.
        limit: the most rows; all of them if None.
    """
    return snapshot.select(
        PoolHour,
        "rpt_pool_performance "
        "where hour >= (select as_of::date - $days_back::integer from rpt_freshness) "
        "and ($repo is null or repo = $repo) "
        "order by hour desc, repo, pool_type limit $limit",
        repo=repo,
        days_back=days_back,
        limit=limit,
    )


async def get_pool_performance(
    reader: Reader,
    repo: Repo = None,
    days_back: Annotated[
        int, Field(ge=0, le=7, description="Whole UTC days before today; 7 are kept.")
    ] = 7,
    limit: Limit = 200,
) -> PoolPerformance:
    """Tell how each pool type did in each repository, by hour, as of the last build.

    Use it to see whether a pool is getting slow or failing; execution_statistics sums pools up.
    """

    def performance(snapshot: Snapshot) -> PoolPerformance:
        rows = pool_hours(snapshot, repo=repo, days_back=days_back, limit=limit + 1)
        return snapshot.result(PoolPerformance, rows=rows[:limit], is_cut=len(rows) > limit)

    return await reader.read(performance)
