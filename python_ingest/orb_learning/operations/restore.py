"""Putting a backup in the database's place, and loading again what came after it.

A kill at any moment leaves the present database or the restored one, each whole: the new file is
made and checked under another name, the present one gets a second name, and one rename exchanges
them. What came after the backup is still in the outbox. The restored database has the older offset,
so that loading brings it back, each record exactly once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning import locator
from orb_learning.archive import rewrite_archive
from orb_learning.backup import (
    BackupManifest,
    check_backup,
    folder_of,
    read_manifest,
    signature_problem,
)
from orb_learning.dbt import find_project
from orb_learning.errors import DiskFullError, InvalidBackupError, OrbError, RestoreError
from orb_learning.filesystem import make_folder, translated_disk_errors
from orb_learning.ingest import LoadResult
from orb_learning.operations.exchange import exchange
from orb_learning.operations.known_relations import keep_known_tables, make_views_anew
from orb_learning.operations.load import load_outbox
from orb_learning.operations.losses import Missing, find_missing
from orb_learning.operations.replaced_database import (
    ReplacedDatabase,
    exclusive_database,
    read_tombstones,
    tombstones_since,
)
from orb_learning.operations.restored_copy import (
    bring_back_segments,
    bring_up_to_date,
    restored_copy,
)
from orb_learning.operations.restored_lake import back_up_present, put_lake_back, read_lake
from orb_learning.outbox import hold_lease
from orb_learning.settings import LearningSettings
from orb_learning.store import check_path, connect, lake_in_hand, utc_now


@dataclass
class Restored:
    """What restoring did."""

    backup: Path
    made_at: datetime
    """When the backup was made, naive UTC."""
    kept_beside: Path | None = None
    """The database that was there before; of a lake, its backup."""
    outbox_files: list[str] = field(default_factory=list)
    """Segments of the outbox that were only in the backup, and are back."""
    loaded: LoadResult | None = None
    """What came after the backup; None where it could not be loaded, see ``problems``."""
    missing: Missing | None = None
    to_import_again: list[str] = field(default_factory=list)
    """Files that were imported after the backup."""
    notes: list[str] = field(default_factory=list)
    """What could not be known of the database that was replaced."""
    problems: list[str] = field(default_factory=list)
    """What could not be done or known once the database was in its place."""


def restore_backup(
    settings: LearningSettings,
    file: Path,
    *,
    validate: bool = True,
    other_database: bool = False,
    wait_seconds: float = 60.0,
    now: datetime | None = None,
) -> Restored:
    """Put a backup in the database's place, and load what came after it from the outbox.

    Args:
        settings: name the database, which is kept beside, the outbox, the archive and the folder
            of backups, whose newest one knows what was erased.
        file: the backup: its folder, or the database or the manifest in it.
        validate: whether to validate the backup first.
        other_database: whether it may be a backup of another database than the present one.
        wait_seconds: how long to wait for who has the database or the outbox.
        now: naive UTC; the present time if None.

    Raises:
        InvalidBackupError: the backup is damaged; nothing was changed.
        RestoreError: it does not fit, or failed; the present database is as it was.
        DbtError: the settings name a folder that is no dbt project; nothing was changed.
        LoaderBusyError: a relay has the outbox for too long.
        DatabaseError: others have the database for too long, or the disk is full; it is as it was.
    """
    now = now or utc_now()
    folder = folder_of(file)
    manifest = read_manifest(folder)
    path = settings.database_path
    _check_name(folder, manifest, path)
    _check(folder, settings, validate)
    result = Restored(folder, manifest.created_at)
    work = _Work(result, settings, manifest, other_database, wait_seconds)
    put_back = work.put_file_back if manifest.lake is None else work.put_lake_back
    if manifest.lake is not None:
        result.kept_beside = back_up_present(settings, wait_seconds, result.notes)
    with _leased_outboxes(settings, wait_seconds) as outboxes:
        with _translated_errors(path):
            make_folder(locator.folder_of(path))
            check_path(path, must_exist=False)
            replaced, had_views = put_back(outboxes, validate, now)
        # It is restored: whatever fails from here on does not undo that.
        if had_views and (problem := make_views_anew(settings)):
            result.problems.append(problem)
        _find_missing(result, manifest, replaced, outboxes)
    _load_outbox(result, settings, wait_seconds, now)
    _rewrite_archive(result, settings)
    return result


@dataclass(frozen=True)
class _Work:
    """A restore at work."""

    result: Restored
    settings: LearningSettings
    manifest: BackupManifest
    other_database: bool
    wait_seconds: float

    def put_file_back(
        self, outboxes: list[Path], validated: bool, now: datetime
    ) -> tuple[ReplacedDatabase | None, bool]:
        """Put a file in the database's place.

        Returns:
            what that was, and whether the backup had views, which are to be made anew.
        """
        result, manifest, path = self.result, self.manifest, self.settings.database_path
        with exclusive_database(path, self.wait_seconds, result.notes) as present:
            replaced = _same_database(present, manifest, result, path, self.other_database)
            tombstones = tombstones_since(manifest, replaced, self.settings, result.notes)
            with restored_copy(result.backup, manifest, path, validated=validated) as copy:
                had_views, unknown = keep_known_tables(copy, find_project(self.settings))
                result.notes += [
                    f"{name} is not the project's, so it was left out" for name in unknown
                ]
                result.to_import_again = bring_up_to_date(copy, replaced, tombstones)
                result.outbox_files = bring_back_segments(result.backup, manifest, outboxes)
                result.kept_beside = exchange(copy, path, manifest, now)
        return replaced, had_views

    def put_lake_back(
        self, outboxes: list[Path], _validated: bool, _now: datetime
    ) -> tuple[ReplacedDatabase | None, bool]:
        """Put a dump in the catalog's place; its views are the catalog's own."""
        result, manifest, path = self.result, self.manifest, self.settings.database_path
        with lake_in_hand(path, wait_seconds=self.wait_seconds) as lake:
            present = read_lake(self.settings, result.notes)
            replaced = _same_database(present, manifest, result, path, self.other_database)
            result.outbox_files = bring_back_segments(result.backup, manifest, outboxes)
            result.to_import_again = put_lake_back(
                lake, result.backup, manifest, self.settings, replaced, result.notes
            )
        result.notes.append("other hosts load again what they recorded since")
        # How far their outboxes were loaded says nothing of those that are here.
        return None, False


@contextmanager
def _leased_outboxes(settings: LearningSettings, wait_seconds: float) -> Iterator[list[Path]]:
    """Hold the leases of both outboxes; that of spans may not be there."""
    spans = filter(Path.is_dir, [settings.span_outbox_folder])
    outboxes = [settings.outbox_folder, *spans]
    with ExitStack() as leases:
        for outbox in outboxes:
            leases.enter_context(hold_lease(outbox, wait_seconds))
        yield outboxes


def _check_name(folder: Path, manifest: BackupManifest, path: Path) -> None:
    if manifest.lake is None:
        locator.only_on_a_file(path, f"A restore of {folder}", "it is of a file: set ORB_DATABASE")
    if locator.name_of(path) != manifest.stem:
        raise RestoreError(
            f"{folder} is a backup of {manifest.database_file}, and its views know it by that "
            f"name: set ORB_DATABASE to {path.with_name(manifest.database_file)}"
        )


def _check(folder: Path, settings: LearningSettings, validate: bool) -> None:
    if validate:
        check_backup(folder, settings.backup_key_file, settings.database_path)
    elif problem := signature_problem(folder, settings.backup_key_file):
        raise InvalidBackupError(f"{folder}: {problem}")


def _same_database(
    present: ReplacedDatabase | None,
    manifest: BackupManifest,
    result: Restored,
    path: Path,
    other_database: bool,
) -> ReplacedDatabase | None:
    """Return the present database where the backup is one of it.

    Raises:
        RestoreError: it is one of another database, and may not be.
    """
    if present is None or present.database_id == manifest.database_id:
        return present
    if not other_database:
        raise RestoreError(
            f"{result.backup} is a backup of another database than {path}, as is one that was "
            f"lost and made anew. `--other-database` restores it all the same, and "
            f"`orb load --adopt` loads what has fed the present one"
        )
    return None


def _find_missing(
    result: Restored,
    manifest: BackupManifest,
    replaced: ReplacedDatabase | None,
    outboxes: Collection[Path],
) -> None:
    try:
        result.missing = find_missing(manifest, replaced, outboxes)
    except (OSError, sqlite3.Error) as error:
        result.problems.append(
            f"what came after the backup and is lost could not be counted: "
            f"{' or '.join(map(str, outboxes))} could not be read: {error}"
        )


def _load_outbox(
    result: Restored, settings: LearningSettings, wait_seconds: float, now: datetime
) -> None:
    try:
        result.loaded = load_outbox(settings, wait_seconds=wait_seconds, now=now)
    except (OrbError, OSError, sqlite3.Error) as error:
        result.problems.append(f"the outbox was not loaded, `orb load` does it: {error}")


def _rewrite_archive(result: Restored, settings: LearningSettings) -> None:
    try:
        with connect(settings.database_path) as connection:
            if any(read_tombstones(connection)):
                rewrite_archive(connection, settings.archive_folder)
    except (OrbError, OSError, duckdb.Error) as error:
        result.problems.append(f"the archive may hold what was erased: {error}")


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    """Turn errors of the disk and of the outbox into this package's."""
    full = (
        f"{path}: the disk is full, nothing was changed; a restore needs room for the backup "
        f"beside the present database; free some space and run it again"
    )
    with translated_disk_errors(
        lambda: DiskFullError(full),
        lambda error: RestoreError(f"{path} was not restored, and is as it was: {error}"),
    ):
        yield
