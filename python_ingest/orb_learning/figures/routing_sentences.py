"""Routing in sentences: what to route by, what a policy would have come to, what decisions tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orb_learning import formats


def sentence_of(row: dict[str, Any]) -> str:
    """Return what to do by a row of ``rpt_routing_recommendations``, and what it rests on."""
    base = _base(row)
    if row["estimated_count"]:
        base += f", the chances of {row['estimated_count']:,} of them estimated"
    gains = ", ".join(part for part in (_success(row), _cost(row)) if part)
    if row["recommended"] is None:
        plan = plan_in_words(row["best_candidate"])
        told = f"With {plan} {gains}{_worth(row)}" if gains else f"Nothing is known of {plan}"
        return (
            f"Keep {row['baseline']}, the baseline of the settings: {row['reason']}. "
            f"{told}, {base}.{_needed(row)}"
        )
    miss = row["highest_miss_rate"]
    needs = "" if miss is None else f" Needs: a check that misses under {miss:.0%} of failures."
    return f"{plan_in_words(row['plan'])}: {gains}, {base}.{needs.replace('%', ' %')}"


def sentence_of_value(row: dict[str, Any]) -> str:
    """Return what all decisions would have come to, by a row of ``rpt_policy_values``."""
    if row["policy"] == "logged":
        told, verb = "As tasks are routed today", "succeed"
    else:
        told = f"Had all tasks been routed by {plan_in_words(row['policy'])}"
        verb = "would succeed"
    base = _base(row)
    if not row["has_enough_samples"]:
        return f"{told}: not known, {row['reason']}, {base}."
    succeed = (
        f"{100 * row['success']:.1f} of 100 {verb} (95 %: {100 * row['success_lower']:.1f} to "
        f"{100 * row['success_upper']:.1f})"
    )
    cost = ""
    if row["capped_cost"] is not None:
        bounds = f"{formats.money(row['cost_lower'])} to {formats.money(row['cost_upper'])}"
        cost = f" at {formats.money(row['capped_cost'])} a task ({bounds})"
    return f"{told}: {succeed}{cost}, {base}."


def sentence_of_plan(row: dict[str, Any]) -> str:
    """Return what the decisions tell of a plan, by a row of ``rpt_routing_coverage``."""
    plan = plan_in_words(row["plan"])
    if not row["is_plausible"] and row["logged_count"]:
        return (
            f"{plan}: its recorded chances cannot be those that it was drawn by (mean weight "
            f"{row['mean_weight']:.2f}, not 1): what they tell is wrong."
        )
    known = row["logged_count"] + row["estimated_count"]
    told = f"{plan}: taken by {formats.count(known, 'decision')} that tell of it"
    if row["effective_count"] is not None:
        told += f", as good as {row['effective_count']:,.0f} had all taken it"
    if row["excluded_count"]:
        told += f"; {row['excluded_count']:,} more tell nothing, as their chances are not known"
    return f"{told}."


def plan_in_words(plan: str) -> str:
    """Return a plan as people say it: small, then large on failure."""
    first, *others = plan.split(">")
    return "".join([first, *(f", then {tier} on failure" for tier in others)])


def _base(row: dict[str, Any]) -> str:
    """Return what a row rests on."""
    decisions = formats.count(row["decision_count"], "decision")
    return f"from {decisions} of {formats.count(row['task_count'], 'task')}"


def _success(row: dict[str, Any]) -> str:
    gain = row["success_gain"]
    if gain is None:
        return ""
    change = f"{abs(100 * gain):.1f} {'fewer' if gain < 0 else 'more'} of 100 succeed"
    return change + _bounds(row, "success_gain", lambda value: f"{100 * value:.1f}")


def _cost(row: dict[str, Any]) -> str:
    gain = row["cost_gain"]
    if gain is None:
        return ""
    change = f"{formats.money(abs(gain))} {'less' if gain < 0 else 'more'} a task"
    return change + _bounds(row, "cost_gain", formats.money)


def _worth(row: dict[str, Any]) -> str:
    """Return the two weighed by what a success is worth: as so many successes of that price."""
    gain = row["utility_gain"]
    if gain is None:
        return ""
    change = f"{abs(100 * gain):.1f} {'fewer' if gain < 0 else 'more'} successes of 100"
    price = formats.money(row["success_worth_usd"])
    bounds = _bounds(row, "utility_gain", lambda value: f"{100 * value:.1f}")
    return f": in all worth {change}{bounds} at {price} each"


def _bounds(row: dict[str, Any], gain: str, show: Callable[[float], str]) -> str:
    lower, upper = row[f"{gain}_lower"], row[f"{gain}_upper"]
    if lower is None or upper is None:
        return ""
    if row[gain] < 0:
        lower, upper = -upper, -lower
    return f" ({100 * row['confidence']:g} %: {show(lower)} to {show(upper)})"


def _needed(row: dict[str, Any]) -> str:
    needed = row["decisions_needed"]
    if needed is None or needed <= row["decision_count"]:
        return ""
    return f" To be sure it takes about {needed:,} decisions, if the gain stays so."
