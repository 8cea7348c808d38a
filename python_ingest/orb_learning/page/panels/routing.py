"""The section of what routing policies would have come to, and what to route by."""

from __future__ import annotations

from orb_learning.page.charts.policies import decisions_by_plan, policies_by_cost_and_success
from orb_learning.page.columns import Column
from orb_learning.page.panel import Panel
from orb_learning.page.recording import DECISION

DECISIONS = Column("decision_count", "decisions", "count")
EFFECTIVE = Column("effective_count", "effective decisions", "count")

PANELS = [
    Panel(
        "policy_values",
        "Had all tasks been routed by one policy",
        "policy_values",
        [
            Column("policy", "policy"),
            Column("role", "which is"),
            Column("success", "success", "percent"),
            Column("success_lower", "95 % from", "percent"),
            Column("success_upper", "to", "percent"),
            Column("capped_cost", "a task", "dollars", "cost_known_count"),
            Column("cost_lower", "95 % from", "dollars"),
            Column("cost_upper", "to", "dollars"),
            EFFECTIVE,
            DECISIONS,
            Column("reason", "to be doubted, as"),
        ],
        policies_by_cost_and_success,
        is_filtered=False,
        caption="{sentence}",
        missing=DECISION,
        wide=True,
        drawn="success",
        note="Of all tasks that were routed. Up is more success, left is less cost; the lines are "
        "95 % intervals. A policy that the decisions tell too little of has no point.",
    ),
    Panel(
        "routing_recommendations",
        "What to route by",
        "routing_recommendations",
        [
            Column("place", "for"),
            Column("advice", "route by"),
            Column("sentence", "because"),
            DECISIONS,
            Column("decisions_needed", "needed", "count"),
        ],
        is_filtered=False,
        caption="{sentence}",
        missing=DECISION,
        wide=True,
        drawn="decision_count",
        note="Everything first, then the repositories and their kinds of tasks with the most "
        "decisions. The baseline is kept wherever the log does not tell.",
    ),
    Panel(
        "routing_coverage",
        "What the decisions tell of each plan",
        "routing_coverage",
        [
            Column("plan", "plan"),
            Column("logged_count", "took it, chances recorded", "count"),
            Column("estimated_count", "estimated", "count"),
            Column("excluded_count", "unknown", "count"),
            EFFECTIVE,
            Column("least_chance", "least chance", "percent"),
            Column("mean_weight", "mean weight", "number"),
            Column("judgement", "its chances"),
        ],
        decisions_by_plan,
        is_filtered=False,
        caption="{sentence}",
        missing=DECISION,
        wide=True,
        drawn="logged_count",
        note="Effective decisions: as many would tell the same, had all taken the plan. Drawn by "
        "the chances that were recorded, a plan's mean weight is about 1.",
    ),
]
