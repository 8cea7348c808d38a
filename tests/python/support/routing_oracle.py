"""Values of routing policies worked out decision by decision, by the formulas of the docs.

It shares nothing with the models' SQL: no sums by text or path, no products of sums. Every score is
one decision's, and the texts are grouped in Python.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

from oracle import text_id
from scipy import stats

PLANS = ("small", "medium", "large", "small>large", "medium>large", "small>medium>large")
USD_PER_SUCCESS = 5.0
LEAST_SHARE = 5

Row = dict[str, Any]
Cell = tuple[str, str, str]


@dataclass(eq=False)
class Decision:
    """A first attempt with what followed: steps are (path, success, cost)."""

    cell: Cell
    text: int
    plan: str
    chances: dict[str, float] | None
    steps: list[tuple[str, bool, float | None]]
    success: bool
    cost: float | None

    def chance(self, path: str) -> float:
        return sum(
            chance
            for plan, chance in (self.chances or {}).items()
            if plan == path or plan.startswith(path + ">")
        )

    def ran(self, path: str) -> tuple[bool, float | None] | None:
        return next(((s, c) for at, s, c in self.steps if at == path), None)


def decisions_of(rows: list[Row]) -> list[Decision]:
    """Return the decisions of valid executions, without those whose chances nobody knows."""
    attempts: dict[Any, list[tuple[int, Row]]] = defaultdict(list)
    for row in rows:
        routing = json.loads(row["metadata"] or "{}").get("routing", {})
        attempt = routing.get("attempt", 1)
        first = row["task_id"] if attempt <= 1 else routing.get("first_task_id")
        attempts[str(first)].append((attempt, row))
    found = []
    for first, of_decision in attempts.items():
        of_decision.sort(key=lambda pair: (pair[0], pair[1]["timestamp"], pair[1]["task_id"]))
        if str(of_decision[0][1]["task_id"]) == first and of_decision[0][0] <= 1:
            found.append(_decision(of_decision))
    _estimate(found)
    return [decision for decision in found if decision.chances is not None]


def _decision(attempts: list[tuple[int, Row]]) -> Decision:
    first = attempts[0][1]
    routing = json.loads(first["metadata"] or "{}").get("routing", {})
    given = {each["plan"]: each.get("propensity") for each in routing.get("candidates", [])}
    plan = routing.get("plan", first["model_tier"])
    total = sum(given.values()) if given and None not in given.values() else 0
    is_logged = abs(total - 1) <= 1e-3 and given.get(plan, 0) > 0
    path, steps = "", []
    for place, (attempt, row) in enumerate(attempts, start=1):
        if attempt != place or any(success for _, success, _ in steps):
            break
        path = f"{path}>{row['model_tier']}" if path else row["model_tier"]
        steps.append((path, row["success"], row["actual_cost"]))
    costs = [row["actual_cost"] for _, row in attempts]
    score = first["complexity_score"]
    band = "unknown" if score is None else ("low", "medium", "high")[(score >= 34) + (score >= 67)]
    return Decision(
        (first["repo"], first["task_type"], band),
        text_id(first["task_description"]) or 0,
        plan,
        {name: chance / total for name, chance in given.items()} if is_logged else None,
        steps,
        attempts[-1][1]["success"],
        None if None in costs else sum(costs),
    )


def _estimate(decisions: list[Decision]) -> None:
    """Give decisions without chances the shares of their cell, where it tells any."""
    unlogged: dict[Cell, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.chances is None:
            unlogged[decision.cell].append(decision)
    for of_cell in unlogged.values():
        counts = {name: sum(d.plan == name for d in of_cell) for name in {d.plan for d in of_cell}}
        counts.pop("unknown", None)  # no plan: nobody recorded the tier
        often = {name: count for name, count in counts.items() if count >= LEAST_SHARE}
        if len(often) > 1:
            for decision in of_cell:
                if decision.plan in often:
                    total = sum(often.values())
                    decision.chances = {name: count / total for name, count in often.items()}


def policy_values(decisions: list[Decision], plan: str) -> Row:
    """Return the value of a plan over all decisions, with its interval."""
    _mean.cache_clear()
    paths = [plan[: place.end()] for place in _ends(plan)]
    frozen = tuple(decisions)
    scores = [_scores(frozen, decision, paths) for decision in decisions]
    count = len(decisions)
    known = sum(score["known"] for score in scores)
    success = sum(score["success"] for score in scores) / count
    cost = sum(score["cost"] for score in scores) / known if known else None
    inverse = sum(score["inverse"] for score in scores)
    effective = count**2 / inverse if inverse else None
    texts: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for decision, score in zip(decisions, scores, strict=True):
        texts[decision.text][0] += score["success"] - success
        texts[decision.text][1] += (score["cost"] - (cost or 0) * score["known"]) * count / known
    factor = len(texts) / max(len(texts) - 1, 1) / count**2
    found: Row = {
        "decision_count": count,
        "task_count": len(texts),
        "unsupported_count": sum(decision.chance(plan) == 0 for decision in decisions),
        "success": success,
        "capped_cost": cost,
        "effective_count": effective,
    }
    found["has_enough_samples"] = bool(
        effective
        and effective >= 15
        and len(texts) >= 10
        and found["unsupported_count"] <= 0.05 * count
    )
    if found["unsupported_count"] > 0.05 * count:
        found |= dict.fromkeys(("success", "capped_cost", "effective_count"))
    if found["has_enough_samples"] and effective:
        t = float(stats.t.ppf(0.975, max(effective - 1, 4)))
        variance = factor * sum(each[0] ** 2 for each in texts.values())
        found["success_lower"], found["success_upper"] = _wilson(
            success, variance, t, count, effective
        )
    return found


def _wilson(
    success: float, variance: float, t: float, count: int, effective: float
) -> tuple[float, float]:
    inside = min(max(success, 1 / (count + 2)), 1 - 1 / (count + 2))
    relative = max(variance, 1e-18) / (inside * (1 - inside))
    if success != inside:
        relative = max(relative, 1 / effective)
    rate = min(max(success, 0), 1)
    half = t * math.sqrt(relative * rate * (1 - rate) + t**2 * relative**2 / 4)
    middle, scale = rate + t**2 * relative / 2, 1 + t**2 * relative
    return max((middle - half) / scale, 0), min((middle + half) / scale, 1)


def _ends(plan: str) -> list[re.Match[str]]:
    return list(re.finditer(r"[^>]+", plan))


def _scores(decisions: tuple[Decision, ...], decision: Decision, paths: list[str]) -> Row:
    fold = decision.text % 5
    means = [_mean(decisions, decision.cell, path, fold) for path in paths]
    to_go, cost_to_go = [0.0] * (len(paths) + 1), [0.0] * (len(paths) + 1)
    for step in range(len(paths) - 1, -1, -1):
        fails = 1 - means[step][0]
        to_go[step] = means[step][0] + fails * to_go[step + 1]
        cost_to_go[step] = means[step][1] + fails * cost_to_go[step + 1]
    known = decision.cost is not None
    success, cost = to_go[0], cost_to_go[0] * known
    inverse, reach = 0.0, 1.0
    for step, path in enumerate(paths):
        chance = decision.chance(path)
        stops = 1.0 if step == len(paths) - 1 else means[step][0]
        if chance > 0:
            inverse += reach * stops / chance
        reach *= 1 - means[step][0]
        ran = decision.ran(path)
        if ran is None or chance == 0:
            continue
        succeeded, paid = ran
        success += (succeeded - to_go[step] + (1 - succeeded) * to_go[step + 1]) / chance
        if known:
            cost += (paid - cost_to_go[step] + (1 - succeeded) * cost_to_go[step + 1]) / chance
    return {"success": success, "cost": cost, "known": known, "inverse": inverse}


@cache
def _mean(decisions: tuple[Decision, ...], cell: Cell, path: str, fold: int) -> tuple[float, float]:
    """Return the model's success and cost of a path, by other folds, drawn to wider scopes."""
    others = [d for d in decisions if d.text % 5 != fold and d.chance(path) > 0 and d.ran(path)]
    scopes = [
        others,
        [d for d in others if d.cell[0] == cell[0]],
        [d for d in others if d.cell == cell],
    ]
    success = cost = 0.0
    for place, scope in enumerate(scopes):
        ran = [d.ran(path) for d in scope]
        wins = sum(each[0] for each in ran if each)
        known = [d.ran(path) for d in scope if d.cost is not None]
        paid = sum(each[1] or 0 for each in known if each)
        if place == 0:
            success = (wins + 1) / (len(ran) + 2)
            cost = paid / max(len(known), 1)
        else:
            mass = (20, 10)[place - 1]
            success = (wins + mass * success) / (len(ran) + mass)
            cost = (paid + mass * cost) / (len(known) + mass)
    return success, cost
