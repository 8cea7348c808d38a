"""Whoever makes or restores a backup and is killed leaves whole databases and whole backups."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import backup_worker
import pytest
from building import SUPPORT, DbtProject, known_parse
from crash_worker import payload_of
from histories import NOON, days_ago
from sites import quick_project

from orb_learning.archive.files import archived_files, check_archived_file
from orb_learning.archive.rewrite import rewrite_archive
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import backups_in, verified_offsets
from orb_learning.backup.verify import validate_backup
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.operations.restore import restore_backup
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

WORKER = SUPPORT / "crash_worker.py"
KILLS = max(5, int(os.environ.get("ORB_KILLS", "0")) // 4)
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["backup_worker"])


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose views a restore makes quickly: its kills are of what comes before."""
    return quick_project(tmp_path_factory.mktemp("project"))


class Producer:
    """A process that records all the while, and notes what was acknowledged."""

    def __init__(self, folder: Path):
        self.notes = folder / "1.ids"
        command = ["produce", folder / "phase", folder / "outbox", self.notes, "0.1"]
        self._process = subprocess.Popen(
            [sys.executable, WORKER, *command], stdout=subprocess.DEVNULL
        )

    def acknowledged(self) -> set[str]:
        text = self.notes.read_text() if self.notes.exists() else ""
        return set(text[: text.rfind("\n") + 1].split())

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)


@pytest.fixture
def producer(tmp_path: Path) -> Iterator[Producer]:
    one = Producer(tmp_path)
    until = time.monotonic() + 60
    while not one.acknowledged() and time.monotonic() < until:
        time.sleep(0.01)
    yield one
    one.end()


def kill_in_some_phase(work: Callable[..., None], chance: random.Random, *arguments: Any) -> str:
    """Let a process do some work until it is killed; returns what the kill hit."""
    death = backup_worker.Death(
        chance.choice(backup_worker.PHASES[work]),
        chance.randint(1, 3),
        chance.choice([0, 0, 0.001, 0.01, 0.05]),
    )
    process = processes.Process(target=work, args=(death, *arguments), daemon=True)
    process.start()
    process.join(timeout=300)
    assert process.exitcode == -signal.SIGKILL, f"{process.exitcode} instead of {death}"
    return death.phase


@pytest.fixture
def retained_database(project: DbtProject, empty_database: Path, database: Path) -> Path:
    """A database with an archived day, of which a task was erased, as was a live one."""
    shutil.copy(empty_database, database)
    outbox, archive = Outbox(database.parent / "outbox"), database.parent / "archive"
    erased = []
    for number, day in enumerate([*[days_ago(50)] * 5, *[days_ago(1)] * 5]):
        task_id = str(uuid.uuid4())
        record = json.loads(payload_of(task_id, number)) | {"timestamp": f"{day.isoformat()}Z"}
        assert outbox.put("execution", json.dumps(record))
        if number in (2, 7):
            erased.append(task_id)
    load_once(database, outbox.folder)
    arguments = {"days_to_keep": 30, "archive_path": str(archive)}
    project.operate(database, "archive_and_retain", arguments, as_of=NOON.isoformat())
    assert outbox.put("forget", json.dumps({"task_ids": erased}))
    outbox.close()
    load_once(database, outbox.folder)
    with connect(database) as connection:
        assert rewrite_archive(connection, archive) == 1
    assert ids_in(database) & set(erased) == set()
    return database


def ids_in(database: Path) -> set[str]:
    """The live tasks, where live, archived and erased versions are all received ones, each once."""
    archive = database.parent / "archive"
    with connect(database, read_only=True) as connection:
        live = connection.execute("select task_id::varchar, _load_seq from raw.executions")
        found = live.fetchall()
        archived: list[int] = []
        for file in archived_files(connection):
            check_archived_file(archive, file)
            rows = connection.execute(
                "select _load_seq from read_parquet(?)", [str(archive / file.file_name)]
            ).fetchall()
            archived += [number for (number,) in rows]
        [(received, removed)] = connection.execute(
            "select (select sum(version_count) from raw.loaded_counts), "
            "(select sum(version_count) from raw.forgotten)"
        ).fetchall()
    numbers = {number for _, number in found} | set(archived)
    assert len(archived) == 4
    assert len(numbers) == len(found) + len(archived), "a version is there twice"
    assert removed == 2
    assert len(numbers) + removed == received
    ids = {task_id for task_id, _ in found}
    assert len(ids) == len(found), "a record is there twice"
    return ids


def test_a_killed_backup_leaves_whole_backups_only_and_nothing_is_lost(
    retained_database: Path,
    views: Path,
    tmp_path: Path,
    producer: Producer,
    tell: Callable[..., None],
) -> None:
    chance, database = random.Random(SEED), retained_database  # noqa: S311
    outbox, folder = tmp_path / "outbox", tmp_path / "backups"
    load_once(database, outbox)
    hits: Counter[str] = Counter()
    validated = set()
    began = time.monotonic()
    for _ in range(KILLS):
        phase = kill_in_some_phase(backup_worker.back_up, chance, database, outbox, folder)
        hits[phase] += 1
        ids_in(database)
        for backup in backups_in(folder):
            if backup.folder not in validated:
                assert validate_backup(backup.folder).problems == []
                validated.add(backup.folder)
    producer.end()
    acknowledged = producer.acknowledged()
    load_once(database, outbox, RelayOptions(verified_offsets=partial(verified_offsets, folder)))
    assert acknowledged <= ids_in(database)
    everything = ids_in(database)
    make_backup(load_settings(database_path=database))
    assert {path for path in folder.iterdir() if path.is_dir()} == {
        backup.folder for backup in backups_in(folder)
    }
    for backup in backups_in(folder):
        done = restore_backup(backup_worker.settings_of(database, views), backup.folder)
        lost = len(everything - ids_in(database))
        assert lost == (done.missing.count if done.missing else 0)
    assert lost == 0
    tell(
        f"{KILLS} kills of orb load, backup and prune (seed {SEED}) in "
        f"{time.monotonic() - began:.0f} s: {len(validated)} backups, all whole; "
        f"{len(everything):,} records, each there once",
        *(f"  {count:4} {phase}" for phase, count in sorted(hits.items())),
    )


def test_a_killed_restore_leaves_the_old_database_or_the_new_one(
    retained_database: Path,
    views: Path,
    tmp_path: Path,
    producer: Producer,
    tell: Callable[..., None],
) -> None:
    chance, database = random.Random(SEED), retained_database  # noqa: S311
    parsed = known_parse(views, database, tmp_path / "parse")
    outbox = tmp_path / "outbox"
    load_once(database, outbox)
    backup = make_backup(load_settings(database_path=database)).backup
    in_backup = backup.manifest.tables["raw.executions"].rows
    hits: Counter[str] = Counter()
    found: Counter[str] = Counter()
    began = time.monotonic()
    for _ in range(KILLS):
        phase = kill_in_some_phase(
            backup_worker.restore, chance, database, backup.folder, views, parsed
        )
        hits[phase] += 1
        acknowledged = producer.acknowledged()
        found["the restored one" if len(ids_in(database)) == in_backup else "another"] += 1
        load_once(database, outbox)
        assert acknowledged <= ids_in(database)
        for file in tmp_path.glob("*before-restore*"):
            file.unlink()
    producer.end()
    done = restore_backup(backup_worker.settings_of(database, views), backup.folder)
    assert done.missing is None
    assert producer.acknowledged() <= ids_in(database)
    assert [path.name for path in tmp_path.glob(".*")] == []
    tell(
        f"{KILLS} kills of orb restore (seed {SEED}) in {time.monotonic() - began:.0f} s: each "
        f"left a whole database ({found['the restored one']} of them just restored), and all of "
        f"{len(producer.acknowledged()):,} records were there once",
        *(f"  {count:4} {phase}" for phase, count in sorted(hits.items())),
    )
