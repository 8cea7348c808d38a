"""Of the outbox a backup has the segments that the database lacks, where they can be read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from backup_cases import change, problems, put

from orb_learning.backup import snapshot
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import (
    Backup,
)
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.reader import StillInUseError, files_of, open_reader
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings


def test_only_segments_with_records_that_are_not_loaded_are_copied(
    database: Path, tmp_path: Path, outbox: Outbox, make: Callable[..., Backup]
) -> None:
    put(outbox, 1, 2)
    outbox.close()
    load_once(database, tmp_path / "outbox")
    live = Outbox(tmp_path / "outbox")
    put(live, 3, 4)
    load_once(database, tmp_path / "outbox")
    put(live, 5)
    [_, live_file] = files_of(tmp_path / "outbox")
    backup = make()
    assert live_file.with_name(f"{live_file.name}-wal").stat().st_size > 0
    [name] = backup.manifest.outbox
    assert name == live_file.name
    assert [path.name for path in (backup.folder / "outbox").iterdir()] == [name]
    put(live, 6)
    with open_reader(backup.folder / "outbox" / name) as reader:
        assert [record.sequence_number for record in reader.read(0, 10)] == [1, 2, 3]
    assert backup.manifest.outbox[name].last_number == 3
    assert backup.manifest.positions[backup.manifest.outbox[name].outbox_id] == 2


def test_a_damaged_segment_is_left_out_and_named(
    settings: LearningSettings, database: Path, tmp_path: Path, outbox: Outbox
) -> None:
    change(database)
    for number in (1, 2):
        other = Outbox(tmp_path / "outbox")
        put(other, *range(number, number + 100))
        other.close()
    first, second = files_of(tmp_path / "outbox")
    with first.open("r+b") as file:
        file.truncate(100)
    with second.open("r+b") as file:  # a page of records, which SQLite copies without a look
        file.seek(5 * 4096)
        file.write(os.urandom(4096))
    put(outbox, 3)
    made = make_backup(settings)
    assert [reason.split(":")[0] for reason in made.left_out] == [first.name, second.name]
    assert list(made.backup.manifest.outbox) == [files_of(tmp_path / "outbox")[-1].name]
    assert not problems(made.backup)


def test_a_damaged_segment_that_a_process_has_is_left_out_and_named(
    settings: LearningSettings,
    database: Path,
    tmp_path: Path,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "SECONDS_TO_MAKE_A_FILE", 0.05)
    change(database)
    put(outbox, *range(100))
    [path] = files_of(tmp_path / "outbox")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    with path.open("r+b") as file:
        file.write(os.urandom(100))
    made = make_backup(settings)
    [reason] = made.left_out
    assert reason.startswith(f"{path.name}: it cannot be read, and a process has it")
    assert made.backup.manifest.outbox == {}
    assert not problems(made.backup)


def test_a_segment_that_is_just_made_is_waited_for(
    settings: LearningSettings,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(database)
    made_after, open_now = 3, snapshot.open_reader

    def open_later(path: Path) -> Any:
        nonlocal made_after
        made_after -= 1
        if made_after:
            raise StillInUseError(str(path))
        return open_now(path)

    outbox = Outbox(tmp_path / "outbox")
    put(outbox, 1)
    monkeypatch.setattr(snapshot, "open_reader", open_later)
    made = make_backup(settings)
    assert made.left_out == []
    assert len(made.backup.manifest.outbox) == 1
