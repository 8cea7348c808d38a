"""Every MCP tool on a million executions, called by the function that the server calls.

Each with its defaults; those of a time range with each. As in the server, the database is sandboxed
and stays open for the next question. Below are the first questions after a pause, which open the
file with nothing of it in memory. The baseline is the queries of `reports.py` over `executions`,
one after the other, for the reports that the tool reads. For `query` it is the same SELECT. A tool
that reads other tables has none. A search compares the vectors of all task descriptions, at random
around centres as those of `search`. It has no limit of days, and runs without the index and with
it. Its baseline is DuckDB's bare ranking of them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import duckdb

from benchmarks import databases, reports, search
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.embeddings.encoder import DEFAULT_MODEL
from orb_learning.figures.changes import what_to_change
from orb_learning.figures.describe import describe_data
from orb_learning.figures.executions import list_executions
from orb_learning.figures.performance import performance_metrics
from orb_learning.figures.quality import data_quality_report
from orb_learning.figures.reader import Reader
from orb_learning.figures.routing import policy_values, recommend_route
from orb_learning.figures.similar import find_similar_executions
from orb_learning.figures.statistics import execution_statistics
from orb_learning.figures.watching import database_status
from orb_learning.mcp.feedback_outbox import FeedbackOutbox
from orb_learning.mcp.query_processes import QueryProcesses
from orb_learning.mcp.server import IDLE_TIMEOUT_SECONDS
from orb_learning.mcp.tools.query import query
from orb_learning.mcp.tools.submit_feedback import submit_feedback
from orb_learning.search.vector_index import index_folder, update_index
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect
from orb_learning.time_ranges import TimeRange

TITLE = "MCP tools"
SEARCH = find_similar_executions.__name__
SQL = "select model_tier, count(*) from executions group by all"
OF_A_RANGE: dict[str, tuple[Callable[..., Awaitable[Any]], list[str]]] = {
    "execution_statistics": (
        execution_statistics,
        [
            *("rpt_time_series", "rpt_success_by_tier", "rpt_pools", "rpt_repositories"),
            *("rpt_task_types", "rpt_performance"),
        ],
    ),
    "performance_metrics": (
        performance_metrics,
        ["rpt_performance", "rpt_durations_by_tier"],
    ),
}
OTHERS: dict[str, tuple[Callable[[Reader], Awaitable[Any]], list[str]]] = {
    "database_status": (database_status, ["rpt_database_status"]),
    "data_quality_report": (data_quality_report, []),
    "what_to_change": (what_to_change, []),
    "policy_values": (policy_values, []),
    "recommend_route": (recommend_route, []),
    "describe_data": (describe_data, []),
    "list_executions": (list_executions, []),
}
EMBEDDINGS = """
    insert into text_embeddings
    with texts as (
        select
            _task_text_id as text_id,
            any_value(task_description) as text,
            row_number() over (order by text_id) - 1 as number
        from fct_executions
        group by _task_text_id
    )

    select text_id, number + 1, sha256(text), text, vector, $model, $embedded_at, null
    from texts
    inner join given using (number)
"""


def run(scale: Scale) -> Iterator[Figure]:
    with reports.database_as_of_its_end(scale.import_rows) as file:
        embed(file)
        yield from measure(file)


def embed(file: Path) -> None:
    """Put a vector of every task description into the database."""
    with connect(file) as connection:
        (count,) = connection.execute(
            "select count(distinct _task_text_id) from fct_executions"
        ).fetchall()[0]
        connection.register("given", search.vectors(count))
        connection.execute(EMBEDDINGS, {"model": DEFAULT_MODEL, "embedded_at": databases.LOADED_AT})


def measure(file: Path) -> Iterator[Figure]:
    """Measure every tool on the database."""
    settings = load_settings(database_path=file, outbox_path=file.parent / "outbox")
    baselines = {}
    with connect(file, read_only=True) as connection:
        for name, (_, read) in OF_A_RANGE.items():
            for time_range in get_args(TimeRange):
                baselines[name, time_range] = _baseline(connection, read, time_range)
        for name, (_, read) in OTHERS.items():
            baselines[name, None] = _baseline(connection, read, None) if read else None
        baselines["query", None] = _of(connection, SQL)
        baselines["submit_feedback", None] = None
        row = connection.execute("select embedding from text_embeddings limit 1").fetchone()
        assert row is not None
        baselines[SEARCH, None] = _of(connection, search.BARE, vector=list(row[0]))
    for idle_timeout_seconds, when in ((IDLE_TIMEOUT_SECONDS, ""), (0.0, ", after a pause")):
        reader = Reader(settings, sandboxed=True, idle_timeout_seconds=idle_timeout_seconds)
        processes = QueryProcesses(settings, idle_timeout_seconds=idle_timeout_seconds)
        for (name, time_range), call in _calls(reader, processes).items():
            yield Figure(
                f"{name}{f', {time_range}' if time_range else ''}{when}",
                asyncio.run(_seconds(call)),
                baseline=baselines[name, time_range],
                baseline_name="from executions" if baselines[name, time_range] else "",
                most=None if when else reports.TARGET_SECONDS,
            )
        reader.close()
        processes.close()
    with connect(file, read_only=True) as connection:
        update_index(connection, index_folder(file), DEFAULT_MODEL)
    reader = Reader(settings, sandboxed=True, idle_timeout_seconds=IDLE_TIMEOUT_SECONDS)
    yield Figure(
        f"{SEARCH}, with the index",
        asyncio.run(_seconds(_search(reader))),
        baseline=baselines[SEARCH, None],
        baseline_name="from executions",
        most=reports.TARGET_SECONDS,
    )
    reader.close()


def _calls(
    reader: Reader, processes: QueryProcesses
) -> dict[tuple[str, str | None], Callable[[], Awaitable[Any]]]:
    calls: dict[tuple[str, str | None], Callable[[], Awaitable[Any]]] = {
        (name, time_range): partial(tool, reader, time_range)
        for name, (tool, _) in OF_A_RANGE.items()
        for time_range in get_args(TimeRange)
    }
    calls |= {(name, None): partial(tool, reader) for name, (tool, _) in OTHERS.items()}
    calls["query", None] = partial(query, processes, SQL)
    feedback = FeedbackOutbox(reader.settings, reader)
    calls["submit_feedback", None] = partial(
        submit_feedback, feedback, task_id=UUID(int=1), satisfaction="good"
    )
    calls[SEARCH, None] = _search(reader)
    return calls


def _search(reader: Reader) -> Callable[[], Awaitable[Any]]:
    return partial(
        find_similar_executions,
        reader,
        "a task in words that nobody has used yet",
        days_back=36_500,
        threshold=-1,
    )


async def _seconds(call: Callable[[], Awaitable[Any]]) -> float:
    times = []
    for _ in range(reports.RUNS):
        began = time.perf_counter()
        await call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _baseline(
    connection: duckdb.DuckDBPyConnection, read: list[str], time_range: str | None
) -> float:
    return sum(_of(connection, reports.BASELINES[report].query(time_range)) for report in read)


def _of(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> float:
    times = []
    for _ in range(reports.RUNS):
        began = time.perf_counter()
        connection.execute(sql, parameters).fetchall()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
