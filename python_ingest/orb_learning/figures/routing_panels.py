"""Routing as the page shows it: rows of the reports, each with its sentence."""

from __future__ import annotations

from typing import Any

from orb_learning.figures.reader import Snapshot
from orb_learning.figures.routing import recommendation_rows
from orb_learning.figures.routing_sentences import (
    plan_in_words,
    sentence_of_plan,
    sentence_of_value,
)

MOST_UNITS = 40
"""Recommendations that are shown: everything, and the units with the most decisions."""

VALUES = """
select
    policy, decision_count, task_count, effective_count, success, success_lower, success_upper,
    capped_cost, cost_known_count, cost_lower, cost_upper, has_enough_samples, reason,
    case
        when policy = 'logged' then 'what is done today'
        when policy = (select any_value(baseline) from rpt_routing_recommendations)
            then 'the baseline'
        else 'a policy'
    end as role
from rpt_policy_values
where repo is null
order by has_enough_samples desc, utility desc nulls last, policy
"""
COVERAGE = """
select
    plan, logged_count, estimated_count, excluded_count, effective_count, least_chance,
    mean_weight, is_plausible
from rpt_routing_coverage
where repo is null
order by is_plausible desc, effective_count desc nulls last, plan
"""


def routing_panels(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the page's panels about routing, by the panel's name."""
    return {
        "policy_values": [
            row | {"sentence": sentence_of_value(row)} for row in snapshot.rows(VALUES)
        ],
        "routing_recommendations": [
            {
                "place": _place(row),
                "advice": plan_in_words(row["plan"] or row["baseline"]),
                **{name: row[name] for name in ("sentence", "decision_count", "decisions_needed")},
            }
            for row in recommendation_rows(snapshot, None, MOST_UNITS)
        ],
        "routing_coverage": [
            row | {"judgement": _judgement(row), "sentence": sentence_of_plan(row)}
            for row in snapshot.rows(COVERAGE)
        ],
    }


def _place(row: dict[str, Any]) -> str:
    if row["level"] == "cell":
        return f"{row['repo']}, {row['task_type']}, complexity {row['complexity_band']}"
    return row["repo"] if row["level"] == "repository" else "everything"


def _judgement(row: dict[str, Any]) -> str:
    if not row["logged_count"]:
        return "not recorded"
    return "as recorded" if row["is_plausible"] else "not as recorded"
