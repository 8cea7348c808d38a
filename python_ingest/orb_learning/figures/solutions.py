"""``find_solutions``: what solved tasks like one, or tasks that failed with such an error."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Rate, Repo, Result, Text, UtcTime
from orb_learning.figures.similar import TierOutcome, find_vector, why_no_solution
from orb_learning.search import similar_solutions

DAYS_BACK = 90

Asked = Annotated[str | None, Field(min_length=1, max_length=20_000)]


class Solution(Rate, BaseModel):
    """A group of nearly identical solutions, and how often they solved such tasks."""

    solution_summary: Text = Field(description="What was done.")
    score: float = Field(description="Similarity times the lower bound of the success rate.")
    similarity: float = Field(description="Of the nearest task that it solved; 1 is the same.")
    strength: Literal["strong", "fair", "weak"] = Field(description="The similarity in a word.")
    execution_count: int = Field(description="Executions with the solution, of such tasks.")
    success_count: int = Field(description="Those that succeeded.")
    by_tier: list[TierOutcome] = Field(description="The same by model tier.")
    repos: list[Text] = Field(description="Where it was used.")
    last_seen: UtcTime = Field(description="When it was used last, UTC.")
    task_description: Text = Field(description="The nearest task that it solved.")


class Solutions(Result):
    """What solved such tasks."""

    rows: list[Solution] = Field(description="The best first.")
    if_none: Text | None = Field(
        None, description="Where there are no rows: why, and what comes nearest."
    )


async def find_solutions(
    reader: Reader,
    task_description: Annotated[Asked, Field(description="The task; or")] = None,
    error_message: Annotated[Asked, Field(description="what it failed with, in 90 days.")] = None,
    repo: Repo = None,
    limit: Annotated[int, Field(ge=1, le=100, description="The most rows.")] = 5,
) -> Solutions:
    """Find what solved tasks like this one, or that failed with this error, the best first."""
    text = error_message if task_description is None else task_description
    if text is None or (task_description is not None and error_message is not None):
        given = "none" if text is None else "both"
        raise ValueError(f"task_description: give it or error_message (got {given})")
    of_errors = task_description is None
    vector = await find_vector(reader, text)
    least = reader.settings.least_similarity(None)

    def solutions(snapshot: Snapshot) -> Solutions:
        rows = similar_solutions(
            snapshot.connection, vector, of_errors=of_errors, model=reader.settings.embedding_model,
            limit=limit, days_back=DAYS_BACK, threshold=least, repo=repo,
            longest_text=snapshot.longest_text,
        )  # fmt: skip
        why = None if rows else why_no_solution(
            snapshot.connection, vector, of_errors=of_errors, model=reader.settings.embedding_model,
            repo=repo, days_back=DAYS_BACK, threshold=least,
        )  # fmt: skip
        return snapshot.result(Solutions, window=f"{DAYS_BACK}d", rows=rows, if_none=why)

    return await reader.read(solutions)
