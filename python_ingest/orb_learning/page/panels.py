"""The panels of the page: which figures each shows, drawn how, and where its colours change.

A chart draws the data set ``rows``, which ``page.js`` fills with the chosen rows of the panel's
report. It adds to a row the names of its choices (``repo``, ``model_tier``, ``pool_type``,
``task_type``), the ``start`` and ``end`` of its bucket in milliseconds, and that time as text,
``when``. The thresholds are those of the dashboard that this page continues.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import altair as alt

BLUE, SKY, GREEN, AMBER, RED, GREY = (
    "#3182bd", "#56b4e9", "#1b9e77", "#e6a117", "#d55e00", "#8a919b",
)  # fmt: skip
"""Colours that the colour-blind tell apart, on white and on black."""

ROWS = alt.NamedData(name="rows")

PERCENT = ".0%"
DOLLARS = "$,.4~r"


@dataclass(frozen=True)
class Column:
    """A column of a panel's table: a figure, its heading, and how it is written."""

    figure: str
    title: str
    form: str = "text"
    """text, count, percent, points, seconds, dollars, megabytes, bytes or time."""


@dataclass(frozen=True)
class Panel:
    """A panel: its chart, and its numbers as a table."""

    name: str
    section: str
    title: str
    report: str
    """Whose rows it shows, by its name in ``reports.QUERIES``."""
    columns: list[Column]
    chart: alt.TopLevelMixin | None = None
    drawn: str = ""
    """The figure that the chart draws; the first that is a number if empty."""
    each: str = ""
    """The filter of which it shows every choice, or only the chosen one."""
    note: str = ""
    wide: bool = False
    is_filtered: bool = True
    """Whether the filters by repository, tier and pool hold for it."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the page needs to know of it."""
        chart = None if self.chart is None else self.chart.to_dict()
        if chart:
            del chart["config"]  # the page's own look
        return {
            "name": self.name,
            "report": self.report,
            "each": self.each,
            "drawn": self.drawn
            or next(column.figure for column in self.columns if column.form != "text"),
            "isFiltered": self.is_filtered,
            "columns": [asdict(column) for column in self.columns],
            "chart": chart,
        }


@dataclass(frozen=True)
class Tile:
    """A figure of the last 24 hours, or of the chosen time range, with the colour of its height."""

    name: str
    title: str
    figure: str
    form: str
    known: str
    """How many executions it is over."""
    time_range: str
    """The range that it is of; empty for the chosen one."""
    bounds: list[float]
    """From which height on the next word is right."""
    words: list[str] = field(default_factory=list)
    """What it is, from low to high: bad, watch or good, and beyond that excellent or busy."""


TILES = [
    Tile("executions_24h", "Executions, 24 h", "total_executions", "count", "total_executions",
         "24h", [100, 1000], ["watch", "good", "busy"]),
    Tile("success_24h", "Success rate, 24 h", "success_rate", "percent", "total_executions",
         "24h", [0.9, 0.95], ["bad", "watch", "good"]),
    Tile("quality_24h", "Average quality, 24 h", "avg_quality", "points", "quality_known_count",
         "24h", [60, 75, 90], ["bad", "watch", "good", "excellent"]),
    Tile("cost_24h", "Cost, 24 h", "total_cost", "dollars", "cost_known_count",
         "24h", [1, 5], ["good", "watch", "bad"]),
    Tile("confidence", "Routing confidence", "avg_routing_confidence", "percent",
         "routing_confidence_known_count", "", [0.7, 0.9], ["bad", "watch", "good"]),
    Tile("p95", "Duration, 95th percentile", "p95_duration", "seconds", "duration_known_count",
         "", [], []),
]  # fmt: skip


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


def _costs_over_time(columns: list[Column]) -> alt.TopLevelMixin:
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


def _outcomes_over_time(columns: list[Column]) -> alt.TopLevelMixin:
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


def _pools_over_time(columns: list[Column]) -> alt.TopLevelMixin:
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


def _line_over_time(
    figure: str,
    columns: list[Column],
    *,
    axis_format: str,
    band: bool = False,
    lines: list[float] | None = None,
    colours: list[str] | None = None,
    domain: list[float] | None = None,
) -> alt.TopLevelMixin:
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


def _bars(
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

    bars = base.mark_bar(height={"band": 0.65}, cornerRadiusEnd=2)
    layers = [bars.encode(x=x(figure), color=colour)]
    if interval:
        layers.append(
            base.mark_rule(color=GREY, strokeWidth=2).encode(
                x=x(f"{figure}_lower"), x2=f"{figure}_upper:Q"
            )
        )
    return alt.layer(*layers).properties(width="container", height=alt.Step(step))


def _percentiles(columns: list[Column]) -> alt.TopLevelMixin:
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


def _heat_map(
    row: str, column: str, figure: str, columns: list[Column], *, axis_format: str,
    colours: list[str], domain: list[float] | None = None,
) -> alt.TopLevelMixin:  # fmt: skip
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


def _cost_trend(columns: list[Column]) -> alt.TopLevelMixin:
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


def _storage(columns: list[Column]) -> alt.TopLevelMixin:
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


WHEN = Column("when", "time (UTC)")
EXECUTIONS = Column("total_executions", "executions", "count")
SUCCEEDED = Column("successful_count", "succeeded", "count")
RATE = [
    Column("success_rate", "success rate", "percent"),
    Column("success_rate_lower", "95 % from", "percent"),
    Column("success_rate_upper", "to", "percent"),
]
DURATION = Column("avg_duration", "average duration", "seconds")
COST = Column("total_cost", "cost", "dollars")
TIER = Column("model_tier", "model tier")
POOL = Column("pool_type", "pool")
REPO = Column("repo", "repository")
TASK_TYPE = Column("task_type", "task type")

SUCCESS_LEVELS = ([0.8, 0.9], ["under 80 %", "80 to 90 %", "90 % and more"], [RED, AMBER, BLUE])
DURATION_LEVELS = ([10.0, 30.0], ["under 10 s", "10 to 30 s", "30 s and more"], [BLUE, AMBER, RED])
SHARE = [0.0, 1.0]
BIGGEST_FIRST = "-x"
DURATION_BUCKETS = "Fast is under 10 s, medium under 60 s."


def panels() -> list[Panel]:
    """Return every panel, in the order of the page."""
    every: list[Panel] = []

    def add(
        name: str, section: str, title: str, report: str, *columns: Column, **more: Any
    ) -> None:
        draw = more.pop("draw", None)
        chart = draw(list(columns)) if draw else None
        every.append(Panel(name, section, title, report, list(columns), chart, **more))

    section = "Alerts"
    add(
        "alerts",
        section,
        "What is wrong now",
        "alerts",
        Column("state", "state"),
        Column("alert_name", "alert"),
        TIER,
        Column("message", "message"),
        Column("reason", "why it matters"),
        Column("sample_count", "executions", "count"),
        is_filtered=False,
        drawn="alert_name",
        wide=True,
    )

    section = "Activity"
    add(
        "activity",
        section,
        "Executions over time",
        "series",
        WHEN,
        EXECUTIONS,
        SUCCEEDED,
        wide=True,
        draw=_outcomes_over_time,
    )
    add(
        "activity_by_hour",
        section,
        "Executions per hour, last 7 days",
        "by_hour",
        WHEN,
        EXECUTIONS,
        SUCCEEDED,
        wide=True,
        note="Always the last 7 days, whatever the time range.",
        draw=_outcomes_over_time,
    )

    section = "Success"
    add(
        "success_over_time",
        section,
        "Success rate over time",
        "series",
        WHEN,
        *RATE,
        EXECUTIONS,
        note="The band is the 95 % interval; the lines are at 90 and 95 %.",
        draw=lambda columns: _line_over_time(
            "success_rate", columns, axis_format=PERCENT, band=True, lines=[0.9, 0.95], domain=SHARE
        ),
    )
    add(
        "success_by_tier",
        section,
        "Success rate by model tier",
        "figures",
        TIER,
        *RATE,
        EXECUTIONS,
        each="model_tier",
        note="The grey line is the 95 % interval.",
        draw=lambda columns: _bars(
            "model_tier",
            "success_rate",
            columns,
            axis_format=PERCENT,
            levels=SUCCESS_LEVELS,
            interval=True,
            domain=SHARE,
        ),
    )
    add(
        "success_by_pool",
        section,
        "Pools compared",
        "figures",
        POOL,
        *RATE,
        EXECUTIONS,
        DURATION,
        Column("p95_duration", "95th percentile", "seconds"),
        COST,
        each="pool_type",
        draw=lambda columns: _bars(
            "pool_type",
            "success_rate",
            columns,
            axis_format=PERCENT,
            levels=SUCCESS_LEVELS,
            interval=True,
            domain=SHARE,
        ),
    )
    add(
        "repositories",
        section,
        "Repositories with the most executions",
        "figures",
        REPO,
        EXECUTIONS,
        *RATE,
        DURATION,
        COST,
        each="repo",
        draw=lambda columns: _bars(
            "repo", "total_executions", columns, axis_format="~s", sort=BIGGEST_FIRST, step=24
        ),
    )
    add(
        "pools_over_time",
        section,
        "Pools per hour, last 7 days",
        "pool_hours",
        WHEN,
        POOL,
        Column("total_tasks", "tasks", "count"),
        *RATE,
        DURATION,
        COST,
        is_filtered=False,
        wide=True,
        note="Always the last 7 days, and the pools with the most tasks.",
        draw=_pools_over_time,
    )
    add(
        "confidence_over_time",
        section,
        "Routing confidence over time",
        "series",
        WHEN,
        Column("avg_routing_confidence", "average confidence", "percent"),
        Column("routing_confidence_known_count", "of executions", "count"),
        wide=True,
        note="The lines are at 70 and 90 %.",
        draw=lambda columns: _line_over_time(
            "avg_routing_confidence", columns, axis_format=PERCENT, lines=[0.7, 0.9], domain=SHARE
        ),
    )

    section = "Speed and resources"
    add(
        "percentiles",
        section,
        "Duration percentiles over time",
        "series",
        WHEN,
        Column("p50_duration", "p50", "seconds"),
        Column("p95_duration", "p95", "seconds"),
        Column("p99_duration", "p99", "seconds"),
        Column("duration_known_count", "of executions", "count"),
        draw=_percentiles,
    )
    add(
        "duration_by_tier",
        section,
        "Average duration by model tier",
        "figures",
        TIER,
        DURATION,
        Column("p50_duration", "p50", "seconds"),
        Column("p95_duration", "p95", "seconds"),
        Column("p99_duration", "p99", "seconds"),
        Column("duration_known_count", "of executions", "count"),
        each="model_tier",
        draw=lambda columns: _bars(
            "model_tier", "avg_duration", columns, axis_format="~s", levels=DURATION_LEVELS
        ),
    )
    add(
        "duration_buckets",
        section,
        "Executions by duration",
        "duration_buckets",
        Column("duration_bucket", "duration"),
        EXECUTIONS,
        Column("execution_share", "of all", "percent"),
        *RATE,
        COST,
        is_filtered=False,
        note=DURATION_BUCKETS,
        draw=lambda columns: _bars(
            "duration_bucket",
            "total_executions",
            columns,
            axis_format="~s",
            sort=["fast", "medium", "slow", "unknown"],
        ),
    )
    add(
        "memory_by_duration",
        section,
        "Memory by duration",
        "resources",
        Column("duration_bucket", "duration"),
        EXECUTIONS,
        Column("avg_memory_mb", "average peak memory", "megabytes"),
        Column("p95_memory_mb", "95th percentile", "megabytes"),
        Column("memory_known_count", "of executions", "count"),
        Column("avg_cpu_seconds", "average CPU time", "seconds"),
        Column("cpu_known_count", "of executions", "count"),
        drawn="avg_memory_mb",
        note=DURATION_BUCKETS,
        draw=lambda columns: _bars(
            "duration_bucket",
            "avg_memory_mb",
            columns,
            axis_format="~s",
            sort=["fast", "medium", "slow", "unknown"],
        ),
    )
    add(
        "correlations",
        section,
        "Duration against memory and CPU",
        "correlations",
        Column("duration_bucket", "duration"),
        Column("memory_correlation", "correlation with memory", "number"),
        Column("memory_and_duration_known_count", "of executions", "count"),
        Column("cpu_correlation", "correlation with CPU time", "number"),
        Column("cpu_and_duration_known_count", "of executions", "count"),
        is_filtered=False,
        drawn="cpu_correlation",
        draw=lambda columns: _bars(
            "duration_bucket",
            "cpu_correlation",
            columns,
            axis_format=".1f",
            domain=[-1, 1],
            sort=["fast", "medium", "slow"],
        ),
    )

    add(
        "resources_by_pool",
        section,
        "Memory and CPU by pool",
        "resource_pools",
        POOL,
        Column("avg_memory_mb", "average peak memory", "megabytes"),
        Column("p95_memory_mb", "95th percentile", "megabytes"),
        Column("memory_known_count", "of executions", "count"),
        Column("avg_cpu_seconds", "average CPU time", "seconds"),
        Column("avg_cores", "cores at work", "number"),
        Column("cpu_known_count", "of executions", "count"),
        is_filtered=False,
        note="The 10 pools with the most executions; bars are the average peak memory in MB.",
        draw=lambda columns: _bars("pool_type", "avg_memory_mb", columns, axis_format="~s"),
    )

    section = "Cost"
    add(
        "cost_over_time",
        section,
        "Cost over time",
        "series",
        WHEN,
        COST,
        Column("avg_cost", "an execution", "dollars"),
        Column("cost_known_count", "of executions", "count"),
        draw=_costs_over_time,
    )
    add(
        "cost_by_tier",
        section,
        "Cost by model tier",
        "figures",
        TIER,
        COST,
        Column("avg_cost", "an execution", "dollars"),
        Column("cost_per_success", "a success", "dollars"),
        Column("cost_known_count", "of executions", "count"),
        Column("avg_savings", "below the estimate by", "dollars"),
        each="model_tier",
        draw=lambda columns: _bars("model_tier", "total_cost", columns, axis_format="$~s"),
    )
    add(
        "cost_trend",
        section,
        "Cost trend, last 90 days",
        "cost_days",
        WHEN,
        COST,
        Column("trailing_cost", "7 days", "dollars"),
        Column("previous_cost", "7 days before", "dollars"),
        Column("cost_change_pct", "change in %", "number"),
        is_filtered=False,
        note="Always the last 90 days. Bars are days, the line is the sum of 7 days.",
        draw=_cost_trend,
    )
    add(
        "cost_errors",
        section,
        "Costs against their estimates",
        "cost_errors",
        TIER,
        Column("median_cost_error_pct", "median error in %", "number"),
        Column("avg_cost_error_pct", "average error in %", "number"),
        Column("cost_error_known_count", "of executions", "count"),
        is_filtered=False,
        note="The 10 tiers with the most executions.",
        draw=lambda columns: _bars(
            "model_tier", "median_cost_error_pct", columns, axis_format="~s"
        ),
    )
    add(
        "efficiency",
        section,
        "Cost of a success by task type",
        "task_types",
        TASK_TYPE,
        TIER,
        Column("cost_per_success", "a success", "dollars"),
        Column("cost_known_success_count", "successes", "count"),
        each="model_tier",
        note="A success bears the cost of the failures beside it.",
        draw=lambda columns: _heat_map(
            "task_type",
            "model_tier",
            "cost_per_success",
            columns,
            axis_format="$.2~f",
            colours=["#fdebd5", "#f19a4d"],
        ),
    )

    section = "Tasks and quality"
    add(
        "task_types",
        section,
        "Task types",
        "task_types",
        TASK_TYPE,
        EXECUTIONS,
        *RATE,
        DURATION,
        Column("avg_cost", "an execution", "dollars"),
        draw=lambda columns: _bars(
            "task_type", "total_executions", columns, axis_format="~s", sort=BIGGEST_FIRST, step=24
        ),
    )
    add(
        "heat_map",
        section,
        "Success rate by task type and tier",
        "task_types",
        TASK_TYPE,
        TIER,
        *RATE,
        EXECUTIONS,
        each="model_tier",
        note="Orange at 50 % and less, blue towards 100 %.",
        draw=lambda columns: _heat_map(
            "task_type",
            "model_tier",
            "success_rate",
            columns,
            axis_format=PERCENT,
            colours=["#f2b48a", "#f4efe9", "#7db9e6"],
            domain=[0.5, 0.75, 1.0],
        ),
    )
    add(
        "quality_bands",
        section,
        "Quality bands",
        "quality_bands",
        Column("quality_band", "quality"),
        EXECUTIONS,
        Column("known_share", "of the known", "percent"),
        note="From 90 points excellent, from 75 good, from 60 fair, below poor.",
        draw=lambda columns: _bars(
            "quality_band",
            "total_executions",
            columns,
            axis_format="~s",
            sort=["excellent", "good", "fair", "poor", "unknown"],
        ),
    )
    add(
        "complexity",
        section,
        "Success rate by complexity",
        "complexity",
        Column("complexity_band", "complexity"),
        *RATE,
        EXECUTIONS,
        DURATION,
        is_filtered=False,
        draw=lambda columns: _bars(
            "complexity_band",
            "success_rate",
            columns,
            axis_format=PERCENT,
            interval=True,
            levels=SUCCESS_LEVELS,
            domain=SHARE,
        ),
    )
    add(
        "quality_by_tier",
        section,
        "Quality by model tier",
        "quality_tiers",
        TIER,
        Column("avg_quality", "average quality", "points"),
        Column("median_quality", "median", "points"),
        Column("quality_known_count", "of executions", "count"),
        is_filtered=False,
        note="The 10 tiers with the most executions.",
        draw=lambda columns: _bars(
            "model_tier", "avg_quality", columns, axis_format="~s", domain=[0.0, 100.0]
        ),
    )
    add(
        "acceptance_by_tier",
        section,
        "What people accept by model tier",
        "quality_tiers",
        TIER,
        Column("acceptance_rate", "accepted", "percent"),
        Column("acceptance_rate_lower", "95 % from", "percent"),
        Column("acceptance_rate_upper", "to", "percent"),
        Column("acceptance_known_count", "of executions", "count"),
        Column("avg_user_rating", "average rating", "points"),
        Column("rating_known_count", "of ratings", "count"),
        is_filtered=False,
        note="The 10 tiers with the most executions. The grey line is the 95 % interval.",
        draw=lambda columns: _bars(
            "model_tier",
            "acceptance_rate",
            columns,
            axis_format=PERCENT,
            interval=True,
            domain=SHARE,
        ),
    )
    add(
        "ratings",
        section,
        "People's ratings",
        "ratings",
        Column("user_rating", "rating"),
        Column("rating_count", "executions", "count"),
        Column("rating_share", "share", "percent"),
        is_filtered=False,
        draw=lambda columns: _bars("user_rating", "rating_count", columns, axis_format="~s"),
    )
    add(
        "feedback",
        section,
        "Feedback",
        "feedback",
        TIER,
        TASK_TYPE,
        Column("issue_type", "issue"),
        Column("feedback_count", "given", "count"),
        Column("avg_user_rating", "average rating", "points"),
        Column("excellent_count", "excellent", "count"),
        Column("good_count", "good", "count"),
        Column("fair_count", "fair", "count"),
        Column("poor_count", "poor", "count"),
        is_filtered=False,
        note="What is private is not in it. The 50 most frequent.",
    )
    add(
        "patterns",
        section,
        "Solutions that are used most",
        "patterns",
        Column("solution_summary", "solution"),
        REPO,
        Column("usage_count", "used", "count"),
        *RATE,
        Column("avg_quality", "average quality", "points"),
        Column("last_seen", "last (UTC)", "time"),
        is_filtered=False,
        wide=True,
        note="Always the last 90 days.",
    )

    section = "Errors"
    add(
        "errors",
        section,
        "Errors by type",
        "errors",
        Column("error_type", "error type"),
        Column("error_count", "failures", "count"),
        Column("error_rate", "of all executions", "percent"),
        Column("last_error_at", "last (UTC)", "time"),
        draw=lambda columns: _bars(
            "error_type", "error_count", columns, axis_format="~s", sort=BIGGEST_FIRST
        ),
    )

    for name, title, report, window, wide in (
        ("error_rate_by_day", "Error rate per day, last 90 days", "error_days", "90", False),
        ("error_rate_by_hour", "Error rate per hour, last 7 days", "error_hours", "7", True),
    ):
        add(
            name,
            section,
            title,
            report,
            WHEN,
            Column("error_rate", "error rate", "percent"),
            Column("error_rate_lower", "95 % from", "percent"),
            Column("error_rate_upper", "to", "percent"),
            Column("failed_count", "failed", "count"),
            Column("timeout_count", "by timeout", "count"),
            EXECUTIONS,
            is_filtered=False,
            wide=wide,
            note=f"Always the last {window} days. The band is the 95 % interval; the lines are at "
            "10 and 25 %.",
            draw=lambda columns: _line_over_time(
                "error_rate",
                columns,
                axis_format=PERCENT,
                band=True,
                lines=[0.1, 0.25],
                colours=[AMBER, RED],
                domain=SHARE,
            ),
        )

    section = "The database"
    add(
        "storage",
        section,
        "Size, last 30 days",
        "storage",
        WHEN,
        Column("place", "of"),
        Column("size_bytes", "size", "bytes"),
        Column("grown_bytes", "grown", "bytes"),
        is_filtered=False,
        note="Always the last 30 days.",
        draw=_storage,
    )
    add(
        "storage_now",
        section,
        "Where the size is going",
        "storage_now",
        Column("place", "of"),
        Column("size_bytes", "size", "bytes"),
        Column("growth_bytes_a_day", "growth a day", "bytes"),
        Column("projected_bytes", "at the retention limit", "bytes"),
        Column("warning_on", "warns on", "day"),
        Column("critical_on", "critical on", "day"),
        Column("alert", "alert"),
        is_filtered=False,
    )
    add(
        "retention",
        section,
        "Rows by age, and archived",
        "retention",
        Column("part", "part"),
        Column("version_count", "versions", "count"),
        Column("execution_count", "valid executions", "count"),
        Column("day_count", "days", "count"),
        Column("size_bytes", "of files", "bytes"),
        is_filtered=False,
        draw=lambda columns: _bars(
            "part",
            "version_count",
            columns,
            axis_format="~s",
            sort=[
                "live_0_7_days",
                "live_7_30_days",
                "live_30_90_days",
                "live_over_90_days",
                "archived",
                "forgotten",
                "came",
            ],
        ),
    )
    add(
        "feedback_retention",
        section,
        "Feedback, kept and gone",
        "feedback_retention",
        Column("part", "part"),
        Column("feedback_count", "feedback", "count"),
        is_filtered=False,
        draw=lambda columns: _bars(
            "part",
            "feedback_count",
            columns,
            axis_format="~s",
            sort=["live", "archived", "gone", "came"],
        ),
    )
    add(
        "unknown_values",
        section,
        "Values that are unknown",
        "unknown_values",
        Column("column_name", "column"),
        Column("unknown_share", "unknown", "percent"),
        Column("unknown_count", "executions", "count"),
        is_filtered=False,
        draw=lambda columns: _bars(
            "column_name",
            "unknown_share",
            columns,
            axis_format=PERCENT,
            domain=SHARE,
            sort=BIGGEST_FIRST,
            step=18,
        ),
    )
    add(
        "checks",
        section,
        "Data quality",
        "checks",
        Column("check_name", "check"),
        Column("status", "status"),
        Column("failing_count", "rows that fail", "count"),
        Column("checked_count", "of", "count"),
        Column("check_kind", "kind"),
        is_filtered=False,
    )
    add(
        "maintenance",
        section,
        "Maintenance",
        "maintenance",
        Column("started_at", "at (UTC)", "time"),
        Column("step", "step"),
        Column("outcome", "outcome"),
        Column("seconds", "took", "seconds"),
        Column("message", "message"),
        is_filtered=False,
    )
    return every  # fmt: skip
