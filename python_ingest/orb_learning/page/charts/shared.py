"""What the charts share: colours, the data set, time from left to right, tooltips.

A chart draws the data set ``rows``, which ``page.js`` fills with the chosen rows of the panel's
report, and lines at ``thresholds``, those of the alerts. It adds to a row the names of its filter
values (``repo``, ``model_tier``, ``pool_type``, ``task_type``), the ``start`` and ``end`` of its
bucket in milliseconds, that time as text, ``when``, and the ``level`` of its figure.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from orb_learning.page.columns import Column

BLUE, SKY, GREEN, AMBER, RED, GREY = (
    "#3182bd", "#56b4e9", "#1b9e77", "#e6a117", "#d55e00", "#8a919b",
)  # fmt: skip
"""Colours that the colour-blind tell apart, on white and on black."""

AMBER_TINT, RED_TINT = "#efcf8e", "#eeb391"
"""Of bars beyond a threshold: many of them are no wall of colour."""

ROWS = alt.NamedData(name="rows")
THRESHOLDS = alt.NamedData(name="thresholds")

IS_WHOLE = "datum.is_drawn !== false"
"""Whether a line takes a bucket: by one that still fills it would end in a fall."""
FAINT_IN_PART = alt.condition("datum.is_complete === false", alt.value(0.4), alt.value(1))
"""A bar of a bucket that still fills is faint."""

PERCENT = ".0%"
SHARE = [0.0, 1.0]
"""The domain of a rate."""


def tooltip(*columns: Column) -> list[alt.Tooltip]:
    """Show these columns as the page writes them."""
    return [
        alt.Tooltip(field=f"{column.figure}_text", type="nominal", title=column.title)
        for column in columns
    ]


def time_axis(of: str = "start:T") -> alt.X:
    """Time from ``start`` on, in UTC: the browser's zone does not matter."""
    clock = "utcFormat(datum.value, utchours(datum.value) == 0 ? '%b %d' : '%H:%M')"
    return alt.X(
        of,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title=None, labelExpr=clock, labelOverlap=True, tickCount=6, grid=False),
    )


def sized(chart: Any) -> alt.TopLevelMixin:
    """Make a chart as wide as its panel, and 200 pixels high."""
    sized: alt.TopLevelMixin = chart.properties(width="container", height=200)
    return sized
