"""Old executions out of the database and into files, and back.

The macro archive_and_retain decides what is old, writes the files and deletes; here are its call,
and the way back. A day that was unarchived is held: retention leaves it alone until it is released.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.backup import copy_archived_files
from orb_learning.dbt import run_dbt
from orb_learning.errors import ArchiveError, DatabaseLockedError
from orb_learning.feedback import FEEDBACK_FIELDS
from orb_learning.filesystem import sha256_of
from orb_learning.record import STORED_COLUMNS
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    compact,
    connect,
    count_feedback,
    is_compaction_worth_it,
    transaction,
    utc_now,
)


@dataclass(frozen=True)
class RetentionResult:
    """What went."""

    archived_count: int
    """Versions of executions that are in files now."""
    deleted_count: int
    """Versions that left the database; the same ones."""
    days_cleaned: int
    """UTC days that they were of."""
    feedback_count: int = 0
    """People's feedback on them, and on no execution, that is in files now."""
    reclaimed_bytes: int = 0
    """By how much the database's file is shorter."""

    @property
    def what_went(self) -> str:
        """The versions and the feedback, in words."""
        feedback = f" and {self.feedback_count:,} of people's feedback"
        versions = f"{self.archived_count:,} versions of {self.days_cleaned:,} days"
        return versions + (feedback if self.feedback_count else "")

    @property
    def what_was_reclaimed(self) -> str:
        """The space, in words; nothing where there was none."""
        shorter = f"; the database's file is {self.reclaimed_bytes / 1e6:,.1f} MB shorter"
        return shorter if self.reclaimed_bytes else ""


@dataclass(frozen=True)
class Unarchived:
    """What came back."""

    version_count: int
    """Versions of executions."""
    feedback_count: int
    """People's feedback."""


@dataclass(frozen=True)
class Archive:
    """One of the two kinds of files in the archive."""

    pattern: str
    """Its files' names."""
    files: str
    """The table that has a row for each of them."""
    count: str
    """The column there that says how many rows a file has."""
    table: str
    """Where the rows come from."""
    columns: tuple[str, ...]
    is_forgotten: str
    """SQL for which rows must not come back, nor stay in a file."""


_LOADED = ("_load_seq", "_loaded_at")
EXECUTIONS = Archive(
    pattern="executions_archive_*.parquet",
    files="raw.archived_files",
    count="version_count",
    table="raw.executions",
    columns=(*STORED_COLUMNS, *_LOADED),
    is_forgotten="task_id in (select task_id from raw.forgotten)",
)
FEEDBACK = Archive(
    pattern="feedback_archive_*.parquet",
    files="raw.archived_feedback_files",
    count="feedback_count",
    table="raw.feedback",
    columns=(*FEEDBACK_FIELDS, *_LOADED),
    is_forgotten="(task_id in (select task_id from raw.forgotten) "
    "or feedback_id in (select feedback_id from raw.deleted_feedback))",
)


class ArchivedFile(NamedTuple):
    """A file of archived versions, or of feedback, as the database knows it."""

    file_name: str
    archived_day: date
    row_count: int
    file_sha256: str
    unarchived_at: datetime | None
    """When its versions came back into the database; None while they are only in the file."""


def archive_and_retain(
    settings: LearningSettings,
    *,
    days_to_keep: int | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
    pass_fds: Collection[int] = (),
) -> RetentionResult:
    """Archive and delete whole UTC days that are older than the limit; runs the dbt macro.

    Args:
        settings: name the database, the archive and the dbt project.
        days_to_keep: 7 to 365; ``retention_days`` if None.
        dry_run: whether only to count what would go.
        now: the present time, naive UTC; the clock's if None.
        pass_fds: descriptors that dbt keeps open for as long as it lives.

    Raises:
        DbtError: it failed, and the message says why; days that were done before stay done.
        BackupError: all is done, but not every file was copied to the other place.
        DatabaseError: all is done, but the file was not made smaller.
    """
    arguments = {
        "days_to_keep": settings.retention_days if days_to_keep is None else days_to_keep,
        "archive_path": str(settings.archive_folder.resolve()),
        "dry_run": dry_run,
    }
    said = run_dbt(
        settings,
        *("run-operation", "archive_and_retain", "--args", json.dumps(arguments)),
        now=now,
        pass_fds=pass_fds,
    )
    result = RetentionResult(**json.loads(said.strip().splitlines()[-1]))
    if not dry_run:
        copy_archive(settings)
    # Whatever this run deleted: where others keep the file for too long, the next one does it.
    with suppress(DatabaseLockedError):
        if not dry_run and is_compaction_worth_it(settings.database_path):
            before, after = compact(settings.database_path)
            result = replace(result, reclaimed_bytes=before - after)
    return result


def copy_archive(settings: LearningSettings) -> None:
    """Copy each archived file to where backups are copied to, where that is set.

    A file that was written again, without what was forgotten, takes its copy's place.

    Raises:
        BackupError: some were not copied; those are copied the next time.
    """
    if settings.backup_copy_to is None:
        return
    with connect(settings.database_path, read_only=True) as connection:
        [(database_id,)] = connection.execute("select database_id from raw.database_id").fetchall()
        files = archived_files(connection) + archived_files(connection, FEEDBACK)
    sums = {file.file_name: file.file_sha256 for file in files}
    copy_archived_files(settings.backup_copy_to, database_id, settings.archive_folder, sums)


def unarchive(
    settings: LearningSettings, first: date, last: date, *, now: datetime | None = None
) -> Unarchived:
    """Bring archived days back into raw, as they were, and hold them.

    Days that were unarchived before and are still there are held, too.

    Args:
        settings: name the database and the archive.
        first: the first day.
        last: the last day.
        now: naive UTC; the present time if None.

    Returns:
        what came back; fct_executions has it after the next build.

    Raises:
        ArchiveError: a file is missing or is not what was archived; nothing came back.
        DatabaseError: the database cannot be written.
    """
    now = now or utc_now()
    counts = {EXECUTIONS: 0, FEEDBACK: 0}
    with connect(settings.database_path) as connection:
        known = [
            (archive, file)
            for archive in counts
            for file in archived_files(connection, archive)
            if first <= file.archived_day <= last
        ]
        wanted = [(archive, file) for archive, file in known if file.unarchived_at is None]
        for _, file in wanted:
            check_archived_file(settings.archive_folder, file)
        with transaction(connection):
            for archive, file in wanted:
                path = settings.archive_folder / file.file_name
                count = _bring_back(connection, archive, path)
                counts[archive] += count
                # Forgotten meanwhile; feedback may have been loaded again, too.
                count_removed(connection, archive, file.row_count - count)
                connection.execute(
                    f"update {archive.files} set unarchived_at = ? where file_name = ?",  # noqa: S608
                    [now, file.file_name],
                )
            connection.executemany(
                "insert or ignore into raw.held_days values (?, ?)",
                [(file.archived_day, now) for _, file in known],
            ) if known else None
    return Unarchived(counts[EXECUTIONS], counts[FEEDBACK])


def release_holds(settings: LearningSettings) -> list[date]:
    """Let retention take the days again that were unarchived; returns them."""
    with connect(settings.database_path) as connection:
        rows = connection.execute("delete from raw.held_days returning held_day").fetchall()
    return sorted(day for (day,) in rows)


def archived_files(
    connection: duckdb.DuckDBPyConnection, archive: Archive = EXECUTIONS
) -> list[ArchivedFile]:
    """Return the files that the database knows, the oldest day first."""
    rows = connection.execute(
        f"select file_name, archived_day, {archive.count}, file_sha256, unarchived_at "  # noqa: S608
        f"from {archive.files} order by archived_day, file_name"
    ).fetchall()
    return [ArchivedFile._make(row) for row in rows]


def check_archived_file(folder: Path, file: ArchivedFile) -> None:
    """Hold a file against what was archived, bit by bit.

    Raises:
        ArchiveError: it is missing, or not what it was.
    """
    path = folder / file.file_name
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise ArchiveError(
            f"{path}, {file.row_count:,} rows of {file.archived_day}, cannot be read: "
            f"{error.strerror}; bring it back from a copy of the archive"
        ) from error
    if sha256 != file.file_sha256:
        raise ArchiveError(
            f"{path} is not what was archived: its SHA-256 is {sha256} and was "
            f"{file.file_sha256}; bring it back from a copy of the archive"
        )


def check_archive(settings: LearningSettings) -> Iterator[str]:
    """Yield what is wrong with the files of the archive; nothing when all are as they were."""
    folder = settings.archive_folder
    with connect(settings.database_path, read_only=True) as connection:
        files = archived_files(connection) + archived_files(connection, FEEDBACK)
    for file in files:
        try:
            check_archived_file(folder, file)
        except ArchiveError as error:
            yield str(error)
    known = {file.file_name for file in files}
    for archive in (EXECUTIONS, FEEDBACK):
        for path in sorted(folder.glob(archive.pattern)):
            if path.name not in known:
                yield (
                    f"{path} is not known to the database, as after a retention that was killed, "
                    f"or a restore of an older backup; `orb retention` takes it where its rows are "
                    f"in the database, docs/operations.md says how they come back where not"
                )


def count_removed(connection: duckdb.DuckDBPyConnection, archive: Archive, count: int) -> None:
    """Count rows that were archived and are neither in a file nor live from now on."""
    if archive is FEEDBACK:
        count_feedback(connection, gone=count)
        return
    # To one of the tasks: what is held against all that ever came is the sum.
    connection.execute(
        "update raw.forgotten set version_count = version_count + ? "
        "where task_id = (select min(task_id) from raw.forgotten)",
        [count],
    )


def _bring_back(connection: duckdb.DuckDBPyConnection, archive: Archive, path: Path) -> int:
    columns = ", ".join(f'"{name}"' for name in archive.columns)
    known = "true"
    if archive is FEEDBACK:  # one that was loaded again meanwhile is there
        known = "feedback_id not in (select feedback_id from raw.feedback)"
    [(count,)] = connection.execute(
        f"""
        insert into {archive.table} by name
        select {columns} from read_parquet(?)
        where not {archive.is_forgotten} and {known}
        order by _load_seq
        """,  # noqa: S608
        [str(path)],
    ).fetchall()
    return int(count)
