"""The learning database, as the orchestrator uses it: executions in, what was learned out."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orb_learning.archive import archive_and_retain
from orb_learning.backup import make_backup, validate_backup
from orb_learning.capture import ExecutionRun, Task, TelemetryCapture, outbox_of, redact_secrets
from orb_learning.errors import DatabaseError, ExecutionRefusedError
from orb_learning.feedback import check_feedback_enabled, current_user, submit_feedback
from orb_learning.figures import Questions
from orb_learning.filesystem import get_logger, make_folder
from orb_learning.ingest import BackgroundLoader
from orb_learning.locator import folder_of
from orb_learning.operations import relay_options, restore_backup
from orb_learning.record import ExecutionRecord
from orb_learning.settings import load_settings
from orb_learning.store import check_path

log = get_logger(__name__)


class LearningDatabase(Questions):
    """Stores executions, answers questions on them, and keeps the file, from asynchronous code.

    Storing commits to the outbox. Between ``initialize`` and ``close`` a thread loads the outbox
    into DuckDB. Any number of processes may have one.

    Args:
        database_path: the DuckDB file; the loader makes it.
        embedding_model: the model that embeds task descriptions.
        pool_size: connections for reading; 2 more are opened when those are in use.
        wait_seconds: for how long reading waits for a connection, and for whoever writes.
        now: the clock.
        redact: returns a text without what must not be recorded; None for none, or for the
            built-in patterns where ``learning.redact_secrets`` is on.
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
        redact: Callable[[str], str] | None = None,
        **settings: Any,
    ):
        super().__init__(
            load_settings(
                database_path=Path(database_path), embedding_model=embedding_model, **settings
            ),
            pool_size=pool_size,
            wait_seconds=wait_seconds,
            now=now,
        )
        self.database_path = self.settings.database_path
        self.outbox = outbox_of(self.settings)
        self.telemetry = TelemetryCapture(
            self.outbox,
            enabled=self.settings.enabled and self.settings.enable_telemetry_capture,
            naive_times=self.settings.naive_times,
            id_scope=self.settings.id_scope,
            redact=redact or (redact_secrets if self.settings.redact_secrets else None),
            now=now,
        )
        self._loader = BackgroundLoader(
            self.database_path,
            self.outbox.folder,
            relay_options(self.settings),
            batch_size=self.settings.batch_size,
            flush_interval=self.settings.flush_interval,
        )

    async def initialize(self) -> None:
        """Start loading; the database itself is not opened yet, because dbt may have it.

        After ``close`` it records and loads again.

        Raises:
            DatabaseError: the path cannot be a database.
        """
        try:
            make_folder(folder_of(self.database_path))
        except OSError as error:
            raise DatabaseError(f"{self.database_path} cannot be made: {error}") from error
        check_path(self.database_path, must_exist=False)
        self.outbox.open()
        self._reader.open()
        self._loader.start()

    async def close(self) -> None:
        """Load what is left, and stop; what cannot be loaded now stays in the outbox."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._reader.close()
        self.telemetry.close()
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

    def execution(self, task: Task | object = None, *, pool: object = None) -> ExecutionRun:
        """Record what happens inside a block, ``with`` or ``async with``, or a decorated function.

        Args:
            task: what is asked for; for a decorator, or a function of the call's arguments.
            pool: the pool's id.
        """
        return self.telemetry.execution(task, pool=pool)

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
        task_id: str | int | uuid.UUID,
        satisfaction: str,
        issue_type: str | None = None,
        comment: str | None = None,
        visibility: str = "private",
    ) -> uuid.UUID:
        """Store what the user of this process says of an execution, as ``feedback`` describes.

        Returns:
            the feedback's id, by which its author can delete it.

        Raises:
            FeedbackError: a rule is broken, feedback is switched off, or it could not be kept.
        """
        check_feedback_enabled(self.settings)
        return await asyncio.to_thread(
            submit_feedback,
            self.outbox,
            task_id=task_id,
            satisfaction=satisfaction,
            issue_type=issue_type,
            comment=comment,
            visibility=visibility,
            user_id=current_user(),
            id_scope=self.settings.id_scope,
            now=self._naive_now(),
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
            ``days_cleaned``, the number of days that they were of. What was older than the limit
            when it was imported stays; a warning is logged that says how to confirm it.

        Raises:
            DbtError: it failed, and the message says why; days that were done before stay done.
        """
        settings = self.settings
        if archive_path is not None:
            settings = settings.model_copy(update={"archive_path": Path(archive_path)})
        result = await asyncio.to_thread(archive_and_retain, settings, days_to_keep=days_to_keep)
        if result.kept_count:
            log.warning(result.what_was_kept)
        return _fields(result, "archived_count", "deleted_count", "days_cleaned")

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
        """Verify a backup against its manifest: bytes, tables, rows, a query on every relation.

        Args:
            file: the backup's folder, or the database or the manifest in it.

        Returns:
            ``is_valid``, ``problems``, ``notes`` (what could not be checked) and how many files,
            rows and relations were checked.

        Raises:
            BackupError: there is no such file.
        """
        found = await asyncio.to_thread(validate_backup, Path(file), self.settings.backup_key_file)
        names = ("problems", "notes", "file_count", "row_count", "relation_count")
        return {"is_valid": not found.problems, **_fields(found, *names)}

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
            **_fields(restored, "kept_beside", "to_import_again", "notes", "problems"),
            "loaded": dict(restored.loaded.counts) if restored.loaded else {},
            "missing": missing.count if missing else 0,
            "first_put_at": missing.first_put_at if missing else None,
            "last_put_at": missing.last_put_at if missing else None,
        }


def _fields(result: object, *names: str) -> dict[str, Any]:
    return {name: getattr(result, name) for name in names}
