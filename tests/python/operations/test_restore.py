"""A restore loses nothing: not what came after the backup, not the database of before."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import SUPPORT
from restore_cases import EVERYTHING_IS_PRUNED, Place, erase_tasks
from typer.testing import CliRunner

from orb_learning import LearningDatabase
from orb_learning.archive.files import check_archive
from orb_learning.backup.verify import validate_backup
from orb_learning.cli.app import app
from orb_learning.errors import (
    DiskFullError,
    InvalidBackupError,
    RestoreError,
)
from orb_learning.ingest.files import import_file
from orb_learning.ingest.relay import load_once
from orb_learning.operations import restore as operations_restore
from orb_learning.outbox import reader as outbox_reader
from orb_learning.outbox.reader import files_of

WORKER = SUPPORT / "crash_worker.py"


NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001


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


def test_a_backup_is_restored_only_under_its_own_name(place: Place, tmp_path: Path) -> None:
    place.change()
    backup = place.back_up()
    other = Place(tmp_path / "other.db")
    with pytest.raises(RestoreError, match=r"set ORB_DATABASE to .*learning.db"):
        other.restore(backup)
    assert not other.database.exists()


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


def test_a_lost_database_that_was_made_anew_is_restored_with_everything(
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


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_outbox_that_cannot_be_read_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load()
    [*_, path] = files_of(place.outbox_folder)
    exchange_files = operations_restore.exchange
    locked = sqlite3.connect(path, isolation_level=None)

    def lock(*given: Any) -> Any:
        kept = exchange_files(*given) if given else None
        locked.execute("pragma locking_mode = exclusive").fetchall()
        locked.execute("begin exclusive")
        return kept

    monkeypatch.setattr(outbox_reader, "BUSY_SECONDS", 0.01)
    if moment == "before":
        lock()
        with pytest.raises(RestoreError, match=r"was not restored, and is as it was: .*locked"):
            place.restore(backup)
    else:
        monkeypatch.setattr(operations_restore, "exchange", lock)
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


def test_a_full_disk_is_named_and_changes_nothing(
    place: Place, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("9m")
    on_disk = Place(disk / "learning.db", place.backups)
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


def test_an_archive_that_was_rewritten_since_is_known_as_it_is(place: Place) -> None:
    settings = place.settings
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
    erase_tasks(place, 2)
    place.restore(backup)
    assert list(check_archive(settings)) == []
    assert place.query("select version_count from raw.archived_files") == [(1,)]
    assert place.query("select sum(version_count) from raw.forgotten") == [(1,)]


def test_the_command_restores_and_says_what_to_do(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(place.database))
    place.put(1)
    place.load()
    backup = place.back_up()
    place.put(2)
    place.load(limits=EVERYTHING_IS_PRUNED)
    place.put(3)
    file = tmp_path / "imported.jsonl"
    file.write_text('{"repo": "a"}')
    import_file(place.database, file)
    done = CliRunner().invoke(app, ["restore", str(backup.folder)])
    assert done.exit_code == 0, done.output
    for said in (
        "before-restore-",
        "loaded again from the outbox: 1 execution",
        "1 record missing that came after the backup, recorded between 20",
        f"import it again: {file}",
        "Now run `orb build`",
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


@pytest.mark.slow
def test_every_record_that_a_process_put_meanwhile_is_there_once(
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
