"""The section of how many executions succeed, where."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import BIGGEST_FIRST, bars
from orb_learning.page.charts.over_time import line_over_time, pools_over_time
from orb_learning.page.charts.shared import PERCENT, SHARE
from orb_learning.page.columns import (
    COST,
    DURATION,
    EXECUTIONS,
    POOL,
    RATE,
    REPO,
    TIER,
    WHEN,
    Column,
)
from orb_learning.page.panel import Panel
from orb_learning.page.recording import CONFIDENCE

PANELS = [
    Panel(
        "success_over_time",
        "Success rate over time",
        "series",
        [WHEN, *RATE, EXECUTIONS],
        partial(
            line_over_time,
            "success_rate",
            axis_format=PERCENT,
            band=True,
            thresholds_of="daily_success_rate",
            domain=SHARE,
        ),
        caption="Best {most_at} ({most_is}), worst {least_at} ({least_is}).",
        note="The band is the 95 % interval; the line is the alert daily_success_rate.",
    ),
    Panel(
        "success_by_tier",
        "Success rate by model tier",
        "figures",
        [TIER, *RATE, EXECUTIONS],
        partial(
            bars,
            "model_tier",
            "success_rate",
            axis_format=PERCENT,
            levels=True,
            interval=True,
            domain=SHARE,
        ),
        each="model_tier",
        judged_by="daily_success_rate",
        opens=True,
        caption="{most} succeeds most often ({most_is}), {least} least often ({least_is}).",
        note="The grey line is the 95 % interval.",
    ),
    Panel(
        "success_by_pool",
        "Pools compared",
        "figures",
        [
            POOL,
            *RATE,
            EXECUTIONS,
            DURATION,
            Column("p95_duration", "95th percentile", "seconds", "duration_known_count"),
            COST,
        ],
        partial(
            bars,
            "pool_type",
            "success_rate",
            axis_format=PERCENT,
            levels=True,
            interval=True,
            domain=SHARE,
        ),
        each="pool_type",
        judged_by="daily_success_rate",
        opens=True,
        caption="{most} succeeds most often ({most_is}), {least} least often ({least_is}).",
    ),
    Panel(
        "repositories",
        "Repositories with the most executions",
        "figures",
        [REPO, EXECUTIONS, *RATE, DURATION, COST],
        partial(bars, "repo", "total_executions", axis_format="~s", sort=BIGGEST_FIRST, step=24),
        each="repo",
        opens=True,
        caption="Most executions are of {most} ({most_is}), fewest of {least} ({least_is}).",
    ),
    Panel(
        "like_for_like",
        "Pools and repositories like for like",
        "like_for_like",
        [
            Column("name", "of"),
            Column("other_name", "compared with"),
            Column("dimension", "what"),
            Column("mix_difference", "other mix", "percent"),
            Column("success_rate", "success rate", "percent"),
            Column("other_success_rate", "of the other", "percent"),
            Column("like_for_like_rate", "like for like", "percent", "matched_count"),
            Column("other_like_for_like_rate", "of the other", "percent", "other_matched_count"),
            Column("rate_difference_lower", "apart, 95 % from", "percent"),
            Column("rate_difference_upper", "to", "percent"),
            Column("matched_task_count", "tasks", "count"),
            Column("other_matched_task_count", "of the other", "count"),
        ],
        is_filtered=False,
        wide=True,
        drawn="mix_difference",
        caption="The most unlike mix have {most} ({most_is} of their executions).",
        missing="no two pools or repositories differ in their tiers and task types",
        note="Those whose model tiers and task types differ: their plain rates compare unlike "
        "work. Like for like is within the tiers and task types that both have. Where 0 % is "
        "between the bounds of how far they are apart, neither is known to lead.",
    ),
    Panel(
        "pools_over_time",
        "Pools per hour, last 7 days",
        "pool_hours",
        [WHEN, POOL, Column("total_tasks", "tasks", "count"), *RATE, DURATION, COST],
        pools_over_time,
        is_filtered=False,
        wide=True,
        caption="The busiest hour was {most} ({most_is}), the quietest {least} ({least_is}).",
        note="Always the last 7 days, and the pools with the most tasks.",
    ),
    Panel(
        "confidence_over_time",
        "Routing confidence over time",
        "series",
        [
            WHEN,
            Column(
                "avg_routing_confidence",
                "average confidence",
                "percent",
                "routing_confidence_known_count",
            ),
        ],
        partial(
            line_over_time,
            "avg_routing_confidence",
            axis_format=PERCENT,
            thresholds_of="routing_confidence",
            domain=SHARE,
        ),
        wide=True,
        caption="The router was surest {most_at} ({most_is}), least sure {least_at} ({least_is}).",
        missing=CONFIDENCE,
        note="The line is the threshold of the alert routing_confidence.",
    ),
]
