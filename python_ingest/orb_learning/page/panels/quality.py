"""The section of the kinds of tasks, how good the results are, and what people say of them."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import BIGGEST_FIRST, bars, heat_map
from orb_learning.page.charts.shared import PERCENT, SHARE
from orb_learning.page.columns import (
    COST_EACH,
    DURATION,
    EXECUTIONS,
    QUALITY,
    RATE,
    REPO,
    TASK_TYPE,
    TIER,
    Column,
)
from orb_learning.page.panel import Panel
from orb_learning.page.recording import COMPLEXITY, FEEDBACK, RATING, SOLUTION
from orb_learning.page.recording import QUALITY as QUALITY_MISSING

PANELS = [
    Panel(
        "task_types",
        "Task types",
        "task_types",
        [TASK_TYPE, EXECUTIONS, *RATE, DURATION, COST_EACH],
        partial(
            bars, "task_type", "total_executions", axis_format="~s", sort=BIGGEST_FIRST, step=24
        ),
        opens=True,
        caption="Most executions are {most} ({most_is}), fewest {least} ({least_is}).",
    ),
    Panel(
        "heat_map",
        "Success rate by task type and tier",
        "task_types",
        [TASK_TYPE, TIER, *RATE, EXECUTIONS],
        partial(
            heat_map,
            "task_type",
            "model_tier",
            "success_rate",
            colours=["#f7d3ba", "#f4efe9", "#8fc3ea"],
            domain=[0.5, 0.75, 1.0],
        ),
        each="model_tier",
        opens=True,
        caption="{most} succeeds most often ({most_is}), {least} least often ({least_is}).",
        note="Orange at 50 % and less, blue towards 100 %.",
    ),
    Panel(
        "quality_bands",
        "Quality bands",
        "quality_bands",
        [
            Column("quality_band", "quality"),
            EXECUTIONS,
            Column("known_share", "of the known", "percent"),
        ],
        partial(
            bars,
            "quality_band",
            "total_executions",
            axis_format="~s",
            sort=["excellent", "good", "fair", "poor", "unknown"],
        ),
        drawn="known_share",
        caption="Most results are {most} ({most_is}), fewest {least} ({least_is}).",
        missing=QUALITY_MISSING,
        note="From 90 points excellent, from 75 good, from 60 fair, below poor.",
    ),
    Panel(
        "complexity",
        "Success rate by complexity",
        "complexity",
        [Column("complexity_band", "complexity"), *RATE, EXECUTIONS, DURATION],
        partial(
            bars,
            "complexity_band",
            "success_rate",
            axis_format=PERCENT,
            interval=True,
            levels=True,
            domain=SHARE,
        ),
        judged_by="daily_success_rate",
        is_filtered=False,
        caption="{most} complexity succeeds most often ({most_is}), {least} least ({least_is}).",
        missing=COMPLEXITY,
    ),
    Panel(
        "quality_by_tier",
        "Quality by model tier",
        "quality_tiers",
        [
            TIER,
            QUALITY,
            Column("median_quality", "median", "points", "quality_known_count"),
        ],
        partial(bars, "model_tier", "avg_quality", axis_format="~s", domain=[0.0, 100.0]),
        is_filtered=False,
        caption="{most} does the best work ({most_is} points), {least} the poorest ({least_is}).",
        missing=QUALITY_MISSING,
        note="The 10 tiers with the most executions.",
    ),
    Panel(
        "acceptance_by_tier",
        "What people accept by model tier",
        "quality_tiers",
        [
            TIER,
            Column("acceptance_rate", "accepted", "percent"),
            Column("acceptance_rate_lower", "95 % from", "percent"),
            Column("acceptance_rate_upper", "to", "percent"),
            Column("acceptance_known_count", "of executions", "count"),
            Column("avg_user_rating", "average rating", "points", "rating_known_count"),
        ],
        partial(
            bars,
            "model_tier",
            "acceptance_rate",
            axis_format=PERCENT,
            interval=True,
            domain=SHARE,
        ),
        is_filtered=False,
        caption="People accept {most} most often ({most_is}), {least} least often ({least_is}).",
        missing=RATING,
        note="The 10 tiers with the most executions. The grey line is the 95 % interval.",
    ),
    Panel(
        "ratings",
        "People's ratings",
        "ratings",
        [
            Column("user_rating", "rating"),
            Column("rating_count", "executions", "count"),
            Column("rating_share", "share", "percent"),
        ],
        partial(bars, "user_rating", "rating_count", axis_format="~s"),
        is_filtered=False,
        caption="The commonest rating is {most} ({most_is}), the rarest {least} ({least_is}).",
        missing=RATING,
    ),
    Panel(
        "feedback",
        "Feedback",
        "feedback",
        [
            TIER,
            TASK_TYPE,
            Column("issue_type", "issue"),
            Column("feedback_count", "given", "count"),
            Column("avg_user_rating", "average rating", "points", "rating_known_count"),
            Column("excellent_count", "excellent", "count"),
            Column("good_count", "good", "count"),
            Column("fair_count", "fair", "count"),
            Column("poor_count", "poor", "count"),
        ],
        is_filtered=False,
        caption="Most was said of {most} ({most_is}).",
        missing=FEEDBACK,
        note="What is private is not in it. The 50 most frequent.",
    ),
    Panel(
        "patterns",
        "Solutions that are used most",
        "patterns",
        [
            Column("solution_summary", "solution"),
            REPO,
            Column("usage_count", "used", "count"),
            *RATE,
            QUALITY,
            Column("last_seen", "last (UTC)", "time"),
        ],
        is_filtered=False,
        wide=True,
        caption="Used most: {most} ({most_is}).",
        missing=SOLUTION,
        note="Always the last 90 days.",
    ),
]
