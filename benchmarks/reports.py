"""Every report on a million executions, beside the same figures straight from `executions`.

A report is read whole, as a tool or the page reads it: for one time range where it has them. Shown
are its slowest range, beside the baseline there, and the median of the ranges. The
baseline is what an analyst would write over the public view: the counts, sums, averages and
percentiles, without the intervals, ranks and shares that the report adds. Both are the median of
several runs in an open database, in turns. Their figures must be equal, or the run fails.
A report that reads other tables, too (rejected rows, alerts' sizes and builds, feedback, storage,
maintenance, retention), has no baseline. What only the page reads is measured by `page`.

Now is the moment at which the rows end, so that the short ranges are full, too.

Most of a report's time groups the executions of 90 days by task, for intervals that take runs of
one task for what they are: 20 to 50 ms on two cores. Planning takes 10 to 40 ms.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.store.connection import connect

TITLE = "Reports"
OF_THE_PAGE = "rpt_page_"
"""Views of every choice of the page's filters at once, which nothing else reads: see `page.py`."""
MARTS = ("tier_performance_mv", "pool_performance_mv", "int_solution_days", "solution_patterns_mv")
RUNS = 9
TARGET_SECONDS = 0.1
LENGTHS = {"1h": "1 hour", "24h": "24 hour", "7d": "7 day", "30d": "30 day", "90d": "90 day"}
NOW = f"timestamp '{databases.UNTIL:%Y-%m-%d %H:%M:%S}'"

COUNT = ["count(*) as total_executions"]
OUTCOMES = [
    *COUNT,
    "count(*) filter (success) as successful_count",
    "count(*) filter (success) / count(*) as success_rate",
]
FIGURES = [
    *OUTCOMES,
    "avg(duration_seconds) as avg_duration",
    "count(duration_seconds) as duration_known_count",
    "sum(actual_cost) as total_cost",
    "avg(actual_cost) as avg_cost",
    "count(actual_cost) as cost_known_count",
    "avg(quality_score) as avg_quality",
    "count(quality_score) as quality_known_count",
    "avg(routing_confidence) as avg_routing_confidence",
    "count(routing_confidence) as routing_confidence_known_count",
]
PERCENTILES = [
    f"quantile_cont(duration_seconds::double, 0.{n}) as p{n}_duration" for n in (50, 95, 99)
]
SAVINGS = [
    "avg(cost_estimate::double - actual_cost) as avg_savings",
    "count(cost_estimate + actual_cost) as savings_known_count",
]
COST_ERROR = "abs(actual_cost::double - cost_estimate) / nullif(cost_estimate, 0) * 100"
FAILURES = [
    *COUNT,
    "count(*) filter (not success) as failed_count",
    "count(*) filter (not success) / count(*) as error_rate",
]
RESOURCES = [
    *COUNT,
    "avg(peak_memory_mb) as avg_memory_mb",
    "quantile_cont(peak_memory_mb::double, 0.95) as p95_memory_mb",
    "max(peak_memory_mb) as max_memory_mb",
    "avg(cpu_time_seconds) as avg_cpu_seconds",
    "max(cpu_time_seconds) as max_cpu_seconds",
    "corr(duration_seconds, peak_memory_mb) as memory_correlation",
    "corr(duration_seconds, cpu_time_seconds) as cpu_correlation",
]
HOUR = "date_trunc('hour', \"timestamp\") as hour"
DAY = '"timestamp"::date as date'
DURATION_BUCKET = """
    case
        when duration_seconds < 10 then 'fast'
        when duration_seconds < 60 then 'medium'
        when duration_seconds >= 60 then 'slow'
        else 'unknown'
    end as duration_bucket"""
QUALITY_BAND = """
    case
        when quality_score >= 90 then 'excellent'
        when quality_score >= 75 then 'good'
        when quality_score >= 60 then 'fair'
        when quality_score is not null then 'poor'
        else 'unknown'
    end as quality_band"""
MAY_BE_UNKNOWN = [
    *("file_count", "estimated_tokens", "swarm_topology", "routing_confidence", "complexity_score"),
    *("duration_seconds", "quality_score", "cost_estimate", "actual_cost", "user_accepted"),
    *("user_rating", "peak_memory_mb", "cpu_time_seconds", "solution_summary"),
]
IN_24_HOURS = f'filter ("timestamp" between {NOW} - interval 24 hour and {NOW})'
COMPLEXITY_BAND = """
    case
        when complexity_score < 20 then '0-19'
        when complexity_score < 40 then '20-39'
        when complexity_score < 60 then '40-59'
        when complexity_score < 80 then '60-79'
        when complexity_score is not null then '80-100'
        else 'unknown'
    end as complexity_band"""


@dataclass(frozen=True)
class Baseline:
    """A report's figures from `executions`: its key, what it shows, and of which rows."""

    key: list[str]
    figures: list[str]
    where: str = "true"
    since: str = ""
    """The start of the window of a report that has no time ranges."""
    having: str = "true"
    is_one_row: bool = False
    """Whether all executions are one group, of which lists make the rows."""

    def query(self, time_range: str | None) -> str:
        since = f"{NOW} - interval {LENGTHS[time_range]}" if time_range else self.since
        key = [column.format(unit=_unit(time_range)) for column in self.key]
        window = f'"timestamp" between {since} and {NOW}' if since else "true"
        return (
            f"select {', '.join([*key, *self.figures])} from executions "
            f"where {window} and {self.where} "
            + (f"group by all having {self.having}" if key and not self.is_one_row else "")
        )

    @property
    def key_columns(self) -> list[str]:
        return [column.split()[-1] for column in self.key]


BASELINES = {
    "rpt_performance": Baseline(
        [],
        [
            *FIGURES,
            *PERCENTILES,
            *SAVINGS,
            "avg(peak_memory_mb) as avg_memory_mb",
            "quantile_cont(peak_memory_mb::double, 0.95) as p95_memory_mb",
        ],
    ),
    "rpt_time_series": Baseline(
        ["date_trunc('{unit}', \"timestamp\")::timestamp as bucket_start"], FIGURES
    ),
    "rpt_duration_buckets": Baseline([DURATION_BUCKET], FIGURES),
    "rpt_durations_by_tier": Baseline(
        ["model_tier"],
        [
            *COUNT,
            "avg(duration_seconds) as avg_duration",
            *PERCENTILES,
            "sum(actual_cost) as total_cost",
            "avg(actual_cost) as avg_cost",
        ],
    ),
    "rpt_success_by_tier": Baseline(["model_tier"], FIGURES),
    "rpt_success_by_pool": Baseline(["pool_type"], OUTCOMES),
    "rpt_success_by_repository": Baseline(["repo"], OUTCOMES),
    "rpt_cost_by_tier": Baseline(
        ["model_tier"],
        [
            *COUNT,
            "sum(actual_cost) as total_cost",
            "avg(actual_cost) as avg_cost",
            *SAVINGS,
            f"avg({COST_ERROR}) as avg_cost_error_pct",
            f"median({COST_ERROR}) as median_cost_error_pct",
        ],
    ),
    "rpt_efficiency": Baseline(
        ["model_tier", "task_type"],
        [
            *COUNT,
            "sum(actual_cost) / nullif(count(actual_cost) filter (success), 0) as cost_per_success",
            "sum(duration_seconds) / nullif(count(duration_seconds) filter (success), 0) "
            "as seconds_per_success",
            "sum(quality_score) filter (actual_cost is not null) "
            "/ nullif(sum(actual_cost) filter (quality_score is not null), 0) "
            "as quality_per_dollar",
        ],
    ),
    "rpt_quality_bands": Baseline([QUALITY_BAND], COUNT),
    "rpt_quality_by_tier": Baseline(
        ["model_tier"],
        [
            *COUNT,
            "avg(quality_score) as avg_quality",
            "median(quality_score) as median_quality",
            "avg(user_rating) as avg_user_rating",
            "count(*) filter (user_accepted) / nullif(count(user_accepted), 0) as acceptance_rate",
        ],
    ),
    "rpt_user_ratings": Baseline(
        ["user_rating"], ["count(*) as rating_count"], where="user_rating is not null"
    ),
    "rpt_pools": Baseline(
        ["pool_type"], [*FIGURES, PERCENTILES[1], "max(timestamp) as last_execution_at"]
    ),
    "rpt_repositories": Baseline(
        ["repo"],
        [
            *FIGURES,
            "avg(complexity_score) as avg_complexity",
            "max(timestamp) as last_execution_at",
        ],
    ),
    "rpt_complexity": Baseline([COMPLEXITY_BAND], FIGURES),
    "rpt_resources_by_pool": Baseline(["pool_type"], RESOURCES),
    "rpt_resources_by_duration": Baseline([DURATION_BUCKET], RESOURCES),
    "rpt_task_types": Baseline(["task_type"], FIGURES),
    "rpt_task_type_tiers": Baseline(["task_type", "model_tier"], FIGURES),
    "rpt_top_errors": Baseline(
        ["coalesce(error_type, 'unknown') as error_type"],
        [
            "count(*) as error_count",
            "count(distinct repo) as repo_count",
            "max(timestamp) as last_error_at",
        ],
        where="not success",
    ),
    "rpt_executions_by_day": Baseline(
        [DAY], FIGURES, since=f"date_trunc('day', {NOW} - interval 90 day)"
    ),
    "rpt_executions_by_hour": Baseline(
        [HOUR], FIGURES, since=f"date_trunc('hour', {NOW} - interval 7 day)"
    ),
    "rpt_durations_by_day": Baseline(
        [DAY], PERCENTILES, since=f"date_trunc('day', {NOW} - interval 30 day)"
    ),
    "rpt_durations_by_hour": Baseline(
        [HOUR], PERCENTILES, since=f"date_trunc('hour', {NOW} - interval 7 day)"
    ),
    "rpt_error_rate_by_day": Baseline(
        [DAY], FAILURES, since=f"date_trunc('day', {NOW} - interval 90 day)"
    ),
    "rpt_error_rate_by_hour": Baseline(
        [HOUR], FAILURES, since=f"date_trunc('hour', {NOW} - interval 7 day)"
    ),
    "rpt_cost_by_day": Baseline(
        [DAY],
        [*COUNT, "sum(actual_cost) as total_cost", "sum(cost_estimate) as estimated_cost"],
        since=f"date_trunc('day', {NOW} - interval 90 day)",
    ),
    "rpt_pools_by_hour": Baseline(
        ["pool_type", HOUR],
        ["count(*) as total_tasks", "avg(duration_seconds) as avg_duration"],
        since=f"date_trunc('hour', {NOW} - interval 7 day)",
    ),
    "rpt_unknown_values": Baseline(
        [f"unnest({MAY_BE_UNKNOWN}) as column_name"],
        [
            f"unnest([{', '.join(f'count(*) - count({name})' for name in MAY_BE_UNKNOWN)}]) "
            "as unknown_count"
        ],
        is_one_row=True,
    ),
    "rpt_database_status": Baseline(
        [],
        [
            *COUNT,
            f"count(*) {IN_24_HOURS} as daily",
            f"avg(duration_seconds) {IN_24_HOURS} as avg_duration",
            f"avg(quality_score) {IN_24_HOURS} as avg_quality",
        ],
    ),
    "rpt_tier_performance": Baseline(
        ["repo", "model_tier", "task_type", DAY],
        [*FIGURES[:5], PERCENTILES[1], "avg(actual_cost) as avg_cost", FIGURES[8]],
        since=f"date_trunc('day', {NOW} - interval 30 day)",
    ),
    "rpt_pool_performance": Baseline(
        ["pool_type", "repo", HOUR],
        [
            "count(*) as total_tasks",
            "count(*) filter (success) as successful_tasks",
            "avg(duration_seconds) as avg_duration",
            "avg(actual_cost) as avg_cost",
        ],
        since=f"date_trunc('hour', {NOW} - interval 7 day)",
    ),
    "rpt_solution_patterns": Baseline(
        ["solution_summary", "repo"],
        [
            "count(*) as usage_count",
            "count(*) filter (success) as success_count",
            "avg(quality_score) as avg_quality",
            "max(timestamp) as last_seen",
        ],
        where="solution_summary is not null",
        since=f"date_trunc('day', {NOW} - interval 90 day)",
        having="count(*) >= 5",
    ),
    "rpt_freshness": Baseline(
        [], [*COUNT, "min(timestamp) as first_execution_at", "max(timestamp) as last_execution_at"]
    ),
}


def run(scale: Scale) -> Iterator[Figure]:
    with database_as_of_its_end(scale.import_rows) as file:
        yield from measure(file)


@contextmanager
def database_as_of_its_end(rows: int) -> Iterator[Path]:
    """Yield a built database whose reports take the moment at which its rows end as now."""
    with databases.copy_of(databases.built_database(rows)) as file:
        select = ("--select", *MARTS, "path:models/reports")
        databases.dbt(file, "run", *select, as_of=databases.UNTIL.isoformat())
        yield file


def measure(file: Path) -> Iterator[Figure]:
    """Measure every report of the database.

    Raises:
        AssertionError: a report's figures are not those of its baseline.
    """
    with connect(file, read_only=True) as connection:
        for report in names(connection):
            if not report.startswith(OF_THE_PAGE):
                yield from _measure(connection, report)


def names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all reports."""
    rows = connection.execute(
        "select view_name from duckdb_views() where view_name like 'rpt_%' order by all"
    ).fetchall()
    return [name for (name,) in rows]


def _measure(connection: duckdb.DuckDBPyConnection, report: str) -> Iterator[Figure]:
    baseline = BASELINES.get(report)
    columns = [row[0] for row in connection.execute(f"describe {report}").fetchall()]
    ranges: list[str | None] = [*LENGTHS] if "time_range" in columns else [None]
    times: dict[str | None, list[float]] = {}
    for time_range in ranges:
        where = "" if time_range is None else f"where time_range = '{time_range}'"
        queries = [f"from {report} {where}"]
        if baseline is not None:
            queries.append(baseline.query(time_range))
            _check(connection, report, baseline, *queries)
        times[time_range] = _seconds(connection, queries)
    slowest = max(ranges, key=lambda time_range: times[time_range][0])
    yield Figure(
        f"{report}, {slowest}" if slowest else report,
        times[slowest][0],
        baseline=times[slowest][1] if baseline else None,
        baseline_name="from executions" if baseline else "",
        most=TARGET_SECONDS,
    )
    if slowest:
        yield Figure(
            f"{report}, median range", statistics.median(own for own, *_ in times.values())
        )


def _seconds(connection: duckdb.DuckDBPyConnection, queries: list[str]) -> list[float]:
    times: list[list[float]] = [[] for _ in queries]
    for _ in range(RUNS):
        for query, of_query in zip(queries, times, strict=True):
            began = time.perf_counter()
            connection.execute(query).fetchall()
            of_query.append(time.perf_counter() - began)
    return [statistics.median(of_query) for of_query in times]


def _check(
    connection: duckdb.DuckDBPyConnection,
    report: str,
    baseline: Baseline,
    query: str,
    baseline_query: str,
) -> None:
    """Compare the figures; a row that only the report has is of a bucket without executions."""
    shown, wanted = (_rows(connection, each, baseline) for each in (query, baseline_query))
    if wanted.keys() - shown.keys():
        raise AssertionError(f"{report} lacks {wanted.keys() - shown.keys()}")
    for key, row in shown.items():
        for name, value in row.items():
            other = wanted[key][name] if key in wanted else None
            if not _is_same(value, other):
                raise AssertionError(f"{report}, {key}: {name} is {value}, baseline {other}")


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, baseline: Baseline
) -> dict[tuple[Any, ...], dict[str, Any]]:
    figures = [figure.split()[-1] for figure in baseline.figures]
    names = ", ".join([*baseline.key_columns, *figures])
    width = len(baseline.key)
    return {
        row[:width]: dict(zip(figures, row[width:], strict=True))
        for row in connection.execute(f"select {names} from ({query})").fetchall()
    }


def _is_same(value: Any, other: Any) -> bool:
    if isinstance(other, float) and math.isnan(other):  # a correlation with what does not vary
        other = None
    if not value and not other:
        return True
    if isinstance(value, float) and other is not None:
        return math.isclose(value, other, rel_tol=1e-6)
    return bool(value == other)


def _unit(time_range: str | None) -> str:
    return "hour" if time_range in ("1h", "24h") else "day"
