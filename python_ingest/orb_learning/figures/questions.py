"""What an orchestrator's own code asks of the database: the figures as lists of rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from orb_learning.figures.patterns import solution_patterns
from orb_learning.figures.pools import pool_hours
from orb_learning.figures.reader import Reader
from orb_learning.figures.similar import find_vector, similar_tasks
from orb_learning.figures.tiers import tier_days
from orb_learning.search import similar_solutions
from orb_learning.settings import LearningSettings
from orb_learning.store import PoolStatistics

Rows = list[dict[str, Any]]


class Questions:
    """Asks one database, by reports of the last ``orb build``; LearningDatabase is one.

    A question raises a DatabaseError where there is no database, nothing was built, or it cannot
    be read. Where the database is damaged, or taken for longer than ``wait_seconds``, the newest
    backup is read instead; ``pool_statistics().as_of`` says of when it is.

    Args:
        settings: where the database and its backups are, and the model.
        pool_size: connections for reading; 2 more are opened when those are in use.
        wait_seconds: for how long reading waits for a connection, and for whoever writes.
        now: the clock.
    """

    def __init__(
        self,
        settings: LearningSettings,
        *,
        pool_size: int,
        wait_seconds: float,
        now: Callable[[], datetime],
    ):
        self.settings = settings
        self._now = now
        self._reader = Reader(settings, size=pool_size, wait_seconds=wait_seconds)

    async def get_tier_performance(self, repo: str | None = None, days_back: int = 30) -> Rows:
        """Return the rows of ``rpt_tier_performance``, the newest day first.

        Args:
            repo: only this repository's.
            days_back: whole UTC days before today; 30 are kept.
        """
        _check_not_negative(days_back=days_back)
        return await self._reader.read(partial(tier_days, repo=repo, days_back=days_back))

    async def get_pool_performance(self, repo: str | None = None, days_back: int = 7) -> Rows:
        """Return the rows of ``rpt_pool_performance``, the newest hour first.

        Args:
            repo: only this repository's.
            days_back: whole UTC days before today; 7 are kept.
        """
        _check_not_negative(days_back=days_back)
        return await self._reader.read(partial(pool_hours, repo=repo, days_back=days_back))

    async def get_solution_patterns(
        self, repo: str | None = None, min_usage: int = 5, limit: int = 10
    ) -> Rows:
        """Return the rows of ``rpt_solution_patterns``, the most used first.

        Args:
            repo: only this repository's.
            min_usage: executions that used the solution; those with at least 5 are kept.
            limit: the most rows.
        """
        _check_not_negative(limit=limit)
        return await self._reader.read(
            partial(solution_patterns, repo=repo, min_usage=min_usage, limit=limit)
        )

    async def find_similar_executions(
        self,
        task_description: str,
        repo: str | None = None,
        limit: int = 10,
        days_back: int | None = 90,
        threshold: float | None = None,
        *,
        tier: str | None = None,
        success: bool | None = None,
    ) -> Rows:
        """Return the tasks like one, the most similar first: one row a distinct text.

        A row sums up all executions of the text: ``execution_count``, ``success_count``,
        ``success_rate`` with its 95 % interval, ``by_tier``, ``best_solution``. It also has
        the columns of the newest one, which stands in ``latest``. The filters apply before the
        ranking.
        A text that the database does not have is embedded; the first one takes seconds.

        Args:
            task_description: the task, in whatever words.
            repo: only executions in this repository.
            limit: the most rows, 1 to 1,000.
            days_back: how many days an execution may be old; None for any.
            threshold: the least cosine similarity; if None, ``learning.similarity_threshold`` where
                it is set, else the nearest come back, each with its ``strength`` in a word.
            tier: only executions by this model tier.
            success: only those that succeeded, or that failed.

        Raises:
            EmbeddingError: the text is empty, or the model cannot be used.
        """
        vector = await find_vector(self._reader, task_description)
        rows = await self._reader.read(
            lambda snapshot: similar_tasks(
                snapshot.connection,
                self.settings,
                vector,
                repo=repo,
                limit=limit,
                days_back=days_back,
                threshold=threshold,
                tier=tier,
                success=success,
                now=self._naive_now(),
            )
        )
        return [{**row["latest"], **row} for row in rows]

    async def find_solutions(
        self,
        task_description: str | None = None,
        error_message: str | None = None,
        repo: str | None = None,
        limit: int = 10,
        days_back: int | None = 90,
        threshold: float | None = None,
    ) -> Rows:
        """Return what solved tasks like one, or tasks that failed with such an error, best first.

        A row is a cluster of nearly identical solutions, ranked by the similarity of the nearest
        task that it solved times the lower bound of its success rate.

        Args:
            task_description: the task, in whatever words; or
            error_message: what it failed with. One of the two is given.
            repo: only executions in this repository.
            limit: the most rows, 1 to 1,000.
            days_back: how many days an execution may be old; None for any.
            threshold: as in ``find_similar_executions``.

        Raises:
            ValueError: both texts are given, or none.
            EmbeddingError: the text is empty, or the model cannot be used.
        """
        text = error_message if task_description is None else task_description
        if text is None or (task_description is not None and error_message is not None):
            raise ValueError("give either task_description or error_message")
        vector = await find_vector(self._reader, text)
        return await self._reader.read(
            lambda snapshot: similar_solutions(
                snapshot.connection,
                vector,
                of_errors=task_description is None,
                model=self.settings.embedding_model,
                limit=limit,
                days_back=days_back,
                threshold=self.settings.least_similarity(threshold),
                repo=repo,
                now=self._naive_now(),
            )
        )

    def pool_statistics(self) -> PoolStatistics:
        """Return how the connections for reading are used."""
        return self._reader.statistics()

    def _naive_now(self) -> datetime:
        return self._now().astimezone(UTC).replace(tzinfo=None)


def _check_not_negative(**values: int) -> None:
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} = {value}: must be 0 or more")
