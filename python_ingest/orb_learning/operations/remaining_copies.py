"""The copies that may still hold what was erased: backups, kept databases and damaged segments."""

from __future__ import annotations

import glob
import sqlite3
import uuid
from collections.abc import Collection
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from orb_learning.backup import (
    Backup,
    PrunePolicy,
    backups_in,
    copies_of,
    make_backup,
    remove_backups,
    remove_copies,
    time_of,
)
from orb_learning.errors import InvalidBackupError, OrbError
from orb_learning.filesystem import public_url, read_regular
from orb_learning.locator import beside
from orb_learning.operations.mentions import PARTIAL_OF_REPO, ErasureTarget, mentions_any
from orb_learning.outbox import open_defensively
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    RESIDUES,
    EndedError,
    LakeFiles,
    StoppedError,
    answer_apart,
    ask_apart,
    connect_without_lock,
    existing_tables,
    limits_of,
    mentions_any_sql,
    open_copy,
)

MOST_BYTES_OF_SEGMENT = 2**30
"""A segment is a fraction of it; what is larger is taken to hold something."""


@dataclass(frozen=True)
class RemainingCopies:
    """Where something of what was erased still is."""

    backups: list[Backup]
    files: list[Path]
    """Databases that a restore kept, and damaged segments of the outbox."""
    offsite: list[str]
    """Names of the backups' copies in the other place."""
    unknown: list[Backup]
    """Backups of which it is not known whose they are."""
    times: list[datetime]
    """Of all backups of the database that are here, naive UTC."""

    def places(self, settings: LearningSettings) -> list[Path | str]:
        """Return where each of them is, without those of unknown databases."""
        folders = [backup.folder for backup in self.backups]
        place = public_url(settings.backup_copy_to or "")
        offsite = [f"{place}/{name}" for name in self.offsite]
        return [*folders, *self.files, *offsite]

    def expiry(self, settings: LearningSettings, now: datetime) -> dict[Path | str, date]:
        """Return the day on which pruning removes each, if a backup is made every day from now on.

        What pruning does not remove, or keeps for more than ten years, is left out.
        """
        policy = PrunePolicy.of(settings)
        place = public_url(settings.backup_copy_to or "")
        found: dict[Path | str, datetime] = {each.folder: each.time for each in self.backups}
        found |= {f"{place}/{name}": time_of(name) for name in self.offsite}
        times = {*self.times, *found.values()}
        days = {where: policy.expires_on(time, times, now) for where, time in found.items()}
        return {where: day for where, day in days.items() if day is not None}


def find_remaining_copies(
    settings: LearningSettings, database_id: uuid.UUID, target: ErasureTarget
) -> RemainingCopies:
    """Find the copies that hold some of a target.

    What cannot be read is taken to hold some, and so is the copy of a backup that is not here.

    Args:
        settings: name the database, the outbox, the backups and the other place.
        database_id: the database's; another one's backups are left alone.
        target: what was erased.

    Raises:
        BackupError: the other place cannot be read.
    """
    own, unknown = _backups_of(settings.backup_folder, database_id)
    backups = [backup for backup in own if _backup_holds(backup, target, settings)]
    path = beside(settings.database_path, "")
    kept = f"{glob.escape(path.stem)}.before-restore-*{glob.escape(path.suffix)}"
    files = [file for file in sorted(path.parent.glob(kept)) if _file_holds(file, target)]
    files += [
        file
        for folder in settings.outbox_folders
        for file in sorted(folder.glob("*.damaged*"))
        if _segment_holds(file, target)
    ]
    clean = {backup.folder.name for backup in own if backup not in backups}
    offsite = _offsite_copies(settings.backup_copy_to, database_id, clean)
    times = [backup.time for backup in own]
    return RemainingCopies(backups, files, offsite, unknown, times)


def replace_remaining_copies(
    settings: LearningSettings, copies: RemainingCopies, *, now: datetime
) -> None:
    """Delete the copies once there is a new verified backup, which holds nothing of the target.

    Raises:
        OrbError: one of its subclasses says what could not be made or deleted.
    """
    make_backup(settings, now=now)
    remove_backups(settings.backup_folder, copies.backups)
    for file in copies.files:
        file.unlink()
    if settings.backup_copy_to:
        remove_copies(settings.backup_copy_to, copies.offsite)


def _backups_of(folder: Path, database_id: uuid.UUID) -> tuple[list[Backup], list[Backup]]:
    """Return the database's backups, and those of which it is not known whose they are."""
    own, unknown = [], []
    for backup in backups_in(folder):
        try:
            if backup.manifest.database_id == database_id:
                own.append(backup)
        except InvalidBackupError:
            unknown.append(backup)
    return own, unknown


def _offsite_copies(place: str | None, database_id: uuid.UUID, clean: Collection[str]) -> list[str]:
    if place is None:
        return []
    return [name for name in copies_of(place, database_id) if name not in clean]


def _backup_holds(backup: Backup, target: ErasureTarget, settings: LearningSettings) -> bool:
    manifest = backup.manifest
    file = backup.folder / manifest.database_file
    holds = _file_holds(file, target, manifest.lake, settings.database_path)
    return holds or any(_segment_holds(file, target) for file in backup.folder.rglob("*.sqlite"))


def _file_holds(
    file: Path, target: ErasureTarget, lake: LakeFiles | None = None, database: Path | None = None
) -> bool:
    """Whether a copy holds some: read by a process of its own, as it may run a stranger's SQL.

    Of a dump, the lake's files and locator are given; its rows are in those files.
    """
    try:
        with TemporaryDirectory(prefix="orb-") as folder:
            asked = Path(folder) / "asked.json"
            asked.write_text(target.to_json())
            arguments = [str(file), str(asked)]
            if lake is not None:
                names = Path(folder) / "lake.json"
                names.write_text(lake.model_dump_json())
                arguments += [str(names), str(database)]
            limits = limits_of(file, sum(lake.files.values()) if lake else 0)
            return bool(ask_apart(__name__, arguments, limits))
    except (OSError, OrbError, StoppedError, EndedError):
        return True


def _look_apart(arguments: list[str]) -> bool:
    file, asked, *of_lake = map(Path, arguments)
    target = ErasureTarget.from_json(asked.read_text())
    if of_lake:
        names, database = of_lake
        lake = LakeFiles.model_validate_json(names.read_text())
        return _database_holds(open_copy(file, lake, database), target)
    most = {"max_temp_directory_size": f"{limits_of(file).file_bytes}B"}
    copy = connect_without_lock(file, limits=most, held=True)
    return _database_holds(copy, target)


def _database_holds(
    copy: AbstractContextManager[duckdb.DuckDBPyConnection], target: ErasureTarget
) -> bool:
    try:
        with copy as connection:
            residues = " union all ".join(
                f"select {content} as content from {table}"  # noqa: S608
                for table, content in RESIDUES.items()
            )
            # A backup of an older version has no feedback.
            for table in existing_tables(connection, ["raw.feedback"]):
                residues += f" union all select task_id::varchar from {table}"  # noqa: S608
            for table in existing_tables(connection, ["raw.spans"]):
                residues += f" union all select trace_id::varchar from {table}"  # noqa: S608
            is_mentioned = mentions_any_sql("content", "$ids")
            [(found,)] = connection.execute(
                "select exists (from raw.executions "
                "where list_contains($ids::uuid[], task_id) or repo = $repo) "
                f"or exists (from ({residues}) "
                f"where {is_mentioned} or regexp_matches(content, $pattern)) "
                f"or exists (from raw.pending_halves where {PARTIAL_OF_REPO})",
                {"ids": target.ids, "repo": target.repo, "pattern": target.repo_pattern},
            ).fetchall()
    except (OrbError, duckdb.Error):
        return True
    return bool(found)


def _segment_holds(file: Path, target: ErasureTarget) -> bool:
    try:
        if mentions_any(read_regular(file, MOST_BYTES_OF_SEGMENT), target.mentions):
            return True
    except OSError:  # a pipe, a link without an end, or larger than a segment can be
        return True
    if target.repo is None:
        return False
    try:
        with closing(open_defensively(file, "mode=ro&immutable=1")) as connection:
            payloads = connection.execute("select payload from records").fetchall()
    except (sqlite3.Error, OSError):
        return True
    return any(target.is_mentioned_in(payload) for (payload,) in payloads)


if __name__ == "__main__":
    answer_apart(_look_apart)
