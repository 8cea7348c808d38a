"""The solutions that are used most."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from orb_learning.figures.reader import Snapshot
from orb_learning.figures.results import Rate, Text, UtcTime


class SolutionPattern(Rate):
    """A solution that was used often in a repository."""

    solution_summary: Text = Field(description="The solution, in the words of who recorded it.")
    repo: Text
    task_types: list[Text] = Field(description="The task types that it was used for.")
    usage_count: int = Field(description="Executions that used it.")
    success_count: int = Field(description="Those that succeeded.")
    avg_quality: float | None = Field(description="Mean quality score, 0 to 100.")
    quality_known_count: int = Field(description="Executions that it is over.")
    first_seen: UtcTime = Field(description="When it was first used in the window, UTC.")
    last_seen: UtcTime = Field(description="When it was last used, UTC.")


def solution_patterns(
    snapshot: Snapshot, *, repo: str | None, min_usage: int, limit: int
) -> list[dict[str, Any]]:
    """Return the rows of ``SolutionPattern``, the most used first.

    Args:
        snapshot: the database.
        repo: only this repository's.
        min_usage: the least executions that used the solution.
        limit: the most rows.
    """
    return snapshot.select(
        SolutionPattern,
        "rpt_solution_patterns "
        "where usage_count >= $min_usage and ($repo is null or repo = $repo) "
        "order by usage_count desc, success_rate desc, solution_summary, repo limit $limit",
        repo=repo,
        min_usage=min_usage,
        limit=limit,
    )
