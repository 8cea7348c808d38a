"""``find_similar_executions``: what was like a task, and what became of it."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Moment, Rate, Repo, Result, Text
from orb_learning.search import index_folder, known_vector, new_vector, similar_executions


class SimilarTask(Rate):
    """A distinct task text, with its newest successful execution, or else its newest."""

    task_id: UUID = Field(description="The execution that stands for the text.")
    timestamp: Moment = Field(description="When it started, UTC.")
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
    execution_count: int = Field(description="Executions of this very text.")
    success_count: int = Field(description="Those that succeeded.")
    tiers: dict[Text, int] = Field(description="How many of them each model tier executed.")
    best_solution: Text | None = Field(description="The solution that succeeded most often.")


class SimilarTasks(Result):
    """What was like a task."""

    rows: list[SimilarTask] = Field(description="The most similar first.")


async def find_similar_executions(
    reader: Reader,
    task_description: Annotated[
        str, Field(min_length=1, description="The task, in whatever words.")
    ],
    repo: Repo = None,
    limit: Annotated[int, Field(ge=1, le=100, description="The most rows.")] = 10,
    days_back: Annotated[
        int, Field(ge=0, le=36_500, description="How many days an execution may be old.")
    ] = 90,
    threshold: Annotated[
        float | None,
        Field(
            ge=-1,
            le=1,
            description="Least cosine similarity; learning.similarity_threshold (0.7) if left out. "
            "The same task in other words is often at 0.5.",
        ),
    ] = None,
) -> SimilarTasks:
    """Find tasks like this one: how often they succeeded, on which tiers, what solved them.

    Ask before starting a task, to choose a tier and an approach.
    """
    settings = reader.settings
    model = settings.embedding_model
    vector = await reader.read(
        lambda snapshot: known_vector(snapshot.connection, task_description, model)
    )
    if vector is None:
        vector = await asyncio.to_thread(new_vector, task_description, model)

    def similar(snapshot: Snapshot) -> SimilarTasks:
        rows = similar_executions(
            snapshot.connection,
            vector,
            model=model,
            limit=limit,
            days_back=days_back,
            threshold=settings.similarity_threshold if threshold is None else threshold,
            repo=repo,
            index_folder=index_folder(settings.database_path),
        )
        return snapshot.result(SimilarTasks, rows=rows)

    return await reader.read(similar)
