"""The routing models: what decisions are worth, whatever order executions came and went in."""

from __future__ import annotations

import json
import math
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import DbtProject
from histories import TODAY, History, insert_many, task_id
from routing_oracle import PLANS, decisions_of, policy_values

from orb_learning.store.connection import connect

MODELS = ["fct_executions", "path:models/routing", "path:models/reports/routing"]
VARIABLES = {"routing_text_block_size": 64}
"""So small that there are several blocks of texts."""
COMPARED = (
    *("int_routing_attempts", "int_routing_texts", "int_routing_paths", "int_routing_moments"),
    *("int_routing_text_groups", "int_routing_days", "int_routing_scores"),
    *("rpt_policy_values", "rpt_routing_recommendations", "routing_propensities"),
    *("rpt_routing_coverage", "rpt_escalations", "rpt_routing_drift"),
)


class Routing:
    """A database of routing decisions; each task's id is its number."""

    def __init__(self, project: DbtProject, history: History):
        self.project = project
        self.history = history
        self.history.variables |= VARIABLES
        self._waiting: list[dict[str, Any]] = []

    def decide(self, number: int, draw: random.Random, *, chances: str = "logged") -> None:
        """Load a decision with all its attempts, at one of some tasks of three repositories."""
        text = draw.randrange(60)
        plan, routing = _draw_plan(draw, chances)
        common = {
            "task_description": f"mend part {text}",
            "repo": f"repo-{text % 2 if text % 7 else draw.randrange(2)}",
            "task_type": "fix",
            "complexity_score": draw.choice([20, 50, None]) if text % 5 else 80,
            "timestamp": TODAY - timedelta(days=draw.randrange(1, 40)),
        }
        for step, tier in enumerate(plan.split(">")):
            succeeds = draw.random() < 0.2 + 0.2 * len(tier) / 5 + 0.004 * text
            first = {} if step == 0 else {"first_task_id": str(task_id(number))}
            self.insert(
                number + step,
                **common,
                model_tier=None if tier == "unknown" else tier,
                success=succeeds,
                actual_cost=None if draw.random() < 0.05 else round(draw.expovariate(2), 3),
                metadata=json.dumps({"routing": (first or routing) | {"attempt": step + 1}}),
            )
            if succeeds:
                break

    def insert(self, number: int, **values: Any) -> None:
        self._waiting.append({"task_id": task_id(number), **values})

    def load(self) -> None:
        """Load what waits, in the order in which it came."""
        if self._waiting:
            with connect(self.history.database) as connection:
                insert_many(connection, self._waiting)
        self._waiting.clear()

    def build(self) -> None:
        self.load()
        self.project.run(self.history.database, select=MODELS, **self._variables())

    def test(self, *models: str) -> None:
        """Test what is claimed of models, as a build does."""
        self.project.run(self.history.database, command="test", select=models, **self._variables())

    def rebuilt(self) -> dict[str, list[dict[str, Any]]]:
        self.project.run(
            self.history.database, select=MODELS, full_refresh=True, **self._variables()
        )
        return self.contents()

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        with connect(self.history.database) as connection:
            return {model: _rows(connection, model) for model in COMPARED}

    def valid_rows(self) -> list[dict[str, Any]]:
        with connect(self.history.database) as connection:
            return _rows(connection, "fct_executions")

    def _variables(self) -> dict[str, Any]:
        return {"as_of": self.history.as_of.isoformat(), **self.history.variables}


@pytest.fixture
def routing(project: DbtProject, history: History) -> Routing:
    return Routing(project, history)


def test_values_are_those_of_each_decision_by_itself(routing: Routing) -> None:
    """Of recorded chances, estimated ones, invalid ones; with unknown costs and repeated tasks."""
    draw = random.Random(3)  # noqa: S311
    for number in range(0, 160, 4):
        routing.decide(1_000 + number, draw)
    routing.build()
    assert_values_are_the_oracles(routing)  # too few to show one
    for number in range(160, 1_200, 4):
        routing.decide(1_000 + number, draw)
    for number in range(0, 480, 4):
        routing.decide(5_000 + number, draw, chances="none")
    for number in range(0, 40, 4):
        routing.decide(7_000 + number, draw, chances="invalid")
    for number in range(0, 160, 4):
        routing.decide(8_000 + number, draw, chances="untold")
    routing.build()
    assert_values_are_the_oracles(routing)
    assert_no_pairs_of_repositories(routing)
    assert_unrecorded_tiers_are_excluded_and_counted(routing, 40)


def test_the_claims_hold_of_few_decisions_that_went_alike_or_say_no_cost(routing: Routing) -> None:
    cases = [(outcome, costs) for outcome in ("always", "never", "mixed") for costs in (0, 1)]
    for place, (outcome, known_costs) in enumerate(cases):
        for number in range(17):
            routing.insert(
                100 * place + number,
                task_description=f"mend part {number} of {place}",
                repo=f"{outcome}-{known_costs}",
                model_tier=("small", "medium")[number % 2],
                success=outcome == "always" or (outcome == "mixed" and number % 3 == 0),
                actual_cost=0.5 if number < known_costs else None,
                metadata=None,
            )
    routing.build()
    routing.test("rpt_policy_values", "rpt_routing_recommendations", "rpt_routing_coverage")
    values = {(row["repo"], row["policy"]): row for row in routing.contents()["rpt_policy_values"]}
    for outcome, known_costs in cases:
        value = values[f"{outcome}-{known_costs}", "logged"]
        assert value["has_enough_samples"]
        assert value["success_lower"] <= value["success"] <= value["success_upper"]
        assert value["success_upper"] - value["success_lower"] > 0.1
        assert (value["utility"] is None) == (known_costs == 0)


def assert_unrecorded_tiers_are_excluded_and_counted(routing: Routing, count: int) -> None:
    with connect(routing.history.database, read_only=True) as connection:
        coverage = connection.execute(
            "select estimated_count, excluded_count from rpt_routing_coverage "
            "where plan = 'unknown' and repo is null"
        ).fetchall()
        values = connection.execute(
            "select min(excluded_count) from rpt_policy_values where repo is null"
        ).fetchall()
    assert coverage == [(0, count)]
    assert values[0][0] >= count


@pytest.mark.slow
def test_an_incremental_build_of_decisions_is_that_of_a_full_refresh(routing: Routing) -> None:
    assert_history_is_exact(routing, random.Random(11), rounds=3)  # noqa: S311


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_random_histories_of_decisions_end_as_a_full_refresh(routing: Routing, seed: int) -> None:
    assert_history_is_exact(routing, random.Random(seed), rounds=6)  # noqa: S311


def assert_history_is_exact(routing: Routing, draw: random.Random, *, rounds: int) -> None:
    """Decisions come, late attempts too; some are corrected, deleted, or return; time passes."""
    history = routing.history
    numbers = list(range(1_000, 1_400, 4))
    for number in numbers:
        routing.decide(number, draw, chances=draw.choice(["logged", "logged", "none"]))
    routing.build()
    for round_number in range(rounds):
        for number in range(2_000 + 400 * round_number, 2_060 + 400 * round_number, 4):
            routing.decide(number, draw, chances=draw.choice(["logged", "none", "invalid"]))
            numbers.append(number)
        for number in draw.sample(numbers, 4):
            routing.decide(number, draw)
        late = draw.choice(numbers)
        routing.insert(
            late + 3,
            model_tier="large",
            metadata=json.dumps({"routing": {"first_task_id": str(task_id(late)), "attempt": 2}}),
        )
        routing.load()
        for number in draw.sample(numbers, 3):
            history.remove(task_id=task_id(number), also_built=draw.random() < 0.5)
        if round_number % 2:
            history.bring_back()
        history.wait(days=draw.choice([0, 1, -3]))
        routing.build()
    built = routing.contents()
    assert_values_are_the_oracles(routing)
    refreshed = routing.rebuilt()
    for model in COMPARED:
        assert_same_rows(model, built[model], refreshed[model])


def assert_no_pairs_of_repositories(routing: Routing) -> None:
    """A text of many repositories must not have rows by the square of their number."""
    with connect(routing.history.database, read_only=True) as connection:
        assert connection.execute(
            "select count(*) > 0 from (select 1 from int_routing_texts group by _task_text_id "
            "having count(distinct repo) > 1)"
        ).fetchall() == [(True,)]
        assert connection.execute(
            "with cells as (select distinct _cell_id, repo from int_routing_texts) "
            "select count(*) from int_routing_moments inner join cells using (_cell_id) "
            "inner join cells as others on other_cell_id = others._cell_id "
            "where cells.repo <> others.repo"
        ).fetchall() == [(0,)]


def assert_values_are_the_oracles(routing: Routing) -> None:
    valid = [row for row in routing.valid_rows() if row["timestamp"] <= routing.history.as_of]
    decisions = decisions_of(valid)
    assert decisions
    values = {(row["repo"], row["policy"]): row for row in routing.contents()["rpt_policy_values"]}
    for plan in PLANS:
        wanted, found = policy_values(decisions, plan), values[None, plan]
        for name, value in wanted.items():
            if value is None:
                assert found[name] is None, f"{plan} {name}"
                continue
            # The models take Student's t from a series.
            tolerance = 2e-4 if name.endswith(("_lower", "_upper")) else 1e-9
            assert found[name] == pytest.approx(value, rel=tolerance), f"{plan} {name}"


def assert_same_rows(model: str, one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert len(one) == len(other), model
    for built, wanted in zip(sorted(one, key=_key), sorted(other, key=_key), strict=True):
        for name, value in wanted.items():
            if isinstance(value, float):
                assert built[name] == pytest.approx(value, rel=1e-9, abs=1e-12), f"{model} {name}"
            else:
                assert built[name] == value, f"{model} {name}"


def _key(row: dict[str, Any]) -> str:
    return repr([value for value in row.values() if not isinstance(value, float)])


def _rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[dict[str, Any]]:
    query = connection.execute(f"from {relation}")
    names = [column[0] for column in query.description]
    return [dict(zip(names, row, strict=True)) for row in query.fetchall()]


def _draw_plan(draw: random.Random, chances: str) -> tuple[str, dict[str, Any]]:
    if chances == "untold":
        return "unknown", {}
    if chances == "none":
        plan = draw.choice(PLANS[:3])
        return plan, {"plan": plan}
    weights = [draw.uniform(0.4, 2) for _ in PLANS]
    plan = draw.choices(PLANS, weights)[0]
    total = math.fsum(weights) * (1.2 if chances == "invalid" else draw.choice([1, 1.0005]))
    candidates = [
        {"plan": name, "propensity": weight / total}
        for name, weight in zip(PLANS, weights, strict=True)
    ]
    return plan, {"plan": plan, "candidates": candidates, "policy": "drawn"}


def test_a_build_publishes_what_a_router_draws_from(routing: Routing, database: Path) -> None:
    draw = random.Random(5)  # noqa: S311
    for number in range(0, 400, 4):
        routing.decide(1_000 + number, draw)
    routing.build()
    published = json.loads((database.parent / "routing.json").read_text())
    assert published["version"] == 1
    assert published["baseline"] == "large"
    units = {(u["level"], u["repo"], u["complexity_band"]): u for u in published["units"]}
    everything = {p["plan"]: p["propensity"] for p in units["everything", None, None]["plans"]}
    assert set(everything) == set(PLANS)
    assert math.isclose(sum(everything.values()), 1)
    assert min(everything.values()) >= published["exploration"] / len(PLANS)
    assert [file.name for file in database.parent.glob(".routing.json*")] == []
    assert (database.parent / "routing.json").stat().st_mode & 0o777 == 0o600
