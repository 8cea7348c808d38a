"""Many processes into the outbox, and the outbox into raw.

Processes: eight write at once into one outbox, each as fast as it can. Measured: the time until the
last has ended, and the slowest of all calls. Into raw: `load_once` of a full outbox into a new
database, its opening and closing included. Baseline: executemany of the same records as rows into
the same table.
"""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.record.encoding import record_json
from orb_learning.record.model import ExecutionRecord
from orb_learning.store.connection import connect

TITLE = "Outbox and relay"
PROCESSES = 8
EXECUTEMANY_ROWS = 500
"""So few, because they take long; the time is proportional."""
RECORD = ExecutionRecord(
    task_id=uuid.UUID(int=7),
    timestamp=datetime(2026, 4, 1, tzinfo=UTC),
    task_type="refactor",
    task_description="Take the retry loop out of the client and put it into one place. " * 5,
    repo="orchestrator",
    file_count=3,
    estimated_tokens=1_200,
    model_tier="small",
    pool_type="mahavishnu",
    routing_confidence=0.83,
    complexity_score=40,
    success=True,
    duration_seconds=2.5,
    quality_score=85,
    cost_estimate=0.004,
    actual_cost=0.0035,
    solution_summary="one helper with a decorator",
    metadata={"pool_id": "pool-1", "worker_id": "w-3", "model": "a-model"},
)


def run(scale: Scale) -> Iterator[Figure]:
    count = scale.append_rows
    with databases.new_folder() as folder:
        wall, slowest, refused = _eight_processes(folder / "outbox", count)
    total = PROCESSES * count
    yield Figure(f"{PROCESSES} processes, {total:,} records", wall, most=total / 20_000)
    yield Figure(f"{PROCESSES} processes, the slowest call", slowest, most=0.1)
    yield Figure(f"{PROCESSES} processes, records refused", refused, unit="records", most=0)
    for name, record in (("", RECORD), (" with vectors", _with_vector())):
        rows = 5 * count if not name else 2 * count
        with databases.new_folder() as folder:
            seconds = _load(folder, record, rows)
            yield Figure(
                f"outbox into raw, {rows:,} records{name}",
                seconds,
                baseline=_executemany(folder / "bare.db", record) * rows,
                baseline_name="executemany",
                most_ratio=None if name else 1 / 25,
            )
            if not name:
                yield Figure(
                    f"the same, at 30,000 records a second{name}", seconds, most=rows / 30_000
                )


def _eight_processes(folder: Path, count: int) -> tuple[float, float, int]:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    start = context.Barrier(PROCESSES + 1)
    processes = [
        context.Process(target=_record, args=(folder, count, start, results))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    start.wait()
    began = time.perf_counter()
    reports = [results.get() for _ in processes]
    wall = time.perf_counter() - began
    for process in processes:
        process.join()
    return wall, max(slowest for slowest, _ in reports), sum(refused for _, refused in reports)


def _record(folder: Path, count: int, start: Any, results: Any) -> None:
    outbox = Outbox(folder)
    payload = _payload(RECORD)
    slowest, refused = 0.0, 0
    start.wait()
    for _ in range(count):
        began = time.perf_counter()
        refused += not outbox.put("execution", payload)
        slowest = max(slowest, time.perf_counter() - began)
    results.put((slowest, refused))


def _load(folder: Path, record: ExecutionRecord, rows: int) -> float:
    outbox = Outbox(folder / "outbox")
    assert outbox.put_many("execution", [_payload(record)] * rows) == rows
    outbox.close()
    began = time.perf_counter()
    result = load_once(folder / "learning.db", folder / "outbox")
    seconds = time.perf_counter() - began
    assert result.counts["execution"] == rows
    return seconds


def _executemany(database: Path, record: ExecutionRecord) -> float:
    """Return the seconds a row."""
    values = (*record.as_row(), 0, datetime(2026, 4, 1))  # noqa: DTZ001
    with connect(database) as connection:
        began = time.perf_counter()
        connection.execute("begin")
        connection.executemany(
            f"insert into raw.executions values ({', '.join('?' * len(values))})",
            [values] * EXECUTEMANY_ROWS,
        )
        connection.execute("commit")
        return (time.perf_counter() - began) / EXECUTEMANY_ROWS


def _with_vector() -> ExecutionRecord:
    vector = [(number * 0.618033988749895) % 1 - 0.5 for number in range(384)]
    return RECORD.model_copy(update={"embedding": vector})


def _payload(record: ExecutionRecord) -> str:
    return record_json(record.model_dump(exclude_none=True))
