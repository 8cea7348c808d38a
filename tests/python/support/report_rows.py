"""Rows for the reports, and the arithmetic that plain Python does over them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any

from building import REPOSITORY
from histories import insert_many, task_id
from intervals import interval, tasks_of
from oracle import Row

from orb_learning.store.connection import connect

REPORTS = sorted(file.stem for file in (REPOSITORY / "models/reports").rglob("rpt_*.sql"))


def known(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    values = [tuple(row[name] for name in names) for row in rows]
    return [value for value in values if None not in value]


def wilson(successes: int, trials: int) -> tuple[float, float] | tuple[None, None]:
    if not trials:
        return None, None
    z = NormalDist().inv_cdf(0.975)
    rate = successes / trials
    center = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials**2))
    half /= 1 + z * z / trials
    return center - half, center + half


def rate(name: str, rows: list[Row], success: Callable[[Row], bool]) -> Row:
    """Return a rate over executions with what the reports show beside it."""
    tasks = tasks_of((row["_task_text_id"], success(row)) for row in rows)
    lower, upper = interval(tasks)
    return {
        name: sum(map(success, rows)) / len(rows) if rows else None,
        f"{name}_lower": lower,
        f"{name}_upper": upper,
        "task_count": len(tasks),
        "has_enough_samples": len(tasks) >= 10,
    }


def insert(database: Path, rows: list[Row]) -> None:
    """Load so many rows at once, each as a task of its own."""
    with connect(database) as connection:
        connection.execute("begin")
        insert_many(
            connection, [{**row, "task_id": task_id(100 + n)} for n, row in enumerate(rows)]
        )
        connection.execute("commit")
