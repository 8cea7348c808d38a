"""The section of what is wrong now."""

from __future__ import annotations

from orb_learning.page.columns import TIER, Column
from orb_learning.page.panel import Panel

PANELS = [
    Panel(
        "alerts",
        "What is wrong now",
        "alerts",
        [
            Column("state", "state"),
            Column("alert_name", "alert"),
            TIER,
            Column("message", "message"),
            Column("reason", "why it matters"),
            Column("sample_count", "executions", "count"),
        ],
        is_filtered=False,
        drawn="alert_name",
        wide=True,
        caption="{alerts}",
    )
]
