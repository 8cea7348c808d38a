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
    return alt.layer(*layers).properties(width="container", height=alt.Step(step))


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
        y=alt.Y(f"{row}:N", axis=alt.Axis(title=None, labelLimit=130, ticks=False, domain=False)),
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
    return alt.layer(cells, written).properties(width="container", height=alt.Step(30))
