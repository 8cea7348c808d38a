"""The learning database, as the orchestrator uses it: executions in, what was learned out."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from orb_learning.archive import archive_and_retain
from orb_learning.backup import make_backup, newest_copy, verified_offsets, verify
from orb_learning.capture import TelemetryCapture
from orb_learning.errors import ExecutionRefusedError
from orb_learning.feedback import check_feedback_enabled, current_user, submit
from orb_learning.ingest import BackgroundLoader
from orb_learning.operations import outbox_limits, restore_backup
from orb_learning.outbox import Outbox
from orb_learning.record import ExecutionRecord
from orb_learning.search import (
    SOLUTION_THRESHOLD,
    index_folder,
    known_vector,
    new_vector,
    similar_executions,
    similar_solutions,
)
from orb_learning.settings import load_settings
from orb_learning.store import PoolStatistics, ReaderPool, check_path

OVERFLOW = 2


class LearningDatabase:
    """Stores executions and reads the marts, from asynchronous code.

    Storing commits to the outbox; between ``initialize`` and ``close`` a thread loads the outbox
    into DuckDB. Any number of processes may have one. The marts show what the last ``dbt build``
    found. Where the database is damaged, or taken for longer than ``wait_seconds``, the newest
    backup is read instead; ``pool_statistics().as_of`` says of when it is.

    Args:
        database_path: the DuckDB file; the loader makes it.
        embedding_model: the model that embeds task descriptions.
        pool_size: connections for reading; 2 more are opened when those are in use.
        wait_seconds: for how long reading waits for a connection, and for whoever writes.
        now: the clock.
        settings: others of ``LearningSettings``, by name; the environment's if not given.
    """

    def __init__(
        self,
        database_path: Path | str = "data/learning.db",
        embedding_model: str = "all-MiniLM-L6-v2",
        pool_size: int = 4,
        *,
        wait_seconds: float = 30.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **settings: Any,
    ):
        self.settings = load_settings(
            database_path=Path(database_path), embedding_model=embedding_model, **settings
        )
        self.database_path = self.settings.database_path
        self.outbox = Outbox(
            self.settings.outbox_folder,
            synchronous=self.settings.outbox_synchronous,
            busy_timeout_ms=self.settings.outbox_busy_timeout_ms,
            size_limit_bytes=self.settings.outbox_size_limit_mb * 2**20,
        )
        self.telemetry = TelemetryCapture(
            self.outbox,
            enabled=self.settings.enabled and self.settings.enable_telemetry_capture,
            now=now,
        )
        self._now = now
        self._readers = ReaderPool(
            self.database_path,
            size=pool_size,
            overflow=OVERFLOW,
            wait_seconds=wait_seconds,
            fallback=partial(newest_copy, self.settings.backup_folder, self.database_path),
        )
        self._loader = BackgroundLoader(
            self.database_path,
            self.outbox.folder,
            batch_size=self.settings.batch_size,
            flush_interval=self.settings.flush_interval,
            lone_half_limit=self.settings.lone_half_limit,
            limits=outbox_limits(self.settings),
            verified_offsets=partial(verified_offsets, self.settings.backup_folder),
        )

    async def initialize(self) -> None:
        """Start loading; the database itself is not opened yet, because dbt may have it.

        Raises:
            DatabaseError: the path cannot be a database.
        """
        self.database_path.parent.mkdir(parents=True, exist_ok=True)
        check_path(self.database_path, must_exist=False)
        self._loader.start()

    async def close(self) -> None:
        """Load what is left, and stop; what cannot be loaded now stays in the outbox."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._readers.close()
        self.outbox.close()
        self._loader.stop()

    async def __aenter__(self) -> Self:
        await self.initialize()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def store_execution(self, execution: ExecutionRecord | Mapping[str, Any]) -> None:
        """Store an execution; it is durable when this returns.

        Raises:
            ExecutionRefusedError: it is no record, and a dead letter; or the outbox refused it.
        """
        if (await self.store_executions_batch([execution]))["failed_count"]:
            raise ExecutionRefusedError(
                f"the execution was not stored: it is no record, and `orb dead-letters list` says "
                f"why, or the outbox did not take it; so far: {self.telemetry.counts()}"
            )

    async def store_executions_batch(
        self, executions: Iterable[ExecutionRecord | Mapping[str, Any]]
    ) -> dict[str, int]:
        """Store executions in one transaction; they are durable when this returns.

        Those that are no records are kept as dead letters, and do not hold up the others.

        Returns:
            ``inserted_count`` and ``failed_count``.
        """
        every = list(executions)
        kept = await asyncio.to_thread(self.telemetry.store_records, every)
        return {"inserted_count": kept, "failed_count": len(every) - kept}

    async def submit_feedback(
        self,
        task_id: str | uuid.UUID,
        satisfaction: str,
        issue_type: str | None = None,
        comment: str | None = None,
        visibility: str = "private",
    ) -> uuid.UUID:
        """Store what the user of this process says of an execution; see ``submit_feedback``.

        Returns:
            the feedback's id, by which its author can delete it.

        Raises:
            FeedbackError: a rule is broken, feedback is switched off, or it could not be kept.
        """
        check_feedback_enabled(self.settings)
        return await asyncio.to_thread(
            submit.submit_feedback,
            self.outbox,
            task_id=task_id,
            satisfaction=satisfaction,
            issue_type=issue_type,
            comment=comment,
            visibility=visibility,
            user_id=current_user(),
            now=self._now().astimezone(UTC).replace(tzinfo=None),
        )

    async def get_tier_performance(
        self, repo: str | None = None, days_back: int = 30
    ) -> list[dict[str, Any]]:
        """Return the rows of ``tier_performance_mv``, the newest day first.

        Args:
            repo: only this repository's.
            days_back: whole days before today; the mart holds 30.

        Raises:
            DatabaseError: there is no database, nothing was built, or it cannot be read.
        """
        return await self._read("tier_performance", repo=repo, since=self._days_ago(days_back))

    async def get_pool_performance(
        self, repo: str | None = None, days_back: int = 7
    ) -> list[dict[str, Any]]:
        """Return the rows of ``pool_performance_mv``, the newest hour first.

        Args:
            repo: only this repository's.
            days_back: whole days before today; the mart holds 7.

        Raises:
            DatabaseError: there is no database, nothing was built, or it cannot be read.
        """
        return await self._read("pool_performance", repo=repo, since=self._days_ago(days_back))

    async def get_solution_patterns(
        self, repo: str | None = None, min_usage: int = 5, limit: int = 10
    ) -> list[dict[str, Any]]:
        """Return the rows of ``solution_patterns_mv``, the most used first.

        Args:
            repo: only this repository's.
            min_usage: executions that used the solution; the mart holds those with at least 5.
            limit: the most rows.

        Raises:
            DatabaseError: there is no database, nothing was built, or it cannot be read.
        """
        if limit < 0:
            raise ValueError(f"limit = {limit}: must be 0 or more")
        return await self._read("solution_patterns", repo=repo, min_usage=min_usage, limit=limit)

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
    ) -> list[dict[str, Any]]:
        """Return the tasks like one, the most similar first: one row a distinct text.

        A row has the columns of one execution of the text (its newest success, else its newest),
        and sums up all of them: ``execution_count``, ``success_count``, ``success_rate`` with its
        95 % Wilson interval, ``tiers``, ``best_solution``. The filters apply before the ranking.

        A text that the database does not have is embedded; the first one takes seconds.

        Args:
            task_description: the task, in whatever words.
            repo: only executions in this repository.
            limit: the most rows, 1 to 1,000.
            days_back: how many days an execution may be old; None for any.
            threshold: the least cosine similarity; ``learning.similarity_threshold`` (0.7) if None.
            tier: only executions by this model tier.
            success: only those that succeeded, or that failed.

        Raises:
            EmbeddingError: the text is empty, or the model cannot be used.
            DatabaseError: there is no database, nothing was built, or it cannot be read.
        """
        vector = await self._vector_of(task_description)

        def search(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
            return similar_executions(
                connection,
                vector,
                model=self.settings.embedding_model,
                limit=limit,
                days_back=days_back,
                threshold=self.settings.similarity_threshold if threshold is None else threshold,
                repo=repo,
                tier=tier,
                success=success,
                now=self._now().astimezone(UTC).replace(tzinfo=None),
                index_folder=index_folder(self.database_path),
            )

        return await self._readers.run(search)

    async def find_solutions(
        self,
        task_description: str | None = None,
        error_message: str | None = None,
        repo: str | None = None,
        limit: int = 10,
        days_back: int | None = 90,
        threshold: float = SOLUTION_THRESHOLD,
    ) -> list[dict[str, Any]]:
        """Return what solved tasks like one, or tasks that failed with such an error, best first.

        A row is a cluster of nearly identical solutions, ranked by the similarity of the nearest
        task that it solved times the lower bound of its success rate.

        Args:
            task_description: the task, in whatever words; or
            error_message: what it failed with. One of the two is given.
            repo: only executions in this repository.
            limit: the most rows, 1 to 1,000.
            days_back: how many days an execution may be old; None for any.
            threshold: the least cosine similarity.

        Raises:
            ValueError: both texts are given, or none.
            EmbeddingError: the text is empty, or the model cannot be used.
            DatabaseError: there is no database, nothing was built, or it cannot be read.
        """
        text = error_message if task_description is None else task_description
        if text is None or (task_description is not None and error_message is not None):
            raise ValueError("give either task_description or error_message")
        vector = await self._vector_of(text)
        return await self._readers.run(
            lambda connection: similar_solutions(
                connection,
                vector,
                of_errors=task_description is None,
                model=self.settings.embedding_model,
                limit=limit,
                days_back=days_back,
                threshold=threshold,
                repo=repo,
                now=self._now().astimezone(UTC).replace(tzinfo=None),
            )
        )

    async def cleanup_old_executions(
        self, days_to_keep: int = 90, archive_path: Path | str | None = None
    ) -> dict[str, int]:
        """Archive whole UTC days older than the limit and delete them, as `orb retention` does.

        Args:
            days_to_keep: 7 to 365.
            archive_path: the folder of the files; ``learning.archive_path`` if None.

        Returns:
            ``archived_count``, ``deleted_count`` (versions of executions; the same ones) and
            ``days_cleaned``, the number of days that they were of.

        Raises:
            DbtError: it failed, and the message says why; days that were done before stay done.
        """
        settings = self.settings
        if archive_path is not None:
            settings = settings.model_copy(update={"archive_path": Path(archive_path)})
        result = await asyncio.to_thread(archive_and_retain, settings, days_to_keep=days_to_keep)
        return {
            "archived_count": result.archived_count,
            "deleted_count": result.deleted_count,
            "days_cleaned": result.days_cleaned,
        }

    async def backup_database(self, backup_dir: Path | str | None = None) -> Path:
        """Make a backup, validate it, and copy it to ``learning.backup_copy_to`` if that is set.

        Args:
            backup_dir: the folder of backups; ``learning.backup_path`` if None.

        Returns:
            the backup's folder.

        Raises:
            BackupError: it cannot be written, does not validate, or cannot be copied.
            DatabaseError: the database cannot be read, or the disk is full.
        """
        settings = self.settings
        if backup_dir is not None:
            settings = settings.model_copy(update={"backup_path": Path(backup_dir)})
        made = await asyncio.to_thread(make_backup, settings)
        return made.backup.folder

    async def validate_backup(self, file: Path | str) -> dict[str, Any]:
        """Hold a backup against its manifest: bytes, tables, rows, a query on every relation.

        Args:
            file: the backup's folder, or the database or the manifest in it.

        Returns:
            ``is_valid``, ``problems``, ``notes`` (what could not be checked) and how many files,
            rows and relations were checked.

        Raises:
            BackupError: there is no such file.
        """
        found = await asyncio.to_thread(verify.validate_backup, Path(file))
        return {
            "is_valid": not found.problems,
            "problems": found.problems,
            "notes": found.notes,
            "file_count": found.file_count,
            "row_count": found.row_count,
            "relation_count": found.relation_count,
        }

    async def restore_from_backup(
        self, file: Path | str, validate_before_restore: bool = True
    ) -> dict[str, Any]:
        """Put a backup in the database's place, and load what came after it from the outbox.

        Args:
            file: the backup's folder, or the database or the manifest in it.
            validate_before_restore: whether to validate it first.

        Returns:
            ``kept_beside`` (the database of before), ``loaded`` (records that came after the
            backup, by kind), ``missing`` (how many of those had left the outbox; ``first_put_at``
            and ``last_put_at`` say which), ``to_import_again``, ``notes`` and ``problems``.

        Raises:
            BackupError: it is damaged, does not fit, or failed; the database is as it was.
            DatabaseError: others have the database for too long, or the disk is full.
        """
        restored = await asyncio.to_thread(
            restore_backup,
            self.settings,
            Path(file),
            validate=validate_before_restore,
        )
        missing = restored.missing
        return {
            "kept_beside": restored.kept_beside,
            "loaded": dict(restored.loaded.counts) if restored.loaded else {},
            "missing": missing.count if missing else 0,
            "first_put_at": missing.first_put_at if missing else None,
            "last_put_at": missing.last_put_at if missing else None,
            "to_import_again": restored.to_import_again,
            "notes": restored.notes,
            "problems": restored.problems,
        }

    async def _vector_of(self, text: str) -> Sequence[float]:
        model = self.settings.embedding_model
        known = await self._readers.run(lambda connection: known_vector(connection, text, model))
        if known is not None:
            return known
        return await asyncio.to_thread(new_vector, text, model)

    def pool_statistics(self) -> PoolStatistics:
        """Return how the connections for reading are used."""
        return self._readers.statistics()

    async def _read(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        return await self._readers.query(_select(name), parameters)

    def _days_ago(self, days: int) -> datetime:
        if days < 0:
            raise ValueError(f"days_back = {days}: must be 0 or more")
        today = (
            self._now()
            .astimezone(UTC)
            .replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        )
        return today - timedelta(days=days)


@cache
def _select(name: str) -> str:
    return files("orb_learning").joinpath(f"sql/get_{name}.sql").read_text("utf-8")
