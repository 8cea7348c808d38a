"""The comparison of two builds finds a value that differs, and lets the order of a sum pass."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.compare_builds import TABLES, differences

from orb_learning.store.connection import connect


def quick_relations(file: Path) -> set[str]:
    """Those that are changed below; the reports that read them take many times as long."""
    with connect(file, read_only=True) as connection:
        views = connection.execute(
            "select view_name from duckdb_views() where view_name = 'rpt_top_errors'"
        ).fetchall()
    return {*TABLES, *(name for (name,) in views)}


@pytest.mark.slow
def test_equal_builds_differ_in_nothing_and_a_mart_in_its_reports(
    small_database: Path, database: Path
) -> None:
    shutil.copy(small_database, database)
    assert list(differences(small_database, database)) == []
    with connect(database) as connection:
        connection.execute("update pool_performance_mv set total_tasks = total_tasks + 1")
    named = {difference.split(":")[0] for difference in differences(small_database, database)}
    assert "pool_performance_mv.total_tasks" in named
    # Beside it, only the reports that read it.
    assert all(name.startswith("rpt_") for name in named - {"pool_performance_mv.total_tasks"})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("update tier_performance_mv set avg_duration = avg_duration * (1 + 1e-12)", []),
        (
            "update tier_performance_mv set avg_duration = avg_duration * (1 + 1e-8)",
            ["tier_performance_mv.avg_duration"],
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
        connection.execute(change)
    named = differences(small_database, database, relations_of=quick_relations)
    assert [difference.split(":")[0] for difference in named] == found


@pytest.mark.parametrize(
    ("share", "found"), [(1e-14, []), (1e-12, ["tier_performance_mv.avg_duration"])]
)
def test_what_cancels_differs_by_a_rounding_of_its_column_at_most(
    small_database: Path, database: Path, tmp_path: Path, share: float, found: list[str]
) -> None:
    cancelled = tmp_path / "cancelled" / small_database.name
    cancelled.parent.mkdir()
    for file, part in ((cancelled, 0), (database, share)):
        shutil.copy(small_database, file)
        with connect(file) as connection:
            connection.execute(
                "update tier_performance_mv "
                "set avg_duration = ? * (select max(avg_duration) from tier_performance_mv) "
                "where rowid = (select min(rowid) from tier_performance_mv)",
                [part],
            )
    named = differences(cancelled, database, relations_of=quick_relations)
    assert [difference.split(":")[0] for difference in named] == found
