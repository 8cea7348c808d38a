"""The section of what executions cost, and what a success does."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import bars, heat_map
from orb_learning.page.charts.over_time import cost_trend, costs_over_time
from orb_learning.page.columns import (
    COST,
    COST_EACH,
    COST_PER_SUCCESS,
    TASK_TYPE,
    TIER,
    WHEN,
    Column,
)
from orb_learning.page.panel import Panel
from orb_learning.page.recording import COST as COST_MISSING
from orb_learning.page.recording import ESTIMATE

PANELS = [
    Panel(
        "cost_over_time",
        "Cost over time",
        "series",
        [WHEN, COST, COST_EACH],
        costs_over_time,
        caption="The most was spent {most_at} ({most_is}), the least {least_at} ({least_is}).",
        missing=COST_MISSING,
    ),
    Panel(
        "cost_by_tier",
        "Cost by model tier",
        "figures",
        [
            TIER,
            COST,
            COST_EACH,
            COST_PER_SUCCESS,
            Column("avg_savings", "below the estimate by", "dollars", "savings_known_count"),
        ],
        partial(bars, "model_tier", "total_cost", axis_format="$~s"),
        each="model_tier",
        opens=True,
        caption="{most} costs the most ({most_is}), {least} the least ({least_is}).",
        missing=COST_MISSING,
    ),
    Panel(
        "cost_trend",
        "Cost trend, last 90 days",
        "cost_days",
        [
            WHEN,
            COST,
            Column("trailing_cost", "7 days", "dollars", "trailing_cost_known_count"),
            Column("previous_cost", "7 days before", "dollars", "previous_cost_known_count"),
            Column("cost_change_pct", "change in %", "number"),
        ],
        cost_trend,
        is_filtered=False,
        caption="The dearest day was {most} ({most_is}), the cheapest {least} ({least_is}).",
        missing=COST_MISSING,
        note="Always the last 90 days. Bars are days, the line is the sum of 7 days.",
    ),
    Panel(
        "cost_errors",
        "Costs against their estimates",
        "cost_errors",
        [
            TIER,
            Column(
                "median_cost_error_pct", "median error in %", "number", "cost_error_known_count"
            ),
            Column("avg_cost_error_pct", "average error in %", "number", "cost_error_known_count"),
        ],
        partial(bars, "model_tier", "median_cost_error_pct", axis_format="~s"),
        is_filtered=False,
        caption="Costs are furthest off on {most} ({most_is} %), least on {least} ({least_is} %).",
        missing=ESTIMATE,
        note="The 10 tiers with the most executions.",
    ),
    Panel(
        "efficiency",
        "Cost of a success by task type",
        "task_types",
        [TASK_TYPE, TIER, COST_PER_SUCCESS],
        partial(
            heat_map,
            "task_type",
            "model_tier",
            "cost_per_success",
            colours=["#fdebd5", "#f19a4d"],
        ),
        each="model_tier",
        opens=True,
        caption="A success is dearest in {most} ({most_is}), cheapest in {least} ({least_is}).",
        missing=COST_MISSING,
        note="A success bears the cost of the failures beside it.",
    ),
]
