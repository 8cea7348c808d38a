"""The interval of a rate over runs of tasks holds the true rate as often as it says."""

from __future__ import annotations

import random

import pytest
from intervals import interval
from report_rows import wilson

ROUNDS = 400


def simulated(
    chance: random.Random, runs: list[int], rate: float, share: float
) -> list[tuple[int, int]]:
    """Draw tasks of so many runs, each with a rate of its own around the given one."""
    tasks = []
    for trials in runs:
        own = chance.betavariate(rate * (1 / share - 1), (1 - rate) * (1 / share - 1))
        tasks.append((sum(chance.random() < own for _ in range(trials)), trials))
    return tasks


@pytest.mark.parametrize("rate", [0.6, 0.9])
@pytest.mark.parametrize("count", [10, 40])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.8])
@pytest.mark.parametrize("runs", [(1,), (5,), (1, 9), (*[1] * 9, 50)])
def test_the_interval_holds_the_true_rate_as_often_as_it_says(
    rate: float, count: int, share: float, runs: tuple[int, ...]
) -> None:
    chance = random.Random(8)  # noqa: S311
    held = naive = 0
    for _ in range(ROUNDS):
        tasks = simulated(chance, [chance.choice(runs) for _ in range(count)], rate, share)
        lower, upper = interval(tasks)
        assert lower is not None
        assert upper is not None
        held += lower <= rate <= upper
        low, high = wilson(sum(s for s, _ in tasks), sum(n for _, n in tasks))
        assert low is not None
        assert high is not None
        naive += low <= rate <= high
    # Of ten tasks it may be too wide, most of all where one of them has most of the runs.
    most = 0.99 if count == 40 else 0.9975 if 50 in runs else 0.995
    assert 0.93 - 0.015 <= held / ROUNDS <= most
    if share == 0.8 and runs == (5,):
        assert naive / ROUNDS < 0.75
