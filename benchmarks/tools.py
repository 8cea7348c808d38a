"""Every MCP tool on a million executions, called by the function that the server calls.

Each with its defaults; those of a time range with each. The baseline is the queries of
`reports.py` over `executions`, one after the other, that give the figures of the reports which the
tool reads. Searching is measured by `search` and `index`.
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

from benchmarks import reports
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning import database as learning_database
from orb_learning.mcp.database_tools import TimeRange
from orb_learning.mcp.reading import Reader
from orb_learning.mcp.tools.data_quality_report import data_quality_report
from orb_learning.mcp.tools.database_alerts import database_alerts
from orb_learning.mcp.tools.database_status import database_status
from orb_learning.mcp.tools.execution_statistics import execution_statistics
from orb_learning.mcp.tools.get_pool_performance import get_pool_performance
from orb_learning.mcp.tools.get_solution_patterns import get_solution_patterns
from orb_learning.mcp.tools.get_tier_performance import get_tier_performance
from orb_learning.mcp.tools.performance_metrics import performance_metrics
from orb_learning.mcp.tools.query import query
from orb_learning.mcp.tools.storage_status import storage_status
from orb_learning.mcp.tools.submit_feedback import submit_feedback
from orb_learning.settings import load_settings

TITLE = "MCP tools"
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
        ["rpt_performance", "rpt_cost_by_tier", "rpt_durations_by_tier"],
    ),
}
OTHERS: dict[str, Callable[[Reader], Awaitable[Any]]] = {
    "database_status": database_status,
    "storage_status": storage_status,
    "data_quality_report": data_quality_report,
    "database_alerts": database_alerts,
    "get_tier_performance": get_tier_performance,
    "get_pool_performance": get_pool_performance,
    "get_solution_patterns": get_solution_patterns,
    "query": partial(query, sql=SQL),
    "submit_feedback": partial(submit_feedback, task_id=UUID(int=1), satisfaction="good"),
}


def run(scale: Scale) -> Iterator[Figure]:
    with reports.database_as_of_its_end(scale.import_rows) as file:
        yield from measure(file)


def measure(file: Path) -> Iterator[Figure]:
    """Measure every tool on the database."""
    settings = load_settings(database_path=file, outbox_path=file.parent / "outbox")
    reader = Reader(settings)
    try:
        for name, (tool, read) in OF_A_RANGE.items():
            for time_range in get_args(TimeRange):
                yield Figure(
                    f"{name}, {time_range}",
                    asyncio.run(_seconds(partial(tool, reader, time_range))),
                    baseline=_baseline(file, read, time_range),
                    baseline_name="from executions",
                    most=reports.TARGET_SECONDS,
                )
        for name, of_all in OTHERS.items():
            seconds = asyncio.run(_seconds(partial(of_all, reader)))
            yield Figure(name, seconds, most=reports.TARGET_SECONDS)
    finally:
        reader.close()


async def _seconds(call: Callable[[], Awaitable[Any]]) -> float:
    times = []
    for _ in range(reports.RUNS):
        began = time.perf_counter()
        await call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _baseline(file: Path, read: list[str], time_range: str) -> float:
    times = []
    with learning_database.connect(file, read_only=True) as connection:
        for _ in range(reports.RUNS):
            began = time.perf_counter()
            for report in read:
                connection.execute(reports.BASELINES[report].query(time_range)).fetchall()
            times.append(time.perf_counter() - began)
    return statistics.median(times)
