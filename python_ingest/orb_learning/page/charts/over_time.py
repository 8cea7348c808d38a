"""The charts of the page: how a panel's figures are drawn.

A chart draws the data set ``rows``, which ``page.js`` fills with the chosen rows of the panel's
report. It adds to a row the names of its choices (``repo``, ``model_tier``, ``pool_type``,
``task_type``), the ``start`` and ``end`` of its bucket in milliseconds, and that time as text,
``when``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt

BLUE, SKY, GREEN, AMBER, RED, GREY = (
    "#3182bd", "#56b4e9", "#1b9e77", "#e6a117", "#d55e00", "#8a919b",
)  # fmt: skip
"""Colours that the colour-blind tell apart, on white and on black."""

ROWS = alt.NamedData(name="rows")

PERCENT = ".0%"


@dataclass(frozen=True)
class Column:
    """A column of a panel's table: a figure, its heading, and how it is written."""

    figure: str
    title: str
    form: str = "text"
    """text, count, percent, points, seconds, dollars, megabytes, bytes or time."""


def _levels(figure: str, bounds: list[float], labels: list[str], colours: list[str]) -> Any:
    """Colour by the height of a figure; the legend says where it changes."""
    *_, last = labels
    text = repr(last)
    for bound, label in reversed(list(zip(bounds, labels[:-1], strict=True))):
        text = f"datum.{figure} < {bound} ? {label!r} : {text}"
    return text, alt.Color(
        "level:N",
        scale=alt.Scale(domain=labels, range=colours),
        legend=alt.Legend(title=None, orient="top"),
    )


def _tooltip(*columns: Column) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(field=f"{column.figure}_text", type="nominal", title=column.title)
        for column in columns
    ]


def _time_axis(of: str = "start:T") -> alt.X:
    """Time from ``start`` on, in UTC: the browser's zone has no say."""
    clock = "utcFormat(datum.value, utchours(datum.value) == 0 ? '%b %d' : '%H:%M')"
    return alt.X(
        of,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(title=None, labelExpr=clock, labelOverlap=True, tickCount=6, grid=False),
    )


def _lines_at(values: list[float], colours: list[str]) -> Any:
    rules = [
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_rule(strokeDash=[4, 4], color=colour, opacity=0.9)
        .encode(y=alt.datum(value))
        for value, colour in zip(values, colours, strict=True)
    ]
    return alt.layer(*rules)


def costs_over_time(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw what each bucket cost, as a rectangle from its start to its end."""
    # Rectangles, because a bar from one time to another would lie on its side.
    return _sized(
        alt.Chart(ROWS)
        .mark_rect(color=BLUE)
        .encode(
            x=_time_axis(),
            x2="end:T",
            y=alt.Y("total_cost:Q", title=None, axis=alt.Axis(format="$~s", tickCount=5)),
            y2=alt.datum(0),
            tooltip=_tooltip(*columns),
        )
    )


def outcomes_over_time(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw how many executions of each bucket succeeded, and how many failed above them."""
    base = alt.Chart(ROWS).encode(x=_time_axis(), x2="end:T", tooltip=_tooltip(*columns))
    axis = alt.Axis(format="~s", tickCount=5)

    def part(outcome: str, until: str) -> Any:
        return (
            base.transform_calculate(outcome=f"{outcome!r}")
            .mark_rect()
            .encode(
                y=alt.Y(f"{until}:Q", title=None, axis=axis),
                color=alt.Color(
                    "outcome:N",
                    scale=alt.Scale(domain=["succeeded", "failed"], range=[BLUE, RED]),
                    legend=alt.Legend(title=None, orient="top"),
                ),
            )
        )

    succeeded = part("succeeded", "successful_count").encode(y2=alt.datum(0))
    failed = part("failed", "total_executions").encode(y2="successful_count:Q")
    return _sized(alt.layer(succeeded, failed))


def pools_over_time(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw the tasks of each hour, stacked by pool."""
    return _sized(
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            x=_time_axis("utcyearmonthdatehours(start):T"),
            y=alt.Y("total_tasks:Q", title=None, axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color(
                "pool_type:N",
                scale=alt.Scale(range=[BLUE, AMBER, GREEN, RED, SKY, GREY]),
                legend=alt.Legend(title=None, orient="top", labelLimit=75, columns=3),
            ),
            tooltip=_tooltip(*columns),
        )
    )


def line_over_time(
    figure: str,
    columns: list[Column],
    *,
    axis_format: str,
    band: bool = False,
    lines: list[float] | None = None,
    colours: list[str] | None = None,
    domain: list[float] | None = None,
) -> alt.TopLevelMixin:
    """Draw a figure over time.

    Args:
        figure: the column.
        columns: of the tooltip.
        axis_format: how its axis writes a number, in D3's format.
        band: whether it has an interval, whose ends are ``<figure>_lower`` and ``<figure>_upper``.
        lines: heights of dashed lines.
        colours: of these; red and green if left out.
        domain: from where to where the axis goes; from 0 on if left out.
    """
    axis = alt.Axis(format=axis_format, tickCount=5)
    scale = alt.Scale(domain=domain, clamp=True) if domain else alt.Scale(zero=True)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=None, axis=axis, scale=scale)

    base = alt.Chart(ROWS).encode(x=_time_axis(), tooltip=_tooltip(*columns))
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
    if lines:
        layers.append(_lines_at(lines, colours or [RED, GREEN]))
    return _sized(alt.layer(*layers))


def bars(
    category: str,
    figure: str,
    columns: list[Column],
    *,
    axis_format: str,
    levels: tuple[list[float], list[str], list[str]] | None = None,
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
        text, colour = _levels(figure, *levels)
        base = base.transform_calculate(level=text)
    base = base.encode(y=alt.Y(f"{category}:N", axis=label, sort=sort), tooltip=_tooltip(*columns))
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


def percentiles(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw the 50th, 95th and 99th percentile of duration over time."""
    names = {"p50_duration": "p50", "p95_duration": "p95", "p99_duration": "p99"}
    return _sized(
        alt.Chart(ROWS)
        .transform_fold(list(names), as_=["figure", "seconds"])
        .transform_calculate(percentile="slice(datum.figure, 0, 3)")
        .mark_line(point={"size": 22, "filled": True})
        .encode(
            x=_time_axis(),
            y=alt.Y("seconds:Q", title="seconds", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color(
                "percentile:N",
                scale=alt.Scale(domain=list(names.values()), range=[SKY, BLUE, RED]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            strokeDash=alt.StrokeDash(
                "percentile:N",
                scale=alt.Scale(domain=list(names.values()), range=[[1, 0], [6, 3], [2, 2]]),
            ),
            tooltip=_tooltip(*columns),
        )
    )


def heat_map(
    row: str, column: str, figure: str, columns: list[Column], *, axis_format: str,
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
        tooltip=_tooltip(*columns),
    )
    # Light enough for what is written on them.
    scale = alt.Scale(range=colours, clamp=True, domain=domain if domain else alt.Undefined)
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            f"{figure}:Q",
            scale=scale,
            legend=alt.Legend(title=None, format=axis_format, orient="bottom", tickCount=4),
        )
    )
    # Written on the cells: a colour alone tells too little.
    written = base.mark_text(fontSize=11).encode(
        text=alt.Text(f"{figure}_text:N"),
        color=alt.value("#10151c"),
    )
    return alt.layer(cells, written).properties(width="container", height=alt.Step(30))


def cost_trend(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw what each day cost, and the sum of the 7 days up to it on an axis of its own."""
    base = alt.Chart(ROWS).encode(tooltip=_tooltip(*columns))
    money = alt.Axis(format="$~s", tickCount=5)
    bars = base.mark_rect(color=SKY, opacity=0.7).encode(
        x=_time_axis(),
        x2="end:T",
        y=alt.Y("total_cost:Q", title="a day", axis=money),
        y2=alt.datum(0),
    )
    line = base.mark_line(color=RED, strokeWidth=2).encode(
        x=_time_axis(), y=alt.Y("trailing_cost:Q", title="7 days", axis=money)
    )
    return _sized(alt.layer(bars, line).resolve_scale(y="independent"))


def storage(columns: list[Column]) -> alt.TopLevelMixin:
    """Draw the size of each place over time."""
    return _sized(
        alt.Chart(ROWS)
        .mark_line(point={"size": 26, "filled": True})
        .encode(
            x=_time_axis(),
            y=alt.Y("size_bytes:Q", title="bytes", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color(
                "place:N",
                scale=alt.Scale(
                    domain=["database", "outbox", "archive", "backups"],
                    range=[BLUE, AMBER, GREEN, GREY],
                ),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=_tooltip(*columns),
        )
    )


def _sized(chart: Any) -> alt.TopLevelMixin:
    sized: alt.TopLevelMixin = chart.properties(width="container", height=200)
    return sized
