"""`orb maintain`: every step that can be done is, each is recorded, and a kill loses nothing."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from crash_worker import payload_of
from sites import Site, quick_project

from orb_learning.backup.manifests import backups_in
from orb_learning.errors import DatabaseError, MaintenanceBusyError
from orb_learning.filesystem import waiting
from orb_learning.ingest.relay import load_once
from orb_learning.operations import maintenance, maintenance_steps
from orb_learning.operations.maintenance import FAILURE_BITS, MaintenanceRun, StepResult, maintain
from orb_learning.outbox.segment import is_in_use, try_lock
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect, utc_now

KILLS = max(5, int(os.environ.get("ORB_KILLS", "0")) // 5)
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))
STEPS = [step for step in FAILURE_BITS if step != "export"]  # of which a setting says where


@pytest.fixture
def settings(tmp_path: Path) -> LearningSettings:
    """Settings without a project, so that the build fails at once."""
    return load_settings(
        database_path=tmp_path / "data/learning.db", project_path=tmp_path / "no project"
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quick_project(tmp_path_factory.mktemp("project"))


def outcomes(run: MaintenanceRun) -> dict[str, str]:
    return {result.step: result.outcome for result in run.steps}


def recorded(settings: LearningSettings) -> dict[str, tuple[str, datetime, datetime, str | None]]:
    """The newest run, from the database."""
    with connect(settings.database_path, read_only=True) as connection:
        rows = connection.execute(
            "select step, outcome, started_at, ended_at, message from raw.maintenance_steps "
            "where run_id = (select max_by(run_id, started_at) from raw.maintenance_steps)"
        ).fetchall()
    return {step: tuple(told) for step, *told in rows}


@contextmanager
def held_by_another_process(database: Path) -> Iterator[None]:
    """Have the database open in a process that takes no lock."""
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open'); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", script, database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        yield
    finally:
        process.communicate("")


def test_a_failed_step_stops_only_those_that_need_it(settings: LearningSettings) -> None:
    run = maintain(settings)
    assert outcomes(run) == {
        "load": "succeeded",
        "build": "failed",
        "retention": "skipped",
        "backup": "succeeded",
        "prune": "succeeded",
    }
    assert list(outcomes(run)) == STEPS
    assert run.exit_status == 8
    assert "no dbt_project.yml" in (run.steps[1].message or "")
    assert run.steps[2].message == "it needs build, which did not succeed"
    assert run.problems == []
    assert len(backups_in(settings.backup_folder)) == 1


def test_a_step_that_lasts_is_told_at_once_and_at_its_end(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    is_told = threading.Event()

    def tell(words: str) -> None:
        told.append(words)
        if words == "prune …":
            is_told.set()

    def slow(_: object) -> str:
        assert is_told.wait(60)  # the step lasts until it was told of
        return "nothing"

    monkeypatch.setattr(waiting, "NOTICE_SECONDS", 0.001)
    monkeypatch.setattr(maintenance, "NOTICE_SECONDS", 0.001)
    monkeypatch.setattr(maintenance_steps.MaintenanceSteps, "prune", slow)
    maintain(settings, tell=tell)
    assert next(words for words in told if words.startswith("prune")) == "prune …"
    assert [words for words in told if re.fullmatch(r"prune: [\d.]+ (ms|s)", words)]
    assert not any(words.startswith("retention") for words in told)  # which was skipped
    told.clear()
    monkeypatch.setattr(waiting, "NOTICE_SECONDS", 1e6)
    monkeypatch.setattr(maintenance, "NOTICE_SECONDS", 1e6)
    maintain(settings, tell=tell)
    assert told == []


def test_the_exit_status_is_the_sum_of_what_failed() -> None:
    bits = {"load": 4, "build": 8, "retention": 16, "backup": 32, "prune": 64}
    moment = utc_now()
    for count in range(len(bits) + 1):
        for chosen in combinations(bits, count):
            results = [
                StepResult(step, "failed" if step in chosen else "succeeded", moment, moment, None)
                for step in bits
            ]
            run = MaintenanceRun(steps=results)
            assert run.exit_status == sum(bits[step] for step in chosen)


def test_what_became_of_a_run_is_in_the_database_when_it_ends(settings: LearningSettings) -> None:
    before = utc_now()
    run = maintain(settings)
    after = utc_now()
    told = recorded(settings)
    assert {step: outcome for step, (outcome, *_) in told.items()} == {
        **outcomes(run),
        "run": "failed",
    }
    assert told["run"][3] == "build failed"
    for result in run.steps:
        assert told[result.step] == (
            result.outcome,
            result.started_at,
            result.ended_at,
            result.message,
        )
        assert before <= result.started_at <= result.ended_at <= after


def test_a_run_measures_every_place_and_table(settings: LearningSettings) -> None:
    maintain(settings)
    with connect(settings.database_path, read_only=True) as connection:
        rows = connection.execute(
            "select kind, name, size_bytes from raw.storage_samples "
            "where sampled_at = (select max(sampled_at) from raw.storage_samples)"
        ).fetchall()
    places = {name: size for kind, name, size in rows if kind == "place"}
    assert places.keys() == {"database", "outbox", "span_outbox", "archive", "backups"}
    assert places["backups"] > 0
    assert ("table", "raw.executions") in {(kind, name) for kind, name, _ in rows}


def test_pruning_needs_the_new_backup(settings: LearningSettings) -> None:
    settings.backup_folder.parent.mkdir(parents=True)
    settings.backup_folder.write_text("a file where the folder should be")
    run = maintain(settings)
    assert outcomes(run)["backup"] == "failed"
    assert outcomes(run)["prune"] == "skipped"
    assert run.exit_status == 8 + 32
    assert str(settings.backup_folder) in (run.steps[3].message or "")
    assert recorded(settings)["backup"][0] == "failed"


def test_a_run_prunes_by_the_settings(tmp_path: Path) -> None:
    settings = load_settings(
        database_path=tmp_path / "learning.db",
        project_path=tmp_path / "no project",
        backup_keep_last=2,
        backup_keep_daily=0,
        backup_keep_weekly=0,
        backup_keep_monthly=0,
    )
    for _ in range(4):
        run = maintain(settings)
    assert run.steps[4].message == "1 backup removed"
    assert len(backups_in(settings.backup_folder)) == 2


def test_a_run_that_never_gets_the_database_is_told_of_by_the_next_load(
    settings: LearningSettings,
) -> None:
    maintain(settings)
    with held_by_another_process(settings.database_path):
        run = maintain(settings, wait_seconds=0.1)
    assert run.failed == ["load", "build", "backup"]
    assert run.exit_status == 4 + 8 + 32
    assert len(run.problems) == 2  # neither measured nor recorded in the database
    assert recorded(settings)["load"][0] == "succeeded"
    load_once(settings.database_path, settings.outbox_folder)
    told = recorded(settings)
    assert {step: outcome for step, (outcome, *_) in told.items()} == {
        **outcomes(run),
        "run": "failed",
    }
    assert "in use by another process" in (told["load"][3] or "")


def test_a_damaged_and_a_foreign_outbox_file_fail_the_load(
    settings: LearningSettings, tmp_path: Path
) -> None:
    maintain(settings)
    other = Outbox(tmp_path / "other")
    other.put("execution", payload_of(str(uuid.uuid4()), 1))
    other.close()
    load_once(tmp_path / "other.db", tmp_path / "other")
    for file in (tmp_path / "other").glob("*.sqlite*"):
        shutil.copy(file, settings.outbox_folder)
    (settings.outbox_folder / "00000000000000001-1.sqlite").write_bytes(b"no SQLite at all")
    run = maintain(settings)
    assert outcomes(run)["load"] == "failed"
    assert "feeds another database" in (run.steps[0].message or "")
    assert "damaged, loaded as far as it can be read: 00000000000000001-1" in (
        run.steps[0].message or ""
    )
    assert recorded(settings)["load"][0] == "failed"


def test_an_error_that_nobody_foresaw_fails_its_step_only(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RecursionError("as deep as it goes")

    monkeypatch.setattr(maintenance_steps, "run_dbt", fail)
    run = maintain(settings)
    assert run.steps[1].message == "RecursionError: as deep as it goes"
    assert run.exit_status == 8


def test_an_outbox_that_takes_nothing_is_told_and_stops_no_step(
    settings: LearningSettings,
) -> None:
    maintain(settings)
    shutil.rmtree(settings.outbox_folder)
    settings.outbox_folder.write_text("a file where the folder should be")
    run = maintain(settings)
    assert outcomes(run)["load"] == "failed"
    assert any("not recorded" in problem for problem in run.problems)
    assert list(outcomes(run)) == STEPS


@pytest.mark.parametrize("jump", [-3600.0, -86400.0 * 400, 3600.0])
def test_a_clock_that_jumps_makes_no_step_end_before_it_began(
    settings: LearningSettings, jump: float
) -> None:
    moments = iter(range(1_000))
    start = datetime(2026, 11, 1, 6)  # noqa: DTZ001 (naive UTC; New York sets its clocks back)

    def clock() -> datetime:
        return start + timedelta(seconds=jump * next(moments))

    run = maintain(settings, now=clock)
    assert all(result.seconds >= 0 for result in run.steps)
    assert run.exit_status == 8
    with connect(settings.database_path) as connection:
        rows = connection.execute("from raw.maintenance_steps where ended_at < started_at")
        assert rows.fetchall() == []
        assert connection.execute("select count(*) from raw.maintenance_steps").fetchall() == [(6,)]


def test_a_second_run_is_refused_while_one_is_at_work(settings: LearningSettings) -> None:
    maintain(settings)
    lock = try_lock(settings.database_path.parent / "maintain")
    assert lock is not None
    try:
        with pytest.raises(MaintenanceBusyError, match="another run"):
            maintain(settings)
    finally:
        os.close(lock)
    maintain(settings)


@pytest.mark.parametrize("name", ["raw.db", "file/learning.db"])
def test_a_path_that_cannot_be_the_database_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError):
        maintain(load_settings(database_path=tmp_path / name))


@pytest.mark.slow
def test_the_commands_exit_status_says_what_failed(project: Path, tmp_path: Path) -> None:
    site = Site(tmp_path, project, TZ="America/New_York")
    site.record(random.Random(SEED))  # noqa: S311
    site.environment["ORB_LEARNING__BACKUP_PATH"] = str(tmp_path / "file")
    (tmp_path / "file").touch()
    before = utc_now()
    status, said = site.maintain("--json")
    assert status == 32, said
    told = json.loads(said[said.index("{") :])  # after what it is at
    assert told["exit_status"] == 32
    assert [(step["step"], step["outcome"]) for step in told["steps"]] == [
        ("load", "succeeded"),
        ("build", "succeeded"),
        ("retention", "succeeded"),
        ("backup", "failed"),
        ("prune", "skipped"),
    ]
    # In whatever time zone the machine is.
    started_at = datetime.fromisoformat(told["steps"][0]["started_at"])
    assert before <= started_at <= before + timedelta(minutes=1)
    rows = site.query("select step, outcome, seconds is not null from rpt_maintenance_runs")
    assert {step: outcome for step, outcome, _ in rows} == {
        "run": "failed",
        **{step["step"]: step["outcome"] for step in told["steps"]},
    }
    assert all(has_ended for *_, has_ended in rows)
    assert is_balanced(site)
    assert site.query("select version_count > 0 from rpt_retention where part = 'archived'") == [
        (True,)
    ]


@pytest.mark.slow
def test_a_database_that_others_hold_fails_what_needs_it(project: Path, tmp_path: Path) -> None:
    site = Site(tmp_path, project)
    site.database.parent.mkdir()
    with held_by_another_process(site.database):
        status, said = site.maintain("--wait", "0.1")
    assert status == 4 + 8 + 32, said
    assert said.count("in use") >= 2
    assert site.steps()[-1]["outcome"] == "failed"


def test_the_command_says_when_it_cannot_run(project: Path, tmp_path: Path) -> None:
    bad = Site(tmp_path, project, ORB_LEARNING__RETENTION_DAYS="3")
    status, said = bad.maintain()
    assert status == 1
    assert "must be 7 to 365" in said
    site = Site(tmp_path, project)
    site.database.parent.mkdir()
    lock = try_lock(site.database.parent / "maintain")
    assert lock is not None
    status, said = site.maintain()
    os.close(lock)
    assert status == 3
    assert "another run" in said
    assert site.maintain("--wait", "soon")[0] == 2


def wait_for(site: Site, victim: subprocess.Popen[str], step: str, seen: int = 0) -> str | None:
    """Wait until a run has begun a step; returns the run's id, None if it ended before."""
    until = time.monotonic() + 120
    while victim.poll() is None and time.monotonic() < until:
        for told in site.steps()[seen:]:
            if told["step"] == step:
                return str(told["run_id"])
        time.sleep(0.005)
    return None


def test_a_build_that_outlives_its_run_keeps_the_next_one_out(
    project: Path, tmp_path: Path
) -> None:
    site = Site(tmp_path, project)
    victim = site.start()
    try:
        assert wait_for(site, victim, "build")
        time.sleep(0.3)  # it starts dbt, which takes seconds
        victim.kill()
        victim.wait()
        status, said = site.maintain()
        assert status == 3, said
    finally:
        os.killpg(victim.pid, signal.SIGKILL)
        victim.communicate()
    until = time.monotonic() + 60
    while is_in_use(site.database.parent / "maintain"):  # until the system has ended dbt
        assert time.monotonic() < until
        time.sleep(0.01)


LONGEST_SECONDS = {"load": 0.3, "build": 6.0, "retention": 4.0, "backup": 0.6, "prune": 0.4}
"""After the start of a step, the longest until the kill; the end of a run is after prune."""


def kill_one(site: Site, step: str, chance: random.Random) -> str | None:
    """Start a run, kill it in or after a step; returns the run's id, None if it ended before."""
    seen = len(site.steps())
    victim = site.start()
    run_id = wait_for(site, victim, step, seen)
    time.sleep(chance.uniform(0, LONGEST_SECONDS[step]))
    has_ended = victim.poll() is not None
    if chance.random() < 0.5:
        os.killpg(victim.pid, signal.SIGKILL)  # with the dbt that it started
    else:
        victim.kill()
    victim.communicate()
    return None if has_ended else run_id


def is_balanced(site: Site) -> bool:
    rows = site.query(
        "select is_complete from rpt_retention union all "
        "select is_complete from rpt_feedback_retention"
    )
    return all(is_complete for (is_complete,) in rows)


def kill_again_and_again(site: Site, steps: list[str], chance: random.Random) -> Counter[str]:
    hits: Counter[str] = Counter()
    killed: dict[str, str] = {}
    for step in steps:
        site.record(chance)
        run_id = kill_one(site, step, chance)
        hits[step if run_id else f"{step}: ended before"] += 1
        if run_id:
            last = {
                told["run_id"]: told["outcome"] for told in site.steps() if told["step"] == "run"
            }
            killed[run_id] = {"started": "unfinished"}.get(last[run_id], last[run_id])
        if site.database.exists():
            numbers, ids = site.numbers()
            assert not [number for number, count in numbers.items() if count > 1]
            assert ids.keys() <= site.put
        status, said = 3, ""
        until = time.monotonic() + 60
        while status == 3 and time.monotonic() < until:  # a build that outlived its run
            status, said = site.maintain()
        assert status == 0, said
        numbers, ids = site.numbers()
        assert set(numbers.values()) == {1}
        assert ids == Counter(site.put), "lost or twice"
        assert is_balanced(site)
        told = site.query("select run_id, outcome from rpt_maintenance_runs where step = 'run'")
        assert killed.keys() <= {str(run_id) for run_id, _ in told}
        for other, outcome in told:
            assert outcome == killed.get(str(other), "succeeded")
    return hits


@pytest.mark.slow
def test_a_killed_run_loses_nothing_and_the_next_one_does_what_was_left(
    project: Path, tmp_path: Path, tell: Callable[..., None]
) -> None:
    chance = random.Random(SEED)  # noqa: S311
    steps = STEPS + [chance.choice(STEPS) for _ in range(KILLS - len(STEPS))]
    chance.shuffle(steps)
    began = time.monotonic()
    lanes = [
        Site(tmp_path / "new-york", project, time_zone="America/New_York"),
        Site(tmp_path / "utc", project),
    ]
    with ThreadPoolExecutor() as threads:
        work = [
            threads.submit(
                kill_again_and_again,
                site,
                steps[lane::2],
                random.Random(SEED + lane),  # noqa: S311
            )
            for lane, site in enumerate(lanes)
        ]
        hits = sum((one.result() for one in work), Counter[str]())
    tell(
        f"{hits.total()} kills of orb maintain (seed {SEED}) in {time.monotonic() - began:.0f} s: "
        f"{sum(len(site.put) for site in lanes):,} executions and feedback on them, each in the "
        f"database or in an archived file exactly once, and each killed run is known as unfinished",
        *(f"  {count:4} {step}" for step, count in sorted(hits.items())),
    )
