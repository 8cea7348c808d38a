"""``find_similar_executions``: what was like a task, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import duckdb
from pydantic import Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Rate, Repo, Result, Text, UtcTime
from orb_learning.search import index_folder, known_vector, new_vector, similar_executions
from orb_learning.settings import LearningSettings


class SimilarTask(Rate):
    """A distinct task text, with its newest successful execution, or else its newest."""

    task_id: UUID = Field(description="The execution that stands for the text.")
    timestamp: UtcTime = Field(description="When it started, UTC.")
    task_type: Text
    repo: Text
    model_tier: Text
    pool_type: Text
    success: bool
    duration_seconds: float | None
    quality_score: int | None = Field(description="0 to 100.")
    task_description: Text = Field(description="The task, as its author wrote it.")
    solution_summary: Text | None = Field(description="What that execution did.")
    similarity: float = Field(description="Cosine similarity to the task asked for; 1 is the same.")
    strength: Literal["strong", "fair", "weak"] = Field(
        description="The similarity in a word; what is weak is likely another task."
    )
    execution_count: int = Field(description="Executions of this very text.")
    success_count: int = Field(description="Those that succeeded.")
    tiers: dict[Text, int] = Field(description="How many of them each model tier executed.")
    best_solution: Text | None = Field(description="The solution that succeeded most often.")


class SimilarTasks(Result):
    """What was like a task."""

    rows: list[SimilarTask] = Field(description="The most similar first.")


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
        return snapshot.result(SimilarTasks, rows=rows)

    return await reader.read(similar)
