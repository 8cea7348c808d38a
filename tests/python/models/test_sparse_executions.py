"""Executions that say little, as most orchestrators' do, break no claim of any model."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from building import DbtProject

from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
DAYS = 20
"""As far back as both ranges of a week reach, and further."""
SAID: dict[str, list[Any]] = {
    "task_description": ["mend it", "write it", "x" * 300, "näher\nü", *map(str, range(40))],
    "task_type": ["fix", "docs"],
    "repo": ["api", "web", "r" * 250],
    "model": ["claude-opus-4.5", "gpt-5-nano", "my-own"],
    "model_tier": ["small", "gigantic"],
    "pool_type": ["local"],
    "pool_id": ["pool-1", 7],
    "duration_seconds": [0, 0.5, 100],
    "actual_cost": [0, 0.02, 3.5],
    "cost_estimate": [0, 0.02],
    "quality_score": [0, 70, 100],
    "error_message": ["timeout", "no such file", "e" * 500],
    "error_type": ["timeout", "crash"],
    "complexity_score": [0, 50, 100],
    "routing_confidence": [0, 0.5, 1],
    "user_rating": [1, 5],
    "user_accepted": [True, False],
    "solution_summary": ["edit one line", "edit two lines", "s" * 300],
    "peak_memory_mb": [0, 512],
    "cpu_time_seconds": [0, 3],
    "tokens": [{"input": 10, "output": 20}, 7],
}


def records(chosen: random.Random, share: float) -> list[dict[str, Any]]:
    """Executions of the last days; each name is said in about that share of them."""
    made = []
    for number in range(400):
        said = {name: chosen.choice(of) for name, of in SAID.items() if chosen.random() < share}
        noted = {name: said.pop(name) for name in ("model", "pool_id", "tokens") if name in said}
        if not {"task_description", "task_type"} & said.keys():
            said["task_type"] = "fix"
        ago = timedelta(days=DAYS) * chosen.random()
        said |= {"task_id": number, "timestamp": NOW - ago, "success": chosen.random() < 0.6}
        made.append(said | {"metadata": noted} if noted else said)
    return made


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_build_of_what_says_little_breaks_no_claim(
    project: DbtProject, database: Path, share: float
) -> None:
    outbox = Outbox(database.parent / "outbox")
    given = records(random.Random(17), share)  # noqa: S311
    assert TelemetryCapture(outbox).store_records(given) == len(given)
    outbox.close()
    load_once(database, outbox.folder, now=NOW.replace(tzinfo=None))
    project.run(
        database,
        command="build",
        exclude=["resource_type:unit_test"],
        as_of=NOW.isoformat(),
    )
    with connect(database, read_only=True) as connection:
        [(kept,)] = connection.execute("select count(*) from executions").fetchall()
    assert kept == len(given)
