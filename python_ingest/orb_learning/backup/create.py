"""Making backups while telemetry arrives and others read.

The files of the database and what the outbox has beyond it are copied as of one moment. Only
meanwhile writers wait. Then every table and relation of the copy is read, and only then it gets its
name. A kill leaves a folder of another name, which the next backup removes.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from orb_learning.backup.exclusive import exclusive_backups, remove_leftovers
from orb_learning.backup.manifests import (
    MANIFEST,
    OUTBOX,
    SUMS,
    TIME,
    Backup,
    BackupManifest,
    FileChecksum,
    OutboxCopy,
    backups_in,
)
from orb_learning.backup.offsite import copy_backup
from orb_learning.backup.signature import sign
from orb_learning.backup.snapshot import copy_database, copy_outbox
from orb_learning.errors import InvalidBackupError, NotADatabaseError
from orb_learning.filesystem import make_folder, sha256_of, sync, write_private
from orb_learning.locator import name_of
from orb_learning.outbox import hold_lease
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    DUMP_ENDING,
    FILE_ENDING,
    SCHEMA_VERSION,
    STORAGE_VERSION,
    LakeFiles,
    check_path,
    compact,
    connect,
    connect_without_lock,
    dump_of_lake,
    note_backup,
    open_copy,
    read_relations,
    schema_version_of,
    stored_offsets,
    table_checksums,
    utc_now,
)

TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    backup: Backup
    left_out: list[str]
    """Segments of the outbox that are not in it, with the reason."""
    copied_to: str | None
    """Where it was copied to besides."""


def make_backup(
    settings: LearningSettings, *, wait_seconds: float = 60.0, now: datetime | None = None
) -> Made:
    """Make a backup, validate it, and copy it to the other place if one is set.

    Meanwhile processes record into the outbox and others read. Who writes to the database waits
    while its file is copied, not while the copy is read.

    Args:
        settings: name the database, the outbox that feeds it, the folder of backups and the other
            place; the folder of backups is made if it does not exist.
        wait_seconds: how long to wait for another backup, a relay, and who writes the database.
        now: naive UTC; the present time if None.

    Raises:
        BackupError: it cannot be written, does not validate, or cannot be copied.
        LoaderBusyError: a relay has the outbox for too long.
        DatabaseError: the database cannot be read, or the disk is full.
    """
    folder = settings.backup_folder
    check_path(settings.database_path, must_exist=True)
    with exclusive_backups(folder, wait_seconds, "no backup was made"):
        remove_leftovers(folder)
        created_at = _new_time(folder, now or utc_now())
        name = created_at.strftime(TIME)
        partial = folder / f".{name}.partial"
        try:
            make_folder(partial / OUTBOX)
            copied = _copy_everything(partial, settings, wait_seconds)
            if copied.lake is None:
                rewrite_other_storage(copied.database_file)
            manifest = _describe(partial, settings.database_path, copied, created_at)
            _write_manifest(partial, manifest)
            sign(partial, settings.backup_key_file)
            for path in (*partial.rglob("*"), partial):
                sync(path)
            backup = Backup(partial.rename(folder / name))
            sync(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        note_backup(settings.database_path, manifest.positions)
    place = settings.backup_copy_to
    return Made(backup, copied.left_out, None if place is None else copy_backup(backup, place))


def _new_time(folder: Path, now: datetime) -> datetime:
    """Return the time of a new backup: after all others, or it would never be the newest."""
    return max([now, *(backup.time + TICK for backup in backups_in(folder)[-1:])])


@dataclass(frozen=True)
class _Copied:
    """What was copied as of one moment."""

    database_file: Path
    lake: LakeFiles | None
    positions: dict[uuid.UUID, int]
    """How far the database holds each outbox."""
    outbox: dict[str, OutboxCopy]
    left_out: list[str]


def _copy_everything(partial: Path, settings: LearningSettings, wait_seconds: float) -> _Copied:
    """Copy the database and what the outbox has beyond it."""
    path = settings.database_path
    with ExitStack() as leases:
        leases.enter_context(hold_lease(settings.outbox_folder, wait_seconds))
        if settings.span_outbox_folder.is_dir():
            leases.enter_context(hold_lease(settings.span_outbox_folder, wait_seconds))
        _migrate(path, wait_seconds)
        # A file that is open to be read does not change: all of this is as of one moment.
        with connect(path, read_only=True, wait_seconds=wait_seconds) as source:
            positions = stored_offsets(source)
            file = partial / f"{name_of(path)}{DUMP_ENDING}"
            lake = dump_of_lake(path, file)
            if lake is None:
                file = file.with_suffix(FILE_ENDING)
                copy_database(path, file)
        # Restored, both are one outbox.
        copies, left_out = copy_outbox(settings.outbox_folder, partial / OUTBOX, positions)
        of_spans, without = copy_outbox(settings.span_outbox_folder, partial / OUTBOX, positions)
    return _Copied(file, lake, positions, copies | of_spans, left_out + without)


def rewrite_other_storage(file: Path) -> None:
    """Rewrite a copy whose storage is not of DuckDB 1.4, which opens every backup."""
    with connect_without_lock(file) as copy:
        [(version,)] = copy.execute(
            "select tags['storage_version'] from duckdb_databases() where not internal"
        ).fetchall()
    if not version.startswith(STORAGE_VERSION):
        compact(file)
        for lock in file.parent.glob(f"{file.name}.*"):
            lock.unlink()


def _describe(
    partial: Path, database: Path, copied: _Copied, created_at: datetime
) -> BackupManifest:
    """Read everything in the copy: its manifest.

    Raises:
        InvalidBackupError: it cannot be read. DuckDB finds a damaged block by its checksum.
    """
    file = copied.database_file
    try:
        # To be written, so that the log of a killed writer is taken into the file.
        with open_copy(file, copied.lake, database, read_only=False) as copy:
            [(database_id,)] = copy.execute("select database_id from raw.database_id").fetchall()
            tables, relations = table_checksums(copy), read_relations(copy)
            version = schema_version_of(copy)
    except (NotADatabaseError, duckdb.Error) as error:
        raise InvalidBackupError(f"the copied database cannot be read: {error}") from error
    names = [file.name, *(f"{OUTBOX}/{name}" for name in copied.outbox)]
    return BackupManifest(
        created_at=created_at,
        database_id=database_id,
        stem=name_of(database),
        schema_version=version,
        duckdb_version=duckdb.__version__,
        positions=copied.positions,
        tables=tables,
        relations=sorted(relations),
        broken={name: error for name, error in relations.items() if error is not None},
        outbox=copied.outbox,
        files={
            name: FileChecksum(
                size_bytes=(partial / name).stat().st_size, sha256=sha256_of(partial / name)
            )
            for name in names
        },
        lake=copied.lake,
    )


def _migrate(path: Path, wait_seconds: float) -> None:
    """Bring the raw schema up to date where it is older."""
    with connect(path, read_only=True, wait_seconds=wait_seconds) as connection:
        is_old = schema_version_of(connection) < SCHEMA_VERSION
    if is_old:
        with connect(path, wait_seconds=wait_seconds):
            pass  # opening it to write migrates it


def _write_manifest(partial: Path, manifest: BackupManifest) -> None:
    """Write the manifest, and the SHA-256 of each file."""
    write_private(partial / MANIFEST, manifest.to_json())
    lines = {path: file.sha256 for path, file in manifest.files.items()}
    lines[MANIFEST] = sha256_of(partial / MANIFEST)
    sums = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(lines.items()))
    write_private(partial / SUMS, sums.encode())
