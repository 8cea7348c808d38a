"""DuckDB's optimizer changes no row: open faults of its joins and limits reach no figure."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.compare_builds import differences
from building import STEM, DbtProject
from histories import NOON, TOO_LATE, History, days_ago
from moments import fill

from orb_learning.dbt.plugin import Plugin
from orb_learning.store.connection import connect

UNOPTIMIZED = "pragma disable_optimizer"
CONFIGURE_CURSOR = Plugin.configure_cursor
OF_THE_BUILD = {"build_state"}
"""When each model was built, and from which buckets, which is compared by the rows themselves."""
UNKNOWN = (
    *("file_count", "routing_confidence", "duration_seconds", "quality_score", "actual_cost"),
    *("cost_estimate", "error_type", "error_message", "solution_summary", "user_rating"),
    *("user_accepted", "peak_memory_mb", "cpu_time_seconds", "metadata"),
)


def nothing(_: History) -> None:
    """Load nothing."""


def null_rich(history: History) -> None:
    """Load executions of which nothing is known that may be unknown, and some that are rejected."""
    for days in (0, 1, 8, 31, 89, 91):
        for success in (True, False):
            known: dict[str, Any] = dict.fromkeys(UNKNOWN)
            history.insert(100 + days, 2, timestamp=days_ago(days), success=success, **known)
    history.insert(300, 3, timestamp=None)
    history.insert(310, 2, success=None, model_tier=" ")


def at_random(seed: int) -> Callable[[History], None]:
    def load(history: History) -> None:
        fill(history.database, seed=seed)
        chance = random.Random(seed)  # noqa: S311
        for _ in range(40):
            history.insert(
                chance.randrange(140),
                chance.randint(1, 3),
                timestamp=chance.choice([None, TOO_LATE, days_ago(0), days_ago(30), NOON]),
                repo=chance.choice(["api", "web", " "]),
                quality_score=chance.choice([None, 0, 101]),
                solution_summary=chance.choice([None, "cache it", " "]),
            )

    return load


DATABASES = {
    "empty": nothing,
    "NULLs": null_rich,
    "random 1": at_random(1),
    "random 2": at_random(2),
}


def relations(database: Path) -> set[str]:
    with connect(database, read_only=True) as connection:
        found = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main'"
        ).fetchall()
    return {name for (name,) in found} - OF_THE_BUILD


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "random 1" else pytest.mark.soak)
        for name in DATABASES
    ],
)
def test_the_optimizer_changes_no_row_of_any_relation(
    project: DbtProject,
    empty_database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Both builds hold the same, the second built and read without the optimizer."""
    built, other = tmp_path / f"{STEM}.db", tmp_path / "again" / f"{STEM}.db"
    other.parent.mkdir()
    shutil.copy(empty_database, built)
    DATABASES[name](History(project, built))
    shutil.copy(built, other)
    as_of = NOON.isoformat()
    project.run(built, full_refresh=True, as_of=as_of)
    with monkeypatch.context() as patched:
        patched.setattr(Plugin, "configure_cursor", _unoptimized)
        project.run(other, full_refresh=True, as_of=as_of)
    assert len(relations(built)) > 80
    found = list(differences(built, other, relations_of=relations, prepare_other=UNOPTIMIZED))
    assert found == []


def _unoptimized(plugin: Plugin, cursor: Any) -> None:
    CONFIGURE_CURSOR(plugin, cursor)
    cursor.execute(UNOPTIMIZED)
