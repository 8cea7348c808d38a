"""The outbox keeps a segment until a verified backup holds it, and logs what it prunes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from backup_cases import NOW, change, changed, put, query

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import (
    Backup,
    verified_offsets,
)
from orb_learning.backup.prune import prune_backups, remove_backups
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.outbox.pruning import PRUNE_LOG, pruned_segments
from orb_learning.outbox.reader import files_of
from orb_learning.outbox.writer import Limits, Outbox
from orb_learning.settings import LearningSettings, load_settings


def test_the_outbox_keeps_a_segment_until_a_verified_backup_holds_it(
    database: Path, tmp_path: Path, make: Callable[..., Backup], folder: Path
) -> None:
    first = Outbox(tmp_path / "outbox")
    put(first, 1, 2)
    first.close()
    second = Outbox(tmp_path / "outbox")
    put(second, 3, 4)

    def load() -> int:
        options = RelayOptions(verified_offsets=partial(verified_offsets, folder))
        return load_once(database, tmp_path / "outbox", options).pruned.files

    assert load() == 0
    backup = make()
    hidden = backup.folder.rename(folder / ".hidden.partial")
    assert load() == 0
    hidden.rename(backup.folder)
    stored = (backup.folder / "learning.db").read_bytes()
    (backup.folder / "learning.db").write_bytes(stored[:-1])
    assert load() == 0, "half a backup is none"
    (backup.folder / "learning.db").write_bytes(stored)
    assert load() == 1, "a live process's file stays"
    put(second, 5)
    second.close()
    assert load() == 0, "the backup does not hold its last record"
    make()
    assert load() == 1
    assert files_of(tmp_path / "outbox") == []
    assert query(database, "select count(*) from raw.executions") == [(5,)]


def test_by_backups_of_another_database_no_segment_is_pruned(
    database: Path, tmp_path: Path, outbox: Outbox, folder: Path
) -> None:
    put(outbox, 1)
    outbox.close()
    load_once(database, outbox.folder)
    other = tmp_path / "other" / "learning.db"
    other.parent.mkdir()
    shutil.copy(database, other)
    change(other, "update raw.database_id set database_id = uuid()")
    make_backup(load_settings(database_path=other, backup_path=folder))
    options = RelayOptions(verified_offsets=partial(verified_offsets, folder))
    assert load_once(database, outbox.folder, options).pruned.files == 0


def test_the_prune_log_keeps_an_entry_until_all_backups_hold_it(
    settings: LearningSettings,
    database: Path,
    tmp_path: Path,
    folder: Path,
    make: Callable[..., Backup],
) -> None:
    change(database)
    oldest = make()
    for number in (1, 2):
        outbox = Outbox(tmp_path / "outbox")
        put(outbox, number)
        outbox.close()
        load_once(database, outbox.folder)
        make()
        options = RelayOptions(verified_offsets=partial(verified_offsets, folder))
        load_once(database, outbox.folder, options, now=NOW)
    logged = pruned_segments(tmp_path / "outbox")
    assert [segment.last_number for segment in logged] == [1, 1]
    assert all(segment.trimmed_at == NOW and segment.first_put_at for segment in logged)
    prune_backups(changed(settings, backup_keep_last=9))
    assert pruned_segments(tmp_path / "outbox") == logged
    remove_backups(folder, [oldest])
    prune_backups(changed(settings, backup_keep_last=9))
    assert pruned_segments(tmp_path / "outbox") == logged[1:]
    prune_backups(changed(settings, backup_keep_last=1))
    assert pruned_segments(tmp_path / "outbox") == []


def test_an_entry_that_a_kill_cut_short_harms_no_other(database: Path, tmp_path: Path) -> None:
    limits = Limits(0, timedelta(0))
    for number in (1, 2):
        outbox = Outbox(tmp_path / "outbox")
        put(outbox, number)
        outbox.close()
        load_once(database, outbox.folder, RelayOptions(limits=limits))
        with (outbox.folder / PRUNE_LOG).open("ab") as file:
            file.write(b'{"outbox_id": "12')
    assert len(pruned_segments(tmp_path / "outbox")) == 2


def test_a_segment_whose_pruning_cannot_be_logged_stays(database: Path, outbox: Outbox) -> None:
    put(outbox, 1)
    outbox.close()
    (outbox.folder / PRUNE_LOG).mkdir()
    result = load_once(database, outbox.folder, RelayOptions(limits=Limits(0, timedelta(0))))
    assert (result.pruned.files, len(files_of(outbox.folder))) == (0, 1)
