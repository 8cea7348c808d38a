"""What is restored is what was backed up, and segments come back only where they are missing."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import BinaryIO

import pytest
from crash_worker import payload_of
from restore_cases import Place

from orb_learning.errors import (
    BackupError,
    RestoreError,
)
from orb_learning.outbox.reader import files_of, open_reader
from orb_learning.outbox.writer import Outbox


def test_a_load_number_is_never_used_twice(place: Place) -> None:
    place.put(1, 2)
    place.load()
    backup = place.back_up()
    place.put(3, 4)
    place.load()
    assert place.query("select max(_load_seq) from raw.executions") == [(4,)]
    place.restore(backup)
    seqs = place.query("select _load_seq from raw.executions order by task_id")
    assert seqs == [(1,), (2,), (5,), (6,)]


def test_everything_is_back_on_a_new_machine_from_the_backup_alone(
    place: Place, tmp_path: Path
) -> None:
    place.put(1, 2)
    place.load()
    place.put(3)
    place.put(4, 5)
    backup = place.back_up()
    elsewhere = Place(tmp_path / "new" / "machine" / "learning.db")
    done = elsewhere.restore(backup)
    assert elsewhere.numbers() == [1, 2, 3, 4, 5]
    assert done.kept_beside is None
    assert done.outbox_files == sorted(backup.manifest.outbox)
    assert done.missing is None
    # Interrupted before it was through, it goes on.
    elsewhere.database.unlink()
    files_of(elsewhere.outbox_folder)[0].unlink()
    assert len(elsewhere.restore(backup).outbox_files) == 1
    assert elsewhere.numbers() == [1, 2, 3, 4, 5]


def test_a_backed_up_segment_is_never_laid_over_a_live_one(place: Place) -> None:
    live = Outbox(place.outbox_folder)
    place.change()
    for number in (1, 2):
        assert live.put("execution", payload_of(str(uuid.UUID(int=number)), number))
    backup = place.back_up()
    assert live.put("execution", payload_of(str(uuid.UUID(int=3)), 3))
    [file] = files_of(place.outbox_folder)
    state = file.stat().st_ino
    done = place.restore(backup)
    assert done.outbox_files == []
    assert file.stat().st_ino == state
    assert place.numbers() == [1, 2, 3]
    assert live.put("execution", payload_of(str(uuid.UUID(int=4)), 4))
    # Under another name it is still the same outbox.
    live.close()
    file.rename(file.with_name("00000000000000001-1.sqlite"))
    assert place.restore(backup).outbox_files == []
    assert place.numbers() == [1, 2, 3, 4]


def test_a_backed_up_segment_is_never_laid_over_one_that_is_damaged(place: Place) -> None:
    place.change()
    place.put(1)
    backup = place.back_up()
    [file] = files_of(place.outbox_folder)
    damaged = os.urandom(10_000)
    file.write_bytes(damaged)
    done = place.restore(backup)
    assert done.outbox_files == []
    assert done.loaded is not None
    assert len(done.loaded.damaged) == 1
    assert file.with_name(f"{file.name}.damaged").read_bytes() == damaged
    assert place.restore(backup).outbox_files == [file.name]
    assert place.numbers() == [1]


def test_a_copy_that_is_not_the_same_when_read_back_changes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    copy = shutil.copyfileobj

    def losing(source: BinaryIO, target: BinaryIO) -> None:
        copy(source, target)
        target.seek(5_000)
        target.write(b"\x99")

    place.put(2)
    place.load()
    monkeypatch.setattr(shutil, "copyfileobj", losing)
    with pytest.raises(RestoreError, match="read back, is not the backup"):
        place.restore(backup)
    assert place.numbers() == [1, 2]


def test_a_segment_in_a_backup_is_as_of_one_moment(place: Place) -> None:
    live = Outbox(place.outbox_folder)
    place.change()
    for number in range(1, 100):
        assert live.put("execution", payload_of(str(uuid.UUID(int=number)), number))
    backup = place.back_up()
    [(name, copy)] = backup.manifest.outbox.items()
    with open_reader(backup.folder / "outbox" / name) as reader:
        assert len(reader.read(0, 1000)) == copy.last_number == 99
    with pytest.raises(BackupError):
        place.restore(place.folder / "nowhere")
