"""What a client's query costs by its process, and for how long one that ends badly holds others up.

The database is as small as one can be, so that a query's time is the process's. A warm query is one
of 500 after the first; its baseline is the same SELECT in this process. A process is ended by a
query that DuckDB cannot interrupt, at its limit of a second, or by one that kills it. Of each, the
slowest of five: until another client has its answer, and until a writer has the file.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.errors import QueryRefusedError
from orb_learning.mcp.query_processes import QueryProcesses
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

TITLE = "Queries of clients"
LIMIT_SECONDS = 1.0
WARM_RUNS, RUNS = 500, 5
MOST_SECONDS_OF_A_PROCESS = 0.02
MOST_SECONDS_UNTIL_AN_ANSWER = 1.0
MOST_SECONDS_BEYOND_THE_LIMIT = 1.0
SQL = "select count(*) from executions"
ENDED_BY = {
    "cannot be interrupted": "select levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "kills its process": (
        "select (repeat('[', 100000) || repeat(']', 100000))::json::variant::varchar"
    ),
}


def run(_scale: Scale) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "learning.db"
        with connect(file) as connection:
            connection.execute("create table executions as select 'api' as repo")
            connection.execute(
                "create view rpt_freshness as select now()::timestamp as as_of, null as built_at, "
                "10 as least_samples"
            )
        yield from asyncio.run(_measured(file))


async def _measured(file: Path) -> list[Figure]:
    settings = load_settings(database_path=file, mcp_query_seconds=LIMIT_SECONDS)
    processes = QueryProcesses(settings, idle_timeout_seconds=10)
    try:
        await processes.run(SQL)
        times = [await _seconds(processes, SQL) for _ in range(WARM_RUNS)]
        in_process = _seconds_in_process(file)
        figures = [
            Figure(
                name,
                measured,
                baseline=in_process,
                baseline_name="in the process",
                most=MOST_SECONDS_OF_A_PROCESS,
            )
            for name, measured in [
                ("a warm query, median", statistics.median(times)),
                ("a warm query, 95th percentile", statistics.quantiles(times, n=20)[-1]),
            ]
        ]
        for what, sql in ENDED_BY.items():
            ends = [await _ended(processes, file, sql) for _ in range(RUNS)]
            figures += [
                Figure(
                    f"the next answer after a query that {what}",
                    max(until_answer for until_answer, _ in ends),
                    most=MOST_SECONDS_UNTIL_AN_ANSWER,
                ),
                Figure(
                    f"a writer beside a query that {what}",
                    max(until_written for _, until_written in ends),
                    most=LIMIT_SECONDS + MOST_SECONDS_BEYOND_THE_LIMIT,
                ),
            ]
        return figures
    finally:
        processes.close()


async def _seconds(processes: QueryProcesses, sql: str) -> float:
    began = time.perf_counter()
    await processes.run(sql)
    return time.perf_counter() - began


async def _ended(processes: QueryProcesses, file: Path, sql: str) -> tuple[float, float]:
    """Return how long the next answer takes after a query's end, and a writer from its begin."""
    waited: list[float] = []

    def write() -> None:
        began = time.perf_counter()
        with connect(file):
            waited.append(time.perf_counter() - began)

    writer = threading.Thread(target=write)
    query = asyncio.create_task(processes.run(sql, client="ada"))
    await asyncio.sleep(0.1)
    writer.start()
    with suppress(QueryRefusedError):
        await query
    until_answer = await _seconds(processes, SQL)
    await asyncio.to_thread(writer.join)
    return until_answer, waited[0]


def _seconds_in_process(file: Path) -> float:
    times = []
    with connect(file, read_only=True) as connection:
        for _ in range(WARM_RUNS):
            began = time.perf_counter()
            connection.execute(SQL).fetchall()
            times.append(time.perf_counter() - began)
    return statistics.median(times)
