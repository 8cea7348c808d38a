"""How each model tier did, by day."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from orb_learning.figures.reader import Snapshot
from orb_learning.figures.results import Rate, Text


class TierDay(Rate):
    """A repository, model tier, task type and UTC day."""

    date: date
    repo: Text
    model_tier: Text
    task_type: Text
    total_executions: int = Field(description="Executions of the day.")
    successful_count: int = Field(description="Those that succeeded.")
    avg_duration: float | None = Field(description="Mean duration in seconds.")
    p95_duration: float | None = Field(description="95th percentile of it, interpolated.")
    duration_known_count: int = Field(description="Executions that these two are over.")
    avg_cost: float | None = Field(description="Mean actual cost, US dollars.")
    cost_known_count: int = Field(description="Executions that it is over.")
    avg_quality: float | None = Field(description="Mean quality score, 0 to 100.")
    quality_known_count: int = Field(description="Executions that it is over.")


def tier_days(
    snapshot: Snapshot, *, repo: str | None, days_back: int, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the rows of ``TierDay``, the newest day first.

    Args:
        snapshot: the database.
        repo: only this repository's.
        days_back: whole UTC days before today.
        limit: the most rows; all of them if None.
    """
    return snapshot.select(
        TierDay,
        "rpt_tier_performance "
        "where date >= (select as_of::date - $days_back::integer from rpt_freshness) "
        "and ($repo is null or repo = $repo) "
        "order by date desc, repo, model_tier, task_type limit $limit",
        repo=repo,
        days_back=days_back,
        limit=limit,
    )
