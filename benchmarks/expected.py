"""The table "Expected Performance" of the first design, its figures as baseline and target.

Measured, at each number of records, as the median of several runs in a database that is open:
- time series: executions, successes and mean duration an hour, of a repository's newest 7 days,
  from the relation `executions`;
- tier performance: every row of `tier_performance_mv`.
And the import of a file of 100 records into a copy, which opens, writes and closes the database.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale

TITLE = "Expected performance"
SECONDS = {
    "Batch INSERT (100)": {"1K": 0.1, "10K": 0.2, "100K": 0.5, "1M": 2.0},
    "Time series query": {"1K": 0.05, "10K": 0.1, "100K": 0.5, "1M": 2.0},
    "Tier performance": {"1K": 0.1, "10K": 0.2, "100K": 1.0, "1M": 5.0},
}
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
    for heading, rows in scale.record_counts.items():
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
        for name, seconds in SECONDS.items():
            yield Figure(
                f"{name}, {heading} records",
                measured[name],
                baseline=seconds[heading],
                baseline_name="expected",
                most_ratio=1,
            )


def _batch(database: databases.Path, rows: int, number: int) -> float:
    parquet = databases.appended_rows(database, rows=100, after=rows, minutes=1, number=number)
    began = time.perf_counter()
    databases.import_file(database, parquet, now=databases.LOADED_AT)
    return time.perf_counter() - began


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
