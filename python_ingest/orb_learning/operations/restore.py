"""Putting a backup in the database's place, and loading again what came after it.

A kill at any moment leaves the present database or the restored one, each whole: the new file is
made and checked under another name, the present one gets a second name, and one rename exchanges
them. What came after the backup is still in the outbox, whose position in the restored database is
the older one, so that loading brings it back, each record exactly once.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.backup import (
    OUTBOX,
    TIME,
    BackupManifest,
    check_backup,
    folder_of,
    read_manifest,
    verified_offsets,
    whole_backups,
)
from orb_learning.errors import (
    DatabaseError,
    DatabaseLockedError,
    DiskFullError,
    OrbError,
    RestoreError,
)
from orb_learning.feedback import delete_feedback
from orb_learning.filesystem import acquire, sha256_of, sync, translated_disk_errors
from orb_learning.ingest import (
    LONE_HALF_LIMIT,
    LoadResult,
    exclusive_relay,
    load_once,
    stored_offsets,
)
from orb_learning.operations.erasure import clean_archive
from orb_learning.outbox import (
    DamagedFileError,
    Limits,
    StillInUseError,
    files_of,
    open_reader,
    pruned_segments,
)
from orb_learning.store import (
    CONFIG,
    check_path,
    connect,
    connect_still,
    delete_tasks,
    existing_tables,
    open_in_turn,
    transaction,
    translated_errors,
    utc_now,
)


@dataclass(frozen=True)
class Missing:
    """Records that came after the backup and are in no file of the outbox any more."""

    count: int
    first_put_at: datetime | None
    """Between this time and the next one they were recorded; None where that is not known."""
    last_put_at: datetime | None


@dataclass
class Restored:
    """What restoring did."""

    backup: Path
    made_at: datetime
    """When the backup was made, naive UTC."""
    kept_beside: Path | None = None
    """The database that was there before."""
    outbox_files: list[str] = field(default_factory=list)
    """Files of the outbox that were only in the backup, and are back."""
    loaded: LoadResult | None = None
    """What came after the backup; None where it could not be loaded, see ``problems``."""
    missing: Missing | None = None
    to_import_again: list[str] = field(default_factory=list)
    """Files that were imported after the backup."""
    notes: list[str] = field(default_factory=list)
    """What could not be known of the database that was replaced."""
    problems: list[str] = field(default_factory=list)
    """What could not be done or known once the database was in its place."""


class _Gone(NamedTuple):
    """What must not come back, and since when."""

    tasks: dict[uuid.UUID, datetime]
    feedback: dict[uuid.UUID, datetime]


@dataclass(frozen=True)
class _Present:
    """What restoring needs of the database that it replaces."""

    database_id: uuid.UUID
    gone: _Gone
    positions: dict[uuid.UUID, int]
    files: Counter[tuple[str, str]]
    """How often each imported file was loaded, by its SHA-256 and name."""
    last_load_seq: int


def restore_backup(
    file: Path,
    database_path: Path,
    outbox_folder: Path,
    *,
    backup_folder: Path,
    archive_folder: Path,
    limits: Limits,
    lone_half_limit: timedelta = LONE_HALF_LIMIT,
    validate: bool = True,
    other_database: bool = False,
    wait_seconds: float = 60.0,
    now: datetime | None = None,
) -> Restored:
    """Put a backup in the database's place, and load what came after it from the outbox.

    Args:
        file: the backup: its folder, or the database or the manifest in it.
        database_path: the database; the present one is kept beside it.
        outbox_folder: the outbox.
        backup_folder: the folder of backups, whose newest one knows what was forgotten.
        archive_folder: the archive, which may hold less than the backup notes of it.
        limits: up to which loaded records stay in the outbox.
        lone_half_limit: how long a half waits for its other.
        validate: whether to validate the backup first.
        other_database: whether it may be a backup of another database than the present one.
        wait_seconds: how long to wait for who has the database or the outbox.
        now: naive UTC; the present time if None.

    Raises:
        InvalidBackupError: the backup is damaged; nothing was changed.
        RestoreError: it does not fit, or failed; the present database is as it was.
        LoaderBusyError: a loader has the outbox for too long.
        DatabaseError: others have the database for too long, or the disk is full; it is as it was.
    """
    now = now or utc_now()
    folder = folder_of(file)
    manifest = read_manifest(folder)
    if database_path.stem != manifest.stem:
        raise RestoreError(
            f"{folder} is a backup of {manifest.database_file}, and its views know it by that "
            f"name: set ORB_DATABASE to {database_path.with_name(manifest.database_file)}"
        )
    if validate:
        check_backup(folder)
    result = Restored(folder, manifest.created_at)
    with exclusive_relay(outbox_folder, wait_seconds):
        with _explained(database_path):
            database_path.parent.mkdir(parents=True, exist_ok=True)
            check_path(database_path, must_exist=False)
            with _alone(database_path, wait_seconds, result) as present:
                if present is not None and present.database_id != manifest.database_id:
                    if not other_database:
                        raise RestoreError(
                            f"{folder} is a backup of another database than {database_path}, as "
                            f"is one that was lost and made anew. `--other-database` restores it "
                            f"all the same, and `orb load --adopt` loads what has fed the present "
                            f"one"
                        )
                    present = None
                gone = _gone_since(present, manifest, backup_folder, result)
                with _prepared(folder, manifest, database_path, validate=validate) as new:
                    result.to_import_again = _bring_up_to_date(new, present, gone)
                    result.outbox_files = _bring_back_outbox(folder, manifest, outbox_folder)
                    result.kept_beside = _exchange(new, database_path, manifest, now)
        # It is restored: whatever fails from here on does not undo that.
        try:
            result.missing = _missing(manifest, present, outbox_folder)
        except (OSError, sqlite3.Error) as error:
            result.problems.append(
                f"what came after the backup and is lost could not be counted: {outbox_folder} "
                f"could not be read: {error}"
            )
    try:
        result.loaded = load_once(
            database_path,
            outbox_folder,
            wait_seconds=wait_seconds,
            now=now,
            lone_half_limit=lone_half_limit,
            limits=limits,
            verified_offsets=partial(verified_offsets, backup_folder),
        )
    except (OrbError, OSError, sqlite3.Error) as error:
        result.problems.append(f"the outbox was not loaded, `orb load` does it: {error}")
    _clean_archive(result, database_path, archive_folder)
    return result


@contextmanager
def _alone(path: Path, wait_seconds: float, result: Restored) -> Iterator[_Present | None]:
    """Have the database's turn, and its file closed and without a log, where it can be opened.

    Yields:
        what it holds; None where it is missing or cannot be read.
    """
    deadline = time.monotonic() + wait_seconds
    present, turn = None, None
    try:
        if path.exists():
            try:
                opening = partial(duckdb.connect, path, config=CONFIG)
                connection, turn = open_in_turn(
                    path, opening, shared=False, wait_seconds=wait_seconds
                )
                with closing(connection), translated_errors(path):
                    connection.execute("checkpoint")
                    present = _read_present(connection)
            except (DatabaseLockedError, DiskFullError):
                raise
            except (DatabaseError, duckdb.Error) as error:
                result.notes.append(
                    f"the present database could not be read, and with it what was imported or "
                    f"forgotten since: {error}"
                )
        turn = turn or acquire(path, shared=False, deadline=deadline)
        if turn is None:
            raise DatabaseLockedError(f"{path} was in use by others for {wait_seconds:g} s")
        yield present
    finally:
        if turn is not None:
            turn.end()


def _read_present(connection: duckdb.DuckDBPyConnection) -> _Present:
    tables = ["raw.database_id", "raw.forgotten", "raw.outbox_positions", "raw.loaded_files"]
    if len(existing_tables(connection, tables)) < len(tables):
        raise DatabaseError("it has no raw schema, or one of an older version")
    [(database_id,)] = connection.execute("select database_id from raw.database_id").fetchall()
    return _Present(
        database_id,
        _gone_in(connection),
        stored_offsets(connection),
        _files_in(connection),
        _last_load_seq(connection),
    )


def _gone_in(connection: duckdb.DuckDBPyConnection) -> _Gone:
    tasks = connection.execute("select task_id, forgotten_at from raw.forgotten").fetchall()
    # A database of an older version has no feedback.
    feedback = [
        row
        for table in existing_tables(connection, ["raw.deleted_feedback"])
        for row in connection.execute(f"select feedback_id, deleted_at from {table}").fetchall()  # noqa: S608
    ]
    return _Gone(dict(tasks), dict(feedback))


def _files_in(connection: duckdb.DuckDBPyConnection) -> Counter[tuple[str, str]]:
    rows = connection.execute("select file_sha256, file_name from raw.loaded_files").fetchall()
    return Counter(rows)


def _last_load_seq(connection: duckdb.DuckDBPyConnection) -> int:
    [(last,)] = connection.execute(
        "select coalesce(max(last_value), 0) from duckdb_sequences() "
        "where database_name = current_database() and sequence_name = 'load_seq'"
    ).fetchall()
    return int(last)


def _gone_since(
    present: _Present | None, manifest: BackupManifest, backup_folder: Path, result: Restored
) -> _Gone:
    """Return what must not come back, as far as the present database or a backup knows.

    An order to delete that is in neither is still in the outbox.
    """
    known = present.gone if present else _Gone({}, {})
    newest = next(whole_backups(backup_folder, manifest.database_id), None)
    if newest is not None and newest.time > manifest.created_at:
        try:
            file = newest.folder / newest.manifest.database_file
            with connect_still(file) as connection:
                there = _gone_in(connection)
                known = _Gone(there.tasks | known.tasks, there.feedback | known.feedback)
        except (DatabaseError, duckdb.Error) as error:
            result.notes.append(f"{newest.folder} could not be read: {error}")
    return known


def _by_time(
    gone: dict[uuid.UUID, datetime], here: dict[uuid.UUID, datetime]
) -> list[tuple[datetime, list[uuid.UUID]]]:
    by_time: defaultdict[datetime, list[uuid.UUID]] = defaultdict(list)
    for each in gone.keys() - here.keys():
        by_time[gone[each]].append(each)
    return sorted(by_time.items())


@contextmanager
def _prepared(
    folder: Path, manifest: BackupManifest, path: Path, *, validate: bool
) -> Iterator[Path]:
    """Yield a copy of the backed-up database, on the file system of the present one."""
    scratch = path.with_name(f".{path.name}.restoring")
    shutil.rmtree(scratch, ignore_errors=True)  # of a restore that was killed
    try:
        scratch.mkdir()
        new, source = scratch / manifest.database_file, folder / manifest.database_file
        shutil.copyfile(source, new)
        sync(new)
        noted = manifest.files[manifest.database_file].sha256 if validate else sha256_of(source)
        if sha256_of(new) != noted:
            raise RestoreError(f"{new}, read back, is not the backup; nothing was changed")
        yield new
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _bring_up_to_date(new: Path, present: _Present | None, gone: _Gone) -> list[str]:
    """Apply to a copy what must hold before it replaces the present database.

    Returns:
        the files that were imported since.
    """
    imported: list[str] = []
    with connect(new) as connection:
        here = _gone_in(connection)
        with transaction(connection):
            for moment, task_ids in _by_time(gone.tasks, here.tasks):
                delete_tasks(connection, task_ids, moment)
            for moment, feedback_ids in _by_time(gone.feedback, here.feedback):
                delete_feedback(connection, feedback_ids, moment)
        if present is not None:
            # A load number is never used twice: archived files have some that came since.
            ahead = present.last_load_seq - _last_load_seq(connection)
            if ahead > 0:
                connection.execute(
                    "select max(nextval('raw.load_seq')) from range(?)", [ahead]
                ).fetchall()
            imported = sorted({name for _, name in present.files - _files_in(connection)})
        connection.execute("checkpoint")  # which closing would do, too, but not say if it failed
    return imported


def _bring_back_outbox(folder: Path, manifest: BackupManifest, outbox_folder: Path) -> list[str]:
    """Copy the files of the outbox that are in the backup only, never over one that is there.

    Returns:
        their names.
    """
    there = set(_last_numbers(outbox_folder))
    missing = [
        name
        for name, copy in manifest.outbox.items()
        if copy.outbox_id not in there and not (outbox_folder / name).exists()
    ]
    for name in missing:
        new = outbox_folder / f".{name}.restoring"
        shutil.copyfile(folder / OUTBOX / name, new)
        sync(new)
        if sha256_of(new) != manifest.files[f"{OUTBOX}/{name}"].sha256:
            new.unlink()
            raise RestoreError(f"{new}, read back, is not the backup; nothing was changed")
        new.replace(outbox_folder / name)
    sync(outbox_folder)
    return missing


def _exchange(new: Path, path: Path, manifest: BackupManifest, now: datetime) -> Path | None:
    """Put a new file in the database's place; returns the present one's new name."""
    kept = path.with_name(f"{path.stem}.before-restore-{now.strftime(TIME)}{path.suffix}")
    log, kept_log = (Path(f"{file}.wal") for file in (path, kept))
    had_one = path.exists()
    if had_one:
        shutil.copymode(path, new)
        _link(path, kept)
    sync(new)
    try:
        if log.exists():
            # Of a database that could not be opened. Before the exchange, or a kill would leave
            # the restored one with another one's log.
            log.rename(kept_log)
        new.replace(path)
        sync(path.parent)
        _look_at(path, manifest)
    except BaseException as error:
        if had_one:
            kept.replace(path)
        else:
            path.unlink(missing_ok=True)
        if kept_log.exists():
            kept_log.rename(log)
        sync(path.parent)
        raise RestoreError(
            f"{path}: restoring failed and was undone, all is as it was before: {error}"
        ) from error
    return kept if had_one else None


def _link(path: Path, kept: Path) -> None:
    """Give a file a second name, so that there is no moment without one."""
    try:
        kept.hardlink_to(path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        shutil.copyfile(path, kept)  # a file system without links
        sync(kept)


def _look_at(path: Path, manifest: BackupManifest) -> None:
    with connect_still(path) as connection:
        found = connection.execute("select database_id from raw.database_id").fetchall()
        connection.execute("select count(*) from raw.executions").fetchall()
    if found != [(manifest.database_id,)]:
        raise RestoreError(f"the file has the id {found}, not {manifest.database_id}")


def _missing(
    manifest: BackupManifest, present: _Present | None, outbox_folder: Path
) -> Missing | None:
    """Return what came after the backup and is in the outbox no longer."""
    ledger = sorted(pruned_segments(outbox_folder), key=lambda gone: gone.last_number)
    trimmed = {gone.outbox_id: gone for gone in ledger}
    last = Counter({outbox_id: gone.last_number for outbox_id, gone in trimmed.items()})
    last |= Counter(present.positions if present else {})
    held = Counter(manifest.positions) | Counter(_last_numbers(outbox_folder))
    gone = last - held
    if not gone:
        return None
    noted = [trimmed[outbox_id] for outbox_id in gone if outbox_id in trimmed]
    return Missing(
        gone.total(),
        min((file.first_put_at for file in noted if file.first_put_at), default=None),
        max((file.last_put_at for file in noted if file.last_put_at), default=None),
    )


def _last_numbers(outbox_folder: Path) -> dict[uuid.UUID, int]:
    """Return the last number in each outbox that can be read."""
    found: dict[uuid.UUID, int] = {}
    for path in files_of(outbox_folder):
        with (
            suppress(StillInUseError, FileNotFoundError, DamagedFileError),
            open_reader(path) as reader,
        ):
            number = reader.last_number()
            found[reader.outbox_id] = max(number, found.get(reader.outbox_id, 0))
    return found


def _clean_archive(result: Restored, path: Path, archive_folder: Path) -> None:
    try:
        with connect(path) as connection:
            gone = _gone_in(connection)
            if gone.tasks or gone.feedback:
                clean_archive(connection, archive_folder)
    except (OrbError, OSError, duckdb.Error) as error:
        result.problems.append(f"the archive may hold what was forgotten: {error}")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn errors of the disk and of the outbox into this package's."""
    full = DiskFullError(
        f"{path}: the disk is full, nothing was changed; a restore needs room for the backup "
        f"beside the present database; free some space and run it again"
    )
    with translated_disk_errors(
        full, lambda error: RestoreError(f"{path} was not restored, and is as it was: {error}")
    ):
        yield
