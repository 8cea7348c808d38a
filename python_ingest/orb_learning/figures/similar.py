"""``find_similar_executions``: what was like a task, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import duckdb
from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Rate, Recorded, Repo, Result, Text, UtcTime
from orb_learning.search import (
    index_folder,
    known_vector,
    new_vector,
    similar_executions,
    similar_solutions,
)
from orb_learning.settings import LearningSettings


class TierOutcome(BaseModel):
    """How the executions of a task, or with a solution, went on a model tier."""

    model_tier: Text
    execution_count: int = Field(description="Executions on the tier.")
    success_count: int = Field(description="Those that succeeded.")
    success_rate: float = Field(description="Share that succeeded, 0 to 1.")
    success_rate_lower: float = Field(description="Lower bound of its 95 % interval.")
    success_rate_upper: float = Field(description="Upper bound of it.")
    avg_cost: float | None = Field(description="Mean actual cost, US dollars.")
    cost_known_count: int = Field(description="Executions that it is over.")
    avg_duration: float | None = Field(description="Mean duration, seconds.")
    duration_known_count: int = Field(description="Executions that it is over.")
    has_enough_samples: bool = Field(description="False if its runs are too few to act on.")


class LatestExecution(BaseModel):
    """The newest execution of a task; it stands for no other."""

    task_id: UUID
    timestamp: UtcTime = Field(description="When it started, UTC.")
    task_type: Text
    repo: Text
    model_tier: Text
    pool_type: Text
    success: bool
    duration_seconds: Recorded | None
    quality_score: int | None = Field(description="0 to 100.")
    actual_cost: Recorded | None = Field(description="US dollars.")
    solution_summary: Text | None = Field(description="What it did.")


class SimilarTask(Rate):
    """A distinct task text: how it went on all tiers together and on each, and the newest run."""

    task_description: Text = Field(description="The task, as its author wrote it.")
    similarity: float = Field(description="Cosine similarity to the task asked for; 1 is the same.")
    strength: Literal["strong", "fair", "weak"] = Field(
        description="The similarity in a word; what is weak is likely another task."
    )
    execution_count: int = Field(description="Executions of this very text.")
    success_count: int = Field(description="Those that succeeded.")
    by_tier: list[TierOutcome] = Field(description="The same by model tier: choose a tier by it.")
    best_solution: Text | None = Field(description="The best scored solution that succeeded.")
    latest: LatestExecution = Field(description="Its newest execution.")


class SimilarTasks(Result):
    """What was like a task."""

    rows: list[SimilarTask] = Field(description="The most similar first.")
    if_none: Text | None = Field(
        None, description="Where there are no rows: why, and what comes nearest."
    )


async def find_vector(reader: Reader, text: str) -> Sequence[float]:
    """Return the vector of a text: the database's, else the model's, whose first takes seconds.

    Raises:
        EmbeddingError: the text is empty, or the model cannot be used.
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    model = reader.settings.embedding_model
    vector = await reader.read(lambda snapshot: known_vector(snapshot.connection, text, model))
    return await asyncio.to_thread(new_vector, text, model) if vector is None else vector


def similar_tasks(
    connection: duckdb.DuckDBPyConnection,
    settings: LearningSettings,
    vector: Sequence[float],
    *,
    repo: str | None,
    limit: int,
    days_back: int | None,
    threshold: float | None,
    tier: str | None = None,
    success: bool | None = None,
    now: datetime | None = None,
    with_index: bool = True,
    longest_text: int | None = None,
) -> list[dict[str, Any]]:
    """Return the tasks like a vector as ``similar_executions`` does, the most similar first.

    Args:
        connection: of the learning database.
        settings: the model, the threshold if none is given, and where the index is.
        vector: 384 floats of unit length.
        repo: only executions in this repository.
        limit: the most rows, 1 to 1,000.
        days_back: how many days an execution may be old; None for any.
        threshold: the least cosine similarity; if None, the setting's where it is set, else none.
        tier: only executions by this model tier.
        success: only those that succeeded, or that failed.
        now: naive UTC; the present time if None.
        with_index: whether the index of vectors may find the candidates.
        longest_text: characters of a text that are fetched; all if None.

    Raises:
        ValueError: an argument is out of its range.
    """
    return similar_executions(
        connection,
        vector,
        model=settings.embedding_model,
        limit=limit,
        days_back=days_back,
        threshold=settings.least_similarity(threshold),
        repo=repo,
        tier=tier,
        success=success,
        now=now,
        index_folder=index_folder(settings.database_path) if with_index else None,
        longest_text=longest_text,
    )


def why_no_task(
    connection: duckdb.DuckDBPyConnection,
    settings: LearningSettings,
    vector: Sequence[float],
    *,
    repo: str | None,
    days_back: int | None,
    threshold: float | None,
    tier: str | None = None,
    success: bool | None = None,
) -> str:
    """Return why ``similar_tasks`` found nothing, and what comes nearest.

    Args:
        connection: of the learning database.
        settings: as of ``similar_tasks``.
        vector: as of ``similar_tasks``.
        repo: as of ``similar_tasks``.
        days_back: as of ``similar_tasks``.
        threshold: as of ``similar_tasks``.
        tier: as of ``similar_tasks``.
        success: as of ``similar_tasks``.
    """

    def nearest(**wanted: Any) -> str | None:
        given = {"repo": None, "days_back": None, **wanted}
        rows = similar_tasks(connection, settings, vector, limit=1, threshold=-1, **given)
        return next((_named(row) for row in rows), None)

    near = nearest(repo=repo, days_back=days_back, tier=tier, success=success)
    if near is not None:
        least = settings.least_similarity(threshold)
        return f"No task is as similar as {least}; the nearest is {near}."
    near = nearest()
    if near is not None:
        return f"No execution is what was asked for; of all, the nearest task is {near}."
    return "No execution has a text that was embedded: see `orb status`."


def why_no_solution(
    connection: duckdb.DuckDBPyConnection,
    vector: Sequence[float],
    *,
    of_errors: bool,
    model: str,
    repo: str | None,
    days_back: int | None,
    threshold: float | None,
) -> str:
    """Return why ``similar_solutions`` found nothing, and what comes nearest.

    Args:
        connection: of the learning database.
        vector: as of ``similar_solutions``.
        of_errors: as of ``similar_solutions``.
        model: as of ``similar_solutions``.
        repo: as of ``similar_solutions``.
        days_back: as of ``similar_solutions``.
        threshold: as of ``similar_solutions``.
    """

    def nearest(repo: str | None, days_back: int | None) -> str | None:
        rows = similar_solutions(
            connection,
            vector,
            of_errors=of_errors,
            model=model,
            limit=1,
            days_back=days_back,
            threshold=-1,
            repo=repo,
        )
        return next((_named(row) for row in rows), None)

    what = "error" if of_errors else "task"
    near = nearest(repo, days_back)
    if near is not None:
        return f"No {what} as similar as {threshold} was solved; the nearest solved task is {near}."
    near = nearest(None, None)
    if near is not None:
        return f"Nothing was solved of what was asked for; of all, the nearest task is {near}."
    return (
        f"No success after such {'an error' if of_errors else 'a task'} names its solution: "
        f"record solution_summary, a sentence that says what solved the task."
    )


def _named(row: dict[str, Any]) -> str:
    words = " ".join(str(row["task_description"]).split())
    shown = words if len(words) <= 60 else f"{words[:57]}…"
    return f'"{shown}", with {row["similarity"]:.3f}'


async def find_similar_executions(
    reader: Reader,
    task_description: Annotated[
        str, Field(min_length=1, description="The task, in whatever words.")
    ],
    repo: Repo = None,
    limit: Annotated[int, Field(ge=1, le=100, description="The most rows.")] = 10,
    days_back: Annotated[
        int, Field(ge=1, le=36_500, description="How many days an execution may be old.")
    ] = 90,
    threshold: Annotated[
        float | None,
        Field(
            ge=-1,
            le=1,
            description="Least cosine similarity. If left out, the nearest come back, each with "
            "its strength in a word; only where learning.similarity_threshold is set does it cut.",
        ),
    ] = None,
) -> SimilarTasks:
    """Find tasks like this one: how often they succeeded, on which tiers, what solved them.

    Ask before starting a task, to choose a tier and an approach.
    """
    vector = await find_vector(reader, task_description)

    def similar(snapshot: Snapshot) -> SimilarTasks:
        rows = similar_tasks(
            snapshot.connection,
            reader.settings,
            vector,
            repo=repo,
            limit=limit,
            days_back=days_back,
            threshold=threshold,
            longest_text=snapshot.longest_text,
        )
        why = (
            None
            if rows
            else why_no_task(
                snapshot.connection,
                reader.settings,
                vector,
                repo=repo,
                days_back=days_back,
                threshold=threshold,
            )
        )
        return snapshot.result(SimilarTasks, window=f"{days_back}d", rows=rows, if_none=why)

    return await reader.read(similar)
