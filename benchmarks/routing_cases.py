"""The cases in which policies are valued: a world, a logger, and how much it logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.routing_worlds import (
    PLANS,
    Log,
    Logger,
    World,
    by_cell,
    confounded,
    draw,
    drifting,
    exploring,
    real_world,
    sharp,
    synthetic_world,
    uniform,
)

BUDGET_USD = 3.0
USD_PER_SUCCESS = 5.0
MISSED = 0.05
"""The share of failures that the check lets pass, as the models are told."""


@dataclass(frozen=True)
class Case:
    """A world, a logger, and how much it logs."""

    world: Callable[[], World]
    logger: Logger
    decisions: int = 500
    runs_of_a_task: int = 1
    has_chances: bool = True
    is_headline: bool = False
    """Whether it has all logs, and each of its plans must keep the bounds."""
    coverage_of_success: tuple[float, float] = (93, 97.5)
    coverage_of_others: tuple[float, float] = (92, 98.5)
    halves: bool = False
    """Whether a half of the tasks is logged, and the recommendation judged by the other half."""

    def draw(self, world: World, rng: np.random.Generator) -> Log:
        """Return a log of it in its world, or in a half of that."""
        return draw(
            world,
            self.logger,
            self.decisions,
            rng,
            runs_of_a_task=self.runs_of_a_task,
            has_chances=self.has_chances,
        )


FIRST_MODELS = ("gpt-5-mini", "gpt-5", "claude-opus-4-1-20250805")
OTHER_MODELS = ("gemini-2.5-flash", "claude-sonnet-4-20250514", "grok-4-0709")


def first_models() -> World:
    return real_world(FIRST_MODELS)


def other_models() -> World:
    return real_world(OTHER_MODELS)


CASES = {
    "real, confounded": Case(first_models, confounded, is_headline=True),
    "synthetic, confounded": Case(synthetic_world, confounded, is_headline=True),
    "a dear run, confounded": Case(
        partial(synthetic_world, dear=True), confounded, is_headline=True
    ),
    "real, uniform": Case(first_models, uniform),
    "real, sharp": Case(first_models, sharp, 1_000),
    "real, 10 % exploration": Case(first_models, exploring(0.1), 1_000),
    "real, 2 % exploration": Case(first_models, exploring(0.02), 5_000),
    "other models, confounded": Case(other_models, confounded),
    "synthetic, 2,000 confounded": Case(synthetic_world, confounded, 2_000),
    "synthetic, drifting": Case(synthetic_world, drifting),
    "long tails, confounded": Case(partial(synthetic_world, tail=1.2), confounded),
    "unlogged, by cell": Case(synthetic_world, by_cell, has_chances=False),
    "100 tasks x 6 runs": Case(
        synthetic_world, confounded, 600, 6, coverage_of_success=(90.5, 99),
        coverage_of_others=(90.5, 99),
    ),
    "all tiers alike": Case(partial(synthetic_world, alike=True), uniform),
    "halves of the real tasks": Case(first_models, confounded, 1_000, halves=True),
    "halves of the synthetic tasks": Case(synthetic_world, confounded, 1_000, halves=True),
}  # fmt: skip


def truth(world: World) -> dict[str, dict[str, float]]:
    """Return what each plan comes to, of costs the part within the budget for a run."""
    found = {}
    capped = world.within_budget(BUDGET_USD)
    for plan in PLANS:
        success, cost = capped.value(plan)
        found[plan] = {
            "success": success,
            "cost": cost,
            "utility": success - cost / USD_PER_SUCCESS,
        }
    return found
