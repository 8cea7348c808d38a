"""The panels of the page: which figures each shows, drawn how, and where its colours change.

The thresholds are those of the dashboard that this page continues.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import altair as alt

from orb_learning.page.charts.over_time import (
    AMBER,
    BLUE,
    PERCENT,
    RED,
    Column,
    bars,
    cost_trend,
    costs_over_time,
    heat_map,
    line_over_time,
    outcomes_over_time,
    percentiles,
    pools_over_time,
    storage,
)


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


WHEN = Column("when", "time (UTC)")
EXECUTIONS = Column("total_executions", "executions", "count")
SUCCEEDED = Column("successful_count", "succeeded", "count")
RATE = [
    Column("success_rate", "success rate", "percent"),
    Column("success_rate_lower", "95 % from", "percent"),
    Column("success_rate_upper", "to", "percent"),
]
PERCENTILES = [
    Column("p50_duration", "p50", "seconds"),
    Column("p95_duration", "p95", "seconds"),
    Column("p99_duration", "p99", "seconds"),
    Column("duration_known_count", "of executions", "count"),
]
MEMORY = [
    Column("avg_memory_mb", "average peak memory", "megabytes"),
    Column("p95_memory_mb", "95th percentile", "megabytes"),
    Column("memory_known_count", "of executions", "count"),
]
CPU = Column("avg_cpu_seconds", "average CPU time", "seconds")
CPU_KNOWN = Column("cpu_known_count", "of executions", "count")
DURATION = Column("avg_duration", "average duration", "seconds")
COST_EACH = Column("avg_cost", "an execution", "dollars")
COST_KNOWN = Column("cost_known_count", "of executions", "count")
COST = Column("total_cost", "cost", "dollars")
TIER = Column("model_tier", "model tier")
POOL = Column("pool_type", "pool")
REPO = Column("repo", "repository")
TASK_TYPE = Column("task_type", "task type")

SUCCESS_LEVELS = ([0.8, 0.9], ["under 80 %", "80 to 90 %", "90 % and more"], [RED, AMBER, BLUE])
DURATION_LEVELS = ([10.0, 30.0], ["under 10 s", "10 to 30 s", "30 s and more"], [BLUE, AMBER, RED])
SHARE = [0.0, 1.0]
BIGGEST_FIRST = "-x"
SLOWEST_LAST = ["fast", "medium", "slow", "unknown"]
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
        draw=outcomes_over_time,
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
        draw=outcomes_over_time,
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
        draw=lambda columns: line_over_time(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
        draw=pools_over_time,
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
        draw=lambda columns: line_over_time(
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
        *PERCENTILES,
        draw=percentiles,
    )
    add(
        "duration_by_tier",
        section,
        "Average duration by model tier",
        "figures",
        TIER,
        DURATION,
        *PERCENTILES,
        each="model_tier",
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
            "duration_bucket",
            "total_executions",
            columns,
            axis_format="~s",
            sort=SLOWEST_LAST,
        ),
    )
    add(
        "memory_by_duration",
        section,
        "Memory by duration",
        "resources",
        Column("duration_bucket", "duration"),
        EXECUTIONS,
        *MEMORY,
        CPU,
        CPU_KNOWN,
        drawn="avg_memory_mb",
        note=DURATION_BUCKETS,
        draw=lambda columns: bars(
            "duration_bucket",
            "avg_memory_mb",
            columns,
            axis_format="~s",
            sort=SLOWEST_LAST,
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
        draw=lambda columns: bars(
            "duration_bucket",
            "cpu_correlation",
            columns,
            axis_format=".1f",
            domain=[-1, 1],
            sort=SLOWEST_LAST,
        ),
    )

    add(
        "resources_by_pool",
        section,
        "Memory and CPU by pool",
        "resource_pools",
        POOL,
        *MEMORY,
        CPU,
        Column("avg_cores", "cores at work", "number"),
        CPU_KNOWN,
        is_filtered=False,
        note="The 10 pools with the most executions; bars are the average peak memory in MB.",
        draw=lambda columns: bars("pool_type", "avg_memory_mb", columns, axis_format="~s"),
    )

    section = "Cost"
    add(
        "cost_over_time",
        section,
        "Cost over time",
        "series",
        WHEN,
        COST,
        COST_EACH,
        COST_KNOWN,
        draw=costs_over_time,
    )
    add(
        "cost_by_tier",
        section,
        "Cost by model tier",
        "figures",
        TIER,
        COST,
        COST_EACH,
        Column("cost_per_success", "a success", "dollars"),
        COST_KNOWN,
        Column("avg_savings", "below the estimate by", "dollars"),
        each="model_tier",
        draw=lambda columns: bars("model_tier", "total_cost", columns, axis_format="$~s"),
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
        draw=cost_trend,
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
        draw=lambda columns: bars("model_tier", "median_cost_error_pct", columns, axis_format="~s"),
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
        draw=lambda columns: heat_map(
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
        COST_EACH,
        draw=lambda columns: bars(
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
        draw=lambda columns: heat_map(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars("user_rating", "rating_count", columns, axis_format="~s"),
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
        draw=lambda columns: bars(
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
            draw=lambda columns: line_over_time(
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
        draw=storage,
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
        draw=lambda columns: bars(
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
    return every
