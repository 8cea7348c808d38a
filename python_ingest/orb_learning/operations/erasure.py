"""Deleting on request what must not be kept, everywhere; its ids stay, so nothing brings it back.

The order to forget goes through the outbox like every record: a database that is restored from an
older backup loads it again. The loader applies it to the database (forgotten.py); the archive and
the outbox itself are cleaned here.
"""

from __future__ import annotations

import glob
import json
import re
import shutil
import sqlite3
import uuid
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.archive import (
    EXECUTIONS,
    FEEDBACK,
    Archive,
    archived_files,
    copy_archive,
    count_removed,
)
from orb_learning.backup import (
    Backup,
    backups_in,
    copies_of,
    make_backup,
    remove_backups,
    remove_copies,
)
from orb_learning.dbt import run_dbt
from orb_learning.errors import ArchiveError, InvalidBackupError, OrbError, OutboxError
from orb_learning.filesystem import sha256_of, sync
from orb_learning.operations.load import load_outbox
from orb_learning.outbox import DamagedFileError, Outbox, StillInUseError, files_of, open_reader
from orb_learning.search import index_folder
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    RESIDUES,
    UUID_PATTERN,
    compact,
    connect,
    connect_still,
    existing_tables,
    literal,
    mentions_any_sql,
    transaction,
    utc_now,
)

TASKS_A_RECORD = 10_000
_HALF_OF_REPO = "json_valid(payload) and payload->>'$.repo' = $repo"


@dataclass
class Erasure:
    """What was deleted, and where it may still be."""

    task_count: int = 0
    version_count: int = 0
    """Versions in the database."""
    archived_count: int = 0
    """Versions in the archive."""
    outbox_count: int = 0
    """Records in the outbox."""
    still_in: list[Path | str] = field(default_factory=list)
    """Backups and files beside the database that hold some of it, and were left alone."""
    out_of_reach: list[Path] = field(default_factory=list)
    """Archived files that are not in the archive's folder, and backups of which it is not known
    whose they are: they may hold some of it."""


def erase(
    settings: LearningSettings,
    *,
    task_ids: Collection[uuid.UUID] = (),
    repo: str | None = None,
    in_backups: bool = False,
    now: datetime | None = None,
) -> Erasure:
    """Delete tasks from the database, the archive, the outbox, and what was refused.

    Run again after it was interrupted, it goes on.

    Args:
        settings: name the database, the outbox, the archive and the dbt project.
        task_ids: the tasks.
        repo: all tasks of a repository, besides; whatever names it and has no task, too.
        in_backups: whether to delete the backups and other copies that hold them, once there is a
            new verified backup that does not.
        now: naive UTC; the present time if None.

    Raises:
        OrbError: one of its subclasses says what could not be done; what was done stays done.
    """
    now = now or utc_now()
    path, outbox = settings.database_path, settings.outbox_folder
    load_outbox(settings, now=now)
    wanted = set(task_ids)
    if repo is not None:
        wanted |= _tasks_of(settings, repo)
    with connect(path, read_only=True) as connection:
        before = _forgotten_count(connection, wanted)
    _order(outbox, wanted)
    load_outbox(settings, now=now)
    with connect(path) as connection:
        result = Erasure(len(wanted), _forgotten_count(connection, wanted) - before)
        if repo is not None:
            _delete_rests_of(connection, repo)
        result.archived_count = clean_archive(connection, settings.archive_folder)
        result.out_of_reach += _missing_files(connection, settings.archive_folder)
        is_built = bool(existing_tables(connection, ["main.fct_executions"]))
        if existing_tables(connection, ["main.text_embeddings"]):
            connection.execute(
                "delete from text_embeddings where text_id not in (select text_id from int_texts)"
            )
    if is_built:
        # Texts that wait for their vectors can go on waiting.
        run_dbt(settings, "run", "--exclude", "text_embeddings")
    shutil.rmtree(index_folder(path), ignore_errors=True)  # `orb index` makes it again
    compact(path)
    result.outbox_count = _clean_outbox(outbox, wanted, repo)
    copy_archive(settings)  # over the copies that still hold them
    own, unknown = _backups_of(settings)
    copies = _copies_that_hold(settings, own, wanted, repo)
    elsewhere = _copies_elsewhere(settings, [backup for backup in own if backup not in copies])
    if in_backups and (copies or elsewhere):
        make_backup(path, outbox, settings.backup_folder, copy_to=settings.backup_copy_to, now=now)
        remove_backups(
            settings.backup_folder, [copy for copy in copies if isinstance(copy, Backup)]
        )
        for copy in copies:
            if isinstance(copy, Path):
                copy.unlink()
        if settings.backup_copy_to:
            remove_copies(settings.backup_copy_to, elsewhere)
        copies, elsewhere = [], []
    result.still_in += [copy if isinstance(copy, Path) else copy.folder for copy in copies]
    result.still_in += [f"{settings.backup_copy_to}/{name}" for name in elsewhere]
    result.out_of_reach += [backup.folder for backup in unknown]
    return result


def _backups_of(
    settings: LearningSettings,
) -> tuple[list[Backup], list[Backup]]:
    """Return the database's backups, and those of which it is not known whose they are."""
    own, unknown = [], []
    database_id = _database_id(settings)
    for backup in backups_in(settings.backup_folder):
        try:
            if backup.manifest.database_id == database_id:
                own.append(backup)
        except InvalidBackupError:
            unknown.append(backup)
    return own, unknown


def _database_id(settings: LearningSettings) -> uuid.UUID:
    with connect(settings.database_path, read_only=True) as connection:
        rows = connection.execute("select database_id from raw.database_id").fetchall()
    [(database_id,)] = rows
    return uuid.UUID(str(database_id))


def _copies_elsewhere(settings: LearningSettings, clean: Collection[Backup]) -> list[str]:
    """Return the names of the copies in the other place that hold some task.

    A copy of a backup that is not here any more is taken to hold some.
    """
    if settings.backup_copy_to is None:
        return []
    names = copies_of(settings.backup_copy_to, _database_id(settings))
    return [name for name in names if name not in {backup.folder.name for backup in clean}]


def _copies_that_hold(
    settings: LearningSettings,
    own: Collection[Backup],
    task_ids: Collection[uuid.UUID],
    repo: str | None,
) -> list[Backup | Path]:
    """Return the backups, databases kept by a restore, and damaged files that hold some of it.

    What cannot be read is taken to hold some.
    """
    path = settings.database_path
    copies: list[Backup | Path] = [
        backup
        for backup in own
        if _holds(backup.folder / backup.manifest.database_file, task_ids, repo)
        or any(_outbox_holds(file, task_ids, repo) for file in backup.folder.rglob("*.sqlite"))
    ]
    kept = f"{glob.escape(path.stem)}.before-restore-*{glob.escape(path.suffix)}"
    for file in sorted(path.parent.glob(kept)):
        if _holds(file, task_ids, repo):
            copies.append(file)
    for file in sorted(settings.outbox_folder.glob("*.damaged*")):
        if _outbox_holds(file, task_ids, repo):
            copies.append(file)
    return copies


def _holds(file: Path, task_ids: Collection[uuid.UUID], repo: str | None) -> bool:
    try:
        with connect_still(file) as connection:
            rests = " union all ".join(
                f"select {content} as content from {table}"  # noqa: S608
                for table, content in RESIDUES.items()
            )
            # A backup of an older version has no feedback.
            for table in existing_tables(connection, ["raw.feedback"]):
                rests += f" union all select task_id::varchar from {table}"  # noqa: S608
            holds = mentions_any_sql("content", "$ids")
            [(found,)] = connection.execute(
                "select exists (from raw.executions "
                "where list_contains($ids::uuid[], task_id) or repo = $repo) "
                f"or exists (from ({rests}) where {holds} or regexp_matches(content, $named)) "
                f"or exists (from raw.pending_halves where {_HALF_OF_REPO})",
                {"ids": list(map(str, task_ids)), "repo": repo, "named": _named(repo)},
            ).fetchall()
    except (OrbError, duckdb.Error):
        return True
    return bool(found)


def _outbox_holds(file: Path, task_ids: Collection[uuid.UUID], repo: str | None) -> bool:
    if mentions_any(file.read_bytes(), task_ids):
        return True
    if repo is None:
        return False
    copy = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(copy, uri=True)) as connection:
            payloads = connection.execute("select payload from records").fetchall()
    except sqlite3.Error:
        return True
    return any(repo in _repos(payload) for (payload,) in payloads)


def _missing_files(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Return the files that the database counts on and that are not in the archive's folder."""
    return [
        folder / file.file_name
        for archive in (EXECUTIONS, FEEDBACK)
        for file in archived_files(connection, archive)
        if file.unarchived_at is None and file.row_count and not (folder / file.file_name).exists()
    ]


def clean_archive(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write the archive's files again that hold forgotten tasks, without them.

    Args:
        connection: a writable connection.
        folder: the archive.

    Returns:
        how many versions went.

    Raises:
        ArchiveError: a file cannot be read or written, or the new one does not compare; it is as it
            was.
    """
    try:
        for partial in folder.glob(".*_archive_*.partial"):
            partial.unlink()
        gone = {
            archive: sum(
                _clean_file(connection, archive, file)
                for file in sorted(folder.glob(archive.pattern))
            )
            for archive in (EXECUTIONS, FEEDBACK)
        }
    except (OSError, duckdb.IOException) as error:
        raise ArchiveError(
            f"{folder} cannot be written, so what its files hold is not all forgotten: {error}; "
            f"let this user write there, and run it again"
        ) from error
    return gone[EXECUTIONS]


def _clean_file(connection: duckdb.DuckDBPyConnection, archive: Archive, file: Path) -> int:
    known = connection.execute(
        f"select {archive.count}, file_sha256, unarchived_at from {archive.files} "  # noqa: S608
        "where file_name = ?",
        [file.name],
    ).fetchone()
    try:
        [(total, gone)] = connection.execute(
            f"select count(*), count(*) filter ({archive.is_forgotten}) "  # noqa: S608
            "from read_parquet(?)",
            [str(file)],
        ).fetchall()
    except duckdb.Error as error:
        raise ArchiveError(
            f"{file} cannot be read, so what it holds is not forgotten; bring it back from a copy "
            f"of the archive, or delete it: {str(error).splitlines()[0]}"
        ) from error
    if not gone:
        if known and total != known[0] and known[1] in _former(connection, file):
            # The record is older than the file, as in a database that was restored.
            _note(connection, archive, file, file, total, known)
        return 0
    partial = file.with_name(f".{file.stem}.partial")
    _write_rest(connection, archive, file, partial)
    # Noted first: killed in between, the file still holds the tasks and is written once more.
    _note(connection, archive, file, partial, total - gone, known)
    partial.replace(file)
    sync(file.parent)
    return int(gone)


def _former(connection: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    rows = connection.execute(
        "select decode(value) from parquet_kv_metadata(?) where decode(key) = 'rewritten_from'",
        [str(file)],
    ).fetchall()
    return rows[0][0].split(",") if rows else []


def _write_rest(
    connection: duckdb.DuckDBPyConnection, archive: Archive, file: Path, partial: Path
) -> None:
    former = ",".join([*_former(connection, file), sha256_of(file)])
    rest = f"from read_parquet($file) where not {archive.is_forgotten}"
    connection.execute(
        f"copy (select * {rest} order by _load_seq) to {literal(partial)} "
        f"(format parquet, compression zstd, kv_metadata {{rewritten_from: {literal(former)}}})",
        {"file": str(file)},
    )
    [(strange,)] = connection.execute(
        "select count(*) filter (hash(old) is distinct from hash(new)) "  # noqa: S608
        f"from (select * {rest}) as old full join (from read_parquet($partial)) as new "
        "on old._load_seq = new._load_seq",
        {"file": str(file), "partial": str(partial)},
    ).fetchall()
    if strange:
        raise ArchiveError(
            f"{partial}, read back, differs in {strange} rows from what should stay of {file}, "
            f"which is as it was; check the disk and run it again"
        )
    sync(partial)


def _note(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    file: Path,
    content: Path,
    row_count: int,
    known: tuple[int, str, datetime | None] | None,
) -> None:
    """Record what a file holds from now on, and count what went as forgotten."""
    if known is None:
        return
    with transaction(connection):
        connection.execute(
            f"update {archive.files} set {archive.count} = ?, size_bytes = ?, file_sha256 = ? "  # noqa: S608
            "where file_name = ?",
            [row_count, content.stat().st_size, sha256_of(content), file.name],
        )
        if known[2] is None:  # else they were live, or left out, and counted there
            count_removed(connection, archive, known[0] - row_count)


def _order(outbox_folder: Path, task_ids: Collection[uuid.UUID]) -> None:
    outbox = Outbox(outbox_folder, synchronous="FULL", busy_timeout_ms=5_000, size_limit_bytes=None)
    try:
        ids = sorted(map(str, task_ids))
        for start in range(0, len(ids), TASKS_A_RECORD):
            order = json.dumps({"task_ids": ids[start : start + TASKS_A_RECORD]})
            if not outbox.put("forget", order):
                raise OutboxError(
                    f"the order to forget could not be written to {outbox_folder}: "
                    f"{', '.join(outbox.refused())}; nothing was deleted"
                )
    finally:
        outbox.close()


def _tasks_of(settings: LearningSettings, repo: str) -> set[uuid.UUID]:
    """Return a repository's tasks in the database and in the archive."""
    with connect(settings.database_path, read_only=True) as connection:
        rows = connection.execute(
            "select task_id from raw.executions where repo = $repo union "  # noqa: S608
            f"select task_id from raw.pending_halves where {_HALF_OF_REPO}",
            {"repo": repo},
        ).fetchall()
        for file in settings.archive_folder.glob(EXECUTIONS.pattern):
            rows += connection.execute(
                "select task_id from read_parquet(?) where repo = ?", [str(file), repo]
            ).fetchall()
    return {task_id for (task_id,) in rows}


def _delete_rests_of(connection: duckdb.DuckDBPyConnection, repo: str) -> None:
    """Delete what names a repository and may have no task: dead letters and unreadable rows."""
    for table, content in (("raw.dead_letters", "payload"), ("raw.unreadable_rows", "content")):
        connection.execute(
            f"delete from {table} where regexp_matches({content}, ?)",  # noqa: S608
            [_named(repo)],
        )


def _named(repo: str | None) -> str | None:
    """Return the pattern of a text that names a repository.

    It may be a line that could not be read: its fields are not known, only what parts them.
    """
    return None if repo is None else f'(^|[",;:\\s]){re.escape(repo)}([",;\\s]|$)'


def _clean_outbox(folder: Path, task_ids: Collection[uuid.UUID], repo: str | None) -> int:
    count = 0
    for path in files_of(folder):
        with (
            suppress(StillInUseError, FileNotFoundError, DamagedFileError),
            open_reader(path) as reader,
        ):
            records = reader.read(0, -1)
            numbers = [
                record.number
                for record in records
                if record.kind != "forget"
                and (
                    mentions_any(record.payload.encode(), task_ids)
                    or (repo is not None and repo in _repos(record.payload))
                )
            ]
            reader.erase(numbers)
            count += len(numbers)
    return count


def mentions_any(content: bytes, ids: Collection[uuid.UUID]) -> bool:
    """Whether bytes have one of some ids in them."""
    found = re.findall(UUID_PATTERN.encode(), content)
    return any(uuid.UUID(text.decode()) in ids for text in found)


def _repos(payload: str) -> set[str]:
    """Return what stands as a repository in a record, or in the record inside a dead letter."""
    try:
        value = json.loads(payload)
    except ValueError:
        return set()
    return set(_values_of("repo", value))


def _values_of(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get(key), str):
            yield value[key]
        if isinstance(value.get("payload"), str):
            yield from _repos(value["payload"])
        for inner in value.values():
            yield from _values_of(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values_of(key, inner)


def _forgotten_count(connection: duckdb.DuckDBPyConnection, task_ids: Collection[uuid.UUID]) -> int:
    """Return how many versions of some tasks have been forgotten."""
    [(count,)] = connection.execute(
        "select coalesce(sum(version_count), 0) from raw.forgotten "
        "where task_id in (select unnest($ids::uuid[]))",
        {"ids": list(map(str, task_ids))},
    ).fetchall()
    return int(count)
