"""The comparison of two builds finds a value that differs, and lets the order of a sum pass."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.compare_builds import differences

from orb_learning.store.connection import connect


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("", []),
        ("update tier_performance_mv set avg_duration = avg_duration * (1 + 1e-12)", []),
        (
            "update tier_performance_mv set avg_duration = avg_duration * (1 + 1e-8)",
            ["tier_performance_mv.avg_duration"],
        ),
        (
            "update pool_performance_mv set total_tasks = total_tasks + 1",
            ["pool_performance_mv.total_tasks"],
        ),
        ("delete from solution_patterns_mv", ["solution_patterns_mv"]),
        ("drop view rpt_top_errors", ["rpt_top_errors"]),
    ],
)
def test_only_what_differs_is_named(
    small_database: Path, database: Path, change: str, found: list[str]
) -> None:
    shutil.copy(small_database, database)
    with connect(database) as connection:
        connection.execute(change or "select 1")
    named = {difference.split(":")[0] for difference in differences(small_database, database)}
    assert named >= set(found)
    # Beside it, only the reports that read it.
    assert all(name.startswith("rpt_") for name in named - set(found))
    assert bool(named) == bool(found)
