"""``what_to_change``: what to do otherwise from tomorrow on, by what it is worth."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Result, Text

WINDOW = (
    f"90d; route: {ALL_HELD}; regression: 24h against the 30d before; recording: 30d; worth: of 30d"
)


class Change(BaseModel):
    """Something to change; or a kind of changes of which nothing is known."""

    place: int = Field(description="1 is what is worth most.")
    is_change: bool = Field(
        description="False says of a kind that nothing is known to change, and what it takes."
    )
    kind: Literal[
        "route",
        "larger_tier",
        "unsolved_tasks",
        "better_solution",
        "better_retry",
        "regression",
        "recording",
    ] = Field(description="Of what kind it is.")
    repo: Text | None = Field(description="The repository; null where it is about all.")
    subject: Text | None = Field(description="The task, error, group or column that it is about.")
    sentence: Text = Field(description="What to do, and the figures that it rests on.")
    reason: Text = Field(description="How sure that is, and what it costs.")
    worth_usd: float | None = Field(
        description="Worth in 30 days: dollars saved, and successes at success_worth_usd each."
    )
    usd_per_30_days: float | None = Field(description="Dollars saved in 30 days; below 0 spent.")
    usd_per_30_days_lower: float | None = Field(description="Lower bound of it at 95 %.")
    usd_per_30_days_upper: float | None = Field(description="Upper bound of it.")
    successes_per_30_days: float | None = Field(description="Successes more in 30 days.")
    successes_per_30_days_lower: float | None = Field(description="Lower bound of it.")
    successes_per_30_days_upper: float | None = Field(description="Upper bound of it.")
    execution_count: int | None = Field(description="Executions that it rests on.")
    task_count: int | None = Field(description="Tasks that it rests on; null if not counted.")
    more_count: int = Field(description="Changes of the kind that are not shown: see source.")
    success_worth_usd: float = Field(description="What a success is worth here, US dollars.")
    source: str = Field(description="The query that shows all of the kind.")


class Changes(Result):
    """What to change."""

    rows: list[Change] = Field(description="The most worth first; a dozen at most.")


async def what_to_change(reader: Reader) -> Changes:
    """Say what to change: larger tiers, tasks to stop, better solutions and retries, regressions.

    A dozen sentences at most, by what they are worth in 30 days, each with its interval and the
    query behind it. Where the data do not tell, a row says so. As of the last build.
    """

    def changes(snapshot: Snapshot) -> Changes:
        rows = snapshot.select(Change, "rpt_what_to_change order by place")
        return snapshot.result(Changes, window=WINDOW, rows=rows)

    return await reader.read(changes)
