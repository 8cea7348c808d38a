"""``data_quality_report``: what is wrong with the data, and what is not known."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Result, UtcTime


class Check(BaseModel):
    """A check of the data."""

    check_name: str = Field(description="The rule, or what was looked for.")
    check_kind: str = Field(
        description="rejected (kept out), warned (let in), or unreadable (of files)."
    )
    checked_rows: str = Field(description="Which rows can break it, and of when.")
    checked_count: int = Field(description="How many those are.")
    failing_count: int = Field(description="Rows that failed.")
    failing_share: float | None = Field(description="Their share, 0 to 1; null of no rows.")
    status: Literal["ok", "warning", "unknown"] = Field(
        description="warning where a row failed, unknown where none was looked at."
    )


class UnknownValues(BaseModel):
    """A column that may be unknown, in the last 30 days."""

    column_name: str = Field(description="The column of an execution.")
    total_executions: int = Field(description="Executions of the last 30 days.")
    unknown_count: int = Field(description="Those in which it is unknown (NULL).")
    unknown_share: float | None = Field(description="Their share, 0 to 1.")


class Freshness(BaseModel):
    """From when to when the data is."""

    total_executions: int = Field(description="Executions that the database holds.")
    assigned_time_count: int = Field(
        description="Those whose time was assigned, not recorded: they tell nothing of when."
    )
    first_execution_at: UtcTime | None = Field(description="The oldest one's start, UTC.")
    last_execution_at: UtcTime | None = Field(description="The newest one's start, UTC.")
    last_loaded_at: UtcTime | None = Field(description="When data last came in, UTC.")


class DataQualityReport(Result):
    """What is wrong with the data, and what is not known."""

    freshness: Freshness = Field(description="From when to when the data is.")
    checks: list[Check] = Field(description="Each check, the failing ones first.")
    unknown_values: list[UnknownValues] = Field(
        description="How often each column is unknown, the most often unknown first."
    )


async def data_quality_report(reader: Reader) -> DataQualityReport:
    """Report how fresh the data is, which rows broke rules, and how often each column is unknown.

    Use it before relying on a figure: an average says nothing of the rows where it is unknown.
    """

    def report(snapshot: Snapshot) -> DataQualityReport:
        return snapshot.result(
            DataQualityReport,
            window=f"{ALL_HELD}; checks: as checked_rows says; unknown_values: 30d",
            freshness=snapshot.select(Freshness, "rpt_freshness")[0],
            checks=snapshot.select(
                Check, "rpt_data_quality order by failing_count desc, check_kind, check_name"
            ),
            unknown_values=snapshot.select(
                UnknownValues,
                "rpt_unknown_values "
                "where time_range = '30d' order by unknown_count desc, column_name",
            ),
        )

    return await reader.read(report)
