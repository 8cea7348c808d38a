"""A decision and its outcome, captured by processes that share only the outbox, are one row."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from building import SUPPORT, DbtProject
from partials_worker import DECIDED, LIMIT, SECONDS, START, decision, result, task

from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

WORKER = SUPPORT / "partials_worker.py"
SEED = int(os.environ.get("ORB_SEED", str(time.time_ns() % 2**32)))
HISTORIES = int(os.environ.get("ORB_RANDOM_HISTORIES", "2"))
TASKS = 16
KINDS = ["routing", "outcome"]
EXECUTIONS = ["fct_executions", "rejected_executions"]
NOW = DECIDED.replace(tzinfo=None) + timedelta(minutes=1)

Partial = tuple[str, int]


class Processes:
    """Starts processes that capture or load, and looks into the database between them."""

    def __init__(self, folder: Path):
        self.outbox = folder / "outbox"
        self.database = folder / "learning.db"

    def start_capture(self, partials: list[Partial], end: str) -> subprocess.Popen[bytes]:
        return self._start("capture", str(self.outbox), json.dumps(partials), end)

    def capture(self, partials: list[Partial], end: str = "itself") -> None:
        self.finish(self.start_capture(partials, end), -signal.SIGKILL if end == "killed" else 0)

    def start_load(self, now: datetime) -> subprocess.Popen[bytes]:
        return self._start("load", str(self.database), str(self.outbox), now.isoformat())

    def load(self, now: datetime) -> None:
        self.finish(self.start_load(now), 0)

    def load_here(self, now: datetime) -> None:
        """Load in this process, which takes less time than to start another."""
        load_once(self.database, self.outbox, RelayOptions(unmatched_limit=LIMIT), now=now)

    def finish(self, process: subprocess.Popen[bytes], code: int) -> None:
        assert process.wait(timeout=120) == code

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, WORKER, *arguments])

    def query(self, sql: str) -> list[Any]:
        with connect(self.database, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def versions(self) -> dict[int, list[dict[str, Any]]]:
        """What raw knows of each task, oldest version first; what is unknown is left out."""
        assert self.query("select reason, payload from raw.dead_letters") == []
        with connect(self.database, read_only=True) as connection:
            cursor = connection.execute("from raw.executions order by _load_seq")
            names = [name for name, *_ in cursor.description if not name.startswith("_")]
            rows = [dict(zip(names, row[: len(names)], strict=True)) for row in cursor.fetchall()]
        found: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            known = {name: value for name, value in row.items() if value is not None}
            known["metadata"] = json.loads(known["metadata"])
            found.setdefault(known.pop("task_id").int, []).append(known)
        return found


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def unmatched(number: int, kind: str) -> dict[str, Any]:
    """What is recorded of a task of which one partial record came."""
    asked, decided, came = task(number), decision(number), result(number)
    if kind == "outcome":
        return {
            "timestamp": START.replace(tzinfo=None),
            "model_tier": came["model_tier"],
            "success": True,
            "duration_seconds": SECONDS,
            "metadata": {
                "pool_id": f"pool-{number}",
                "worker_id": came["worker_id"],
                "status": "completed",
                "half": "outcome",
            },
        }
    return {
        "timestamp": DECIDED.replace(tzinfo=None),
        "task_type": asked["type"],
        "task_description": asked["prompt"],
        "repo": asked["repo"],
        "model_tier": decided["model_tier"],
        "pool_type": decided["pool_type"],
        "routing_confidence": decided["routing_confidence"],
        "metadata": {
            "routing": {name: decided[name] for name in ("candidates", "policy", "propensity")}
            | {"chosen": {"model_tier": "small", "pool_type": "local"}},
            "half": "routing",
        },
    }


def correlated(number: int) -> dict[str, Any]:
    """What is recorded of a task of which both partials came; what was run wins over the plan."""
    decided, came = unmatched(number, "routing"), unmatched(number, "outcome")
    metadata = decided["metadata"] | came["metadata"]
    del metadata["half"]
    return decided | came | {"metadata": metadata}


@pytest.mark.parametrize("order", [KINDS, KINDS[::-1]], ids="-".join)
@pytest.mark.parametrize("end", ["itself", "killed"])
@pytest.mark.parametrize("loaded_between", [False, True])
def test_partial_records_of_two_processes_become_one_record(
    processes: Processes, order: list[str], end: str, loaded_between: bool
) -> None:
    for kind in order:
        processes.capture([(kind, number) for number in range(3)], end)
        if loaded_between:
            processes.load(NOW)
    processes.load(NOW)
    assert processes.versions() == {number: [correlated(number)] for number in range(3)}
    processes.load_here(NOW + 2 * LIMIT)
    assert processes.versions() == {number: [correlated(number)] for number in range(3)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_unmatched_record_is_completed_when_the_other_comes_late(
    processes: Processes, kind: str
) -> None:
    (other,) = set(KINDS) - {kind}
    processes.capture([(kind, 1)], "killed")
    processes.load(NOW)
    for waited in (timedelta(), LIMIT - timedelta(seconds=1)):
        processes.load_here(NOW + waited)
        assert processes.versions() == {}
    processes.load(NOW + LIMIT)
    processes.load_here(NOW + 2 * LIMIT)
    assert processes.versions() == {1: [unmatched(1, kind)]}
    processes.capture([(other, 1)])
    processes.load(NOW + 3 * LIMIT)
    processes.load_here(NOW + 5 * LIMIT)
    assert processes.versions() == {1: [unmatched(1, kind), correlated(1)]}


def test_a_task_that_was_correlated_late_is_one_execution(
    processes: Processes, project: DbtProject, empty_database: Path
) -> None:
    shutil.copy(empty_database, processes.database)
    early: list[Partial] = [("routing", 1), ("routing", 2), ("outcome", 3), ("outcome", 4)]
    late: list[Partial] = [("outcome", 1), ("routing", 3)]
    processes.capture(early)
    processes.load(NOW)
    processes.load(NOW + LIMIT)
    project.run(processes.database, select=EXECUTIONS, as_of="2026-04-01T20:00:00Z")
    assert processes.query("from executions") == []
    rejected = (
        "select task_id, list_contains(broken_rules, 'success_missing') from rejected_executions"
    )
    unknown_outcome = [(uuid.UUID(int=number), number < 3) for number in (1, 2, 3, 4)]
    assert sorted(processes.query(rejected)) == unknown_outcome
    processes.capture(late)
    processes.load(NOW + 2 * LIMIT)
    project.run(processes.database, select=EXECUTIONS, as_of="2026-04-01T20:00:00Z")
    learned = """
        select
            task_id,
            success,
            metadata -> 'routing' ->> 'policy',
            (metadata -> 'routing' ->> 'propensity')::double,
            json_array_length(metadata -> 'routing' -> 'candidates')
        from executions
        order by task_id
    """
    assert processes.query(learned) == [
        (uuid.UUID(int=number), True, "epsilon_greedy", 1 / (number + 1), 2) for number in (1, 3)
    ]


@pytest.mark.parametrize("history", range(HISTORIES))
def test_partial_records_in_any_order_become_one_record_a_task(
    processes: Processes, history: int
) -> None:
    seed = SEED + history
    print(f"ORB_SEED={seed} gives this history as the first")  # noqa: T201 - shown if it fails
    chance = random.Random(seed)  # noqa: S311
    fates = [chance.choice(["both"] * 4 + ["late", "never"]) for _ in range(TASKS)]
    partials: list[Partial] = []
    late_or_never: list[Partial] = []
    for number in range(TASKS):
        first, second = chance.sample(KINDS, 2)
        partials.append((first, number))
        (partials if fates[number] == "both" else late_or_never).append((second, number))
    chance.shuffle(partials)

    minutes = 0
    while partials:
        together = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            size = chance.randint(2, 8)
            some, partials = partials[:size], partials[size:]
            end = chance.choice(["itself", "killed"])
            together.append((processes.start_capture(some, end), end))
        load = chance.choice(["none", "beside", "after", "killed"])
        minutes += chance.choice([0, 1, 1, -3])  # the relay's clock may jump back
        now = NOW + timedelta(minutes=minutes)
        if load == "beside":
            processes.load(now)
        for process, end in together:
            processes.finish(process, -signal.SIGKILL if end == "killed" else 0)
        if load == "after":
            processes.load(now)
        elif load == "killed":
            loader = processes.start_load(now)
            time.sleep(chance.uniform(0.1, 0.6))  # before, while or after it loads
            loader.kill()
            loader.wait()
    processes.load(NOW)
    other = dict(zip(KINDS, reversed(KINDS), strict=True))
    missing = {number: kind for kind, number in late_or_never}
    expected = {number: [correlated(number)] for number in range(TASKS) if number not in missing}
    assert processes.versions() == expected

    processes.load_here(NOW + 2 * LIMIT)
    expected |= {number: [unmatched(number, other[kind])] for number, kind in missing.items()}
    assert processes.versions() == expected

    late = [(kind, number) for kind, number in late_or_never if fates[number] == "late"]
    processes.capture(late)
    processes.load(NOW + 3 * LIMIT)
    processes.load_here(NOW + 9 * LIMIT)
    for _, number in late:
        expected[number].append(correlated(number))
    assert processes.versions() == expected
