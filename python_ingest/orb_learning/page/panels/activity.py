"""The section of how many executions there are."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import bars
from orb_learning.page.charts.over_time import outcomes_over_time
from orb_learning.page.columns import EXECUTIONS, SUCCEEDED, WHEN, Column
from orb_learning.page.panel import Panel

PANELS = [
    Panel(
        "record_funnel",
        "From what was recorded to executions",
        "record_funnel",
        [
            Column("stage", "stage"),
            Column("record_count", "records", "count"),
            Column("kind", "kind"),
            Column("top_reason", "commonest reason"),
            Column("top_reason_count", "of records", "count"),
        ],
        partial(bars, "stage", "record_count", axis_format="~s", sort=None, step=24),
        is_filtered=False,
        wide=True,
        caption="{funnel}",
        note="Of all times. What is lost has its commonest reason.",
    ),
    Panel(
        "activity",
        "Executions over time",
        "series",
        [WHEN, EXECUTIONS, SUCCEEDED],
        outcomes_over_time,
        wide=True,
        opens=True,
        caption="Most executions {most_at} ({most_is}), fewest {least_at} ({least_is}).",
    ),
    Panel(
        "activity_by_hour",
        "Executions per hour, last 7 days",
        "by_hour",
        [WHEN, EXECUTIONS, SUCCEEDED],
        outcomes_over_time,
        wide=True,
        caption="The busiest hour was {most} ({most_is}); the quietest, {least} ({least_is}).",
        note="Always the last 7 days, whatever the time range.",
    ),
]
