"""The benchmarks of routing: their worlds' truth, their bounds, and logs that go through files."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.figures import Figure
from benchmarks.routing import figures_of
from benchmarks.routing_cases import CASES
from benchmarks.routing_tally import Tally, beats
from benchmarks.routing_worlds import PLANS, World, draw, uniform
from benchmarks.scales import SMALL

from benchmarks import routing_agreement


@pytest.fixture
def world() -> World:
    """Two tasks: one that only the large tier does, and one that every other run of small does."""
    success = np.array([[[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]]])
    cost = np.broadcast_to(np.array([1.0, 2.0, 8.0])[None, :, None], success.shape)
    tasks = np.arange(2)
    return World(success, cost, tasks, 50 * tasks, 1.0 - tasks)


def test_a_plans_truth_is_that_of_its_tiers_one_after_the_other(world: World) -> None:
    assert world.value("large") == (1.0, 8.0)
    assert world.value("small") == (0.25, 1.0)
    # The first task always goes on to large, the second one every other time.
    assert world.value("small>large") == (1.0, 1 + 0.75 * 8)
    success, cost = world.value("small>large", missed=0.2)
    assert success == pytest.approx(0.25 + 0.8 * 0.75)
    assert cost == pytest.approx(1 + 0.8 * 0.75 * 8)
    assert world.within_budget(3.0).value("large") == (1.0, 3.0)


def test_a_plan_beats_the_baseline_in_both_or_not(world: World) -> None:
    assert not beats(world, "small", "large")  # it costs less, and succeeds less
    assert not beats(world, "small>large", "large")  # of the failures 5 % are missed
    assert beats(world, "medium", "small>medium")  # as many succeed, for less


def test_halves_have_every_task_once() -> None:
    whole = CASES["real, uniform"].world()
    one, other = whole.halves(np.random.default_rng(1))
    assert len(one) + len(other) == len(whole)
    successes = np.concatenate([one.success, other.success]).mean(axis=(1, 2))
    assert sorted(successes) == sorted(whole.success.mean(axis=(1, 2)))


def test_a_log_draws_by_the_chances_that_it_says(world: World) -> None:
    log = draw(world, uniform, 6_000, np.random.default_rng(2))
    shares = np.bincount(log.plan, minlength=len(PLANS)) / 6_000
    assert shares == pytest.approx(log.chances[0], abs=0.02)


def test_a_headline_case_is_judged_by_its_worst_plan_and_the_others_by_all() -> None:
    found = Tally(100)
    for plan, held in (("small", 96), ("large", 90)):
        found.errors[plan] = [0.02 if plan == "large" else 0.0] * 100
        for measure in ("success", "utility", "capped_cost"):
            found.held_of_plan[plan, measure] = [True] * held + [False] * (100 - held)

    def shown(case: str) -> dict[str, Figure]:
        return {figure.name: figure for figure in figures_of("logs", CASES[case], found)}

    headline, other = shown("real, confounded"), shown("real, uniform")
    assert headline["logs: coverage of success"].measured == 90
    assert headline["logs: coverage of success"].is_met is False
    assert other["logs: coverage of success"].measured == 93
    assert other["logs: coverage of success"].is_met
    assert headline["logs: bias of success"].measured == pytest.approx(2)
    assert other["logs: bias of success"].measured == pytest.approx(1)


@pytest.mark.slow
def test_a_log_has_the_same_values_through_a_file_and_in_memory() -> None:
    (figure,) = routing_agreement.run(SMALL)
    assert figure.is_met, figure
