"""Incremental builds hold what a full refresh holds, whatever has happened to raw in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from building import DbtProject
from histories import NOON, TODAY, TOO_LATE, History, task_id


@pytest.fixture(scope="session")
def small_database(
    project: DbtProject, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A built database whose rows lie at the edges: of windows, of buckets, of the least usage."""
    file = tmp_path_factory.mktemp("small") / empty_database.name
    shutil.copy(empty_database, file)
    history = History(project, file)
    # Five usages of one solution, two of them on the newest day: one less, and it is no pattern.
    history.insert(0, 2, solution_summary="cache it", repo="api")
    history.insert(2, 3, solution_summary="cache it", repo="api", timestamp=days_ago(3))
    # Six of another, one of them alone in the oldest hour of the patterns' window.
    history.insert(5, 5, solution_summary="retry it", repo="web", timestamp=days_ago(40))
    history.insert(10, 1, solution_summary="retry it", repo="web", timestamp=days_ago(90))
    # The first and the last moment of the oldest day of the tiers, and the one before it.
    history.insert(11, 1, timestamp=days_ago(30))
    history.insert(12, 1, timestamp=days_ago(29) - timedelta(microseconds=1))
    history.insert(13, 1, timestamp=days_ago(30) - timedelta(microseconds=1))
    # The oldest hour of the pools, alone in it.
    history.insert(14, 1, timestamp=NOON.replace(minute=0) - timedelta(days=7), pool_type="cloud")
    # A corrected row, a row with an invalid correction, and one that is only invalid.
    history.insert(15, 2, timestamp=days_ago(1))
    history.insert(15, 1, timestamp=days_ago(2), model_tier="opus", quality_score=None)
    history.insert(16, 1, timestamp=days_ago(1), quality_score=101)
    history.insert(17, 1, repo=" ")
    history.build()
    return file


@pytest.fixture
def history(project: DbtProject, small_database: Path, database: Path) -> History:
    return _history_of_copy(project, small_database, database)


def days_ago(days: int) -> Any:
    return TODAY - timedelta(days=days)


CASES: dict[str, Callable[[History], None]] = {
    "a late row": lambda history: history.insert(20, timestamp=days_ago(5)),
    "a row moved to another day": lambda history: history.insert(0, timestamp=days_ago(4)),
    "a row moved to another hour": lambda history: history.insert(
        14, timestamp=NOON - timedelta(hours=2)
    ),
    "a row moved to another tier": lambda history: history.insert(0, model_tier="large"),
    "a row moved to another repo": lambda history: history.insert(
        0, solution_summary="cache it", repo="web"
    ),
    "a row moved to another pool": lambda history: history.insert(0, pool_type="cloud"),
    "a row moved to another solution": lambda history: history.insert(
        0, solution_summary="retry it"
    ),
    "an invalid correction": lambda history: history.insert(0, timestamp=TOO_LATE),
    "a deletion": lambda history: history.remove(task_id=task_id(11), also_built=True),
    "an older version again": lambda history: history.remove(task_id=task_id(15), newest_only=True),
    "a bucket emptied": lambda history: history.remove(timestamp=days_ago(3)),
    "a bucket left the window": lambda history: _wait(history, days=1),
    "a pattern under its least usage": lambda history: history.remove(task_id=task_id(0)),
    "a pattern without rows": lambda history: history.remove(solution_summary="cache it"),
    "nothing new": lambda history: None,
}
CASES_OF_SEVERAL_BUILDS: dict[str, Callable[[History], None]] = {
    "a row that came back": lambda history: _remove_build_and_bring_back(history),
    "a bucket entered the window again": lambda history: _wait_build_and_go_back(history),
}


@pytest.mark.parametrize("case", [*CASES, *CASES_OF_SEVERAL_BUILDS])
def test_an_incremental_build_is_exact_after(case: str, history: History) -> None:
    history.build()
    history.happened.clear()
    {**CASES, **CASES_OF_SEVERAL_BUILDS}[case](history)
    history.build()
    assert case in history.happened
    history.assert_equal_to_full_refresh()


def _history_of_copy(project: DbtProject, source: Path, target: Path) -> History:
    shutil.copy(source, target)
    return History(project, target)


def _wait(history: History, **time: float) -> None:
    history.as_of += timedelta(**time)


def _remove_build_and_bring_back(history: History) -> None:
    history.remove(timestamp=days_ago(3), also_built=True)
    history.build()
    history.bring_back()


def _wait_build_and_go_back(history: History) -> None:
    _wait(history, days=1)
    history.build()
    _wait(history, days=-1)


def test_rows_that_return_before_any_build_saw_them_gone_are_there(history: History) -> None:
    history.remove(timestamp=days_ago(3), also_built=True)
    history.bring_back()
    history.build()
    history.assert_equal_to_full_refresh()
