"""A copy in another place is read back, and is marked as whole only then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backup_cases import change, problems, put

from orb_learning.backup.manifests import (
    SUMS,
    Backup,
    backups_in,
)
from orb_learning.backup.offsite import copy_backup
from orb_learning.backup.verify import check_backup
from orb_learning.errors import (
    BackupError,
)
from orb_learning.outbox.writer import Outbox


@pytest.mark.parametrize("place", ["folder", "memory://backups"])
def test_a_backup_is_copied_to_another_place_and_read_back(
    database: Path, outbox: Outbox, make: Callable[..., Backup], tmp_path: Path, place: str
) -> None:
    import fsspec

    put(outbox, 1)
    change(database)
    place = place if "://" in place else str(tmp_path / place)
    backup = make(copy_to=place)
    files, root = fsspec.core.url_to_fs(place)
    target = f"{root}/{backup.folder.name}"
    for path in backup.folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(backup.folder).as_posix()
            assert files.cat_file(f"{target}/{name}") == path.read_bytes()
    brought_back = tmp_path / "back" / backup.folder.name
    files.get(target, str(brought_back), recursive=True)
    assert check_backup(brought_back).file_count == 3


def test_a_copy_that_is_another_one_when_read_back_has_no_checksums(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    change(database)
    memory = type(fsspec.filesystem("memory"))
    opening = memory.open

    def losing(self: Any, path: str, mode: str = "rb", **given: Any) -> Any:
        if mode == "rb" and path.endswith("manifest.json"):
            self.pipe_file(path, self.cat_file(path)[:-1])
        return opening(self, path, mode, **given)

    monkeypatch.setattr(memory, "open", losing)
    with pytest.raises(BackupError, match=r"is whole, but it was not copied .*another one"):
        make(copy_to="memory://losing")
    [backup] = backups_in(folder)
    assert not problems(backup)
    assert not fsspec.filesystem("memory").exists(f"losing/{backup.folder.name}/{SUMS}")


def test_without_fsspec_the_error_names_what_to_install(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(BackupError, match=r"pip install 'orb-learning\[remote\]'"):
        make(copy_to="memory://x")
    assert len(backups_in(folder)) == 1
    with pytest.raises(BackupError, match="is whole, but"):
        copy_backup(backups_in(folder)[0], "no-such-protocol://x")
