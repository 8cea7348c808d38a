"""Whether the database is well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from orb_learning import formats
from orb_learning.errors import DatabaseError
from orb_learning.figures.funnel import Stage, record_funnel
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Result, Text, UtcTime
from orb_learning.store import utc_now

DbPath = Annotated[
    str | None,
    Field(
        description="Another database file inside the database's folder, as a relative path; "
        "the server's own database if left out.",
        max_length=1_000,
    ),
]


COUNTS = ("recent_1h", "daily", "weekly", "assigned_time_count")
WINDOW = f"{ALL_HELD}; performance: 24h; executions: as named"


class DatabaseFile(BaseModel):
    """The file."""

    path: str = Field(description="Where the database is.")
    size_mb: float | None = Field(None, description="Megabytes of the file.")
    schema_version: int | None = Field(None, description="Version of the raw schema.")


class ExecutionCounts(BaseModel):
    """How many executions there are."""

    total: int | None = Field(None, description="All that the database holds.")
    assigned_time_count: int | None = Field(
        None, description="Those whose time was assigned, not recorded: they tell nothing of when."
    )
    note: str | None = Field(None, description="What the times do not tell, if any was assigned.")
    recent_1h: int | None = Field(None, description="Started in the last hour.")
    daily: int | None = Field(None, description="Started in the last 24 hours.")
    weekly: int | None = Field(None, description="Started in the last 7 days.")


class DailyPerformance(BaseModel):
    """How the last 24 hours went; null where nothing is known."""

    daily_success_rate: float | None = Field(None, description="Share that succeeded, 0 to 1.")
    daily_success_rate_lower: float | None = Field(
        None, description="Lower bound of its 95 % interval."
    )
    daily_success_rate_upper: float | None = Field(None, description="Upper bound of it.")
    has_enough_samples: bool = Field(
        False, description="False if the rate is over too few executions to act on."
    )
    avg_duration_seconds: float | None = Field(None, description="Mean duration.")
    duration_known_count: int = Field(0, description="Executions that it is over.")
    avg_quality_score: float | None = Field(None, description="Mean quality score, 0 to 100.")
    quality_known_count: int = Field(0, description="Executions that it is over.")


class DatabaseStatus(Result):
    """Whether the database is well."""

    status: Literal["OK", "WARNING", "ERROR"] = Field(
        description="ERROR if it cannot be read, WARNING if an alert is raised."
    )
    timestamp: UtcTime = Field(description="When it was asked, UTC.")
    database: DatabaseFile = Field(description="The file.")
    executions: ExecutionCounts = Field(description="How many executions there are.")
    performance: DailyPerformance = Field(description="How the last 24 hours went.")
    record_funnel: list[Stage] = Field(
        description="From what was recorded to the executions: what was lost, and what waits. Of "
        "another file than the server's, without the outbox."
    )
    raised_alerts: list[Text] = Field(
        description="The alerts that are raised by the database's own thresholds, critical first."
    )
    warnings: list[str] = Field(description="What to look at.")
    errors: list[str] = Field(description="Why it cannot be read, and what to do.")


async def plain_status(reader: Reader, db_path: str | None = None) -> DatabaseStatus:
    """Return whether a database is well; alerts and storage have functions of their own.

    Args:
        reader: of the settings' database.
        db_path: another file in its folder, relative.

    Raises:
        DatabaseError: db_path leads out of the folder, or there is no such file.
    """
    shown, outbox = asked_file(reader, db_path)
    try:
        return await reader.read(
            lambda snapshot: snapshot.result(
                DatabaseStatus, window=WINDOW, **read_status(snapshot, shown, outbox)
            ),
            db_path=db_path,
        )
    except DatabaseError as error:
        return DatabaseStatus(window=WINDOW, **status_of_unreadable(shown, error))


def asked_file(reader: Reader, db_path: str | None) -> tuple[str, Path | None]:
    """Return how a database is shown, and the outbox that feeds it, where that is known.

    Raises:
        DatabaseError: db_path leads out of the folder, or there is no such file.
    """
    if db_path is None:
        return str(reader.settings.database_path), reader.settings.outbox_folder
    # What may not be read is refused, and is no status.
    is_own = reader.is_own(reader.path_of(db_path))
    return db_path, reader.settings.outbox_folder if is_own else None


def read_status(snapshot: Snapshot, shown: str, outbox: Path | None) -> dict[str, Any]:
    """Return the fields of a ``DatabaseStatus`` that no other result has.

    Args:
        snapshot: the database.
        shown: where it is.
        outbox: the folder that feeds it; None where it is not known.
    """
    found = snapshot.row(
        "select status, size_mb, schema_version, total_executions, recent_1h, daily, weekly, "
        "daily_success_rate, daily_success_rate_lower, daily_success_rate_upper, "
        "has_enough_samples, avg_duration, duration_known_count, avg_quality, "
        "quality_known_count, assigned_time_count, warnings, raised_alerts from rpt_database_status"
    )
    return {
        "status": found["status"],
        "timestamp": utc_now(),
        "database": {
            "path": shown,
            "size_mb": found["size_mb"],
            "schema_version": found["schema_version"],
        },
        "executions": {
            "total": found["total_executions"],
            **{name: found[name] for name in COUNTS},
            "note": formats.assigned_times(found["assigned_time_count"], found["total_executions"]),
        },
        "performance": {
            **{name: found[name] for name in found if name.startswith("daily_success")},
            "has_enough_samples": found["has_enough_samples"],
            "avg_duration_seconds": found["avg_duration"],
            "duration_known_count": found["duration_known_count"],
            "avg_quality_score": found["avg_quality"],
            "quality_known_count": found["quality_known_count"],
        },
        "record_funnel": record_funnel(snapshot, outbox),
        "raised_alerts": found["raised_alerts"],
        "warnings": found["warnings"],
        "errors": [],
    }


def status_of_unreadable(shown: str, error: DatabaseError) -> dict[str, Any]:
    """Return the fields of a ``DatabaseStatus`` of what cannot be read."""
    now = utc_now()
    return {
        "as_of": now,
        "built_at": None,
        "status": "ERROR",
        "timestamp": now,
        "database": DatabaseFile(path=shown),
        "executions": ExecutionCounts(),
        "performance": DailyPerformance(),
        "record_funnel": [],
        "raised_alerts": [],
        "warnings": [],
        "errors": [str(error)],
    }
