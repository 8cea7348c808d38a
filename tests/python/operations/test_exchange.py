"""The database of before is kept whole beside the restored one, or is back in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from restore_cases import Place

from orb_learning.errors import (
    RestoreError,
)
from orb_learning.operations import exchange
from orb_learning.store.connection import connect_without_lock


def cut_in_half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def cut_in_half_with_a_log(file: Path) -> None:
    cut_in_half(file)
    file.with_name(f"{file.name}.wal").write_bytes(os.urandom(10_000))


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(os.urandom(100_000)),
        lambda file: file.write_bytes(b"SQLite format 3\0" + bytes(5_000)),
        cut_in_half,
        cut_in_half_with_a_log,
    ],
    ids=["empty", "random", "sqlite", "half", "half, and a log"],
)
def test_a_database_that_cannot_be_read_is_replaced_and_kept(
    place: Place, damage: Callable[[Path], object]
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load()
    damage(place.database)
    log = place.database.with_name("learning.db.wal")
    damaged = place.database.read_bytes()
    damaged_log = log.read_bytes() if log.exists() else None
    done = place.restore(backup)
    assert "could not be read" in done.notes[0]
    assert not done.problems
    assert place.numbers() == [1, 2]
    assert done.kept_beside is not None
    kept_log = Path(f"{done.kept_beside}.wal")
    if damaged:
        assert done.kept_beside.read_bytes() == damaged
    assert (kept_log.read_bytes() if kept_log.exists() else None) == damaged_log
    assert not log.exists()


def test_a_log_that_a_lost_database_left_is_put_aside(place: Place) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.database.rename(place.folder / "gone")
    place.database.with_name("learning.db.wal").write_bytes(b"of another one")
    place.restore(backup)
    assert place.numbers() == [1]
    [log] = place.folder.glob("*.wal")
    assert "before-restore" in log.name


def test_a_database_whose_last_changes_are_in_its_log_is_kept_whole(place: Place) -> None:
    place.change("create table build_state as select 1 as a")
    backup = place.back_up()
    code = f"""
import duckdb, os
connection = duckdb.connect({str(place.database)!r})
connection.execute("insert into build_state values (2)")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert place.database.with_name("learning.db.wal").exists()
    done = place.restore(backup)
    assert done.kept_beside is not None
    with duckdb.connect(done.kept_beside, read_only=True) as kept:
        assert kept.execute("from build_state").fetchall() == [(1,), (2,)]
    assert place.query("from build_state") == [(1,)]
    assert list(place.folder.glob("*.wal")) == []


@pytest.mark.parametrize("state", ["whole", "damaged", "missing"])
def test_a_restore_that_fails_is_undone(
    place: Place, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load()
    log = place.database.with_name("learning.db.wal")
    if state == "missing":
        place.database.unlink()
    elif state == "damaged":
        place.database.write_bytes(b"no database")
        log.write_bytes(b"and its log")
    before = {path.name: path.read_bytes() for path in place.folder.glob("learning*")}

    def refuse(path: Path, manifest: object) -> None:  # noqa: ARG001
        with connect_without_lock(path) as connection:  # the restored one is in its place
            assert connection.execute("select count(*) from raw.executions").fetchall() == [(1,)]
        raise OSError("the disk went away")

    monkeypatch.setattr(exchange, "_verify", refuse)
    with pytest.raises(RestoreError, match="was undone, all is as it was before: the disk went"):
        place.restore(backup)
    after = {path.name: path.read_bytes() for path in place.folder.glob("learning*")}
    assert after == before
    monkeypatch.undo()
    if state == "whole":
        assert place.numbers() == [1, 2]
    place.restore(backup)
    assert place.numbers() == [1, 2]
