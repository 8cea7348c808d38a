"""The columns of the panels' tables; those that several panels share have a name here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a panel's table: a figure, its heading, and how it is written."""

    figure: str
    title: str
    form: str = "text"
    """text, count, percent, points, seconds, dollars, megabytes, bytes, number, day or time."""
    known: str = ""
    """Of a mean, a cost or a percentile: the column that counts the executions it is over."""


WHEN = Column("when", "time (UTC)")
TIER = Column("model_tier", "model tier")
POOL = Column("pool_type", "pool")
REPO = Column("repo", "repository")
TASK_TYPE = Column("task_type", "task type")
BUCKET = Column("duration_bucket", "duration")

EXECUTIONS = Column("total_executions", "executions", "count")
SUCCEEDED = Column("successful_count", "succeeded", "count")
RATE = [
    Column("success_rate", "success rate", "percent"),
    Column("success_rate_lower", "95 % from", "percent"),
    Column("success_rate_upper", "to", "percent"),
]
QUALITY = Column("avg_quality", "average quality", "points", "quality_known_count")

DURATION = Column("avg_duration", "average duration", "seconds", "duration_known_count")
PERCENTILES = [
    Column(f"{name}_duration", name, "seconds", "duration_known_count")
    for name in ("p50", "p95", "p99")
]
MEMORY = [
    Column("avg_memory_mb", "average peak memory", "megabytes", "memory_known_count"),
    Column("p95_memory_mb", "95th percentile", "megabytes", "memory_known_count"),
]
CPU = Column("avg_cpu_seconds", "average CPU time", "seconds", "cpu_known_count")

COST = Column("total_cost", "cost", "dollars", "cost_known_count")
COST_EACH = Column("avg_cost", "an execution", "dollars", "cost_known_count")
COST_PER_SUCCESS = Column("cost_per_success", "a success", "dollars", "cost_known_success_count")
