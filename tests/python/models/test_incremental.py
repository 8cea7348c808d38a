"""Incremental builds hold what a full refresh holds, whatever has happened to raw in between."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from building import STEM, DbtProject
from histories import BLOCK_SIZE, NOON, TODAY, TOO_LATE, History, days_ago, task_id
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from oracle import MODELS

CASES: dict[str, Callable[[History], None]] = {
    "a late row": lambda history: history.insert(20, timestamp=days_ago(5)),
    "a pattern under its least usage": lambda history: history.remove(task_id=task_id(0)),
    "a row that came back": lambda history: history.bring_back(),
    "a pattern without rows": lambda history: history.remove(solution_summary="cache it"),
    "a row moved to another solution": lambda history: return_and_move(history),
    "a row moved to another day": lambda history: history.insert(0, timestamp=days_ago(4)),
    "a row moved to another hour": lambda history: history.insert(0, timestamp=TODAY),
    "a row moved to another tier": lambda history: history.insert(0, model_tier="large"),
    "a row moved to another repo": lambda history: history.insert(0, repo="web"),
    "a row moved to another pool": lambda history: history.insert(0, pool_type="cloud"),
    "an invalid correction": lambda history: history.insert(0, timestamp=TOO_LATE),
    "a deletion": lambda history: history.remove(task_id=task_id(11), also_built=True),
    "an older version again": lambda history: history.remove(task_id=task_id(15), newest_only=True),
    "a bucket emptied": lambda history: history.remove(timestamp=days_ago(3), also_built=True),
    "a bucket left the window": lambda history: history.wait(days=1),
    "a bucket entered the window again": lambda history: history.wait(days=-1),
    "nothing new": lambda _: None,
}
"""What happens to raw between two builds, one after the other."""


def return_and_move(history: History) -> None:
    history.bring_back()
    history.build()
    history.insert(0, solution_summary="retry it")


def test_an_incremental_build_is_exact_after_each_change(
    history: History, subtests: pytest.Subtests
) -> None:
    """After each, the models are what the oracle works out from raw; in the end, a full refresh."""
    history.note_contents()
    for case, change in CASES.items():
        with subtests.test(case):
            before = history.happened[case]
            change(history)
            history.build()
            assert history.happened[case] > before
    history.assert_equal_to_full_refresh()


def test_a_change_beside_a_superseded_version_does_not_bring_it_back(history: History) -> None:
    """The correction of task 0 lies in another block of load numbers than its first version."""
    history.insert(30, 2 * BLOCK_SIZE)
    history.insert(0, model_tier="large")
    history.build()
    history.remove(task_id=task_id(1))
    history.build()


def test_rows_that_return_before_a_build_saw_them_gone_are_there_again(history: History) -> None:
    history.remove(timestamp=days_ago(3), also_built=True)
    history.remove(task_id=task_id(17), also_built=True)
    history.bring_back()
    history.bring_back()
    history.build()
    history.assert_equal_to_full_refresh()


Step = Callable[[History], None]

MOMENTS = [
    *(TODAY, NOON, TODAY - timedelta(microseconds=1)),
    *(days_ago(days) for days in (1, 3, 6, 29, 30, 31, 89, 90)),
    *(NOON - timedelta(days=7), NOON.replace(minute=0) - timedelta(days=7, microseconds=1)),
]
TASKS = st.integers(0, 20)
VALUES = {
    "timestamp": st.sampled_from([*MOMENTS, TOO_LATE]),
    "task_type": st.sampled_from(["refactor", "docs"]),
    "repo": st.sampled_from(["api", "api", "web", " "]),
    "model_tier": st.sampled_from(["small", "haiku", "large"]),
    "pool_type": st.sampled_from(["local", "cloud"]),
    "success": st.booleans(),
    "duration_seconds": st.sampled_from([None, 0.0, 0.5, 10.0, 300.25]),
    "quality_score": st.sampled_from([None, 0, 50, 100, 101]),
    "actual_cost": st.sampled_from([None, 0.25, 3.0]),
    "solution_summary": st.sampled_from([None, " ", "cache it", "cache it", "retry it"]),
}
INSERTS = st.builds(
    lambda task, times, values: lambda history: history.insert(task, times, **values),
    TASKS,
    st.integers(1, 6),
    st.fixed_dictionaries({}, optional=VALUES),
)
REMOVALS = st.builds(
    lambda where, how: lambda history: history.remove(**where, **how),
    st.one_of(
        st.fixed_dictionaries({"task_id": TASKS.map(task_id)}),
        st.fixed_dictionaries({"timestamp": VALUES["timestamp"]}),
        st.fixed_dictionaries({"solution_summary": st.sampled_from(["cache it", "retry it"])}),
    ),
    st.sampled_from([{}, {"newest_only": True}, {"also_built": True}]),
)
RETURNS = st.integers(0, 3).map(lambda batch: lambda history: history.bring_back(batch))
WAITS = st.sampled_from(
    [
        {"minutes": 29, "seconds": 59, "microseconds": 999_999},
        {"microseconds": 1},
        {"hours": 11, "minutes": 30},
        {"days": 1},
        {"days": 1},
        {"days": 30},
        {"days": -1},
    ]
).map(lambda time: lambda history: history.wait(**time))
PARTS = st.sampled_from(MODELS).map(lambda model: lambda history: history.build_part(model))
BUILDS = st.just(lambda history: history.build())
HISTORIES = st.lists(
    st.one_of(INSERTS, INSERTS, REMOVALS, REMOVALS, RETURNS, WAITS, BUILDS, PARTS),
    min_size=4,
    max_size=10,
)  # fmt: skip


@pytest.mark.soak
def test_random_histories_end_as_a_full_refresh_does(
    project: DbtProject, small_database: Path
) -> None:
    """The same few histories each time; ORB_RANDOM_HISTORIES=200 searches in so many new ones."""
    happened: Counter[str] = Counter()

    @given(HISTORIES)
    @settings(
        max_examples=int(os.environ.get("ORB_RANDOM_HISTORIES", "8")),
        derandomize="ORB_RANDOM_HISTORIES" not in os.environ,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    def check(steps: list[Step]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = shutil.copy(small_database, Path(folder) / f"{STEM}.db")
            history = History(project, file)
            history.note_contents()
            for step in steps:
                step(history)
            history.build()
            history.assert_equal_to_full_refresh()
        happened.update(history.happened)
        for case in history.happened:
            event(case)

    check()
    assert len(happened) > len(CASES) / 2, f"the histories reach little: {sorted(happened)}"
