"""The section of the database itself: its size, what it keeps, its checks and its maintenance."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import BIGGEST_FIRST, bars
from orb_learning.page.charts.over_time import storage
from orb_learning.page.charts.shared import PERCENT, SHARE
from orb_learning.page.columns import WHEN, Column
from orb_learning.page.panel import Panel
from orb_learning.page.recording import MAINTENANCE
from orb_learning.page.recording import SIZE as SIZE_MISSING

SIZE_OF = Column("place", "of")
SIZE = Column("size_bytes", "size", "bytes")
PART = Column("part", "part")

PANELS = [
    Panel(
        "storage",
        "Size, last 30 days",
        "storage",
        [WHEN, SIZE_OF, SIZE, Column("grown_bytes", "grown", "bytes")],
        storage,
        is_filtered=False,
        caption="The largest was {most} ({most_is}), the smallest {least} ({least_is}).",
        missing=SIZE_MISSING,
        note="Always the last 30 days.",
    ),
    Panel(
        "storage_now",
        "Where the size is going",
        "storage_now",
        [
            SIZE_OF,
            SIZE,
            Column("growth_bytes_a_day", "growth a day", "bytes"),
            Column("projected_bytes", "at the retention limit", "bytes"),
            Column("warning_on", "warns on", "day"),
            Column("critical_on", "critical on", "day"),
            Column("alert", "alert"),
        ],
        is_filtered=False,
        caption="{storage}",
        missing=SIZE_MISSING,
    ),
    Panel(
        "retention",
        "Rows by age, and archived",
        "retention",
        [
            PART,
            Column("version_count", "versions", "count"),
            Column("execution_count", "valid executions", "count"),
            Column("day_count", "days", "count"),
            Column("size_bytes", "of files", "bytes"),
        ],
        partial(
            bars,
            "part",
            "version_count",
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
        is_filtered=False,
        caption="{retention}",
    ),
    Panel(
        "feedback_retention",
        "Feedback, kept and gone",
        "feedback_retention",
        [PART, Column("feedback_count", "feedback", "count")],
        partial(
            bars,
            "part",
            "feedback_count",
            axis_format="~s",
            sort=["live", "archived", "gone", "came"],
        ),
        is_filtered=False,
        caption="{retention}",
    ),
    Panel(
        "unknown_values",
        "Values that are unknown",
        "unknown_values",
        [
            Column("column_name", "column"),
            Column("unknown_share", "unknown", "percent"),
            Column("unknown_count", "executions", "count"),
        ],
        partial(
            bars,
            "column_name",
            "unknown_share",
            axis_format=PERCENT,
            domain=SHARE,
            sort=BIGGEST_FIRST,
            step=18,
        ),
        is_filtered=False,
        caption="{most} is known least ({most_is} unknown), {least} best ({least_is}).",
    ),
    Panel(
        "checks",
        "Data quality",
        "checks",
        [
            Column("check_name", "check"),
            Column("status", "status"),
            Column("failing_count", "rows that fail", "count"),
            Column("checked_count", "of", "count"),
            Column("checked_rows", "which are"),
            Column("check_kind", "kind"),
        ],
        is_filtered=False,
        caption="{checks}",
    ),
    Panel(
        "maintenance",
        "Maintenance",
        "maintenance",
        [
            Column("started_at", "at (UTC)", "time"),
            Column("step", "step"),
            Column("outcome", "outcome"),
            Column("seconds", "took", "seconds"),
            Column("message", "message"),
        ],
        is_filtered=False,
        caption="{maintenance}",
        missing=MAINTENANCE,
    ),
]
