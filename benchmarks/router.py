"""The router: what a draw costs, from a file of many cells, its cell's chances and a fallback's.

Each draw is timed by itself, so the timer is in it. The first draw after a build pays for reading
the file, as a new router does.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning import Router

TITLE = "Router"
PLANS = ("small", "medium", "large", "small>large", "medium>large", "small>medium>large")
BANDS = ("low", "medium", "high")
TASKS: dict[str, dict[str, Any]] = {
    "of a known cell": {"repo": "repo-7", "type": "bugfix", "complexity_score": 30},
    "of an unknown repository": {"repo": "another", "type": "bugfix", "complexity_score": 30},
}


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    with databases.new_folder() as folder:
        cells = _publish(folder, repositories=1_000 if full else 10)
        began = time.perf_counter()
        router = Router(folder / "learning.db")
        yield Figure(f"a router that reads {cells:,} cells", time.perf_counter() - began)
        for name, task in TASKS.items():
            seconds = _draws(router, task, 100_000 if full else 1_000)
            yield Figure(f"draw for a task {name}, median", statistics.median(seconds), most=5e-6)


def _draws(router: Router, task: dict[str, Any], count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        router.draw(task)
        seconds.append(time.perf_counter() - began)
    return seconds


def _publish(folder: Path, repositories: int) -> int:
    plans = [{"plan": plan, "policy": plan, "propensity": 1 / len(PLANS)} for plan in PLANS]
    units: list[dict[str, Any]] = [{"level": "everything", "plans": plans}]
    for number in range(repositories):
        named = {"level": "cell", "repo": f"repo-{number}", "task_type": "bugfix"}
        units += [named | {"complexity_band": band, "plans": plans} for band in BANDS]
    content = {
        "version": 1,
        "built_at": datetime.now(UTC).isoformat(),
        "medium_from": 34,
        "high_from": 67,
        "units": units,
    }
    (folder / "routing.json").write_text(json.dumps(content))
    return len(units) - 1
