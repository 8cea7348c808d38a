"""A lake is kept well: backups bring it back, cleaning takes what nobody needs, days leave it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from crash_worker import payload_of
from lakes import Lake
from polling import until

from orb_learning.archive import archive_and_retain, check_archive, unarchive
from orb_learning.backup import make_backup, validate_backup
from orb_learning.errors import InvalidBackupError, MaintenanceBusyError
from orb_learning.ingest import load_once
from orb_learning.operations import erase, load_outbox, remaining_copies, restore_backup
from orb_learning.outbox import Outbox, files_of
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import (
    LakeFiles,
    clean_up,
    connect,
    contents,
    merge_files,
    only_maintainer,
)
from orb_learning.store.lake import Door
from orb_learning.store.lake.opening import close_kept

KILLS = int(os.environ.get("ORB_KILLS", "10"))
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))


def put(lake: Lake, numbers: range, outbox: str = "outbox", **settings: object) -> set[str]:
    """Put records into an outbox and load them; return their task_ids."""
    writer = Outbox(lake.folder / outbox)
    ids = {f"00000000-0000-4000-8000-{number:012d}": number for number in numbers}
    for task_id, number in ids.items():
        assert writer.put("execution", payload_of(task_id, number))
    writer.close()
    load_outbox(load_settings(outbox_path=lake.folder / outbox, **settings))
    return set(ids)


def tasks(lake: Lake) -> list[str]:
    rows = lake.rows("select task_id::varchar from raw.executions order by all")
    return [task_id for (task_id,) in rows]


def files_of_backup(folder: Path) -> LakeFiles:
    lake = json.loads((folder / "manifest.json").read_text())["lake"]
    return LakeFiles.model_validate(lake)


@pytest.fixture
def settings(lake: Lake) -> LearningSettings:
    return load_settings(database_path=lake.locator)


def test_a_restore_of_an_older_backup_loses_nothing_of_any_host(
    lake: Lake, settings: LearningSettings
) -> None:
    recorded = put(lake, range(1, 6)) | put(lake, range(11, 16), "elsewhere")
    backup = make_backup(settings).backup
    recorded |= put(lake, range(6, 9)) | put(lake, range(16, 19), "elsewhere")
    [(last, number)] = lake.rows("select max(snapshot_id), (select max(_load_seq) from "
                                 "raw.executions) from ducklake_snapshots('lake')")  # fmt: skip
    restored = restore_backup(settings, backup.folder)
    assert restored.problems == []
    assert restored.missing is None
    assert restored.loaded is not None
    assert restored.loaded.counts["execution"] == 3  # of this host
    load_once(lake.locator, lake.folder / "elsewhere")
    assert tasks(lake) == sorted(recorded)
    # No number is given twice, so no client takes what is for what was.
    [(first,)] = lake.rows("select min(snapshot_id) from ducklake_snapshots('lake')")
    assert first > last
    [(again,)] = lake.rows("select max(_load_seq) from raw.executions")
    assert again > number


def test_a_backup_whose_files_are_gone_is_refused(lake: Lake, settings: LearningSettings) -> None:
    recorded = put(lake, range(1, 6))
    backup = make_backup(settings).backup
    gone = lake.data / next(
        path for path in files_of_backup(backup.folder).files if path.startswith("raw/executions/")
    )
    content = gone.read_bytes()
    gone.unlink()
    before = lake.sql("select * from ducklake_snapshot order by 1")
    with pytest.raises(InvalidBackupError, match=r"1 of the \d+ files .* are gone: .*parquet"):
        restore_backup(settings, backup.folder)
    assert lake.sql("select * from ducklake_snapshot order by 1") == before
    said = lake.run("orb", "validate-backup", str(backup.folder), check=False)
    assert said.returncode == 1
    assert len(said.stderr.strip().splitlines()) == 1
    gone.write_bytes(content)
    assert validate_backup(backup.folder, None, lake.locator).problems == []
    assert tasks(lake) == sorted(recorded)


def test_cleaning_takes_what_neither_the_lake_nor_a_backup_needs(
    lake: Lake, settings: LearningSettings
) -> None:
    for number in range(1, 5):
        put(lake, range(number, number + 1))
    old = make_backup(settings).backup.folder
    assert merge_files(lake.locator, wait_seconds=5) is not None
    recorded = tasks(lake)
    new = make_backup(settings).backup.folder

    def needed(*folders: Path) -> set[Path]:
        backups = [files_of_backup(folder) for folder in folders]
        return {lake.data / path for backup in backups for path in backup.files}

    def clean(*backups: Path) -> None:
        for _ in range(2):  # what expires at first is deleted the next time
            lake.grow_old(9)
            clean_up(lake.locator, map(files_of_backup, backups), wait_seconds=5)

    clean(old, new)
    assert lake.files() == needed(old, new)
    # The old one's catalog does not know what only the new one needs.
    newest = restore_backup(settings, old).kept_beside
    assert newest is not None
    clean(old, new, newest)
    assert lake.files() >= needed(old, new, newest)
    # Once no backup is kept, what the lake has is left, and what may be of a load under way.
    live = needed(make_backup(settings).backup.folder)
    lake.grow_old(9)
    (lake.data / "young.parquet").write_bytes(b"")
    clean_up(lake.locator, [], wait_seconds=5)
    assert lake.files() == live | {lake.data / "young.parquet"}
    assert tasks(lake) == recorded


def test_an_outbox_is_pruned_up_to_a_backup_that_another_host_made(
    lake: Lake, settings: LearningSettings
) -> None:
    put(lake, range(1, 6), "elsewhere", backup_path=lake.folder / "none")
    assert files_of(lake.folder / "elsewhere")
    make_backup(settings)
    close_kept()  # it asks once a minute
    put(lake, range(0), "elsewhere", backup_path=lake.folder / "none")
    assert not files_of(lake.folder / "elsewhere")


def test_one_host_maintains_a_lake_and_a_step_that_fails_holds_up_no_other(
    lake: Lake, tmp_path: Path
) -> None:
    put(lake, range(1, 6))
    done = lake.run("orb", "maintain", "--json", check=False,
                    ORB_LEARNING__PROJECT_PATH=str(tmp_path))  # fmt: skip
    outcomes = {step["step"]: step["outcome"] for step in json.loads(done.stdout)["steps"]}
    assert outcomes == {
        "load": "succeeded",
        "build": "failed",  # there is no project
        "retention": "skipped",
        "backup": "succeeded",
        "prune": "succeeded",
    }
    assert json.loads(done.stdout)["problems"] == []
    assert lake.rows("select count(*) from raw.maintenance_steps") == [(6,)]
    with only_maintainer(lake.locator):
        assert lake.run("orb", "maintain", check=False).returncode == 3
        with (
            pytest.raises(MaintenanceBusyError, match="another host"),
            only_maintainer(lake.locator),
        ):
            pass


@pytest.mark.soak
def test_what_was_erased_is_named_where_it_still_is_and_leaves_the_files(
    lake: Lake, settings: LearningSettings
) -> None:
    recorded = put(lake, range(1, 6))
    [erased, *_] = recorded
    backup = make_backup(settings).backup.folder
    now = datetime.fromisoformat("2026-03-31T12:00:00")
    result = erase(settings, task_ids=[erased], now=now)
    assert result.version_count == 1
    assert result.still_in == [backup]
    assert result.snapshots_until == now.date() + timedelta(days=3)
    shutil.rmtree(lake.folder / "outbox")  # with the order to erase
    restore_backup(settings, backup)
    assert tasks(lake) == sorted(recorded - {erased})

    def is_in_a_file() -> bool:
        with connect(lake.locator, read_only=True) as connection:
            [(count,)] = connection.execute(
                "select count(*) from read_parquet(?, union_by_name = true) where task_id = ?",
                [[str(file) for file in lake.files() if "raw/executions" in str(file)
                  and not file.name.endswith("-delete.parquet")], uuid.UUID(erased)],
            ).fetchall()  # fmt: skip
            return bool(count)

    assert is_in_a_file()
    result = erase(settings, task_ids=[erased], in_backups=True)
    assert not backup.exists()
    for _ in range(2):
        lake.grow_old(1.1)
        clean_up(lake.locator, [], wait_seconds=5)
    assert not is_in_a_file()


def test_a_dump_is_searched_by_another_process_and_one_that_ends_it_is_named(
    lake: Lake, settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put(lake, range(1, 3))
    backup = make_backup(settings).backup.folder
    new, *others = sorted(put(lake, range(3, 6)))

    def look(*_: object) -> None:
        pytest.fail("it was searched in this process")

    with monkeypatch.context() as here:
        here.setattr(remaining_copies, "open_copy", look)
        assert erase(settings, task_ids=[new]).still_in == []
        assert erase(settings, task_ids=[min(old)]).still_in == [backup]
    monkeypatch.setattr(contents, "LEAST_SECONDS", 0.01)
    assert erase(settings, task_ids=[others[0]]).still_in == [backup]


@pytest.mark.soak
def test_days_leave_for_files_and_come_back(clone: Lake) -> None:
    settings = load_settings()
    [(oldest, newest, count)] = clone.rows(
        "select min(timestamp)::date, max(timestamp)::date, count(*) from fct_executions"
    )
    keep = (newest - oldest).days - 1
    now = datetime.combine(newest, datetime.max.time())
    result = archive_and_retain(settings, days_to_keep=keep, take_imported=True, now=now)
    assert result.days_cleaned == 1
    assert result.archived_count > 10
    assert list(check_archive(settings)) == []
    live = clone.rows("select count(*) from raw.executions")
    assert live == clone.rows("select count(*) from fct_executions")
    assert live == [(count - result.archived_count,)]
    back = unarchive(settings, oldest, oldest)
    assert back.version_count == result.archived_count
    assert clone.rows("select count(*) from raw.executions") == [(count,)]
    # Others write again: the gate is open.
    with closing(Door(clone.locator, wait_seconds=1)) as door, door.gate(alone=True):
        pass


@pytest.mark.soak
def test_a_whole_run_on_a_built_lake_succeeds(clone: Lake) -> None:
    done = clone.run("orb", "maintain", "--json", check=False)
    steps = json.loads(done.stdout)["steps"]
    assert [step for step in steps if step["outcome"] != "succeeded"] == []
    assert "merged into" in next(s["message"] for s in steps if s["step"] == "retention")
    backup = Path(next(s["message"] for s in steps if s["step"] == "backup"))
    assert clone.run("orb", "restore", str(backup), check=False).returncode == 0
    assert clone.rows("select count(*) from executions") == [(6199,)]


@pytest.mark.soak
def test_a_kill_while_restoring_leaves_the_one_lake_or_the_other(
    lake: Lake, settings: LearningSettings
) -> None:
    recorded = put(lake, range(1, 6))
    backup = make_backup(settings).backup.folder
    recorded |= put(lake, range(6, 9))
    close_kept()
    choices = random.Random(SEED)  # noqa: S311
    orb = Path(sys.executable).with_name("orb")
    for _ in range(KILLS):
        process = subprocess.Popen(
            [orb, "restore", str(backup)],
            env={**os.environ, **lake.variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with suppress(subprocess.TimeoutExpired):  # from its start to past its end
            process.wait(choices.uniform(0.5, 8))
        process.kill()
        process.wait()
        # A dump that is put back may go on without it.
        until(lambda: not lake.sql("select from pg_stat_activity where application_name = 'psql'"))
        assert len(tasks(lake)) in (5, 8), f"ORB_SEED={SEED}"
        load_outbox(settings)
        close_kept()
        assert tasks(lake) == sorted(recorded), f"ORB_SEED={SEED}"
    assert restore_backup(settings, backup).problems == []
    assert tasks(lake) == sorted(recorded)
    assert lake.sql("select from pg_database where datname like 'orb_check%'") == []
