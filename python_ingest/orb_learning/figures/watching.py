"""``database_status``: whether the database is well, what is wrong, and how large it is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from orb_learning.errors import DatabaseError
from orb_learning.figures.alerts import (
    Alert,
    AvgDurationThreshold,
    DbSizeThreshold,
    SuccessRateThreshold,
    read_alerts,
)
from orb_learning.figures.health import (
    WINDOW,
    DatabaseStatus,
    DbPath,
    asked_file,
    read_status,
    status_of_unreadable,
)
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import Text
from orb_learning.figures.storage import Place, Table, read_storage

WATCHED_WINDOW = f"{WINDOW}; alerts: as each message says; storage: when last measured, growth 30d"
MOST_TABLES = 5


class QuietAlert(BaseModel):
    """An alert that is not raised."""

    alert_name: str = Field(description="What is watched.")
    model_tier: Text | None = Field(description="Of tier_drop: the tier that is watched.")
    state: Literal["ok", "unknown", "always so"] = Field(
        description="always so: most of the last 28 days broke the threshold, too; unknown: too "
        "little is known."
    )
    value: float | None = Field(description="What was measured.")
    threshold: float = Field(description="What it is compared with.")
    message: Text = Field(description="What was found, over which time, and in which unit.")


class Alerts(BaseModel):
    """What is wrong now, and what else is watched."""

    raised: list[Alert] = Field(description="The alerts that are raised, critical ones first.")
    others: list[QuietAlert] = Field(description="Those that are not.")


class Storage(BaseModel):
    """How large everything is and will be."""

    places: list[Place] = Field(
        description="The database and the folders beside it; none before `orb load` or "
        "`orb maintain` has run."
    )
    tables: list[Table] = Field(description="The largest tables, at the last maintain.")


class WatchedStatus(DatabaseStatus):
    """Whether the database is well, with what is watched of it."""

    alerts: Alerts = Field(description="By the thresholds that are given, else the database's.")
    storage: Storage = Field(description="How large everything is.")


async def database_status(
    reader: Reader,
    db_path: DbPath = None,
    success_rate_threshold: SuccessRateThreshold = None,
    avg_duration_threshold: AvgDurationThreshold = None,
    db_size_threshold_mb: DbSizeThreshold = None,
) -> WatchedStatus:
    """Tell whether the database is well: counts, success, alerts, what was lost, storage, errors.

    Ask this first: it also says what to do when the database is missing, empty or in use. A
    threshold of the database that most of the last 28 days broke raises no alert; one that is
    given always acts. No alert raised means that nothing is known to be wrong.
    """
    shown, outbox = asked_file(reader, db_path)

    def status(snapshot: Snapshot) -> WatchedStatus:
        return snapshot.result(
            WatchedStatus,
            window=WATCHED_WINDOW,
            **read_status(snapshot, shown, outbox),
            alerts=read_alerts(
                snapshot, success_rate_threshold, avg_duration_threshold, db_size_threshold_mb
            ),
            storage=read_storage(snapshot, most_tables=MOST_TABLES),
        )

    try:
        return await reader.read(status, db_path=db_path)
    except DatabaseError as error:
        return WatchedStatus(
            window=WATCHED_WINDOW,
            **status_of_unreadable(shown, error),
            alerts=Alerts(raised=[], others=[]),
            storage=Storage(places=[], tables=[]),
        )
