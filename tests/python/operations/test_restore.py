"""A restore loses nothing: not what came after the backup, not the database of before."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import SUPPORT
from crash_worker import payload_of
from typer.testing import CliRunner

from orb_learning import LearningDatabase
from orb_learning.archive.retention import check_archive
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import Backup, verified_offsets
from orb_learning.backup.verify import validate_backup
from orb_learning.cli.app import app
from orb_learning.errors import (
    BackupError,
    DatabaseLockedError,
    DiskFullError,
    InvalidBackupError,
    RestoreError,
)
from orb_learning.ingest.files import import_file
from orb_learning.ingest.relay import load_once
from orb_learning.operations import restore as operations_restore
from orb_learning.operations.erasure import erase
from orb_learning.operations.restore import Restored, restore_backup
from orb_learning.outbox import reader as outbox_reader
from orb_learning.outbox.reader import files_of, open_reader
from orb_learning.outbox.writer import Limits, Outbox
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect, connect_still

WORKER = SUPPORT / "crash_worker.py"
NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001
EVERYTHING_GOES = Limits(0, timedelta(0))


class Place:
    """A database with its outbox and its backups."""

    def __init__(self, database: Path):
        self.database = database
        self.folder = database.parent
        self.outbox_folder = self.folder / "outbox"
        self.backups = self.folder / "backups"

    def put(self, *numbers: int) -> None:
        """Record executions in a file of their own."""
        outbox = Outbox(self.outbox_folder)
        for number in numbers:
            assert outbox.put("execution", payload_of(str(uuid.UUID(int=number)), number))
        outbox.close()

    def load(self, limits: Limits | None = None) -> None:
        load_once(
            self.database,
            self.outbox_folder,
            limits=limits,
            verified_offsets=partial(verified_offsets, self.backups),
        )

    def back_up(self) -> Backup:
        return make_backup(self.database, self.outbox_folder, self.backups).backup

    def restore(self, backup: Backup | Path, **given: Any) -> Restored:
        return restore_backup(
            backup.folder if isinstance(backup, Backup) else backup,
            self.database,
            self.outbox_folder,
            backup_folder=self.backups,
            archive_folder=self.folder / "archive",
            limits=Limits(),
            **given,
        )

    def numbers(self) -> list[int]:
        rows = self.query("select task_id from raw.executions order by task_id")
        return [task_id.int for (task_id,) in rows]

    def query(self, sql: str) -> list[Any]:
        with connect(self.database, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with connect(self.database) as connection:
            for statement in statements:
                connection.execute(statement).fetchall()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*learning*"))


@pytest.fixture
def place(database: Path) -> Place:
    return Place(database)


def test_what_came_after_the_backup_is_there_again_once(place: Place) -> None:
    place.put(1, 2)
    place.load()
    place.put(3)
    backup = place.back_up()
    place.put(4)
    place.load()
    place.put(5)
    before = place.query("from raw.executions order by all")
    done = place.restore(backup)
    assert place.numbers() == [1, 2, 3, 4, 5]
    assert done.loaded is not None
    assert done.loaded.counts["execution"] == 3
    assert (done.missing, done.to_import_again, done.problems, done.outbox_files) == (
        None, [], [], []
    )  # fmt: skip
    assert done.kept_beside is not None
    with duckdb.connect(done.kept_beside, read_only=True) as kept:
        assert kept.execute("from raw.executions order by all").fetchall() == before
    place.load()
    assert place.numbers() == [1, 2, 3, 4, 5]
    leftovers = [name for name in place.names() if "restoring" in name or ".wal" in name]
    assert leftovers == []


def test_a_number_of_a_load_is_never_used_twice(place: Place) -> None:
    place.put(1, 2)
    place.load()
    backup = place.back_up()
    place.put(3, 4)
    place.load()
    assert place.query("select max(_load_seq) from raw.executions") == [(4,)]
    place.restore(backup)
    seqs = place.query("select _load_seq from raw.executions order by task_id")
    assert seqs == [(1,), (2,), (5,), (6,)]


def test_restore_says_how_many_records_of_which_time_are_missing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = 1_700_000_000.0
    monkeypatch.setattr(time, "time", lambda: begin)
    place.put(1)
    place.load()
    backup = place.back_up()
    monkeypatch.setattr(time, "time", lambda: begin + 60)
    place.put(2, 3)
    place.load()
    monkeypatch.setattr(time, "time", lambda: begin + 120)
    place.put(4)
    place.load(limits=EVERYTHING_GOES)
    monkeypatch.setattr(time, "time", lambda: begin + 180)
    place.put(5)
    done = place.restore(backup)
    assert place.numbers() == [1, 5]
    missing = done.missing
    assert missing is not None
    assert missing.count == 3
    first = datetime(2023, 11, 14, 22, 13, 20)  # noqa: DTZ001 (begin)
    assert missing.first_put_at == first + timedelta(minutes=1)
    assert missing.last_put_at == first + timedelta(minutes=2)


def test_the_present_database_tells_what_is_missing_where_nothing_noted_it(place: Place) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2, 3)
    place.load()
    for file in files_of(place.outbox_folder):
        file.unlink()
    missing = place.restore(backup).missing
    assert missing is not None
    assert (missing.count, missing.first_put_at) == (2, None)


def test_after_trimming_by_a_newer_backup_the_older_one_says_what_is_missing_and_the_newer_has_it(
    place: Place,
) -> None:
    place.put(1)
    place.load()
    older = place.back_up()
    place.put(2)
    place.load()
    newer = place.back_up()
    place.put(3)
    place.load()
    assert len(files_of(place.outbox_folder)) == 1
    missing = place.restore(older).missing
    assert missing is not None
    assert missing.count == 1
    assert place.numbers() == [1, 3]
    assert place.restore(newer).missing is None
    assert place.numbers() == [1, 2, 3]


def test_files_imported_after_the_backup_are_named(place: Place, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text('{"repo": "a"}')
    second.write_text('{"repo": "b"}')
    import_file(place.database, first)
    backup = place.back_up()
    import_file(place.database, first, again=True)
    import_file(place.database, second)
    assert place.restore(backup).to_import_again == [str(first), str(second)]


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


def test_a_backed_up_outbox_is_never_laid_over_a_live_one(place: Place) -> None:
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


def test_nor_over_a_live_one_that_cannot_be_read(place: Place) -> None:
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


def test_a_damaged_backup_is_not_restored_unless_it_must_be(place: Place) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load()
    (backup.folder / "SHA256SUMS").unlink()
    state = place.database.stat()
    with pytest.raises(InvalidBackupError, match="SHA256SUMS cannot be read"):
        place.restore(backup)
    assert place.database.stat() == state
    assert place.restore(backup, validate=False).problems == []
    assert place.numbers() == [1, 2]


def test_a_backup_of_another_database_is_restored_only_when_that_is_wanted(
    place: Place, tmp_path: Path
) -> None:
    place.put(1)
    place.load()
    other = Place(tmp_path / "other" / "learning.db")
    other.folder.mkdir()
    other.put(2)
    other.load()
    backup = other.back_up()
    with pytest.raises(RestoreError, match=r"another database.*--other-database"):
        place.restore(backup)
    assert place.numbers() == [1]
    done = place.restore(backup, other_database=True)
    assert place.numbers() == [2]
    assert done.loaded is not None
    assert len(done.loaded.foreign) == 1
    assert done.missing is None


def test_a_database_that_was_lost_and_made_anew_by_a_loader_is_restored_with_all_that_came(
    place: Place,
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load()
    place.put(3)
    place.database.unlink()
    place.load()  # makes a new one; what fed the old one is left alone
    place.put(4)
    place.load()
    assert place.numbers() == [3, 4]
    place.restore(backup, other_database=True)
    load_once(place.database, place.outbox_folder, adopt=True)
    assert place.numbers() == [1, 2, 3, 4]


def test_a_backup_is_restored_only_under_its_own_name(place: Place, tmp_path: Path) -> None:
    place.change()
    backup = place.back_up()
    other = Place(tmp_path / "other.db")
    with pytest.raises(RestoreError, match=r"set ORB_DATABASE to .*learning.db"):
        other.restore(backup)
    assert not other.database.exists()


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
    place.change("create table t as select 1 as a")
    backup = place.back_up()
    code = f"""
import duckdb, os
connection = duckdb.connect({str(place.database)!r})
connection.execute("insert into t values (2)")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert place.database.with_name("learning.db.wal").exists()
    done = place.restore(backup)
    assert done.kept_beside is not None
    with duckdb.connect(done.kept_beside, read_only=True) as kept:
        assert kept.execute("from t").fetchall() == [(1,), (2,)]
    assert place.query("from t") == [(1,)]
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
        with connect_still(path) as connection:  # the restored one is in its place
            assert connection.execute("select count(*) from raw.executions").fetchall() == [(1,)]
        raise OSError("the disk went away")

    monkeypatch.setattr(operations_restore, "_look_at", refuse)
    with pytest.raises(RestoreError, match="was undone, all is as it was before: the disk went"):
        place.restore(backup)
    after = {path.name: path.read_bytes() for path in place.folder.glob("learning*")}
    assert after == before
    monkeypatch.undo()
    if state == "whole":
        assert place.numbers() == [1, 2]
    place.restore(backup)
    assert place.numbers() == [1, 2]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_outbox_that_cannot_be_read_is_said_and_whether_it_was_restored(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load()
    [*_, path] = files_of(place.outbox_folder)
    exchange = operations_restore._exchange
    locked = sqlite3.connect(path, isolation_level=None)

    def lock(*given: Any) -> Any:
        kept = exchange(*given) if given else None
        locked.execute("pragma locking_mode = exclusive").fetchall()
        locked.execute("begin exclusive")
        return kept

    monkeypatch.setattr(outbox_reader, "BUSY_SECONDS", 0.01)
    if moment == "before":
        lock()
        with pytest.raises(RestoreError, match=r"was not restored, and is as it was: .*locked"):
            place.restore(backup)
    else:
        monkeypatch.setattr(operations_restore, "_exchange", lock)
        done = place.restore(backup)
        assert [problem.split(":")[0] for problem in done.problems] == [
            "what came after the backup and is lost could not be counted",
            "the outbox was not loaded, `orb load` does it",
        ]
        assert done.kept_beside is not None
        assert place.numbers() == [1]
    locked.close()
    place.load()
    assert place.numbers() == [1, 2]


def test_a_copy_that_is_not_the_same_when_read_back_changes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    copy = shutil.copyfile

    def losing(source: Path, target: Path) -> None:
        copy(source, target)
        with Path(target).open("r+b") as file:
            file.seek(5_000)
            file.write(b"\x99")

    place.put(2)
    place.load()
    monkeypatch.setattr(shutil, "copyfile", losing)
    with pytest.raises(RestoreError, match="read back, is not the backup"):
        place.restore(backup)
    assert place.numbers() == [1, 2]


def test_a_database_that_somebody_has_is_not_restored(place: Place) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    state = place.database.stat()
    with connect(place.database, read_only=True), pytest.raises(DatabaseLockedError):
        place.restore(backup, wait_seconds=0.1)
    # One that takes no turns.
    code = f"""
import duckdb, sys
connection = duckdb.connect({str(place.database)!r}, read_only=True)
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(DatabaseLockedError):
            place.restore(backup, wait_seconds=0.1)
        other.communicate()
    assert place.database.stat() == state


def test_a_full_disk_is_said_and_changes_nothing(
    place: Place, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("9m")
    on_disk = Place(disk / "learning.db")
    on_disk.backups = place.backups
    on_disk.put(1)
    on_disk.load()
    on_disk.change("create table big as select uuid()::varchar as a from range(150000)")
    backup = on_disk.back_up()
    on_disk.put(2)
    on_disk.load()
    with pytest.raises(DiskFullError, match="the disk is full, nothing was changed"):
        on_disk.restore(backup)
    assert on_disk.numbers() == [1, 2]
    assert list(disk.glob(".*restoring*")) == []
    subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
    on_disk.restore(backup)
    assert on_disk.numbers() == [1, 2]


# What was forgotten


def forget(place: Place, *numbers: int) -> None:
    settings = load_settings(database_path=place.database)
    erase(settings, task_ids=[uuid.UUID(int=number) for number in numbers])


def forgotten_in(place: Place) -> list[int]:
    rows = place.query("select task_id from raw.forgotten order by all")
    return [task_id.int for (task_id,) in rows]


def test_what_was_forgotten_since_the_backup_does_not_come_back(place: Place) -> None:
    place.put(1, 2, 3)
    place.load()
    place.put(4)
    backup = place.back_up()
    forget(place, 2, 4)
    [when] = place.query("select distinct forgotten_at from raw.forgotten")
    for file in files_of(place.outbox_folder):  # the order to forget, too
        file.unlink()
    place.restore(backup)
    assert place.numbers() == [1, 3]
    assert forgotten_in(place) == [2, 4]
    assert place.query("select distinct forgotten_at from raw.forgotten") == [when]
    assert place.query(
        "select sum(version_count) from (select version_count from raw.loaded_counts "
        "union all select -version_count from raw.forgotten)"
    ) == [(2,)]


def test_nor_where_the_present_database_is_lost_but_the_outbox_or_a_newer_backup_knows_it(
    place: Place,
) -> None:
    place.put(1, 2, 3)
    place.load()
    backup = place.back_up()
    forget(place, 2)
    place.back_up()
    place.load()
    assert files_of(place.outbox_folder) == []
    forget(place, 3)
    place.database.unlink()
    place.restore(backup)
    assert place.numbers() == [1]
    assert forgotten_in(place) == [2, 3]


def test_an_archive_that_was_cleaned_since_is_known_as_it_is(place: Place) -> None:
    settings = load_settings(database_path=place.database)
    place.put(1, 2)
    place.load()
    settings.archive_folder.mkdir()
    file = settings.archive_folder / "executions_archive_20260101.parquet"
    place.change(
        f"copy raw.executions to '{file}' (format parquet)",
        f"""insert into raw.archived_files
            select parse_filename(filename), '2026-01-01', 2, size, sha256(content), now(), null
            from read_blob('{file}')""",
        "delete from raw.executions",
    )
    backup = place.back_up()
    forget(place, 2)
    place.restore(backup)
    assert list(check_archive(settings)) == []
    assert place.query("select version_count from raw.archived_files") == [(1,)]
    assert place.query("select sum(version_count) from raw.forgotten") == [(1,)]


# The ways in


def test_the_command_restores_and_says_what_to_do(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(place.database))
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load(limits=EVERYTHING_GOES)
    place.put(3)
    file = tmp_path / "imported.jsonl"
    file.write_text('{"repo": "a"}')
    import_file(place.database, file)
    done = CliRunner().invoke(app, ["restore", str(backup.folder)])
    assert done.exit_code == 0, done.output
    for said in (
        "before-restore-",
        "loaded again from the outbox: 1 execution",
        "1 records are missing that came after the backup, recorded between 20",
        f"import it again: {file}",
        "Now run `dbt build`",
    ):
        assert said in done.stdout
    assert place.numbers() == [1, 3]
    (backup.folder / "learning.db").unlink()
    done = CliRunner().invoke(app, ["restore", str(backup.folder)])
    assert done.exit_code == 1
    assert "learning.db, which manifest.json names, is missing" in done.stderr
    done = CliRunner().invoke(app, ["restore", str(tmp_path / "none")])
    assert "`orb backups` lists" in done.stderr


def test_the_learning_database_restores_while_it_records_and_reads(place: Place) -> None:
    async def use() -> dict[str, Any]:
        async with LearningDatabase(place.database, flush_interval=0.05) as learning:
            await learning.store_execution({"task_id": str(uuid.UUID(int=1))})
            await asyncio.to_thread(learning._loader.load, 30)
            backup = await learning.backup_database()
            reading = asyncio.create_task(read_on(learning))
            for number in range(2, 6):
                await learning.store_execution({"task_id": str(uuid.UUID(int=number))})
            said = await learning.restore_from_backup(backup)
            await learning.store_execution({"task_id": str(uuid.UUID(int=6))})
            reading.cancel()
            return said

    async def read_on(learning: LearningDatabase) -> None:
        while True:
            await learning._readers.query("select count(*) from raw.executions")

    said = asyncio.run(use())
    assert (said["missing"], said["problems"]) == (0, [])
    assert place.numbers() == [1, 2, 3, 4, 5, 6]


# While others are at work


def test_restored_and_loaded_it_has_every_record_that_a_live_process_put_meanwhile(
    place: Place, tmp_path: Path, tell: Callable[..., None]
) -> None:
    notes = tmp_path / "1.ids"
    producer = subprocess.Popen(
        [
            sys.executable,
            WORKER,
            "produce",
            tmp_path / "phase",
            place.outbox_folder,
            notes,
            "0.001",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        place.change()
        made = []
        while len(made) < 4:
            place.load()
            made.append(place.back_up())
        assert producer.poll() is None
    finally:
        producer.terminate()
        said, _ = producer.communicate(timeout=60)
    assert json.loads(said)["refused"] == {}
    acknowledged = set(notes.read_text().split())
    for backup in made:
        assert validate_backup(backup.folder).problems == []
        missing = place.restore(backup).missing
        rows = place.query("select task_id::varchar from raw.executions")
        loaded = {task_id for (task_id,) in rows}
        assert len(rows) == len(loaded)
        assert loaded <= acknowledged
        assert len(acknowledged - loaded) == (missing.count if missing else 0)
    assert loaded == acknowledged
    tell(
        f"{len(made)} backups while a process recorded {len(acknowledged):,} executions, its "
        f"slowest put {json.loads(said)['slowest'] * 1000:.0f} ms; restored, every one once"
    )


def test_a_file_of_the_outbox_in_a_backup_is_as_of_one_moment(place: Place) -> None:
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
