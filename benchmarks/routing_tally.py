"""What the values and recommendations of many logs of a case come to, beside the truth."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.routing_cases import MISSED, Case, truth
from benchmarks.routing_models import Models, database_of
from benchmarks.routing_worlds import World

MEASURES = ("success", "utility", "capped_cost")
BOUNDS = {"success": "success", "utility": "utility", "capped_cost": "cost"}
"""How the columns of a measure's interval, and its truth, are named."""
UNUSED: tuple[str, ...] = ("int_routing_days", "int_routing_decisions", "rpt_routing_drift")
UNUSED += ("rpt_routing_coverage", "rpt_escalations", "routing_propensities")
Row = dict[str, Any]


@dataclass
class Tally:
    """What logs of a case came to: lists have an entry a value, a log or a cell."""

    logs: int
    held: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    """By measure: whether an interval holds the truth."""
    held_of_plan: dict[tuple[str, str], list[bool]] = field(
        default_factory=lambda: defaultdict(list)
    )
    errors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By plan: how far a success is from the truth."""
    given: list[bool] = field(default_factory=list)
    """By log: whether anything is recommended; of halves, whether for everything."""
    cells_given: list[bool] = field(default_factory=list)
    better: list[bool] = field(default_factory=list)
    """By recommendation for everything: whether it beats the baseline on the other half."""
    early: int = 0
    hidden: int = 0
    chains_shown: int = 0

    def bias(self, worst: bool) -> float:
        """Return the bias of success in points: of the worst plan, or the mean over plans."""
        found = [abs(100 * float(np.mean(errors))) for errors in self.errors.values()]
        signed = [100 * float(np.mean(errors)) for errors in self.errors.values()]
        return max(found) if worst else abs(float(np.mean(signed)))

    def coverage(self, measure: str, *, worst: bool) -> float:
        """Return the percentage of intervals that hold: of the plan furthest from 95, or all."""
        found = [
            100 * float(np.mean(held))
            for (_, of), held in self.held_of_plan.items()
            if of == measure
        ]
        return max(found, key=lambda share: abs(share - 95)) if worst else float(np.mean(found))

    def add(self, values: list[Row], true: dict[str, dict[str, float]]) -> None:
        """Add a log's values."""
        for row in values:
            plan, effective = row["policy"], row["effective_count"] or 0
            is_shown = row["has_enough_samples"]
            could = row["task_count"] >= 10 and row["unsupported_count"] <= (
                0.05 * row["decision_count"]
            )
            self.early += is_shown and effective < 8
            self.hidden += not is_shown and could and effective >= 15
            self.chains_shown += is_shown and ">" in plan
            if not is_shown:
                continue
            self.errors[plan].append(row["success"] - true[plan]["success"])
            for measure, name in BOUNDS.items():
                holds = row[f"{name}_lower"] <= true[plan][name] <= row[f"{name}_upper"]
                self.held[measure].append(holds)
                self.held_of_plan[plan, measure].append(holds)


def tally(case: Case, models: Models, logs: int, first: int = 0) -> Tally:
    """Value the logs of a case, drawn with seeds from the first on."""
    world = case.world()
    found = Tally(logs)
    true = truth(world)
    for seed in range(first, first + logs):
        rng = np.random.default_rng(seed)
        logged, other = world.halves(rng) if case.halves else (world, world)
        values, advice = value_log(models, case, logged, rng)
        if case.halves:
            (of_all,) = (row for row in advice if row["level"] == "everything")
            found.given.append(of_all["recommended"] is not None)
            if of_all["recommended"]:
                found.better.append(beats(other, of_all["recommended"], of_all["baseline"]))
            continue
        found.add(values, true)
        found.given.append(any(row["recommended"] for row in advice))
        found.cells_given += [bool(row["recommended"]) for row in advice if row["level"] == "cell"]
    return found


def beats(world: World, plan: str, baseline: str) -> bool:
    """Return whether a plan has more success and less cost in a world, where the check misses."""
    success, cost = world.value(plan, missed=MISSED)
    base_success, base_cost = world.value(baseline)
    return success >= base_success and cost < base_cost


def value_log(
    models: Models, case: Case, world: World, rng: np.random.Generator
) -> tuple[list[Row], list[Row]]:
    """Return a log's values of everything, and its recommendations."""
    log = case.draw(world, rng)
    with database_of(world, log) as connection:
        models.build(connection, without=UNUSED)
        query = connection.execute(
            "select * from rpt_policy_values where repo is null and policy <> 'logged'"
        )
        names = [column[0] for column in query.description]
        values = [dict(zip(names, row, strict=True)) for row in query.fetchall()]
        advice = connection.execute(
            "select level, baseline, recommended from rpt_routing_recommendations"
        ).fetchall()
    keys = ("level", "baseline", "recommended")
    return values, [dict(zip(keys, row, strict=True)) for row in advice]
