"""Making backups while telemetry arrives and others read, and removing old ones.

The database and what the outbox has beyond it are copied as of one moment; then the copy is
validated like any backup, and only then it gets its name. A kill leaves a folder of another name,
which the next backup removes.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.backup.manifests import (
    MANIFEST,
    OUTBOX,
    SUMS,
    TIME,
    Backup,
    BackupManifest,
    FileContents,
    OutboxCopy,
    backups_in,
    time_of,
)
from orb_learning.backup.offsite import copies_of, copy_backup, remove_copies
from orb_learning.backup.verify import check_backup, checksums_match, read_outbox_copy
from orb_learning.errors import BackupError, DiskFullError, InvalidBackupError, OutboxError
from orb_learning.filesystem import acquire, sha256_of, sync, translated_disk_errors
from orb_learning.ingest import exclusive_relay, stored_offsets
from orb_learning.outbox import (
    DamagedFileError,
    StillInUseError,
    drop_covered_entries,
    files_of,
    inherited,
    open_reader,
)
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    SCHEMA_VERSION,
    check_path,
    connect,
    identifier,
    literal,
    read_relations,
    schema_version_of,
    table_checksums,
    translated_errors,
    utc_now,
)

TICK = timedelta(microseconds=1)
SECONDS_TO_MAKE_A_FILE = 1.0
"""After so long, a file of the outbox that cannot be read is not one that is just made."""


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    backup: Backup
    left_out: list[str]
    """Files of the outbox that are not in it, with the reason."""
    copied_to: str | None
    """Where it was copied to besides."""


@dataclass(frozen=True)
class PrunePolicy:
    """Which backups are kept: the newest, and the newest of each of the newest periods."""

    last: int
    daily: int
    weekly: int
    monthly: int

    @classmethod
    def of(cls, settings: LearningSettings) -> PrunePolicy:
        """Return the policy that is set."""
        return cls(
            settings.backup_keep_last,
            settings.backup_keep_daily,
            settings.backup_keep_weekly,
            settings.backup_keep_monthly,
        )

    def kept(self, times: Iterable[datetime]) -> dict[datetime, list[str]]:
        """Return the times whose backups are kept, with what keeps each."""
        newest_first = sorted(set(times), reverse=True)
        kept: defaultdict[datetime, list[str]] = defaultdict(list)
        for moment in newest_first[: self.last]:
            kept[moment].append("last")
        for name, form, count in (
            ("day", "%Y-%m-%d", self.daily),
            ("week", "%G-W%V", self.weekly),
            ("month", "%Y-%m", self.monthly),
        ):
            newest = {moment.strftime(form): moment for moment in reversed(newest_first)}
            for period in sorted(newest, reverse=True)[:count]:
                kept[newest[period]].append(f"{name} {period}")
        return dict(kept)


@dataclass
class Pruned:
    """What pruning removed."""

    removed: list[Backup] = field(default_factory=list)
    kept_as_valid: list[Backup] = field(default_factory=list)
    """Kept only because all newer ones are damaged."""
    removed_copies: list[str] = field(default_factory=list)
    """Names of the copies in the other place that went."""


def make_backup(
    database_path: Path,
    outbox_folder: Path,
    backup_folder: Path,
    *,
    copy_to: str | None = None,
    wait_seconds: float = 60.0,
    now: datetime | None = None,
) -> Made:
    """Make a backup, and validate it.

    Meanwhile processes record into the outbox and others read; who writes to the database, waits.

    Args:
        database_path: the database.
        outbox_folder: the outbox that feeds it.
        backup_folder: the folder of backups; it is made if it does not exist.
        copy_to: a folder or a URL for fsspec, where the backup is copied to besides.
        wait_seconds: how long to wait for another backup, a loader, and who writes the database.
        now: naive UTC; the present time if None.

    Raises:
        BackupError: it cannot be written, does not validate, or cannot be copied.
        LoaderBusyError: a loader has the outbox for too long.
        DatabaseError: the database cannot be read, or the disk is full.
    """
    check_path(database_path, must_exist=True)
    not_made = "no backup was made"
    with only_backup(backup_folder, wait_seconds, not_made), _explained(backup_folder, not_made):
        _remove_leftovers(backup_folder)
        name = _new_time(backup_folder, now or utc_now()).strftime(TIME)
        partial = backup_folder / f".{name}.partial"
        try:
            (partial / OUTBOX).mkdir(parents=True)
            left_out = _fill(partial, database_path, outbox_folder, wait_seconds, name)
            check_backup(partial)
            for path in (*partial.rglob("*"), partial):
                sync(path)
            backup = Backup(partial.rename(backup_folder / name))
            sync(backup_folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    if copy_to is not None:
        copy_to = copy_backup(backup, copy_to)
    return Made(backup, left_out, copy_to)


def prune_backups(
    backup_folder: Path,
    policy: PrunePolicy,
    outbox_folder: Path,
    *,
    copies_at: str | None = None,
    wait_seconds: float = 60.0,
) -> Pruned:
    """Remove the backups that the policy does not keep, but never the newest valid one.

    Args:
        backup_folder: the folder of backups; each database's are taken for themselves.
        policy: what is kept.
        outbox_folder: the outbox, whose note of trimmed records forgets what all backups hold.
        copies_at: where backups are copied to besides; the copies there that the policy does not
            keep go, too.
        wait_seconds: how long to wait while a backup is made.

    Raises:
        BackupError: another one makes backups for too long, or a folder cannot be written.
    """
    pruned = Pruned()
    not_done = "not every old backup was removed"
    with only_backup(backup_folder, wait_seconds, not_done), _explained(backup_folder, not_done):
        _remove_leftovers(backup_folder)
        for database_id, backups in _by_database(backup_folder).items():
            if copies_at is not None:
                pruned.removed_copies += _prune_copies(copies_at, policy, database_id)
            kept = policy.kept(backup.time for backup in backups)
            doomed = [backup for backup in backups if backup.time not in kept]
            if not doomed:
                continue
            # Byte by byte, what was validated when it was made.
            valid = next(filter(checksums_match, reversed(backups)), None)
            for backup in doomed:
                if valid is None or backup == valid:
                    pruned.kept_as_valid.append(backup)
                else:
                    _remove(backup)
                    pruned.removed.append(backup)
        positions = [backup.manifest.positions for backup in _readable(backup_folder)]
        with suppress(OutboxError), exclusive_relay(outbox_folder, 0):  # the next pruning does it
            drop_covered_entries(outbox_folder, positions)
    return pruned


def _prune_copies(place: str, policy: PrunePolicy, database_id: uuid.UUID) -> list[str]:
    names = {time_of(name): name for name in copies_of(place, database_id)}
    kept = policy.kept(names)
    doomed = [name for moment, name in names.items() if moment not in kept]
    remove_copies(place, doomed)
    return doomed


def remove_backups(
    backup_folder: Path, backups: Collection[Backup], *, wait_seconds: float = 60.0
) -> None:
    """Remove backups, each whole.

    Raises:
        BackupError: another one makes backups for too long, or the folder cannot be written.
    """
    not_done = "not every one of these backups was removed"
    with only_backup(backup_folder, wait_seconds, not_done), _explained(backup_folder, not_done):
        for backup in backups:
            _remove(backup)


def list_backups(backup_folder: Path, policy: PrunePolicy) -> list[dict[str, Any]]:
    """Return what is known of each backup, the newest first.

    Args:
        backup_folder: the folder of backups.
        policy: what keeps each.
    """
    kept_by = {
        backup: policy.kept(one.time for one in backups).get(backup.time, [])
        for backups in _by_database(backup_folder).values()
        for backup in backups
    }
    rows = []
    for backup in reversed(backups_in(backup_folder)):
        row: dict[str, Any] = {"folder": backup.folder, "time": backup.time, "damage": None}
        try:
            manifest = backup.manifest
            row |= {
                "database_id": manifest.database_id,
                "size_bytes": manifest.size_bytes,
                "row_count": manifest.row_count,
                "outbox_files": len(manifest.outbox),
                "verified_at": backup.verified_at if backup.is_whole() else None,
                "kept_by": kept_by.get(backup, []),
            }
            if not backup.is_whole():
                row["damage"] = "a file is missing or has another size"
        except InvalidBackupError as error:
            row["damage"] = str(error)
        rows.append(row)
    return rows


@contextmanager
def only_backup(folder: Path, wait_seconds: float, otherwise: str) -> Iterator[None]:
    """Be the only one that adds or removes backups; the system ends a dead one's turn.

    Args:
        folder: the folder of backups.
        wait_seconds: for how long to wait.
        otherwise: what the error says where the folder cannot be written.

    Raises:
        BackupError: another one does for too long, or the folder cannot be written.
    """
    with _explained(folder, otherwise):
        folder.mkdir(parents=True, exist_ok=True)
        turn = acquire(folder / "backups", shared=False, deadline=time.monotonic() + wait_seconds)
    if turn is None:
        raise BackupError(f"{folder}: another process makes or prunes backups; try again later")
    try:
        yield
    finally:
        turn.end()


def _new_time(folder: Path, now: datetime) -> datetime:
    """Return the time of a new backup: after all others, or it would never be the newest."""
    return max([now, *(backup.time + TICK for backup in backups_in(folder)[-1:])])


def _fill(
    partial: Path, database_path: Path, outbox_folder: Path, wait_seconds: float, name: str
) -> list[str]:
    stem = database_path.stem
    with exclusive_relay(outbox_folder, wait_seconds):
        with connect(database_path, read_only=True, wait_seconds=wait_seconds) as old:
            is_old = schema_version_of(old) < SCHEMA_VERSION
        if is_old:
            with connect(database_path, wait_seconds=wait_seconds):
                pass  # which brings it up to date
        # A file that is open to be read does not change: all of this is as of one moment.
        with connect(database_path, read_only=True, wait_seconds=wait_seconds) as source:
            [(database_id,)] = source.execute("select database_id from raw.database_id").fetchall()
            positions = stored_offsets(source)
            tables, relations = table_checksums(source), read_relations(source)
            version = schema_version_of(source)
            _copy_database(source, partial / f"{stem}.db")
        copies, left_out = _copy_outbox(outbox_folder, partial / OUTBOX, positions)
    names = [f"{stem}.db", *(f"{OUTBOX}/{copied}" for copied in copies)]
    manifest = BackupManifest(
        created_at=datetime.strptime(name, TIME),  # noqa: DTZ007
        database_id=database_id,
        stem=stem,
        schema_version=version,
        duckdb_version=duckdb.__version__,
        positions=positions,
        tables=tables,
        relations=sorted(relations),
        broken={relation: said for relation, said in relations.items() if said is not None},
        outbox=copies,
        files={
            path: FileContents(
                size_bytes=(partial / path).stat().st_size, sha256=sha256_of(partial / path)
            )
            for path in names
        },
    )
    (partial / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    lines = {path: file.sha256 for path, file in manifest.files.items()}
    lines[MANIFEST] = sha256_of(partial / MANIFEST)
    sums = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(lines.items()))
    (partial / SUMS).write_text(sums, encoding="utf-8")
    return left_out


def _copy_database(source: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Copy the database that is open into a new file, with its indexes and constraints."""
    # Attached to the open database, and not both to a third: closing a second one of the same
    # file would end the lock that this process's readers have on it.
    [(name,)] = source.execute("select current_database()").fetchall()
    copy = identifier(f"copy of {name}")
    with translated_errors(file):
        source.execute(f"attach {literal(file)} as {copy} (read_write)")
        try:
            source.execute(f"copy from database {identifier(name)} to {copy}")
            source.execute(f"checkpoint {copy}")
        finally:
            source.execute(f"detach {copy}")


def _copy_outbox(
    outbox_folder: Path, target: Path, positions: Mapping[uuid.UUID, int]
) -> tuple[dict[str, OutboxCopy], list[str]]:
    """Copy the files of the outbox with records that the database does not have yet."""
    copies: dict[str, OutboxCopy] = {}
    left_out = [
        f"{Path(path).name}: the process that this one was forked from has it open"
        for path in sorted(inherited)
        if Path(path).parent == outbox_folder and Path(path).exists()
    ]
    for path in files_of(outbox_folder):
        file = target / path.name
        try:
            copied = _copy_outbox_file(path, file, positions)
        except FileNotFoundError:
            continue  # removed by hand
        except StillInUseError as error:
            left_out.append(
                f"{path.name}: it cannot be read, and a process has it, so that `orb load` cannot "
                f"take it either until that ends ({error.__cause__})"
            )
        except (DamagedFileError, ValueError) as error:
            file.unlink(missing_ok=True)
            left_out.append(f"{path.name}: damaged, `orb load` takes what can be read ({error})")
        else:
            if copied is not None:
                copies[path.name] = copied
    return copies, left_out


def _copy_outbox_file(
    path: Path, file: Path, positions: Mapping[uuid.UUID, int]
) -> OutboxCopy | None:
    """Copy a file of the outbox, unless the database has all of it.

    Raises:
        StillInUseError: it cannot be read, a process has it, and has had the time to make it.
    """
    deadline = time.monotonic() + SECONDS_TO_MAKE_A_FILE
    while True:
        try:
            with open_reader(path) as reader:
                if reader.last_number() <= positions.get(reader.outbox_id, 0):
                    return None
                reader.back_up(file)
            return read_outbox_copy(file)
        except StillInUseError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)  # nothing tells when the other process has made its table


def _readable(folder: Path) -> list[Backup]:
    readable = []
    for backup in backups_in(folder):
        with suppress(InvalidBackupError):
            backup.manifest  # noqa: B018
            readable.append(backup)
    return readable


def _by_database(folder: Path) -> dict[uuid.UUID, list[Backup]]:
    """Return the backups of each database, the oldest first, without those of none known."""
    found: defaultdict[uuid.UUID, list[Backup]] = defaultdict(list)
    for backup in _readable(folder):
        found[backup.manifest.database_id].append(backup)
    return found


def _remove(backup: Backup) -> None:
    # Under another name first: a kill leaves none that looks like a backup and is half of one.
    folder = backup.folder.parent
    doomed = backup.folder.rename(folder / f".{backup.folder.name}.deleting")
    sync(folder)
    shutil.rmtree(doomed)


def _remove_leftovers(folder: Path) -> None:
    for ending in ("partial", "deleting"):
        for path in folder.glob(f".*.{ending}"):
            shutil.rmtree(path)


@contextmanager
def _explained(folder: Path, otherwise: str) -> Iterator[None]:
    """Turn errors of the disk into this package's; ``otherwise`` is what was not done."""
    full = DiskFullError(
        f"{folder}: the disk is full, {otherwise}; free some space and run it again"
    )
    with translated_disk_errors(
        full,
        lambda error: BackupError(f"{folder}: {otherwise}: {error}; the database is as it was"),
    ):
        yield
