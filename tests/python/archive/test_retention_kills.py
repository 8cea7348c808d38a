"""Retention killed at any moment: what there was is in the database or in a file, once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import backup_worker
import pytest
from building import DbtProject
from histories import NOON, days_ago

from orb_learning.archive import retention
from orb_learning.archive.files import (
    EXECUTIONS,
    FEEDBACK,
    archived_files,
    check_archived_file,
)
from orb_learning.archive.retention import archive_and_retain
from orb_learning.filesystem.rw_lock import Lock
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import compaction
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

KILLS = max(5, int(os.environ.get("ORB_KILLS", "0")) // 5)
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))
DAYS = 12
"""Old days that wait to be archived before each run."""

PARTIAL = ".*.partial"

INSERT = """
    insert into raw.executions
        (task_id, timestamp, task_type, task_description, repo, model_tier, pool_type, success,
        _load_seq, _loaded_at)
    select
        uuid(), ?::timestamp - to_days(days.range::integer), 'refactor', repeat('text ', 200),
        'api', 'small', 'local', true, nextval('raw.load_seq'), ?::timestamp
    from range(?) as days, range(300)
"""
INSERT_FEEDBACK = """
    insert into raw.feedback
        (feedback_id, task_id, submitted_at, satisfaction, comment, visibility, user_id,
        _load_seq, _loaded_at)
    select
        uuid(), task_id, timestamp, 'good', repeat('text ', 200), 'team', 'ann',
        nextval('raw.load_seq'), _loaded_at
    from raw.executions
    order by task_id
    limit 1000
"""


def insert_old_days(database: Path, days: int = DAYS) -> None:
    with connect(database) as connection:
        connection.execute(INSERT, [days_ago(60), NOON, days])
        connection.execute(INSERT_FEEDBACK)


def numbers(database: Path, folder: Path) -> Counter[int]:
    """How often each load number is there, in the database and in its archive."""
    found: Counter[int] = Counter()
    with connect(database, read_only=True) as connection:
        for archive in (EXECUTIONS, FEEDBACK):
            rows = connection.execute(f"select _load_seq from {archive.table}").fetchall()
            for file in archived_files(connection, archive):
                if file.unarchived_at is None:
                    check_archived_file(folder, file)
                    rows += connection.execute(
                        "select _load_seq from read_parquet(?)", [str(folder / file.file_name)]
                    ).fetchall()
            found.update(number for (number,) in rows)
    return found


def start(project: DbtProject, database: Path, folder: Path) -> int:
    """Run retention in a child of its own; returns its process id."""
    child = os.fork()
    if child:
        return child
    try:
        arguments = {"days_to_keep": 30, "archive_path": str(folder)}
        project.operate(database, "archive_and_retain", arguments, as_of=NOON.isoformat())
        os._exit(0)
    finally:
        os._exit(1)


def kill(child: int, folder: Path, chance: random.Random) -> str:
    """Kill it at a random moment of its work; returns what it was at, as far as files tell."""
    before = set(folder.glob("executions_*.parquet"))
    days, in_a_file = chance.randrange(DAYS), chance.random() < 0.5
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return "ended before"
        if len(set(folder.glob("executions_*.parquet")) - before) >= days and (
            not in_a_file or list(folder.glob(PARTIAL))
        ):
            break
    pause = 0 if in_a_file else chance.uniform(0, 0.05)
    began = time.monotonic()
    while time.monotonic() - began < pause:
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "a file half written" if list(folder.glob(PARTIAL)) else "between files"


def test_nothing_is_lost_or_twice_after_kills_of_retention(
    project: DbtProject,
    empty_database: Path,
    database: Path,
    tmp_path: Path,
    tell: Callable[..., None],
) -> None:
    shutil.copy(empty_database, database)
    folder = tmp_path / "archive"
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    project.operate(database, "archive_and_retain", {"dry_run": True})  # parsed once, for all
    hits: Counter[str] = Counter()
    while hits.total() - hits["ended before"] < KILLS:
        insert_old_days(database)
        every = numbers(database, folder)
        hits[kill(start(project, database, folder), folder, chance)] += 1
        assert numbers(database, folder) == every
        assert set(every.values()) == {1}
    assert os.waitpid(start(project, database, folder), 0)[1] == 0
    assert numbers(database, folder) == every
    with connect(database, read_only=True) as connection:
        for table in ("raw.executions", "raw.feedback"):
            assert connection.execute(f"select count(*) from {table}").fetchall() == [(0,)]
    assert not list(folder.glob(".*"))
    tell(
        f"{KILLS} kills of retention (seed {SEED}): {len(every):,} versions and feedback, each in "
        f"the database or in a file, once; hit: {dict(sorted(hits.items()))}"
    )


PHASES = [
    *("_copy", "table_checksums", "after table_checksums", "after _copy", "copymode"),
    *("sync", "after sync"),
    *("replace", "after replace", "release"),
]


def reclaim(settings: LearningSettings, death: backup_worker.Death) -> int:
    """Run retention in a child until it kills itself; returns its process id."""
    child = os.fork()
    if child:
        return child
    try:
        parts: list[tuple[Any, str]] = [
            *(
                (compaction, "_copy"),
                (compaction, "table_checksums"),
                (compaction.shutil, "copymode"),
            ),
            *((compaction, "sync"), (Path, "replace"), (Lock, "release")),
        ]
        run = retention.run_dbt

        def run_first(*arguments: Any, **named: Any) -> str:
            said = run(*arguments, **named)
            while parts:
                backup_worker.begin(death, parts.pop())
            return said

        retention.run_dbt = run_first
        while True:
            archive_and_retain(settings, days_to_keep=30)
    finally:
        os._exit(1)


def test_nothing_is_lost_or_twice_after_kills_while_space_is_reclaimed(
    project: DbtProject,
    empty_database: Path,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    tell: Callable[..., None],
) -> None:
    shutil.copy(empty_database, database)
    settings = load_settings(database_path=database)
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    project.operate(database, "archive_and_retain", {"dry_run": True})  # parsed once, for all
    monkeypatch.setattr(compaction, "LEAST_FREE_BYTES", 0)
    monkeypatch.setattr(compaction, "LEAST_FREE_SHARE", 0)

    def run(_: LearningSettings, *arguments: str, **__: Any) -> str:
        """Run the macro in this process, which has parsed the project."""
        given = json.loads(arguments[-1])
        project.operate(database, "archive_and_retain", given, as_of=NOON.isoformat())
        nothing = {"archived_count": 0, "deleted_count": 0, "days_cleaned": 0}
        return json.dumps(nothing)  # whatever went, free blocks are given back

    monkeypatch.setattr(retention, "run_dbt", run)
    hits: Counter[str] = Counter()
    while hits.total() < KILLS:
        insert_old_days(database, 2)
        every = numbers(database, settings.archive_folder)
        phase = PHASES[hits.total() % len(PHASES)]
        pause = chance.choice([0, 0, 0.001, 0.01])
        death = backup_worker.Death(phase, chance.randint(1, 2), pause)
        assert os.waitpid(reclaim(settings, death), 0)[1] == signal.SIGKILL
        hits[phase] += 1
        assert numbers(database, settings.archive_folder) == every
        assert set(every.values()) == {1}
    assert archive_and_retain(settings, days_to_keep=30).reclaimed_bytes >= 0
    assert numbers(database, settings.archive_folder) == every
    assert [path for path in database.parent.iterdir() if "compacting" in path.name] == []
    tell(
        f"{KILLS} kills of retention while it reclaims space (seed {SEED}): {len(every):,} "
        "versions, each in the database or in a file, once; hit: "
        f"{dict(sorted(hits.items()))}"
    )
