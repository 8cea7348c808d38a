"""The section of what executions fail of."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import BIGGEST_FIRST, bars
from orb_learning.page.charts.over_time import line_over_time
from orb_learning.page.charts.shared import PERCENT, SHARE
from orb_learning.page.columns import EXECUTIONS, TIER, WHEN, Column
from orb_learning.page.panel import Panel

ERROR_RATES = [
    WHEN,
    Column("error_rate", "error rate", "percent"),
    Column("error_rate_lower", "95 % from", "percent"),
    Column("error_rate_upper", "to", "percent"),
    Column("failed_count", "failed", "count"),
    Column("timeout_count", "by timeout", "count"),
    EXECUTIONS,
]
ERROR_RATES_OVER_TIME = partial(
    line_over_time,
    "error_rate",
    axis_format=PERCENT,
    band=True,
    thresholds_of="error_rate",
    domain=SHARE,
)
BAND = "The band is the 95 % interval; the lines are the thresholds of the alert error_rate."

PANELS = [
    Panel(
        "failures",
        "Latest failures",
        "executions",
        [
            Column("timestamp", "at (UTC)", "time"),
            Column("task_description", "task"),
            TIER,
            Column("error_type", "error"),
            Column("error_message", "message"),
            Column("actual_cost", "cost", "dollars"),
        ],
        drawn="timestamp",
        wide=True,
        opens=True,
        caption="The newest {count}; each leads to the executions of its task.",
    ),
    Panel(
        "errors",
        "Errors by type",
        "errors",
        [
            Column("error_type", "error type"),
            Column("error_count", "failures", "count"),
            Column("error_rate", "of all executions", "percent"),
            Column("last_error_at", "last (UTC)", "time"),
        ],
        partial(bars, "error_type", "error_count", axis_format="~s", sort=BIGGEST_FIRST),
        opens=True,
        caption="Most failures are {most} ({most_is}), fewest {least} ({least_is}).",
    ),
    Panel(
        "error_rate_by_day",
        "Error rate per day, last 90 days",
        "error_days",
        ERROR_RATES,
        ERROR_RATES_OVER_TIME,
        is_filtered=False,
        caption="Most failed on {most} ({most_is}), fewest on {least} ({least_is}).",
        note=f"Always the last 90 days. {BAND}",
    ),
    Panel(
        "error_rate_by_hour",
        "Error rate per hour, last 7 days",
        "error_hours",
        ERROR_RATES,
        ERROR_RATES_OVER_TIME,
        is_filtered=False,
        wide=True,
        caption="The worst hour was {most} ({most_is}), the best {least} ({least_is}).",
        note=f"Always the last 7 days. {BAND}",
    ),
]
