"""The closed loop: a router draws, outcomes are recorded, and it draws by what was learned.

Ten rounds of 500 tasks of a world whose truth is known, each round: `Router`, `TelemetryCapture`,
`load_once`, `dbt build`, which publishes `routing.json`. The router starts with nothing published.
Measured, with outcomes as drawn: utility (success less cost over $5) against always-large, in
points; success and cost against it; of the last 1,000 tasks, the expected utility of the plans
drawn against that of the plan that would have been best for all of them. Without a target: with
each round's outcomes known a round late, and with a medium tier that fails twice as often from the
sixth round on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.routing_cases import USD_PER_SUCCESS, first_models
from benchmarks.routing_models import REPOSITORY
from benchmarks.routing_worlds import PLANS, TIERS, World
from benchmarks.scales import Scale
from orb_learning import Outbox, Router, TelemetryCapture
from orb_learning.ingest.relay import load_once

TITLE = "Routing in a closed loop"
ROUNDS, TASKS = 10, 500
DECIDED = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Attempt:
    """An attempt that is to be recorded."""

    task_id: str
    task: dict[str, Any]
    decision: dict[str, Any]
    result: dict[str, Any]


@dataclass
class Outcome:
    """What a task came to, and what its plan and each fixed one were to come to for it."""

    success: bool
    cost: float
    expected: float
    fixed: dict[str, float]


def run(scale: Scale) -> Iterator[Figure]:
    rounds, tasks = (ROUNDS, TASKS) if scale.name == "full" else (2, 60)
    done = loop(rounds, tasks)
    world = first_models()
    success, cost = world.value("large")
    gain = np.mean([one.success - one.cost / USD_PER_SUCCESS for one in done])
    gain -= success - cost / USD_PER_SUCCESS
    yield Figure("utility above always-large", 100 * float(gain), "points", least=4)
    more = 100 * (float(np.mean([one.success for one in done])) - success)
    yield Figure("success above always-large", more, "points", least=0)
    spent = 100 * float(np.mean([one.cost for one in done])) / cost
    yield Figure("cost of always-large's", spent, "%", most=80)
    yield from _last(done, "", least=95)
    yield from _last(loop(rounds, tasks, late=True), ", a round late")
    yield from _last(loop(rounds, tasks, worse_from=rounds // 2), ", a tier getting worse")


def _last(done: list[Outcome], name: str, least: float | None = None) -> Iterator[Figure]:
    last = done[-1_000:]
    best = max(np.mean([one.fixed[plan] for one in last]) for plan in PLANS)
    share = float(np.mean([one.expected for one in last]) / best)
    yield Figure(f"utility of the best plan's, last tasks{name}", 100 * share, "%", least=least)


def loop(
    rounds: int, tasks: int, *, late: bool = False, worse_from: int | None = None
) -> list[Outcome]:
    """Route, record, load and build round by round; return what each task came to."""
    rng = np.random.default_rng(11)
    done: list[Outcome] = []
    with tempfile.TemporaryDirectory(dir=REPOSITORY / "target") as folder:
        database = Path(folder) / "learning.db"
        _dbt(database, "seed")
        waiting: list[Attempt] = []
        for number in range(rounds):
            world = first_models()
            if worse_from is not None and number >= worse_from:
                world = _worse(world)
            router = Router(database, plans=PLANS, exploration=0.05, seed=number)
            made = _route(router, world, tasks, rng, number, done)
            _record(database, waiting if late else made)
            waiting = made
            _dbt(
                database,
                *("build", "--select", "+routing_propensities"),
                *("--exclude-resource-type", "unit_test", "test"),
            )
    return done


def _route(
    router: Router,
    world: World,
    tasks: int,
    rng: np.random.Generator,
    number: int,
    done: list[Outcome],
) -> list[Attempt]:
    made = []
    values = {plan: _utilities(world, plan) for plan in PLANS}
    for place, at in enumerate(rng.integers(0, len(world), tasks)):
        task = {
            "prompt": f"mend part {number} {place}",
            "type": "fix",
            "repo": f"repo-{world.repo[at]}",
            "complexity_score": int(world.complexity[at]),
        }
        decision: dict[str, Any] = {**router.draw(task)}
        plan, first = decision["plan"], f"task {number} {place}"
        task_id, tier, cost = first, str(decision["model_tier"]), 0.0
        while True:
            run_of, tier_at = rng.integers(0, world.success.shape[2]), TIERS.index(tier)
            success = bool(world.success[at, tier_at, run_of])
            result = {"success": success, "cost": float(world.cost[at, tier_at, run_of])}
            cost += result["cost"]
            made.append(Attempt(task_id, task, dict(decision), result))
            following = router.next(decision, result)
            if following is None:
                break
            tier, task_id = following, f"{first}, attempt {decision['attempt'] + 1}"
            again = {"attempt": decision["attempt"] + 1, "first_task_id": first}
            decision |= {"model_tier": tier, **again}
        fixed = {each: float(utilities[at]) for each, utilities in values.items()}
        done.append(Outcome(success, cost, fixed[plan], fixed))
    return made


def _record(database: Path, attempts: list[Attempt]) -> None:
    outbox = database.parent / "outbox"
    capture = TelemetryCapture(Outbox(outbox), strict=True, now=lambda: DECIDED)
    with closing(capture) as telemetry:
        for one in attempts:
            began = DECIDED + timedelta(minutes=one.decision["attempt"])
            telemetry.capture_routing_decision(one.task_id, one.task, one.decision)
            telemetry.capture_execution_outcome(one.task_id, one.result, began, began)
    load_once(database, outbox)


def _worse(world: World) -> World:
    success = world.success.copy()
    success[:, TIERS.index("medium"), ::2] = 0
    return replace(world, success=success)


def _utilities(world: World, plan: str) -> NDArray[np.float64]:
    success, cost = world.by_task(plan)
    return success - cost / USD_PER_SUCCESS


def _dbt(database: Path, *arguments: str) -> None:
    databases.dbt(database, *arguments, as_of="2026-03-02", routing_usd_per_success=USD_PER_SUCCESS)
