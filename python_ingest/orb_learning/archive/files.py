"""The files of the archive, as the database knows them, and whether they still are that."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.backup import copy_archived_files
from orb_learning.errors import ArchiveError
from orb_learning.feedback import FEEDBACK_FIELDS
from orb_learning.filesystem import open_regular
from orb_learning.formats import count
from orb_learning.record import STORED_COLUMNS
from orb_learning.settings import LearningSettings
from orb_learning.store import connect, count_feedback, unglobbed


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
    needed: tuple[tuple[str, str], ...]
    """Columns by which it is told what a file holds, with their types."""
    is_tombstoned: str
    """SQL for which rows must not come back, nor stay in a file."""


_LOADED = ("_load_seq", "_loaded_at")
EXECUTIONS = Archive(
    pattern="executions_archive_*.parquet",
    files="raw.archived_files",
    count="version_count",
    table="raw.executions",
    columns=(*STORED_COLUMNS, *_LOADED),
    needed=(
        ("task_id", "UUID"),
        ("repo", "VARCHAR"),
        ("task_description", "VARCHAR"),
        ("error_message", "VARCHAR"),
        ("solution_summary", "VARCHAR"),
    ),
    is_tombstoned="task_id in (select task_id from raw.forgotten)",
)
FEEDBACK = Archive(
    pattern="feedback_archive_*.parquet",
    files="raw.archived_feedback_files",
    count="feedback_count",
    table="raw.feedback",
    columns=(*FEEDBACK_FIELDS, *_LOADED),
    needed=(("task_id", "UUID"), ("feedback_id", "UUID")),
    is_tombstoned="(task_id in (select task_id from raw.forgotten) "
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


class ArchiveIndex(NamedTuple):
    """Every archived file that a database knows."""

    database_id: uuid.UUID
    files: list[ArchivedFile]

    def missing_in(self, folder: Path) -> list[Path]:
        """Return the files that hold rows of no other place, and are not in a folder."""
        return [
            folder / file.file_name
            for file in self.files
            if file.unarchived_at is None
            and file.row_count
            and not (folder / file.file_name).exists()
        ]


def archived_files(
    connection: duckdb.DuckDBPyConnection, archive: Archive = EXECUTIONS
) -> list[ArchivedFile]:
    """Return the files that the database knows, the oldest day first."""
    rows = connection.execute(
        f"select file_name, archived_day, {archive.count}, file_sha256, unarchived_at "  # noqa: S608
        f"from {archive.files} order by archived_day, file_name"
    ).fetchall()
    files = [ArchivedFile._make(row) for row in rows]
    for file in files:
        if Path(file.file_name).name != file.file_name:  # the table may be a stranger's
            raise ArchiveError(f"{file.file_name!r} in {archive.files} is no name of a file")
    return files


def unreadable(file: Path, error: duckdb.Error) -> ArchiveError:
    """Return the error that says of a file that what it holds is not erased."""
    return ArchiveError(
        f"{file} cannot be read, so what it holds is not erased; bring it back from a copy "
        f"of the archive, or delete it: {str(error).splitlines()[0]}"
    )


def readable_files(
    connection: duckdb.DuckDBPyConnection, folder: Path, archive: Archive = EXECUTIONS
) -> list[Path]:
    """Return the files in the archive's folder, once each is known to be one.

    Raises:
        ArchiveError: one is none, so it is not known what it holds.
    """
    files = sorted(folder.glob(archive.pattern))
    for file in files:
        if file.is_symlink() or not file.is_file():  # a pipe would be waited for
            raise ArchiveError(f"{file} is not a regular file; move it away and run it again")
        try:
            described = connection.execute(
                "select column_name, column_type from (describe from read_parquet(?))",
                [unglobbed(file)],
            ).fetchall()
        except duckdb.Error as error:
            raise unreadable(file, error) from error
        if missing := [name for name in archive.needed if name not in described]:
            raise ArchiveError(
                f"{file} is no file of the archive: it has no {' '.join(missing[0])}; move it away "
                f"and run it again"
            )
    return files


@contextmanager
def before_erasing(folder: Path) -> Iterator[None]:
    """Read the archive before anything is deleted.

    Raises:
        ArchiveError: what is in a file of it cannot be read.
    """
    try:
        yield
    except duckdb.Error as error:
        raise ArchiveError(
            f"a file in {folder} cannot be read, so nothing was deleted; `orb check-archive` names "
            f"it: {(str(error).splitlines() or ['no reason'])[0]}"
        ) from error


def read_index(connection: duckdb.DuckDBPyConnection) -> ArchiveIndex:
    """Return every archived file that the database knows: executions, then feedback."""
    [(database_id,)] = connection.execute("select database_id from raw.database_id").fetchall()
    files = archived_files(connection, EXECUTIONS) + archived_files(connection, FEEDBACK)
    return ArchiveIndex(database_id, files)


def check_archived_file(folder: Path, file: ArchivedFile) -> None:
    """Verify a file's SHA-256.

    Raises:
        ArchiveError: it is missing, or not what was archived.
    """
    with verified_file(folder, file):
        pass


@contextmanager
def verified_file(folder: Path, file: ArchivedFile) -> Iterator[Path]:
    """Verify a file's SHA-256, and give a path that stays this file, whatever takes its name.

    Raises:
        ArchiveError: it is missing, or not what was archived.
    """
    path = folder / file.file_name
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(open_regular(path))
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise _not_readable(path, file, error) from error
        if sha256 != file.file_sha256:
            raise ArchiveError(
                f"{path} is not what was archived: its SHA-256 is {sha256} and was "
                f"{file.file_sha256}; bring it back from a copy of the archive"
            )
        yield Path(f"/proc/self/fd/{opened.fileno()}")


def _not_readable(path: Path, file: ArchivedFile, error: OSError) -> ArchiveError:
    return ArchiveError(
        f"{path}, {count(file.row_count, 'row')} of {file.archived_day}, cannot be read: "
        f"{error.strerror or error}; bring it back from a copy of the archive"
    )


def check_archive(settings: LearningSettings) -> Iterator[str]:
    """Yield what is wrong with the files of the archive; nothing when all are as they were."""
    folder = settings.archive_folder
    with connect(settings.database_path, read_only=True) as connection:
        files = read_index(connection).files
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


def copy_archive(settings: LearningSettings, index: ArchiveIndex | None = None) -> None:
    """Copy each archived file to where backups are copied to, where that is set.

    A file that was rewritten without what was erased takes its copy's place.

    Args:
        settings: name the database, the archive and the other place.
        index: the archived files; read from the database if None.

    Raises:
        BackupError: some were not copied; those are copied the next time.
    """
    if settings.backup_copy_to is None:
        return
    if index is None:
        with connect(settings.database_path, read_only=True) as connection:
            index = read_index(connection)
    checksums = {file.file_name: file.file_sha256 for file in index.files}
    copy_archived_files(
        settings.backup_copy_to, index.database_id, settings.archive_folder, checksums
    )


def count_removed(connection: duckdb.DuckDBPyConnection, archive: Archive, count: int) -> None:
    """Count rows that were archived and are neither in a file nor live from now on."""
    if archive is FEEDBACK:
        count_feedback(connection, removed=count)
        return
    # To one of the tasks: what is compared with all that was received is the sum.
    connection.execute(
        "update raw.forgotten set version_count = version_count + ? "
        "where task_id = (select min(task_id) from raw.forgotten)",
        [count],
    )
