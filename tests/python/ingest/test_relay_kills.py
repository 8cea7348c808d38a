"""Whatever is killed, and whenever: what was acknowledged is in raw exactly once."""

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
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from building import REPORTS, REPOSITORY, SUPPORT, DbtProject
from crash_worker import read_phase

from orb_learning.ingest.relay import load_once
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

WORKER = SUPPORT / "crash_worker.py"
KILLS = int(os.environ.get("ORB_KILLS", "45"))
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))
PHASES = {
    "produce": ["put", "put_many", "acknowledging", "between"],
    "load": [
        *("load_once", "connect", "stored_offsets", "bind", "read", "insert_executions"),
        *("after bind", "after read", "prune_segments"),
        # Between the rows and the commit: where both or neither must be there.
        *3 * ("after insert_executions", "after insert_dead_letters"),
    ],
    "dbt": ["1", "4", "7", "8", "9", "11", "13"],
}
LONGEST_WAIT_BESIDE_READERS = 5.0
LONGEST_WAIT_FOR_A_VICTIM = 120.0
"""Seconds without a kill after which something stands still; the slowest is a start of dbt."""


class Worker:
    """A process that can be killed, and the file that says what it is doing."""

    def __init__(self, what: str, folder: Path, *arguments: str):
        self.what = what
        self.phase_file = folder / f"{what}-{time.monotonic_ns()}.phase"
        self.process = subprocess.Popen(
            [sys.executable, WORKER, what, self.phase_file, *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )

    def phase(self) -> str:
        return read_phase(self.phase_file)

    def kill(self, wanted: str = "") -> str:
        """Kill the process, in the wanted phase if it comes to it soon; returns the phase."""
        until = time.monotonic() + 0.5
        while wanted and self.phase() != wanted and time.monotonic() < until:
            pass
        # Stopped first, so that the phase is the one that the kill hits.
        self.process.send_signal(signal.SIGSTOP)
        phase = self.phase()
        self.process.kill()
        self.process.communicate()
        self.phase_file.unlink(missing_ok=True)
        return phase

    def stop(self) -> dict[str, object]:
        self.process.terminate()
        said, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        report: dict[str, object] = json.loads(said)
        return report


class DbtRun:
    """A dbt run in a process of its own; its phase is the node that it builds."""

    what = "dbt"

    def __init__(self, project: DbtProject, database: Path):
        self.process = project.start(database, "run", "--exclude", REPORTS)
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.output.extend(self.process.stdout)

    def nodes(self) -> list[str]:
        return re.findall(r"START (?:sql )?(.+?) \.\.", "".join(self.output))

    def phase(self) -> str:
        # The last node that was begun; it may have ended since.
        return self.nodes()[-1] if self.nodes() else "-"

    def kill(self, wanted: str = "0") -> str:
        """Kill dbt once it has begun so many nodes; returns the last, - if it ended before."""
        until = time.monotonic() + 10
        while len(self.nodes()) < int(wanted) and time.monotonic() < until:
            if self.process.poll() is not None:
                return "-"
            time.sleep(0.005)  # leaves the processor to dbt; a node takes longer
        self.process.send_signal(signal.SIGSTOP)
        self.process.kill()
        self.process.wait()
        self.said()
        return self.phase()

    def said(self) -> str:
        """Return all the output of a process that has ended."""
        self._reader.join(timeout=30)
        assert not self._reader.is_alive(), "dbt has ended, and somebody still has its output open"
        return "".join(self.output)


def ids_of(folder: Path) -> Counter[str]:
    lines = (line for file in folder.glob("*.ids") for line in file.read_text().splitlines(True))
    # A kill may cut the last line short: what is not noted whole was not acknowledged.
    return Counter(line.strip() for line in lines if line.endswith("\n") and len(line) == 37)


def assert_exactly_once(database: Path, acknowledged: Counter[str]) -> tuple[int, int]:
    with connect(database, read_only=True) as connection:
        rows = connection.execute("select task_id::varchar from raw.executions").fetchall()
    loaded = Counter(task_id for (task_id,) in rows)
    lost = acknowledged.keys() - loaded.keys()
    assert not lost, f"{len(lost)} acknowledged records are lost"
    twice = [task_id for task_id, count in loaded.items() if count > 1]
    assert not twice, f"{len(twice)} records were loaded more than once"
    return len(acknowledged), len(loaded) - len(acknowledged)


@contextmanager
def all_killed_at_the_end(workers: list[Worker | DbtRun]) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.kill()


@pytest.fixture
def crash_project(tmp_path: Path) -> DbtProject:
    """This project with a target folder of its own, which kills may leave half-written."""
    return DbtProject(REPOSITORY, tmp_path / "dbt")


def test_what_was_acknowledged_is_in_raw_exactly_once_after_kills(
    crash_project: DbtProject,
    empty_database: Path,
    database: Path,
    tmp_path: Path,
    tell: Callable[..., None],
) -> None:
    shutil.copy(empty_database, database)
    outbox = tmp_path / "outbox"
    chance = random.Random(SEED)  # noqa: S311
    names = iter(range(10**6))

    def start(what: str) -> Worker | DbtRun:
        if what == "dbt":
            return DbtRun(crash_project, database)
        if what == "load":
            return Worker("load", tmp_path, str(database), str(outbox), "0.3")
        notes = tmp_path / f"{next(names)}.ids"
        return Worker("produce", tmp_path, str(outbox), str(notes), "0.005")

    began = time.monotonic()
    hits: Counter[str] = Counter()
    workers = [start(what) for what in ("produce",) * 3 + ("load",) * 2 + ("dbt",)]
    with all_killed_at_the_end(workers):
        victims = ["dbt"] * (KILLS // 12) + ["load"] * (KILLS // 3)
        victims += ["produce"] * (KILLS - len(victims))
        chance.shuffle(victims)
        last_kill = began
        while victims:
            # The others work on between two kills, for as long as is left to chance.
            time.sleep(chance.uniform(0.01, 0.2))
            now = time.monotonic()
            left = f"{dict(Counter(victims))} left to kill"
            assert now - last_kill < LONGEST_WAIT_FOR_A_VICTIM, (
                f"no kill for {now - last_kill:.0f} s, {left}, and at work "
                f"{[(worker.what, worker.phase()) for worker in workers]}"
            )
            for place, worker in enumerate(workers):
                if worker.process.poll() is not None:
                    assert isinstance(worker, DbtRun), f"a {worker.what} process ended by itself"
                    assert worker.process.returncode == 0, f"dbt failed: {worker.said()}"
                    workers[place] = start("dbt")
            ready = [
                place
                for place, worker in enumerate(workers)
                if worker.what in victims and worker.phase() != "-"
            ]
            if not ready:
                continue
            place = chance.choice(ready)
            what = workers[place].what
            phase = workers[place].kill(chance.choice(PHASES[what]))
            if phase != "-":
                workers[place] = start(what)
                last_kill = time.monotonic()
                victims.remove(what)
                hits[f"{what}: {phase}"] += 1
        slowest = max(
            float(str(worker.stop()["slowest"]))
            for worker in workers
            if worker.what == "produce" and isinstance(worker, Worker) and worker.phase() != "-"
        )
    result = load_once(database, outbox)
    assert not result.damaged or all("no such table" in said for said in result.damaged)
    acknowledged, unacknowledged = assert_exactly_once(database, ids_of(tmp_path))
    assert acknowledged > 0
    tell(
        f"{hits.total()} kills (seed {SEED}) in {time.monotonic() - began:.0f} s: "
        f"{acknowledged:,} acknowledged records, each in raw exactly once, and {unacknowledged} "
        f"that were committed but not yet acknowledged; slowest put {slowest * 1000:.0f} ms",
        *(f"  {count:4} {phase}" for phase, count in sorted(hits.items())),
    )


def test_dbt_builds_again_and_again_while_eight_processes_record(
    crash_project: DbtProject,
    empty_database: Path,
    database: Path,
    tmp_path: Path,
    tell: Callable[..., None],
) -> None:
    shutil.copy(empty_database, database)
    outbox = tmp_path / "outbox"
    producers = [
        Worker("produce", tmp_path, str(outbox), str(tmp_path / f"{number}.ids"), "0.01")
        for number in range(8)
    ]
    loader = Worker("load", tmp_path, str(database), str(outbox), "1")
    builds = 2
    with all_killed_at_the_end([*producers, loader]):
        for _ in range(builds):
            run = crash_project.start(database, "run", "--exclude", REPORTS)
            said, _ = run.communicate(timeout=120)
            assert run.returncode == 0, said
        reports = [worker.stop() for worker in producers]
    assert [report["refused"] for report in reports] == [{}] * 8
    load_once(database, outbox)
    acknowledged, _ = assert_exactly_once(database, ids_of(tmp_path))
    slowest = max(float(str(report["slowest"])) for report in reports)
    tell(
        f"8 processes recorded {acknowledged:,} executions during {builds} dbt runs: none "
        f"lost, none refused, slowest put {slowest * 1000:.0f} ms"
    )


def test_steady_readers_do_not_keep_the_loader_out(
    empty_database: Path, database: Path, tmp_path: Path, tell: Callable[..., None]
) -> None:
    shutil.copy(empty_database, database)
    outbox = tmp_path / "outbox"
    readers = [Worker("read", tmp_path, str(database)) for _ in range(3)]
    producer = Worker("produce", tmp_path, str(outbox), str(tmp_path / "1.ids"), "0.001")
    waits = []
    with all_killed_at_the_end([*readers, producer]):
        until = time.monotonic() + 5
        while time.monotonic() < until or not ids_of(tmp_path):
            waits.append(load_once(database, outbox, wait_seconds=60).waited_seconds)
        assert all(reader.process.poll() is None for reader in readers)
        producer.stop()
    load_once(database, outbox)
    assert_exactly_once(database, ids_of(tmp_path))
    tell(
        f"beside 3 steady readers the loader opened the database {len(waits)} times and "
        f"waited at most {max(waits):.2f} s"
    )
    assert max(waits) < LONGEST_WAIT_BESIDE_READERS


@pytest.mark.soak
def test_dbt_starts_beside_steady_readers_and_a_loader_that_never_pauses(
    crash_project: DbtProject,
    empty_database: Path,
    database: Path,
    tmp_path: Path,
    tell: Callable[..., None],
) -> None:
    shutil.copy(empty_database, database)
    outbox = tmp_path / "outbox"
    workers: list[Worker | DbtRun] = [Worker("read", tmp_path, str(database)) for _ in range(3)]
    workers.append(Worker("produce", tmp_path, str(outbox), str(tmp_path / "1.ids"), "0.005"))
    workers.append(Worker("load", tmp_path, str(database), str(outbox), "0"))
    waits: list[float] = []
    with all_killed_at_the_end(workers):
        for number in range(3):
            run = crash_project.start(database, "run", "--select", "stg_loaded_files")
            assert run.stdout is not None
            lines = []
            for line in run.stdout:
                lines.append(line)
                if "Concurrency:" in line:  # the last that dbt says before it opens the file
                    began = time.monotonic()
                if "START" in line and len(waits) == number:
                    waits.append(time.monotonic() - began)
            assert run.wait() == 0, "".join(lines)
        assert all(worker.process.poll() is None for worker in workers)
    tell(
        "beside 3 steady readers and a loader without a pause, dbt began its first model after "
        f"{', '.join(f'{wait:.2f}' for wait in waits)} s"
    )
    assert len(waits) == 3
    assert max(waits) < LONGEST_WAIT_BESIDE_READERS
