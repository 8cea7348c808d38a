"""``storage_status``: how large the database is and will be."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Result, UtcTime


class Place(BaseModel):
    """The database, or a folder beside it, when it was last measured."""

    place: str = Field(description="database, outbox, archive or backups.")
    sampled_at: UtcTime = Field(description="When it was measured, UTC.")
    size_bytes: int = Field(description="Its size.")
    row_count: int | None = Field(description="Its rows; null where they are not counted.")
    growth_bytes_a_day: int | None = Field(
        description="Its growth over the last 30 days; null from a single day."
    )
    projected_bytes: int | None = Field(
        description="Of the database: its size once it holds as many days as it keeps."
    )
    warning_on: date | None = Field(
        description="Of the database: the day on which it reaches the size that warns; null if it "
        "will not."
    )
    critical_on: date | None = Field(description="The same for the critical size.")
    alert: Literal["ok", "warning", "critical"] | None = Field(
        description="Of the database: by its size then and the thresholds of alert_thresholds."
    )


class Table(BaseModel):
    """A table of the database."""

    table_name: str = Field(description="Schema and name.")
    row_count: int | None = Field(description="Its rows.")
    size_bytes: int | None = Field(description="Bytes that it takes in the file.")
    bytes_a_row: float | None = Field(description="Bytes a row; null of no rows.")


class StorageStatus(Result):
    """How large everything is and will be."""

    places: list[Place] = Field(
        description="The database and the folders beside it; none before `orb load` or "
        "`orb maintain` has run."
    )
    tables: list[Table] = Field(description="The tables, the largest first, at the last maintain.")


def read_storage(snapshot: Snapshot, *, most_tables: int | None = None) -> dict[str, Any]:
    """Return the places and tables of a ``StorageStatus``.

    Args:
        snapshot: the database.
        most_tables: of the largest tables; all of them if None.
    """
    return {
        "places": snapshot.select(Place, "rpt_storage order by place"),
        "tables": snapshot.select(
            Table,
            "rpt_storage_tables order by size_bytes desc nulls last, table_name limit $most_tables",
            most_tables=most_tables,
        ),
    }


async def storage_status(reader: Reader) -> StorageStatus:
    """Tell how large the database, outbox, archive and backups are, and how they grow.

    Also when the database will reach the size that alerts.
    """
    return await reader.read(
        lambda snapshot: snapshot.result(
            StorageStatus, window="when last measured; growth: 30d", **read_storage(snapshot)
        )
    )
