"""``get_solution_patterns``: the solutions that are used most."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Moment, Rate, Repo, Result, Text


class SolutionPattern(Rate):
    """A solution that was used often in a repository."""

    solution_summary: Text = Field(description="The solution, in the words of who recorded it.")
    repo: Text
    task_types: list[Text] = Field(description="The task types that it was used for.")
    usage_count: int = Field(description="Executions that used it.")
    success_count: int = Field(description="Those that succeeded.")
    avg_quality: float | None = Field(description="Mean quality score, 0 to 100.")
    quality_known_count: int = Field(description="Executions that it is over.")
    first_seen: Moment = Field(description="When it was first used in the window, UTC.")
    last_seen: Moment = Field(description="When it was last used, UTC.")


class SolutionPatterns(Result):
    """The solutions that are used most."""

    rows: list[SolutionPattern] = Field(description="The most used first.")


async def get_solution_patterns(
    reader: Reader,
    repo: Repo = None,
    min_usage: Annotated[
        int, Field(ge=0, description="Least executions that used it; those with 5 are kept.")
    ] = 5,
    limit: Annotated[int, Field(ge=1, le=1_000, description="The most rows.")] = 10,
) -> SolutionPatterns:
    """List the solutions used most in the last 90 days, with their success rates.

    As of the last build. For the solutions of one kind of task, use find_similar_executions.
    """

    def patterns(snapshot: Snapshot) -> SolutionPatterns:
        rows = snapshot.select(
            SolutionPattern,
            "rpt_solution_patterns "
            "where usage_count >= $min_usage and ($repo is null or repo = $repo) "
            "order by usage_count desc, success_rate desc, solution_summary, repo limit $limit",
            repo=repo,
            min_usage=min_usage,
            limit=limit,
        )
        return snapshot.result(SolutionPatterns, rows=rows)

    return await reader.read(patterns)
