"""``performance_metrics``: how long executions take, what they cost and need."""

from __future__ import annotations

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Result, Text, TimeRange

DURATIONS = "avg_duration, p50_duration, p95_duration, p99_duration, duration_known_count"


class Durations(BaseModel):
    """Durations in seconds, over the executions where they are known."""

    avg_seconds: float | None = Field(description="Mean.")
    p50_seconds: float | None = Field(description="Median.")
    p95_seconds: float | None = Field(description="95th percentile, interpolated.")
    p99_seconds: float | None = Field(description="99th percentile, interpolated.")
    known_count: int = Field(description="Executions that they are over.")


class Costs(BaseModel):
    """Costs in US dollars, over the executions where they are known."""

    total_cost: float | None = Field(description="Sum of the actual costs.")
    avg_cost: float | None = Field(description="Mean actual cost.")
    known_count: int = Field(description="Executions that these two are over.")
    avg_savings: float | None = Field(
        description="Mean of estimate minus actual cost, where both are known; below 0 where it "
        "cost more than expected."
    )
    savings_known_count: int = Field(description="Executions that avg_savings is over.")


class Resources(BaseModel):
    """Memory, over the executions where it is known."""

    avg_memory_mb: float | None = Field(description="Mean of the peaks, MB.")
    p95_memory_mb: float | None = Field(description="95th percentile of the peaks, MB.")
    known_count: int = Field(description="Executions that they are over.")


class TierMetrics(BaseModel):
    """A model tier."""

    model_tier: Text = Field(description="small, medium, large, or what was recorded.")
    total_executions: int = Field(description="Executions of the tier in the range.")
    duration: Durations = Field(description="How long they took.")
    total_cost: float | None = Field(description="Sum of their actual costs, US dollars.")
    avg_cost: float | None = Field(description="Mean actual cost, US dollars.")
    cost_known_count: int = Field(description="Executions that the costs are over.")


class PerformanceMetrics(Result):
    """How long the executions of a time range took, what they cost and needed."""

    time_range: TimeRange
    duration: Durations = Field(description="How long they took.")
    cost: Costs = Field(description="What they cost.")
    resources: Resources = Field(description="What they needed.")
    by_model_tier: list[TierMetrics] = Field(description="The same by tier, by its name.")


async def performance_metrics(reader: Reader, time_range: TimeRange = "7d") -> PerformanceMetrics:
    """Give percentiles of duration, costs, savings against the estimate, and memory, also by tier.

    Use it to choose a tier by speed and cost, or to see whether estimates hold.
    """

    def metrics(snapshot: Snapshot) -> PerformanceMetrics:
        # Columns by name: DuckDB works out no others.
        found = snapshot.row(
            f"select {DURATIONS}, total_cost, avg_cost, cost_known_count, avg_savings, "  # noqa: S608 (a constant)
            "savings_known_count, avg_memory_mb, p95_memory_mb, memory_known_count "
            "from rpt_performance where time_range = $range",
            range=time_range,
        )
        tiers = snapshot.rows(
            f"select {snapshot.text('model_tier')}, total_executions, {DURATIONS}, "  # noqa: S608 (a constant)
            "total_cost, avg_cost, cost_known_count from rpt_durations_by_tier "
            "where time_range = $range order by model_tier",
            range=time_range,
        )
        return snapshot.result(
            PerformanceMetrics,
            window=time_range,
            time_range=time_range,
            duration=_durations(found),
            cost={**found, "known_count": found["cost_known_count"]},
            resources={**found, "known_count": found["memory_known_count"]},
            by_model_tier=[{**tier, "duration": _durations(tier)} for tier in tiers],
        )

    return await reader.read(metrics)


def _durations(found: dict[str, object]) -> dict[str, object]:
    return {
        **{f"{name}_seconds": found[f"{name}_duration"] for name in ("avg", "p50", "p95", "p99")},
        "known_count": found["duration_known_count"],
    }
