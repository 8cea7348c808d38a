"""The section of how long executions take, and the memory and CPU time that they need."""

from __future__ import annotations

from functools import partial

from orb_learning.page.charts.by_group import bars
from orb_learning.page.charts.over_time import percentiles
from orb_learning.page.columns import (
    BUCKET,
    COST,
    CPU,
    DURATION,
    EXECUTIONS,
    MEMORY,
    PERCENTILES,
    POOL,
    RATE,
    TIER,
    WHEN,
    Column,
)
from orb_learning.page.panel import Panel
from orb_learning.page.recording import DURATION as DURATION_MISSING
from orb_learning.page.recording import RESOURCES

SLOWEST_LAST = ["fast", "medium", "slow", "unknown"]
DURATION_BUCKETS = "Fast is under 10 s, medium under 60 s."

CORES = Column("avg_cores", "cores at work", "number", "cpu_and_duration_known_count")

PANELS = [
    Panel(
        "percentiles",
        "Duration percentiles over time",
        "series",
        [WHEN, *PERCENTILES],
        percentiles,
        caption="Half took longest {most_at} ({most_is}), were quickest {least_at} ({least_is}).",
        missing=DURATION_MISSING,
    ),
    Panel(
        "duration_by_tier",
        "Average duration by model tier",
        "figures",
        [TIER, DURATION, *PERCENTILES],
        partial(bars, "model_tier", "avg_duration", axis_format="~s", levels=True),
        each="model_tier",
        judged_by="avg_duration",
        opens=True,
        caption="{most} is the slowest ({most_is}), {least} the quickest ({least_is}).",
        missing=DURATION_MISSING,
    ),
    Panel(
        "duration_buckets",
        "Executions by duration",
        "duration_buckets",
        [BUCKET, EXECUTIONS, Column("execution_share", "of all", "percent"), *RATE, COST],
        partial(bars, "duration_bucket", "total_executions", axis_format="~s", sort=SLOWEST_LAST),
        is_filtered=False,
        caption="Most executions are {most} ({most_is}), fewest {least} ({least_is}).",
        missing=DURATION_MISSING,
        note=DURATION_BUCKETS,
    ),
    Panel(
        "memory_by_duration",
        "Memory by duration",
        "resources",
        [BUCKET, EXECUTIONS, *MEMORY, CPU],
        partial(bars, "duration_bucket", "avg_memory_mb", axis_format="~s", sort=SLOWEST_LAST),
        drawn="avg_memory_mb",
        caption="{most} ones need the most memory ({most_is}), {least} the least ({least_is}).",
        missing=RESOURCES,
        note=DURATION_BUCKETS,
    ),
    Panel(
        "correlations",
        "Duration against memory and CPU",
        "correlations",
        [
            BUCKET,
            Column("memory_correlation", "correlation with memory", "number"),
            Column("memory_and_duration_known_count", "of executions", "count"),
            Column("cpu_correlation", "correlation with CPU time", "number"),
            Column("cpu_and_duration_known_count", "of executions", "count"),
        ],
        partial(
            bars,
            "duration_bucket",
            "cpu_correlation",
            axis_format=".1f",
            domain=[-1, 1],
            sort=SLOWEST_LAST,
        ),
        is_filtered=False,
        drawn="cpu_correlation",
        caption="CPU follows duration most in {most} ({most_is}), least in {least} ({least_is}).",
        missing=RESOURCES,
    ),
    Panel(
        "resources_by_pool",
        "Memory and CPU by pool",
        "resource_pools",
        [POOL, *MEMORY, CPU, CORES],
        partial(bars, "pool_type", "avg_memory_mb", axis_format="~s"),
        is_filtered=False,
        caption="{most} needs the most memory ({most_is}), {least} the least ({least_is}).",
        missing=RESOURCES,
        note="The 10 pools with the most executions; bars are the average peak memory in MB.",
    ),
]
