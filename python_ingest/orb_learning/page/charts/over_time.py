"""Charts with time from left to right."""

from __future__ import annotations

from typing import Any

import altair as alt

from orb_learning.page.charts.shared import (
    AMBER,
    BLUE,
    FAINT_IN_PART,
    GREEN,
    GREY,
    IS_WHOLE,
    RED,
    ROWS,
    SKY,
    THRESHOLDS,
    sized,
    time_axis,
    tooltip,
)
from orb_learning.page.columns import Column


def outcomes_over_time(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw how many executions of each bucket succeeded, and how many failed above them.

    What failed is tinted: much of it is no wall of colour.
    """
    base = alt.Chart(ROWS).encode(
        x=time_axis(), x2="end:T", opacity=FAINT_IN_PART, tooltip=tooltip(*columns)
    )
    axis = alt.Axis(format="~s", tickCount=5)

    def part(outcome: str, until: str, strength: float) -> Any:
        return (
            base.transform_calculate(outcome=f"{outcome!r}")
            .mark_rect(fillOpacity=strength)
            .encode(
                y=alt.Y(f"{until}:Q", title=None, axis=axis),
                color=alt.Color(
                    "outcome:N",
                    scale=alt.Scale(domain=["succeeded", "failed"], range=[BLUE, RED]),
                    legend=alt.Legend(title=None),
                ),
            )
        )

    succeeded = part("succeeded", "successful_count", 1).encode(y2=alt.datum(0))
    failed = part("failed", "total_executions", 0.3).encode(y2="successful_count:Q")
    return sized(alt.layer(succeeded, failed))


def pools_over_time(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw the tasks of each hour, stacked by pool."""
    return sized(
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            x=time_axis("utcyearmonthdatehours(start):T"),
            y=alt.Y("total_tasks:Q", title=None, axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color(
                "pool_type:N",
                scale=alt.Scale(range=[BLUE, AMBER, GREEN, RED, SKY, GREY]),
                legend=alt.Legend(title=None, labelLimit=75, columns=3),
            ),
            opacity=FAINT_IN_PART,
            tooltip=tooltip(*columns),
        )
    )


def costs_over_time(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw what each bucket cost, as a rectangle from its start to its end."""
    # Rectangles, because a bar from one time to another would lie on its side.
    return sized(
        alt.Chart(ROWS)
        .mark_rect(color=BLUE)
        .encode(
            x=time_axis(),
            x2="end:T",
            y=alt.Y("total_cost:Q", title=None, axis=alt.Axis(format="$~s", tickCount=5)),
            y2=alt.datum(0),
            opacity=FAINT_IN_PART,
            tooltip=tooltip(*columns),
        )
    )


def cost_trend(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw what each day cost, and the sum of the 7 days up to it on an axis of its own."""
    base = alt.Chart(ROWS).encode(tooltip=tooltip(*columns))
    money = alt.Axis(format="$~s", tickCount=5)
    bars = base.mark_rect(color=SKY).encode(
        x=time_axis(),
        x2="end:T",
        opacity=FAINT_IN_PART,
        y=alt.Y("total_cost:Q", title="a day", axis=money),
        y2=alt.datum(0),
    )
    line = (
        base.transform_filter(IS_WHOLE)
        .mark_line(color=RED, strokeWidth=2)
        .encode(x=time_axis(), y=alt.Y("trailing_cost:Q", title="7 days", axis=money))
    )
    return sized(alt.layer(bars, line).resolve_scale(y="independent"))


def storage(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw the size of each place over time."""
    return sized(
        alt.Chart(ROWS)
        .mark_line(point={"size": 26, "filled": True})
        .encode(
            x=time_axis(),
            y=alt.Y("size_bytes:Q", title="bytes", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color(
                "place:N",
                scale=alt.Scale(
                    domain=["database", "outbox", "archive", "backups"],
                    range=[BLUE, AMBER, GREEN, GREY],
                ),
                legend=alt.Legend(title=None),
            ),
            tooltip=tooltip(*columns),
        )
    )


def percentiles(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw the 50th, 95th and 99th percentile of duration over time."""
    names = {"p50_duration": "p50", "p95_duration": "p95", "p99_duration": "p99"}
    return sized(
        alt.Chart(ROWS)
        .transform_filter(IS_WHOLE)
        .transform_fold(list(names), as_=["figure", "seconds"])
        .transform_calculate(percentile="slice(datum.figure, 0, 3)")
        .mark_line(point={"size": 22, "filled": True})
        .encode(
            x=time_axis(),
            y=alt.Y("seconds:Q", title="seconds", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color(
                "percentile:N",
                scale=alt.Scale(domain=list(names.values()), range=[SKY, BLUE, RED]),
                legend=alt.Legend(title=None),
            ),
            strokeDash=alt.StrokeDash(
                "percentile:N",
                scale=alt.Scale(domain=list(names.values()), range=[[1, 0], [6, 3], [2, 2]]),
            ),
            tooltip=tooltip(*columns),
        )
    )


def line_over_time(
    figure: str,
    columns: list[Column],
    *,
    axis_format: str,
    band: bool = False,
    thresholds_of: str = "",
    domain: list[float] | None = None,
) -> alt.TopLevelMixin:
    """Draw a figure over time.

    Args:
        figure: the column.
        columns: of the tooltip.
        axis_format: how its axis writes a number, in D3's format.
        band: whether it has an interval, whose ends are ``<figure>_lower`` and ``<figure>_upper``.
        thresholds_of: the alert whose thresholds are dashed lines.
        domain: from where to where the axis goes; from 0 on if left out.
    """
    axis = alt.Axis(format=axis_format, tickCount=5)
    scale = alt.Scale(domain=domain, clamp=True) if domain else alt.Scale(zero=True)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=None, axis=axis, scale=scale)

    base = (
        alt.Chart(ROWS).transform_filter(IS_WHOLE).encode(x=time_axis(), tooltip=tooltip(*columns))
    )
    layers: list[Any] = []
    if band:
        layers.append(
            base.mark_area(opacity=0.2, color=BLUE).encode(
                y=y(f"{figure}_lower"), y2=f"{figure}_upper:Q"
            )
        )
    layers.append(
        base.mark_line(color=BLUE, point={"size": 22, "filled": True}).encode(y=y(figure))
    )
    if thresholds_of:
        layers.append(_thresholds(thresholds_of, y("height")))
    return sized(alt.layer(*layers))


def _thresholds(alert: str, y: alt.Y) -> Any:
    colours = alt.Scale(domain=["warning", "critical"], range=[AMBER, RED])
    return (
        alt.Chart(THRESHOLDS)
        .transform_filter(f"datum.alert_name === {alert!r}")
        .mark_rule(strokeDash=[4, 4], opacity=0.9)
        .encode(y=y, color=alt.Color("severity:N", scale=colours, legend=None))
    )
