"""The interval of a rate over runs of tasks holds the true rate as often as it says."""

from __future__ import annotations

import random

import pytest
from intervals import interval
from report_rows import wilson

ROUNDS = 400


def simulated(chance: random.Random, runs: list[int], share: float) -> list[tuple[int, int]]:
    """Draw tasks of so many runs, each with a rate of its own around 0.6."""
    tasks = []
    for trials in runs:
        rate = chance.betavariate(0.6 * (1 / share - 1), 0.4 * (1 / share - 1))
        tasks.append((sum(chance.random() < rate for _ in range(trials)), trials))
    return tasks


@pytest.mark.parametrize("count", [10, 40])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.8])
@pytest.mark.parametrize(
    ("runs", "least"), [((1, 1), 0.93), ((5, 5), 0.93), ((1, 9), 0.9), ((*[1] * 9, 50), 0.865)]
)
def test_the_interval_holds_the_true_rate_as_often_as_it_says(
    count: int, share: float, runs: tuple[int, ...], least: float
) -> None:
    chance = random.Random(8)  # noqa: S311
    held = naive = 0
    for _ in range(ROUNDS):
        tasks = simulated(chance, [chance.choice(runs) for _ in range(count)], share)
        lower, upper = interval(tasks)
        assert lower is not None
        assert upper is not None
        held += lower <= 0.6 <= upper
        low, high = wilson(sum(s for s, _ in tasks), sum(n for _, n in tasks))
        assert low is not None
        assert high is not None
        naive += low <= 0.6 <= high
    assert least - 0.015 <= held / ROUNDS <= 0.995
    if share == 0.8 and runs == (5, 5):
        assert naive / ROUNDS < 0.75
