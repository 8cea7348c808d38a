"""The interval of a rate over executions of which several are runs of one task, in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from statistics import NormalDist
from typing import Any

Z = NormalDist().inv_cdf(0.975)


def t_quantile(degrees: float) -> float:
    """Return the 97.5th percentile of Student's t (Abramowitz and Stegun, 26.7.5)."""
    terms = [
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
    ]
    return Z + sum(term / degrees**power for power, term in enumerate(terms, 1))


def tasks_of(runs: Iterable[tuple[Any, bool]]) -> list[tuple[int, int]]:
    """Return (successes, trials) of each task; a run of no task is a task of its own."""
    trials: Counter[Any] = Counter()
    successes: Counter[Any] = Counter()
    for number, (task, success) in enumerate(runs):
        key = ("run", number) if task is None else task
        trials[key] += 1
        successes[key] += success
    return [(successes[key], trials[key]) for key in trials]


def spread(tasks: list[tuple[int, int]]) -> tuple[float, float] | tuple[None, None]:
    """Return the variance of the rate in units of rate x (1 - rate), and the t to hold it by."""
    trials = sum(n for _, n in tasks)
    effective = trials**2 / sum(n * n for _, n in tasks) if tasks else 0
    if effective <= 1 + 1e-9:
        return None, None
    rate = sum(s for s, _ in tasks) / trials
    residuals = math.fsum((s - rate * n) ** 2 for s, n in tasks)
    error = len(tasks) / (len(tasks) - 1) * residuals / trials**2
    if error <= 1e-12 * rate * (1 - rate):
        return 1 / (effective - 1), t_quantile(effective - 1)
    least = 1 / trials + correlation(tasks) * (1 / effective - 1 / trials)
    return max(error / (rate * (1 - rate)), least), t_quantile(effective - 1)


def correlation(tasks: list[tuple[int, int]]) -> float:
    """Return the intraclass correlation of the runs of a task, by analysis of variance."""
    trials, successes = sum(n for _, n in tasks), sum(s for s, _ in tasks)
    if trials == len(tasks):
        return 0.0
    shares = math.fsum(round(s * s / n, 9) for s, n in tasks)
    within = (successes - shares) / (trials - len(tasks))
    between = (shares - successes**2 / trials) / (len(tasks) - 1)
    if within + between < 1e-6:
        return 1.0
    runs = (trials - sum(n * n for _, n in tasks) / trials) / (len(tasks) - 1)
    return min(max((between - within) / (between + (runs - 1) * within), 0.0), 1.0)


def interval(tasks: list[tuple[int, int]]) -> tuple[float, float] | tuple[None, None]:
    """Return the bounds of the rate at 95 %."""
    if not tasks:
        return None, None
    variance, t = spread(tasks)
    if variance is None or t is None:
        return 0.0, 1.0
    rate = sum(s for s, _ in tasks) / sum(n for _, n in tasks)
    width = t * t * variance
    half = math.sqrt(width * rate * (1 - rate) + width**2 / 4)
    return (rate + width / 2 - half) / (1 + width), (rate + width / 2 + half) / (1 + width)
