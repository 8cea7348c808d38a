"""The views that the page is made from, as columns of values that JSON has."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from orb_learning.figures import Snapshot, record_funnel, routing_panels
from orb_learning.store import built_by_this_version, connect

Columns = dict[str, list[Any]]

SLOTS = "repo_place, model_tier_place, pool_type_place"
RATE = "success_rate, success_rate_lower, success_rate_upper, has_enough_samples"
KNOWN = "duration_known_count, cost_known_count, routing_confidence_known_count"
AVERAGES = "avg_duration, total_cost, avg_cost, avg_quality, avg_routing_confidence"
FIGURES = f"total_executions, successful_count, {RATE}, {AVERAGES}, {KNOWN}"
ERROR_RATE = (
    "is_complete, failed_count, timeout_count, total_executions, error_rate, error_rate_lower, "
    "error_rate_upper, has_enough_samples"
)
PERCENTILES = "p50_duration, p95_duration, p99_duration"


def _short(column: str) -> str:
    """Cut a text: the file would hold one of a megabyte as often as it is shown.

    A hash at the end tells apart texts that begin alike. A macro cuts the filter values so, too.
    """
    cut = f"left({column}, 192) || '… ' || left(md5({column}), 6)"
    return f"if(length({column}) > 200, {cut}, {column}) as {column}"


def _rank(*, by: str, most_first: str = "total_executions") -> str:
    """Keep the 10 greatest groups of each time range; there may be any number of them."""
    order = f"{most_first} desc, {by}"
    return f"qualify row_number() over (partition by time_range order by {order}) <= 10"


MOST_FEEDBACK = (
    "qualify row_number() over (partition by time_range order by feedback_count desc, model_tier, "
    "task_type, issue_type) <= 50"
)

QUERIES = {
    "age": "select * from rpt_page_age",
    "changes": "select is_change, sentence, reason, worth_usd, usd_per_30_days, "
    "usd_per_30_days_lower, usd_per_30_days_upper, successes_per_30_days, "
    "successes_per_30_days_lower, successes_per_30_days_upper, execution_count, task_count, "
    "more_count, source from rpt_what_to_change order by place",
    "tile_changes": "select * from rpt_page_changes order by all",
    "executions": "select * replace (text_id::varchar as text_id) "
    "from rpt_page_newest_executions order by timestamp desc, task_id",
    "task_tiers": "select * replace (text_id::varchar as text_id) from rpt_page_task_tiers "
    "order by text_id, tier_order, model_tier",
    "choices": "select column_name, place, choice from rpt_page_choices order by all",
    "buckets": "select time_range, bucket_length, bucket_start, is_complete from rpt_time_series "
    "order by all",
    "hours": "select hour as bucket_start, is_complete from rpt_executions_by_hour order by all",
    "figures": f"select time_range, {SLOTS}, {FIGURES}, quality_known_count, {PERCENTILES}, "
    "cost_per_success, cost_known_success_count, avg_savings, savings_known_count "
    "from rpt_page_figures order by all",
    "series": f"select time_range, bucket_start, {SLOTS}, {FIGURES}, {PERCENTILES}, "
    "cost_per_success from rpt_page_series order by all",
    "by_hour": f"select hour as bucket_start, {SLOTS}, total_executions, successful_count "
    "from rpt_page_hours order by all",
    "task_types": f"select time_range, {SLOTS}, task_type_place, total_executions, "
    f"successful_count, {RATE}, avg_duration, duration_known_count, total_cost, avg_cost, "
    "cost_known_count, "
    "cost_per_success, cost_known_success_count from rpt_page_task_types order by all",
    "errors": f"select time_range, {SLOTS}, error_type, error_count, total_executions, "
    "error_rate, error_rate_lower, error_rate_upper, last_error_at from rpt_page_errors "
    f"order by time_range, error_count desc, error_type, {SLOTS}",
    "quality_bands": f"select time_range, {SLOTS}, quality_band, total_executions, known_share "
    "from rpt_page_quality_bands order by all",
    "resources": f"select time_range, {SLOTS}, duration_bucket, total_executions, avg_memory_mb, "
    "p95_memory_mb, memory_known_count, avg_cpu_seconds, cpu_known_count "
    "from rpt_page_resources order by all",
    "repositories": f"select time_range, repo_rank, {_short('repo')}, total_executions, "
    f"successful_count, {RATE}, avg_duration, duration_known_count, total_cost, cost_known_count, "
    "last_execution_at from rpt_repositories where repo_rank <= 10 order by time_range, repo_rank",
    "like_for_like": f"select time_range, dimension, {_short('name')}, {_short('other_name')}, "
    "mix_difference, success_rate, other_success_rate, like_for_like_rate, matched_count, "
    "other_like_for_like_rate, other_matched_count, matched_task_count, other_matched_task_count, "
    "rate_difference, rate_difference_lower, rate_difference_upper, "
    "has_enough_samples from rpt_like_for_like "
    "where shown_rank <= 15 order by time_range, shown_rank",
    "correlations": "select time_range, duration_bucket, memory_correlation, "
    "memory_and_duration_known_count, cpu_correlation, cpu_and_duration_known_count "
    "from rpt_resources_by_duration order by all",
    "cost_days": "select date as bucket_start, is_complete, total_executions, total_cost, "
    "cost_known_count, trailing_cost, trailing_cost_known_count, previous_cost, "
    "previous_cost_known_count, cost_change_pct "
    "from rpt_cost_by_day order by date",
    "cost_errors": f"select time_range, {_short('model_tier')}, total_executions, "
    "avg_cost_error_pct, median_cost_error_pct, cost_error_known_count, avg_savings, "
    f"savings_known_count from rpt_cost_by_tier {_rank(by='model_tier')} order by all",
    "complexity": f"select time_range, complexity_band, total_executions, {RATE}, avg_duration, "
    "duration_known_count from rpt_complexity order by all",
    "quality_tiers": f"select time_range, {_short('model_tier')}, total_executions, avg_quality, "
    "median_quality, quality_known_count, avg_user_rating, rating_known_count, acceptance_rate, "
    "acceptance_rate_lower, acceptance_rate_upper, acceptance_known_count "
    f"from rpt_quality_by_tier {_rank(by='model_tier')} order by all",
    "duration_buckets": f"select time_range, duration_bucket, total_executions, execution_share, "
    f"{RATE}, total_cost, cost_known_count from rpt_duration_buckets order by all",
    "resource_pools": f"select time_range, {_short('pool_type')}, total_executions, "
    "avg_memory_mb, p95_memory_mb, memory_known_count, avg_cpu_seconds, cpu_known_count, "
    "avg_cores, cpu_and_duration_known_count from rpt_resources_by_pool "
    f"{_rank(by='pool_type')} order by all",
    "pool_hours": "select hour as bucket_start, 'hour' as bucket_length, is_complete, "
    f"{_short('pool_type')}, "
    f"total_tasks, successful_tasks, {RATE}, avg_duration, duration_known_count, total_cost, "
    "cost_known_count from rpt_pools_by_hour "
    "where pool_type in (select pool_type from rpt_pools_by_hour group by pool_type "
    "order by sum(total_tasks) desc, pool_type limit 6) order by all",
    "error_days": f"select date as bucket_start, 'day' as bucket_length, {ERROR_RATE} "
    "from rpt_error_rate_by_day order by date",
    "error_hours": f"select hour as bucket_start, 'hour' as bucket_length, {ERROR_RATE} "
    "from rpt_error_rate_by_hour order by hour",
    "patterns": f"select {_short('solution_summary')}, {_short('repo')}, usage_count, "
    f"success_count, {RATE}, avg_quality, quality_known_count, last_seen "
    "from rpt_solution_patterns order by usage_count desc, success_count desc, "
    "rpt_solution_patterns.solution_summary, rpt_solution_patterns.repo limit 10",
    "ratings": "select time_range, user_rating, rating_count, rating_share from rpt_user_ratings "
    "order by all",
    "alerts": f"select alert_name, {_short('model_tier')}, severity, is_raised, state, message, "
    "reason, sample_count from rpt_alerts order by is_raised desc, severity, alert_name, "
    "model_tier limit 100",
    "thresholds": "select alert_name, severity, raised_when, threshold, unit from alert_thresholds "
    "order by all",
    "feedback": f"select time_range, {_short('model_tier')}, {_short('task_type')}, issue_type, "
    "feedback_count, excellent_count, good_count, fair_count, poor_count, avg_user_rating, "
    "rating_known_count "
    f"from rpt_feedback {MOST_FEEDBACK} "
    "order by time_range, feedback_count desc, model_tier, task_type, issue_type",
    "checks": "select check_name, check_kind, checked_rows, checked_count, failing_count, "
    "failing_share, status "
    "from rpt_data_quality order by failing_count desc, check_name",
    "unknown_values": "select time_range, column_name, total_executions, unknown_count, "
    "unknown_share from rpt_unknown_values order by time_range, unknown_share desc, column_name",
    "storage": "select place, date as bucket_start, size_bytes, row_count, grown_bytes "
    "from rpt_storage_by_day order by all",
    "storage_now": "select place, size_bytes, growth_bytes_a_day, projected_bytes, warning_on, "
    "critical_on, alert from rpt_storage order by place",
    "retention": "select part, day_count, execution_count, version_count, size_bytes, is_complete "
    "from rpt_retention order by part",
    "feedback_retention": "select part, feedback_count, is_complete from rpt_feedback_retention "
    "order by part",
    "maintenance": f"select started_at, {_short('step')}, outcome, seconds, "
    f"{_short('message')} from rpt_maintenance_runs order by started_at desc, step limit 60",
}
"""The queries whose rows the page shows, by name. Times are UTC."""

MOST_EXECUTIONS = 100

EXECUTIONS_OF = (
    "select timestamp, task_id, repo_place, model_tier_place, pool_type_place, task_type_place, "
    f"text_id::varchar as text_id, {_short('task_description')}, {_short('error_message')}, "
    f"{_short('solution_summary')}, {_short('error_type')}, success, duration_seconds, "
    "actual_cost, quality_score from rpt_page_executions where "
    "timestamp >= (select as_of from rpt_page_age) - case when $text_id is null then case "
    "$time_range when '1h' then interval 1 hour when '24h' then interval 24 hour "
    "when '7d' then interval 7 day when '30d' then interval 30 day else interval 90 day end "
    "else interval 90 day end "
    "and ($text_id is null or text_id = $text_id) "
    "and ($repo_place is null or repo_place = $repo_place) "
    "and ($model_tier_place is null or model_tier_place = $model_tier_place) "
    "and ($pool_type_place is null or pool_type_place = $pool_type_place) "
    "and ($task_type_place is null or task_type_place = $task_type_place) "
    "and ($error_type is null or error_type = $error_type) "
    "and ($only_failures is null or not success) "
    "and ($start is null or timestamp >= make_timestamp($start * 1000)) "
    "and ($end is null or timestamp < make_timestamp($end * 1000)) "
    f"order by timestamp desc, task_id limit {MOST_EXECUTIONS}"
)
"""The newest executions of a choice, where the page is served; every parameter but time_range may
be NULL."""

WITH_RANGE = {name for name, query in QUERIES.items() if "time_range" in query} | {"executions"}
"""Those whose rows follow the chosen time range."""


def read_reports(
    database: Path, *, outbox: Path | None = None, wait_seconds: float = 30.0
) -> dict[str, Columns]:
    """Select everything that the page shows, as of one point in time.

    Args:
        database: the database file.
        outbox: the folder of the outbox that feeds it; None where it is not known.
        wait_seconds: for how long to wait while another process writes it.

    Returns:
        For each name in ``QUERIES``, for ``record_funnel`` and each of ``routing_panels``, its
        columns, by name; times as milliseconds since 1970 in UTC.

    Raises:
        NotBuiltError: the database lacks the reports, or has those of another version.
        DatabaseError: there is no database, or it cannot be read.
    """
    with (
        connect(database, read_only=True, wait_seconds=wait_seconds) as connection,
        built_by_this_version(database),
    ):
        return select_reports(Snapshot(connection), outbox)


def select_reports(snapshot: Snapshot, outbox: Path | None) -> dict[str, Columns]:
    """Select what ``read_reports`` returns from a database that is open."""
    connection = snapshot.connection
    connection.execute("begin")  # now() is the same in all of a transaction
    try:
        reports = {name: columns_of(connection, query) for name, query in QUERIES.items()}
        reports["record_funnel"] = _by_column(record_funnel(snapshot, outbox))
        for name, rows in routing_panels(snapshot).items():
            reports[name] = _by_column(rows)
        return reports
    finally:
        connection.execute("rollback")


def columns_of(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None
) -> Columns:
    """Return a query's columns by name, as values that JSON has."""
    result = connection.execute(query, parameters or {})
    names = [column[0] for column in result.description or []]
    values = zip(*result.fetchall(), strict=True)
    columns = [[_json_value(value) for value in column] for column in values]
    return dict(zip(names, columns or [[] for _ in names], strict=True))


def _by_column(rows: list[dict[str, Any]]) -> Columns:
    names = rows[0] if rows else ["sentence"]
    return {name: [_json_value(row[name]) for row in rows] for name in names}


def _json_value(value: Any) -> Any:
    """Return a value as JSON has it; fractions with 6 digits, to keep the file small."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=UTC).timestamp() * 1000)
    if isinstance(value, date):
        return _json_value(datetime(value.year, value.month, value.day))  # noqa: DTZ001
    if isinstance(value, UUID):
        return str(value)
    return value
