"""How each pool type did, by hour."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from orb_learning.figures.reader import Snapshot
from orb_learning.figures.results import Rate, Text, UtcTime


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
