"""One process at a time makes or removes backups, in a folder that it can write."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from backup_cases import change, changed, problems, query

from orb_learning.backup import create
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import (
    Backup,
)
from orb_learning.backup.prune import prune_backups, remove_backups
from orb_learning.errors import (
    BackupError,
)
from orb_learning.settings import LearningSettings
from orb_learning.store.checksums import table_checksums


def test_only_what_killed_backups_left_is_removed(
    settings: LearningSettings,
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(database)
    for name in (".20260101T000000.000000Z.partial", ".20260101T000000.000000Z.deleting"):
        (folder / name).mkdir(parents=True)
        (folder / name / "learning.db").touch()
    counted = table_checksums

    def meanwhile(connection: duckdb.DuckDBPyConnection) -> Any:
        before = list(folder.glob(".*.partial"))
        for doing in (
            lambda: make(wait_seconds=0),
            lambda: prune_backups(settings, wait_seconds=0),
            lambda: remove_backups(folder, [], wait_seconds=0),
        ):
            with pytest.raises(BackupError, match="another process makes or prunes backups"):
                doing()
        assert list(folder.glob(".*.partial")) == before
        return counted(connection)

    monkeypatch.setattr(create, "table_checksums", meanwhile)
    backup = make()
    assert [path for path in folder.iterdir() if path.is_dir()] == [backup.folder]


def test_a_folder_that_cannot_be_written_is_named(
    settings: LearningSettings,
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
    small_disk: Callable[[str], Path],
) -> None:
    change(database)
    folder.write_text("no folder")
    with pytest.raises(BackupError, match="no backup was made"):
        make()
    folder.unlink()
    backup = make()
    disk = small_disk("4m")
    read_only = disk / "backups"
    shutil.copytree(backup.folder, read_only / backup.folder.name)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(BackupError, match=r"no backup was made.*Read-only file system"):
        make_backup(changed(settings, backup_path=read_only))
    with pytest.raises(BackupError, match=r"not every old backup was removed.*Read-only file"):
        prune_backups(changed(settings, backup_path=read_only))
    with pytest.raises(BackupError, match=r"not every one of these .* removed.*Read-only file"):
        remove_backups(read_only, [Backup(read_only / backup.folder.name)])
    assert not problems(Backup(read_only / backup.folder.name))
    assert query(database, "select count(*) from raw.executions") == [(0,)]
