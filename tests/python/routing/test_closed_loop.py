"""The closed loop: what a router draws is logged, and what was learned of it is drawn next."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from building import DbtProject

from orb_learning import Outbox, Router, TelemetryCapture
from orb_learning.ingest.relay import load_once
from orb_learning.store.connection import connect

TASKS = 200
PLANS = ("small", "large", "small>large")
SUCCESS = {"small": 0.6, "large": 0.8}
COST = {"small": 0.1, "large": 1.0}
DECIDED = datetime(2026, 3, 30, 12, tzinfo=UTC)
MODELS = [
    *("+routing_propensities", "+rpt_routing_coverage", "+rpt_routing_recommendations"),
    "int_routing_decisions",
]


class Loop:
    """An orchestrator of tasks whose outcomes are drawn, and the builds of its database."""

    def __init__(self, project: DbtProject, database: Path):
        self.project = project
        self.database = database
        self.outbox = database.parent / "outbox"
        self.drawn: dict[str, Any] = {}
        """The first decision of each task, by its description."""

    def route(self, router: Router, numbers: Iterable[int]) -> None:
        draw = random.Random(7)  # noqa: S311 - the same outcomes in every run
        telemetry = TelemetryCapture(Outbox(self.outbox), strict=True, now=lambda: DECIDED)
        for number in numbers:
            task = {"prompt": f"mend part {number}", "type": "fix", "repo": f"repo-{number % 2}"}
            first = f"task-{number}"
            decision: dict[str, Any] = {**router.draw(task)}
            self.drawn[task["prompt"]] = dict(decision)
            task_id, tier = first, str(decision["model_tier"])
            while True:
                result = {"success": draw.random() < SUCCESS[tier], "cost": COST[tier]}
                began = DECIDED + timedelta(minutes=decision["attempt"])
                telemetry.capture_routing_decision(task_id, task, decision)
                telemetry.capture_execution_outcome(task_id, result, began, began)
                following = router.next(decision, result)
                if following is None:
                    break
                tier, task_id = following, f"{first} again"
                again = {"attempt": decision["attempt"] + 1, "first_task_id": first}
                decision |= {"model_tier": tier, **again}
        telemetry.close()

    def build(self) -> None:
        load_once(self.database, self.outbox)
        as_of = (DECIDED + timedelta(days=1)).replace(tzinfo=None).isoformat()
        self.project.run(self.database, select=MODELS, as_of=as_of)

    def query(self, sql: str) -> list[Any]:
        with connect(self.database, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.mark.slow
def test_what_is_drawn_is_logged_and_changes_the_next_draws(
    project: DbtProject, database: Path
) -> None:
    loop = Loop(project, database)
    project.run(database, command="seed")
    first = Router(database, plans=PLANS, exploration=1, seed=1)
    before = first.propensities("repo-0", "fix", None)
    loop.route(first, range(TASKS))
    loop.build()
    assert_logged_as_drawn(loop)

    second = Router(database, plans=PLANS, seed=2)
    learned = second.propensities("repo-0", "fix", None)
    assert before == dict.fromkeys(PLANS, pytest.approx(1 / 3))
    assert sum(learned.values()) == pytest.approx(1)
    # small>large succeeds in 92 % at half the cost of large, which succeeds in 80 %.
    assert max(learned, key=lambda plan: learned[plan]) == "small>large"
    assert learned["small>large"] > before["small>large"] + 0.1

    loop.route(second, range(TASKS, 2 * TASKS))
    policies = {one["policy"] for one in loop.drawn.values()}
    assert policies == {"router_start", "router_cell"}
    loop.build()
    assert_logged_as_drawn(loop)
    third = Router(database, plans=PLANS, seed=3)
    assert third.propensities("repo-0", "fix", None) != learned


def assert_logged_as_drawn(loop: Loop) -> None:
    """Each decision's plan and chances are those that were drawn by; none is estimated."""
    decisions = loop.query(
        "select facts.task_description, decisions.plan, decisions.chances, decisions.policy, "
        "decisions.attempt_count, decisions.success, len(decisions.steps) "
        "from int_routing_decisions as decisions "
        "inner join fct_executions as facts on decisions.decision_id = facts.task_id"
    )
    assert {text for text, *_ in decisions} == set(loop.drawn)
    assert len(decisions) == len(loop.drawn)
    for text, plan, chances, policy, attempts, success, steps in decisions:
        drawn = loop.drawn[text]
        assert (plan, policy) == (drawn["plan"], drawn["policy"])
        assert {one["plan"]: one["chance"] for one in chances} == {
            one["plan"]: pytest.approx(one["propensity"], rel=1e-12) for one in drawn["candidates"]
        }
        assert attempts == steps
        assert attempts == len(plan.split(">")) or success
    coverage = loop.query(
        "select sum(logged_count), sum(estimated_count), sum(excluded_count), "
        "bool_and(is_plausible) from rpt_routing_coverage where repo is null"
    )
    assert coverage == [(len(loop.drawn), 0, 0, True)]
