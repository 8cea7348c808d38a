"""Removing backups: those that the policy does not keep, or given ones."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orb_learning.backup.exclusive import exclusive_backups, remove_leftovers
from orb_learning.backup.manifests import (
    Backup,
    backups_by_database,
    readable_backups,
    time_of,
)
from orb_learning.backup.offsite import copies_of, remove_copies
from orb_learning.backup.policy import PrunePolicy
from orb_learning.backup.verify import checksums_match
from orb_learning.errors import OutboxError
from orb_learning.filesystem import sync
from orb_learning.outbox import drop_covered_entries, hold_lease
from orb_learning.settings import LearningSettings


@dataclass
class Pruned:
    """What pruning removed."""

    removed: list[Backup] = field(default_factory=list)
    kept_as_valid: list[Backup] = field(default_factory=list)
    """Kept only because all newer ones are damaged."""
    removed_copies: list[str] = field(default_factory=list)
    """Names of the removed copies in the other place."""


def prune_backups(settings: LearningSettings, *, wait_seconds: float = 60.0) -> Pruned:
    """Remove the backups that the policy does not keep, but never the newest valid one.

    Each database's backups are taken for themselves. The copies in the other place that the policy
    does not keep are removed, too, and so are the entries of the outbox's prune log that all
    backups hold.

    Args:
        settings: name the backups, the policy, the other place and the outbox.
        wait_seconds: how long to wait while a backup is made.

    Raises:
        BackupError: another one makes backups for too long, or a folder cannot be written.
    """
    pruned = Pruned()
    folder, policy = settings.backup_folder, PrunePolicy.of(settings)
    with exclusive_backups(folder, wait_seconds, "not every old backup was removed"):
        remove_leftovers(folder)
        for database_id, backups in backups_by_database(folder).items():
            if settings.backup_copy_to is not None:
                pruned.removed_copies += _prune_copies(settings.backup_copy_to, policy, database_id)
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
        offsets = [backup.manifest.positions for backup in readable_backups(folder)]
        for outbox in filter(Path.is_dir, settings.outbox_folders):
            with suppress(OutboxError), hold_lease(outbox, 0):  # else the next pruning does it
                drop_covered_entries(outbox, offsets)
    return pruned


def remove_backups(
    backup_folder: Path, backups: Collection[Backup], *, wait_seconds: float = 60.0
) -> None:
    """Remove backups, each whole.

    Raises:
        BackupError: another one makes backups for too long, or the folder cannot be written.
    """
    not_done = "not every one of these backups was removed"
    with exclusive_backups(backup_folder, wait_seconds, not_done):
        for backup in backups:
            _remove(backup)


def _prune_copies(place: str, policy: PrunePolicy, database_id: uuid.UUID) -> list[str]:
    names = {time_of(name): name for name in copies_of(place, database_id)}
    kept = policy.kept(names)
    doomed = [name for time, name in names.items() if time not in kept]
    remove_copies(place, doomed)
    return doomed


def _remove(backup: Backup) -> None:
    # Under another name first: a kill leaves none that looks like a backup and is half of one.
    folder = backup.folder.parent
    doomed = backup.folder.rename(folder / f".{backup.folder.name}.deleting")
    sync(folder)
    shutil.rmtree(doomed)
