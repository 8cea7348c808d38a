"""Capturing an execution: what a call costs, and what it costs a pool that runs tasks.

A call: `store_execution_telemetry` with a full task and result, its commit included. Its baseline
is a bare INSERT of the same bytes into an SQLite file with the same settings. One process runs the
two in turns. As others write it: the same with an id that is no UUID, times without a zone, and a
model in place of a tier. A pool: the example's PoolManager runs tasks of 10 ms with so many
workers, with telemetry and without, in turns; medians. A task sleeps in a thread, so its end wakes
the event loop as an agent's answer would. For comparison, other tasks sleep in the event loop
itself. It rounds its waiting up to whole ms. So 0.1 ms of work while all of them sleep can cost
them 1 ms.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning import Outbox, TelemetryCapture

TITLE = "Capture"
START = datetime(2026, 4, 1, tzinfo=UTC)
END = START + timedelta(seconds=2.5)
TASK = {
    "task_id": str(uuid.UUID(int=7)),
    "type": "refactor",
    "prompt": "Take the retry loop out of the client and put it into one place. " * 5,
    "repo": "orchestrator",
    "file_count": 3,
    "estimated_tokens": 1_200,
    "model_tier": "small",
    "pool_type": "mahavishnu",
    "swarm_topology": "star",
    "routing_confidence": 0.9,
    "complexity_score": 30,
    "cost_estimate": 0.01,
}
RESULT = {
    "status": "completed",
    "worker_id": "worker-1",
    "output": "a patch",
    "error": None,
    "quality_score": 90,
    "actual_cost": 0.02,
    "peak_memory_mb": 100.0,
    "cpu_time_seconds": 1.1,
    "solution_summary": "one decorator instead of three loops",
    "model": "a-model",
    "tokens": 1_000,
}
OTHERS_TASK = {name: TASK[name] for name in TASK if name != "model_tier"} | {
    "task_id": "task-7",
    "model": "claude-opus-4.5",
}
NAIVE_START, NAIVE_END = START.replace(tzinfo=None), END.replace(tzinfo=None)
WORKERS_OF_TARGET = 4
TURN = 500
"""Calls before the baseline has its turn."""


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    with databases.new_folder() as folder:
        yield from _calls(folder, 50_000 if full else 2_000)
        for workers in (1, WORKERS_OF_TARGET, 16):
            yield _pool(folder, workers, 1_000 if full else 100, 5 if full else 1)
        yield _pool(folder, WORKERS_OF_TARGET, 1_000, 5 if full else 1, timers=True)
    yield Figure("import orb_learning, over an empty Python", _import_seconds(), most=0.150)


def _calls(folder: Path, count: int) -> Iterator[Figure]:
    outbox = Outbox(folder / "outbox", size_limit_bytes=None)
    capture = TelemetryCapture(outbox)
    capture.store_execution_telemetry("pool-1", TASK, RESULT, START, END)
    payload = _first_payload(outbox.folder)
    bare = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    bare.execute("pragma journal_mode = wal")
    bare.execute("pragma synchronous = normal")
    bare.execute("create table records (id integer primary key, kind text, payload text)")
    calls: list[float] = []
    of_others: list[float] = []
    inserts: list[float] = []
    for _ in range(count // TURN):
        calls += _seconds(
            lambda: capture.store_execution_telemetry("pool-1", TASK, RESULT, START, END)
        )
        of_others += _seconds(
            lambda: capture.store_execution_telemetry(
                "pool-1", OTHERS_TASK, RESULT, NAIVE_START, NAIVE_END
            )
        )
        inserts += _seconds(
            lambda: bare.execute(
                "insert into records (kind, payload) values ('execution', ?)", [payload]
            )
        )
    bare.close()
    outbox.close()
    if capture.counts() != {"kept": 2 * count + 1, "naive_time": 2 * count}:
        raise RuntimeError(f"not every call was kept: {capture.counts()}")
    for name, taken in (("", calls), (" as others write it", of_others)):
        for percent, most in ((50, 40e-6), (99, 500e-6)):
            yield Figure(
                f"store_execution_telemetry{name}, p{percent} of {count:,} calls",
                statistics.quantiles(taken, n=100)[percent - 1],
                baseline=statistics.quantiles(inserts, n=100)[percent - 1],
                baseline_name="bare SQLite insert",
                most=most,
            )


def _seconds(call: Callable[[], object]) -> list[float]:
    """Return what each of a turn's calls took."""
    seconds = []
    for _ in range(TURN):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def _first_payload(outbox: Path) -> str:
    (file,) = outbox.glob("*.sqlite")
    connection = sqlite3.connect(file)
    try:
        (payload,) = connection.execute("select payload from records").fetchone()
    finally:
        connection.close()
    return str(payload)


def _pool(folder: Path, workers: int, count: int, rounds: int, *, timers: bool = False) -> Figure:
    example = _example()
    outbox = Outbox(folder / f"outbox-{workers}-{timers}")
    without, recorded = [], []
    for _ in range(rounds):
        without.append(_run_tasks(example, None, workers, count, timers))
        recorded.append(_run_tasks(example, TelemetryCapture(outbox), workers, count, timers))
    outbox.close()
    kind = "timers of the event loop" if timers else "tasks"
    return Figure(
        f"{count:,} {kind} of 10 ms, {workers} workers, with telemetry",
        statistics.median(recorded),
        baseline=statistics.median(without),
        baseline_name="without",
        most_ratio=1.02 if workers == WORKERS_OF_TARGET and not timers else None,
    )


def _run_tasks(
    example: Any, telemetry: TelemetryCapture | None, workers: int, count: int, timers: bool
) -> float:
    async def worker(_: dict[str, Any]) -> dict[str, Any]:
        if timers:
            await asyncio.sleep(0.01)
        else:
            await asyncio.get_running_loop().run_in_executor(threads, time.sleep, 0.01)
        return RESULT

    async def tasks() -> float:
        pools = {"pool-1": example.Pool("mahavishnu", worker, workers)}
        manager = example.PoolManager(pools, None, telemetry)
        began = time.perf_counter()
        await asyncio.gather(*(manager.execute_on_pool("pool-1", TASK) for _ in range(count)))
        return time.perf_counter() - began

    with ThreadPoolExecutor(workers) as threads:
        return asyncio.run(tasks())


def _example() -> Any:
    path = databases.PROJECT / "examples" / "pool_manager.py"
    spec = importlib.util.spec_from_file_location("pool_manager", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["pool_manager"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _import_seconds() -> float:
    def median(code: str) -> float:
        times = []
        for _ in range(9):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    return median("import orb_learning") - median("pass")
