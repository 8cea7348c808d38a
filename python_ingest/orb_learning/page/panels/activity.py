"""The section of how many executions there are."""

from __future__ import annotations

from orb_learning.page.charts.over_time import outcomes_over_time
from orb_learning.page.columns import EXECUTIONS, SUCCEEDED, WHEN
from orb_learning.page.panel import Panel

PANELS = [
    Panel(
        "activity",
        "Executions over time",
        "series",
        [WHEN, EXECUTIONS, SUCCEEDED],
        outcomes_over_time,
        wide=True,
    ),
    Panel(
        "activity_by_hour",
        "Executions per hour, last 7 days",
        "by_hour",
        [WHEN, EXECUTIONS, SUCCEEDED],
        outcomes_over_time,
        wide=True,
        note="Always the last 7 days, whatever the time range.",
    ),
]
