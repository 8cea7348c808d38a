"""Pruning removes what the policy does not keep, and never the newest valid backup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from backup_cases import NOW, change, changed

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import (
    SUMS,
    Backup,
    backups_in,
    verified_offsets,
)
from orb_learning.backup.offsite import copies_of
from orb_learning.backup.prune import prune_backups, remove_backups
from orb_learning.settings import LearningSettings, load_settings


def test_pruning_keeps_the_newest_valid_backup_below_damaged_ones(
    settings: LearningSettings,
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
) -> None:
    change(database)
    made = [make(now=NOW + timedelta(days=day)) for day in range(5)]
    for backup in made[3:]:
        with (backup.folder / "learning.db").open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff\x00\xff")
    pruned = prune_backups(settings)
    assert pruned.removed == made[:2]
    assert pruned.kept_as_valid == [made[2]]
    assert backups_in(folder) == made[2:]
    newest = make(now=NOW + timedelta(days=5))
    assert prune_backups(settings).removed == made[2:4]
    assert backups_in(folder) == [made[4], newest]


def test_pruning_removes_nothing_where_no_backup_is_valid(
    settings: LearningSettings,
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
) -> None:
    change(database)
    made = [make() for _ in range(3)]
    for backup in made:
        (backup.folder / SUMS).unlink()
    assert prune_backups(settings).removed == []
    assert backups_in(folder) == made


def test_each_database_has_its_own_place_in_a_shared_folder(
    settings: LearningSettings,
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
    tmp_path: Path,
) -> None:
    other = tmp_path / "other.db"
    change(other)
    theirs = make_backup(
        changed(settings, database_path=other, outbox_path=tmp_path / "other"), now=NOW
    ).backup
    change(database)
    ours = [make(now=NOW + timedelta(days=day)) for day in range(1, 4)]
    assert prune_backups(settings).removed == ours[:1]
    assert theirs in backups_in(folder)
    assert verified_offsets(folder, theirs.manifest.database_id) == {}


def test_a_backup_is_removed_whole(
    database: Path, make: Callable[..., Backup], folder: Path
) -> None:
    change(database)
    first, second = make(), make()
    remove_backups(folder, [first])
    assert [path for path in folder.iterdir() if path.is_dir()] == [second.folder]


@pytest.mark.parametrize("place", ["folder", "memory://pruned"])
def test_copies_in_another_place_are_pruned_like_backups(
    settings: LearningSettings,
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
    tmp_path: Path,
    place: str,
) -> None:
    place = place if "://" in place else str(tmp_path / place)
    other = tmp_path / "other.db"
    change(other)
    make_backup(
        load_settings(database_path=other, backup_path=tmp_path / "theirs", backup_copy_to=place),
        now=NOW,
    )
    change(database)
    made = [make(now=NOW + timedelta(days=day), copy_to=place) for day in range(1, 5)]
    [(ours, theirs)] = {
        (made[0].manifest.database_id, backup.manifest.database_id)
        for backup in backups_in(tmp_path / "theirs")
    }
    names = [backup.folder.name for backup in made]
    assert copies_of(place, ours) == names
    # The copies are judged by themselves: they can be there longer than what they were made of.
    remove_backups(folder, made[:2])
    pruned = prune_backups(changed(settings, backup_copy_to=place))
    assert (pruned.removed, pruned.removed_copies) == ([], names[:2])
    assert copies_of(place, ours) == names[2:]
    assert len(copies_of(place, theirs)) == 1
    assert prune_backups(changed(settings, backup_copy_to=place)).removed_copies == []
