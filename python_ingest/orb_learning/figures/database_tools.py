"""The tools that watch the database, for Python: the figures that agents get, as dicts.

    status = await get_database_status()
    print(status["status"], status["executions"]["total"])

Each reads the database of the settings (ORB_DATABASE), as briefly as it can; where it cannot be
read the newest backup is, and ``from_backup`` says so. Times are UTC, without a zone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from orb_learning.figures.alerts import database_alerts
from orb_learning.figures.changes import what_to_change
from orb_learning.figures.executions import list_executions
from orb_learning.figures.health import plain_status
from orb_learning.figures.performance import performance_metrics
from orb_learning.figures.quality import data_quality_report
from orb_learning.figures.reader import Reader
from orb_learning.figures.results import Result
from orb_learning.figures.routing import (
    policy_values,
    recommend_route,
    route_recommendations,
)
from orb_learning.figures.statistics import execution_statistics
from orb_learning.figures.storage import storage_status
from orb_learning.settings import load_settings
from orb_learning.time_ranges import GROUPS, TIME_RANGES, Group, TimeRange


async def get_database_status(db_path: str | None = None) -> dict[str, Any]:
    """Return whether the database is well; one that cannot be read has the status ERROR.

    Args:
        db_path: another file in the database's folder, relative; the settings' database if None.

    Returns:
        ``status`` (OK, WARNING or ERROR), ``timestamp``, ``database``, ``executions``,
        ``performance``, ``warnings`` and ``errors``.

    Raises:
        DatabaseError: db_path leads out of the folder, or there is no such file.
    """
    return await _asked(lambda reader: plain_status(reader, db_path))


async def get_execution_statistics(
    time_range: TimeRange = "7d", by: Group | None = None
) -> dict[str, Any]:
    """Return how many executions there were of what kind, and how they went.

    Args:
        time_range: how far back from now.
        by: tier, pool, repository, task_type, model, error or day, for its whole table alone.

    Returns:
        ``time_series``, ``by_model_tier``, ``by_pool_type``, ``top_repositories``,
        ``by_task_type``, ``performance`` and ``record_funnel``; with by, ``rows``.

    Raises:
        ValueError: there is no such time range, or nothing of that name to group by.
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    _check(time_range)
    if by is not None and by not in GROUPS:
        raise ValueError(f"by = {by!r}: must be one of {', '.join(GROUPS)}")
    return await _asked(lambda reader: execution_statistics(reader, time_range, by))


async def get_performance_metrics(time_range: TimeRange = "7d") -> dict[str, Any]:
    """Return how long executions took, what they cost and needed.

    Args:
        time_range: how far back from now.

    Returns:
        ``duration``, ``cost``, ``resources`` and ``by_model_tier``.

    Raises:
        ValueError: there is no such time range.
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    _check(time_range)
    return await _asked(lambda reader: performance_metrics(reader, time_range))


async def get_storage_status() -> dict[str, Any]:
    """Return ``places`` and ``tables`` with their sizes, growth and alerts.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(storage_status)


async def get_data_quality_report() -> dict[str, Any]:
    """Return ``freshness``, ``checks`` and ``unknown_values``.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(data_quality_report)


async def get_database_alerts(
    success_rate_threshold: float | None = None,
    avg_duration_threshold: float | None = None,
    db_size_threshold_mb: float | None = None,
) -> dict[str, Any]:
    """Return ``raised`` and ``others``: the alerts that are raised now, and those that are not.

    Args:
        success_rate_threshold: percent; a lower success rate raises a warning.
        avg_duration_threshold: seconds; a longer mean duration raises a warning.
        db_size_threshold_mb: a database of so many MB raises a warning. What is None is the
            seed's, alert_thresholds.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(
        lambda reader: database_alerts(
            reader, success_rate_threshold, avg_duration_threshold, db_size_threshold_mb
        )
    )


async def get_changes() -> dict[str, Any]:
    """Return ``rows``: what to change, what is worth most first.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(what_to_change)


async def get_executions(**wanted: Any) -> dict[str, Any]:
    """Return ``rows``: single executions, the newest or the dearest first, and ``is_cut``.

    Args:
        wanted: what the tool list_executions takes: task_id, words, repo, tier, pool, model,
            success, error_type, day, order and limit.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(lambda reader: list_executions(reader, **wanted))


async def get_policy_values(repo: str | None = None) -> dict[str, Any]:
    """Return ``rows``: what routing policies would have come to, the greatest utility first.

    Args:
        repo: of this repository's decisions; of all if None.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(lambda reader: policy_values(reader, repo))


async def get_recommendations(repo: str | None = None) -> dict[str, Any]:
    """Return ``rows``: what to route by everywhere, in repositories and in cells, widest first.

    Args:
        repo: of this repository besides what holds everywhere; of all if None.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(lambda reader: route_recommendations(reader, repo))


async def get_route(
    task_description: str | None = None,
    repo: str | None = None,
    task_type: str | None = None,
    complexity: int | None = None,
) -> dict[str, Any]:
    """Return ``sentence``, ``plan`` and ``rows``: what to route a task by, the narrowest first.

    Args:
        task_description: the task, in the words that it is recorded by.
        repo: its repository; that of the newest execution of the description if None.
        task_type: its type; the same.
        complexity: its complexity score; the same.

    Raises:
        DatabaseError: the database cannot be read, or nothing has been built.
    """
    return await _asked(
        lambda reader: recommend_route(reader, task_description, repo, task_type, complexity)
    )


async def _asked(tool: Callable[[Reader], Awaitable[Result]]) -> dict[str, Any]:
    reader = Reader(load_settings())
    try:
        return (await tool(reader)).model_dump()
    finally:
        reader.close()


def _check(time_range: str) -> None:
    if time_range not in TIME_RANGES:
        raise ValueError(f"time_range = {time_range!r}: must be one of {', '.join(TIME_RANGES)}")
