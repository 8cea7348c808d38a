"""Charts with groups of executions side by side."""

from __future__ import annotations

from typing import Any

import altair as alt

from orb_learning.page.charts.shared import (
    AMBER_TINT,
    BLUE,
    GREY,
    RED_TINT,
    ROWS,
    tooltip,
)
from orb_learning.page.columns import Column

LEVELS = {"ok": BLUE, "warning": AMBER_TINT, "critical": RED_TINT, "too few to judge": GREY}
"""What page.js calls a row's figure, by the thresholds of an alert, and the colour of that."""
BIGGEST_FIRST = "-x"
MAY_BE_UNKNOWN = {"repo", "task_type", "pool_type", "model_tier"}
"""Columns that say unknown where nobody recorded them; that is no group to compare others with."""
UNKNOWN_LAST = alt.EncodingSortField(field="place", op="min")


def bars(
    category: str,
    figure: str,
    columns: list[Column],
    *,
    axis_format: str,
    levels: bool = False,
    interval: bool = False,
    domain: list[float] | None = None,
    sort: Any = None,
    step: int = 30,
) -> alt.TopLevelMixin:
    """Bars from left to right, so that long names have room."""
    label = alt.Axis(title=None, labelLimit=130, ticks=False, domain=False)
    base = alt.Chart(ROWS)
    drawn_size = f"-datum['{figure}']" if sort == BIGGEST_FIRST else "0"
    if category in MAY_BE_UNKNOWN:
        sort = UNKNOWN_LAST
    colour: Any = alt.value(BLUE)
    if levels:
        colour = alt.Color(
            "level:N",
            scale=alt.Scale(domain=list(LEVELS), range=list(LEVELS.values())),
            legend=alt.Legend(title=None),
        )
    base = base.encode(y=alt.Y(f"{category}:N", axis=label, sort=sort), tooltip=tooltip(*columns))
    axis = alt.Axis(format=axis_format, tickCount=5, labelOverlap=True)
    scale = alt.Scale(domain=domain) if domain else alt.Undefined

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", title=None, axis=axis, scale=scale)

    horizontal = base.mark_bar(height={"band": 0.65}, cornerRadiusEnd=2)
    layers = [horizontal.encode(x=x(figure), color=colour)]
    if interval:
        layers.append(
            base.mark_rule(color=GREY, strokeWidth=2).encode(
                x=x(f"{figure}_lower"), x2=f"{figure}_upper:Q"
            )
        )
    drawn = alt.layer(*layers).properties(width="container", height=alt.Step(step))
    return _with_places(drawn, category, drawn_size) if sort is UNKNOWN_LAST else drawn


def _with_places(chart: Any, category: str, place: str) -> alt.TopLevelMixin:
    """Return a chart whose rows have the ``place`` that ``UNKNOWN_LAST`` sorts by."""
    placed: alt.TopLevelMixin = chart.transform_calculate(
        place=f"datum['{category}'] === 'unknown' ? 1e300 : {place}"
    )
    return placed


def heat_map(
    row: str, column: str, figure: str, columns: list[Column], *,
    colours: list[str], domain: list[float] | None = None,
) -> alt.TopLevelMixin:  # fmt: skip
    """Draw a figure of each pair of two columns, written on a cell of its colour."""
    base = alt.Chart(ROWS).encode(
        x=alt.X(
            f"{column}:N",
            sort=["small", "medium", "large"],
            axis=alt.Axis(title=None, orient="top", labelAngle=0, labelLimit=75, ticks=False),
        ),
        y=alt.Y(
            f"{row}:N",
            sort=UNKNOWN_LAST,
            axis=alt.Axis(title=None, labelLimit=130, ticks=False, domain=False),
        ),
        tooltip=tooltip(*columns),
    )
    # Light enough for what is written on them.
    scale = alt.Scale(range=colours, clamp=True, domain=domain if domain else alt.Undefined)
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            f"{figure}:Q",
            scale=scale,
            legend=None,
        )
    )
    # Written on the cells: a colour alone tells too little.
    written = base.mark_text(fontSize=11).encode(
        text=alt.Text(f"{figure}_text:N"),
        color=alt.value("#10151c"),
    )
    drawn = alt.layer(cells, written).properties(width="container", height=alt.Step(30))
    return _with_places(drawn, row, "0")
