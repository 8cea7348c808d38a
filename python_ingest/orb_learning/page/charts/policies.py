"""Charts of routing policies."""

from __future__ import annotations

from typing import Any

import altair as alt

from orb_learning.page.charts.shared import AMBER, BLUE, GREY, PERCENT, ROWS, SKY, tooltip
from orb_learning.page.columns import Column

ROLES = {"a policy": BLUE, "the baseline": AMBER, "what is done today": GREY}
"""What a policy is, and its colour and shape."""
ROLE_LEGEND = alt.Legend(title=None, orient="top")
SHAPES = ["circle", "diamond", "square"]


def policies_by_cost_and_success(columns: list[Column]) -> alt.TopLevelMixin:
    """Points of policies, each with its intervals of cost and of success."""
    base = (
        alt.Chart(ROWS)
        .transform_filter("isValid(datum.cost_upper)")
        .encode(
            x=_axis("capped_cost:Q", "cost of a task, US dollars", "$~g"),
            y=_axis("success:Q", "tasks that succeed", PERCENT),
            color=alt.Color(
                "role:N",
                scale=alt.Scale(domain=list(ROLES), range=list(ROLES.values())),
                legend=ROLE_LEGEND,
            ),
            tooltip=tooltip(*columns),
        )
    )
    across = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
        x=_axis("cost_lower:Q", "", "$~g"), x2="cost_upper:Q"
    )
    upright = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
        y=_axis("success_lower:Q", "", PERCENT), y2="success_upper:Q"
    )
    points = base.mark_point(size=90, filled=True, opacity=1).encode(
        shape=alt.Shape(
            "role:N", scale=alt.Scale(domain=list(ROLES), range=SHAPES), legend=ROLE_LEGEND
        )
    )
    names = base.mark_text(align="left", dx=7, dy=-7, fontSize=11).encode(text="policy:N")
    chart: alt.TopLevelMixin = alt.layer(across, upright, points, names).properties(
        width="container", height=300
    )
    return chart


def decisions_by_plan(columns: list[Column]) -> alt.TopLevelMixin:
    """Bars of the decisions that took each plan, by what is known of their chances."""
    estimated = "datum.key == 'estimated_count' ? 'estimated' : 'unknown'"
    chart: alt.TopLevelMixin = (
        alt.Chart(ROWS)
        .transform_fold(["logged_count", "estimated_count", "excluded_count"])
        .transform_calculate(chances=f"datum.key == 'logged_count' ? 'recorded' : {estimated}")
        .mark_bar(height={"band": 0.65})
        .encode(
            x=alt.X("value:Q", title=None, axis=alt.Axis(format="~s", tickCount=5)),
            y=alt.Y("plan:N", axis=alt.Axis(title=None, labelLimit=130, ticks=False, domain=False)),
            color=alt.Color(
                "chances:N",
                scale=alt.Scale(
                    domain=["recorded", "estimated", "unknown"], range=[BLUE, SKY, GREY]
                ),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=tooltip(*columns),
        )
        .properties(width="container", height=alt.Step(24))
    )
    return chart


def _axis(field: str, title: str, axis_format: str) -> Any:
    channel = alt.X if "cost" in field else alt.Y
    return channel(
        field,
        title=title or None,
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(format=axis_format, tickCount=6),
    )
