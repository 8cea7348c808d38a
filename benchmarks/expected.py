"""The table "Expected Performance" of the first design, its figures as baseline and target.

At each number of records, the median of several runs where there is more than one:
- single INSERT: an execution recorded, and committed when the call returns. Below: the time until
  the relay has it in the database of that size. Nobody waits for that, so it has no target;
- batch INSERT: the import of a file of 100 records, which opens, writes and closes the database;
- time series: executions, successes and mean duration an hour, of a repository's newest 7 days,
  from the relation `executions`;
- tier performance: every row of `tier_performance_mv`;
- semantic search: the 10 texts most like one, of so many distinct texts with their executions;
- retention cleanup: `archive_and_retain` of the oldest tenth, as its users run it. Below: dbt's
  start, which alone takes more than the design allows at 1K.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks import databases, search
from benchmarks.capture import END, RESULT, START, TASK
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning import Outbox, TelemetryCapture
from orb_learning.embeddings.encoder import DEFAULT_MODEL
from orb_learning.ingest.relay import load_once
from orb_learning.search.queries import similar_executions

TITLE = "Expected performance"
SECONDS = {
    "Single INSERT": {"1K": 0.01, "10K": 0.01, "100K": 0.01, "1M": 0.01},
    "Batch INSERT (100)": {"1K": 0.1, "10K": 0.2, "100K": 0.5, "1M": 2.0},
    "Time series query": {"1K": 0.05, "10K": 0.1, "100K": 0.5, "1M": 2.0},
    "Tier performance": {"1K": 0.1, "10K": 0.2, "100K": 1.0, "1M": 5.0},
    "Semantic search": {"1K": 0.1, "10K": 0.5, "100K": 2.0, "1M": 10.0},
    "Retention cleanup": {"1K": 1.0, "10K": 5.0, "100K": 30.0, "1M": 300.0},
}
BESIDES = {
    "Single INSERT": "until the database has it",
    "Retention cleanup": "of it, dbt's start and finding what is old",
}
"""What is told below an operation, without a target."""

QUERIES = {
    "Time series query": """
        select date_trunc('hour', "timestamp") as hour, count(*), count(*) filter (success),
            avg(duration_seconds)
        from executions
        where repo = 'orchestrator' and "timestamp" >= timestamp '2026-03-26 00:00:00'
        group by hour
        order by hour
    """,
    "Tier performance": "select * from tier_performance_mv order by model_tier, repo, date",
}
RUNS = 9


def run(scale: Scale) -> Iterator[Figure]:
    measured: dict[str, dict[str, float]] = defaultdict(dict)
    with databases.new_folder() as empty_folder:
        empty = search.empty_database(empty_folder)
        for heading, rows in scale.record_counts.items():
            for name, seconds in _measure(rows, empty).items():
                measured[name][heading] = seconds
    for name, expected in SECONDS.items():
        for heading in scale.record_counts:
            yield Figure(
                f"{name}, {heading} records",
                measured[name][heading],
                baseline=expected[heading],
                baseline_name="expected",
                most_ratio=1,
            )
        for heading in scale.record_counts if name in BESIDES else ():
            besides = BESIDES[name]
            yield Figure(f"{name}, {heading} records: {besides}", measured[besides][heading])


def _measure(rows: int, empty: Path) -> dict[str, float]:
    database = databases.built_database(rows)
    measured = {}
    with duckdb.connect(database, read_only=True) as connection:
        for name, query in QUERIES.items():
            measured[name] = _median(lambda query=query: connection.execute(query).fetchall())
    with databases.copy_of(database) as copy:
        batches = iter(range(RUNS))
        measured["Batch INSERT (100)"] = statistics.median(
            _batch(copy, rows, number) for number in batches
        )
        measured |= _single(copy)
    with databases.copy_of(database) as copy:
        measured |= _retention(copy)
    with databases.new_folder() as folder:
        texts = Path(shutil.copy(empty, folder))
        search.fill(texts, rows)
        measured["Semantic search"] = _search(texts)
    return measured


def _single(database: Path) -> dict[str, float]:
    outbox = Outbox(database.parent / "outbox")
    capture = TelemetryCapture(outbox)
    recorded, loaded = [], []
    for number in range(RUNS):
        task = {**TASK, "task_id": f"00000000-0000-0000-0000-{number:012}"}
        began = time.perf_counter()
        assert capture.store_execution_telemetry("pool-1", task, RESULT, START, END)
        recorded.append(time.perf_counter() - began)
        result = load_once(database, outbox.folder, now=databases.LOADED_AT)
        loaded.append(time.perf_counter() - began)
        assert result.counts["execution"] == 1, result
    outbox.close()
    return {
        "Single INSERT": statistics.median(recorded),
        BESIDES["Single INSERT"]: statistics.median(loaded),
    }


def _batch(database: Path, rows: int, number: int) -> float:
    parquet = databases.appended_rows(database, rows=100, after=rows, minutes=1, number=number)
    began = time.perf_counter()
    databases.import_file(database, parquet, now=databases.LOADED_AT)
    return time.perf_counter() - began


def _retention(database: Path) -> dict[str, float]:
    oldest_tenth = timedelta(days=databases.DAYS // 10)
    limit = databases.UNTIL - timedelta(days=databases.DAYS) + oldest_tenth
    arguments = {
        "days_to_keep": (databases.AS_OF - limit).days,
        "archive_path": str(database.parent / "archive"),
    }
    macro = ("run-operation", "archive_and_retain", "--args")
    for _ in range(2):  # the first time, dbt parses the project
        start, _ = databases.operate(database, *macro, json.dumps({**arguments, "dry_run": True}))
    seconds, said = databases.operate(database, *macro, json.dumps(arguments))
    assert said["archived_count"] > 0
    return {"Retention cleanup": seconds, BESIDES["Retention cleanup"]: start}


def _search(database: Path) -> float:
    with duckdb.connect(database, read_only=True) as connection:
        row = connection.execute("select embedding from text_embeddings limit 1").fetchone()
        assert row is not None
        return _median(
            lambda: similar_executions(
                connection,
                list(row[0]),
                model=DEFAULT_MODEL,
                limit=10,
                days_back=90,
                threshold=0.7,
                now=databases.LOADED_AT,
            )
        )


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
