"""``database_alerts``: what is wrong now."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Result, Text


class Alert(BaseModel):
    """An alert, at the severity that it has reached; at its mildest where it is not raised."""

    alert_name: str = Field(description="What is watched.")
    model_tier: Text | None = Field(description="Of tier_drop: the tier that is watched.")
    severity: Literal["warning", "critical"] = Field(description="How bad it is, if it is raised.")
    is_raised: bool = Field(
        description="Whether it is so now; never over fewer samples than can be judged by, nor "
        "where it is always so."
    )
    state: Literal["ok", "unknown", "always so", "warning", "critical"] = Field(
        description="In a word: the severity if it is raised; always so if most of the last 28 "
        "days broke the threshold, too, so that it raises nothing; unknown if too little is known."
    )
    value: float | None = Field(description="What was measured, in the unit.")
    threshold: float = Field(description="What it is compared with, in the unit.")
    raised_when: Literal["under", "over", "reached"] = Field(
        description="Whether it is raised under, over, or from the threshold on."
    )
    unit: str = Field(description="Of value and threshold.")
    sample_count: int | None = Field(description="Executions that the value is over.")
    has_enough_samples: bool = Field(description="Whether those are enough to judge by.")
    reason: str = Field(description="Why it is watched.")
    assigned_time_count: int = Field(
        description="Of how many of its executions the time was assigned, not recorded: they tell "
        "nothing of when."
    )
    message: Text = Field(description="What was found.")


class DatabaseAlerts(Result):
    """What is wrong now."""

    raised: list[Alert] = Field(description="The alerts that are raised, critical ones first.")
    others: list[Alert] = Field(description="The alerts that are not.")


SuccessRateThreshold = Annotated[
    float | None,
    Field(ge=0, le=100, description="Percent; a lower success rate raises an alert."),
]
AvgDurationThreshold = Annotated[
    float | None, Field(ge=0, description="Seconds; a longer mean duration raises an alert.")
]
DbSizeThreshold = Annotated[
    float | None, Field(ge=0, description="Megabytes; a database of this size raises an alert.")
]


def read_alerts(
    snapshot: Snapshot,
    success_rate_threshold: float | None,
    avg_duration_threshold: float | None,
    db_size_threshold_mb: float | None,
) -> dict[str, Any]:
    """Return the alerts of ``DatabaseAlerts``, raised and others.

    Args:
        snapshot: the database.
        success_rate_threshold: percent; the database's own if None.
        avg_duration_threshold: seconds; the same.
        db_size_threshold_mb: megabytes; the same.
    """
    rows = snapshot.select(
        Alert,
        "alerts_at(success_rate_threshold := $success_rate, "
        "avg_duration_threshold := $avg_duration, db_size_threshold_mb := $db_size) "
        "order by severity = 'critical' desc, alert_name, model_tier",
        success_rate=success_rate_threshold,
        avg_duration=avg_duration_threshold,
        db_size=db_size_threshold_mb,
    )
    return {
        "raised": [row for row in rows if row["is_raised"]],
        "others": [row for row in rows if not row["is_raised"]],
    }


async def database_alerts(
    reader: Reader,
    success_rate_threshold: SuccessRateThreshold = None,
    avg_duration_threshold: AvgDurationThreshold = None,
    db_size_threshold_mb: DbSizeThreshold = None,
) -> DatabaseAlerts:
    """Tell what is wrong now: success and error rates, silence, cost, duration, size, tier drops.

    Thresholds that are left out are those of the database (alert_thresholds); of these, one that
    most of the last 28 days broke raises nothing, and a given one always acts. An empty list of
    raised alerts means that nothing is known to be wrong.
    """
    thresholds = (success_rate_threshold, avg_duration_threshold, db_size_threshold_mb)
    return await reader.read(
        lambda snapshot: snapshot.result(
            DatabaseAlerts, window="as each message says", **read_alerts(snapshot, *thresholds)
        )
    )
