"""Worlds of tasks in which the outcome of each tier is known, and loggers that route in them.

A world holds for each task and tier the outcomes that a run may have; a run draws one of them. So
the value of a plan is known exactly: it is the mean over the world's tasks.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TIERS = ("small", "medium", "large")
PLANS = ("small", "medium", "large", "small>large", "medium>large", "small>medium>large")
TRIALS = Path(__file__).parents[1] / "data/sample/terminal_bench_trials.csv"
SCORES = {"easy": 20, "medium": 50, "hard": 80}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Tasks, each with the outcomes that runs of it may have.

    Shapes: ``success`` and ``cost`` (US dollars) are tasks, tiers, outcomes; the others are tasks.
    """

    success: Floats
    cost: Floats
    repo: NDArray[np.int64]
    complexity: NDArray[np.int64]
    difficulty: Floats

    def __len__(self) -> int:
        return len(self.repo)

    def within_budget(self, usd: float) -> World:
        """Return the world in which a run costs at most so much."""
        return replace(self, cost=np.minimum(self.cost, usd))

    def halves(self, rng: np.random.Generator) -> tuple[World, World]:
        """Return two worlds that have a half of the tasks each."""
        order = rng.permutation(len(self))
        middle = len(self) // 2
        one, other = (
            World(*(getattr(self, name)[tasks] for name in self.__dataclass_fields__))
            for tasks in (order[:middle], order[middle:])
        )
        return one, other

    def value(self, plan: str, missed: float = 0) -> tuple[float, float]:
        """Return the mean success and cost of a plan, as ``by_task`` has them."""
        success, cost = self.by_task(plan, missed)
        return float(success.mean()), float(cost.mean())

    def by_task(self, plan: str, missed: float = 0) -> tuple[Floats, Floats]:
        """Return the expected success and cost of a plan for each task; runs are independent draws.

        Args:
            plan: its tiers, one tried when those before failed.
            missed: the share of failures after which no other tier is tried.
        """
        success, cost, reach = np.zeros(len(self)), np.zeros(len(self)), np.ones(len(self))
        for tier in plan.split(">"):
            chance = self.success[:, TIERS.index(tier)].mean(axis=1)
            cost += reach * self.cost[:, TIERS.index(tier)].mean(axis=1)
            success += reach * chance
            reach *= (1 - chance) * (1 - missed)
        return success, cost


@dataclass(frozen=True)
class Log:
    """Decisions of a router in a world, in time order. Chances: decisions, plans."""

    task: NDArray[np.int64]
    text: NDArray[np.int64]
    chances: Floats
    plan: NDArray[np.int64]
    outcome: NDArray[np.int64]
    has_chances: bool = True


Logger = Callable[[World, NDArray[np.int64]], Floats]
"""Returns the chance of each plan for each decision, of the decisions' tasks in time order."""


def real_tasks(models: tuple[str, str, str]) -> list[str]:
    """Return the names of the tasks of ``real_world``, in their order."""
    with TRIALS.open() as file:
        trials = [(row["task"], row["model"]) for row in csv.DictReader(file)]
    run = set(trials)
    return [
        task
        for task in sorted({task for task, _ in trials})
        if all((task, model) in run for model in models)
    ]


def real_world(models: tuple[str, str, str]) -> World:
    """Return the public trials of three models, as small, medium and large."""
    with TRIALS.open() as file:
        trials = [row for row in csv.DictReader(file) if row["model"] in models]
    tasks = sorted({row["task"] for row in trials})
    success = np.zeros((len(tasks), 3, 60))
    cost = np.zeros((len(tasks), 3, 60))
    known = []
    score = np.zeros(len(tasks), dtype=np.int64)
    for place, task in enumerate(tasks):
        runs = [
            [row for row in trials if row["task"] == task and row["model"] == model]
            for model in models
        ]
        if not all(runs):
            continue
        known.append(place)
        score[place] = SCORES[runs[0][0]["difficulty"]]
        for tier, rows in enumerate(runs):
            # 60 is a multiple of most numbers of repeats, so each counts alike.
            wheel = np.arange(60) % len(rows)
            success[place, tier] = np.array([row["success"] == "true" for row in rows])[wheel]
            cost[place, tier] = np.array([float(row["list_price_usd"] or 0) for row in rows])[wheel]
    chosen = np.array(known)
    return World(
        success[chosen],
        cost[chosen],
        np.arange(len(chosen)) % 3,
        score[chosen],
        1 - success[chosen].mean(axis=(1, 2)),
    )


def synthetic_world(
    seed: int = 1, *, alike: bool = False, tail: float = 0.6, dear: bool = False
) -> World:
    """Return 3,000 tasks of which harder ones fail more at each tier, larger tiers less.

    Args:
        seed: of the world's draws.
        alike: whether all tiers succeed at the same tasks, at one price: nothing can be gained.
        tail: the spread of the logarithm of a cost.
        dear: whether one run in 500 of the large tier has 6 % of all its cost.
    """
    rng = np.random.default_rng(seed)
    tasks, outcomes = 3_000, 60
    difficulty = rng.normal(size=tasks)
    repo = rng.integers(0, 3, tasks)
    strength = np.array([0.2, 0.9, 1.6]) if not alike else np.full(3, 0.9)
    price = np.array([0.05, 0.2, 0.6]) if not alike else np.full(3, 0.2)
    chance = 1 / (
        1 + np.exp(-(strength[None, :] - 1.3 * difficulty[:, None] + 0.4 * (repo[:, None] - 1)))
    )
    success = (rng.random((tasks, 3, outcomes)) < chance[:, :, None]).astype(float)
    spread = np.exp(tail * rng.normal(size=(tasks, 3, outcomes)) + 0.3 * difficulty[:, None, None])
    if alike:
        success[:] = (rng.random(tasks) < chance[:, 0])[:, None, None]
    cost = price[None, :, None] * spread
    if dear:
        large = cost[:, 2]
        runs = rng.random(large.shape) < 1 / 500
        large[runs] = 0.06 * 500 * large[~runs].mean()
    score = np.clip(50 + 25 * difficulty + rng.normal(scale=12, size=tasks), 0, 100).astype(int)
    return World(success, cost, repo, score, (difficulty - difficulty.min()) / np.ptp(difficulty))


def uniform(world: World, task: NDArray[np.int64]) -> Floats:  # noqa: ARG001 (a Logger)
    """Take every plan alike."""
    return np.full((len(task), len(PLANS)), 1 / len(PLANS))


def confounded(world: World, task: NDArray[np.int64]) -> Floats:
    """Send what is hard to the large tier more often, by what no column holds."""
    rank = np.argsort(np.argsort(world.difficulty)) / len(world)
    lean = np.array([-1.0, 0.0, 1.0, -0.5, 0.5, -0.7])
    weights = np.exp(2.4 * (rank[task][:, None] - 0.5) * lean[None, :])
    return weights / weights.sum(axis=1, keepdims=True)


def sharp(world: World, task: NDArray[np.int64]) -> Floats:
    """Take the plan that difficulty suggests, each other one with 2 %."""
    return _mostly(world, task, 0.02 * len(PLANS))


def exploring(share: float) -> Logger:
    """Take the large tier but for a share of decisions, spread over all plans."""

    def chances(world: World, task: NDArray[np.int64]) -> Floats:  # noqa: ARG001 (a Logger)
        found = np.full((len(task), len(PLANS)), share / len(PLANS))
        found[:, PLANS.index("large")] += 1 - share
        return found

    return chances


def drifting(world: World, task: NDArray[np.int64]) -> Floats:
    """Begin confounded, and end uniform."""
    part = np.linspace(0, 1, len(task))[:, None]
    return (1 - part) * confounded(world, task) + part * uniform(world, task)


def by_cell(world: World, task: NDArray[np.int64]) -> Floats:
    """Look at the complexity band alone, and take single attempts."""
    band = np.digitize(world.complexity[task], [34, 67])
    table = np.array([[0.6, 0.25, 0.15], [0.3, 0.4, 0.3], [0.15, 0.25, 0.6]])
    found = np.zeros((len(task), len(PLANS)))
    found[:, :3] = table[band]
    return found


def draw(
    world: World,
    logger: Logger,
    decisions: int,
    rng: np.random.Generator,
    *,
    runs_of_a_task: int = 1,
    has_chances: bool = True,
) -> Log:
    """Return a log: tasks are drawn from the world, each with so many decisions in a row."""
    drawn = rng.integers(0, len(world), decisions // runs_of_a_task)
    order = rng.permutation(np.repeat(np.arange(len(drawn)), runs_of_a_task))
    task = drawn[order]
    chances = logger(world, task)
    plan = (chances.cumsum(axis=1) < rng.random((len(task), 1))).sum(axis=1)
    outcome = rng.integers(0, world.success.shape[2], (len(task), 3))
    return Log(task, order, chances, np.minimum(plan, len(PLANS) - 1), outcome, has_chances)


def _mostly(world: World, task: NDArray[np.int64], share: float) -> Floats:
    rank = np.argsort(np.argsort(world.difficulty)) / len(world)
    choice = np.array([0, 3, 2])[np.digitize(rank[task], [0.33, 0.67])]
    found = np.full((len(task), len(PLANS)), share / len(PLANS))
    found[np.arange(len(task)), choice] += 1 - share
    return found
