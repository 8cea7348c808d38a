"""What ``orb status`` shows beside ``database_status``: rows, facts, and the outbox."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from orb_learning.figures.reader import Snapshot
from orb_learning.ingest import pending_records
from orb_learning.outbox import as_time, files_of, folder_size
from orb_learning.store import (
    built_by_this_version,
    connect,
    schema_version_of,
    stored_offsets,
)


@dataclass(frozen=True)
class Contents:
    """What was built into the database."""

    relations: dict[str, int]
    """The rows of each relation that people query first, by its name."""
    facts: dict[str, str | None]
    """What ``metadata`` holds, by key, as text."""
    unknown_models: list[dict[str, Any]] = field(default_factory=list)
    """Models of the most executions whose tier is unknown: ``model``, ``total_executions`` and
    ``seed_line``, the line of the seed that would tell it."""


def read_contents(database: Path, *, wait_seconds: float = 30.0) -> Contents:
    """Read what was built into a database.

    Args:
        database: the file.
        wait_seconds: for how long to wait while another process has it.

    Raises:
        NotBuiltError: it was never built, or by another version.
        DatabaseError: there is no database, or it cannot be read.
    """
    with (
        connect(database, read_only=True, wait_seconds=wait_seconds) as connection,
        built_by_this_version(database),
    ):
        snapshot = Snapshot(connection)
        relations = snapshot.rows(
            "select relation_name, row_count from rpt_relations order by relation_name"
        )
        facts = snapshot.rows("select key, value from metadata order by key")
        unknown = snapshot.rows(
            "select model, total_executions, seed_line from rpt_unknown_models "
            "order by total_executions desc, model limit 10"
        )
    return Contents(
        {row["relation_name"]: row["row_count"] for row in relations},
        {row["key"]: row["value"] for row in facts},
        unknown,
    )


@dataclass(frozen=True)
class OutboxStatus:
    """The outbox at one point in time."""

    folder: Path
    size_bytes: int
    pending: int
    """Records that are not in raw yet."""
    oldest: datetime | None
    """When the oldest of them was put, naive UTC."""
    dead_letters: int
    refused: dict[str, int]
    """Records that were refused, as far as their processes could tell, by reason."""
    last_load: datetime | None
    is_readable: bool = True
    """Whether this user may read it; what waits is not known otherwise."""
    reused_ids: int = 0
    """Executions whose id, no UUID, another task had before."""
    loaded: int = 0
    """Versions of executions that are in raw, built or not."""

    def waiting(self) -> dict[str, str]:
        """Return what waits, by its name."""
        unknown = None if self.is_readable else "not readable by this user"
        return {
            "pending": unknown or f"{self.pending:,}",
            "oldest pending": unknown or str(self.oldest or "none"),
        }

    def facts(self) -> dict[str, str]:
        """Return what there is to show, by its name."""
        refused = ", ".join(f"{count:,} {reason}" for reason, count in self.refused.items())
        return self.waiting() | {
            "dead letters": f"{self.dead_letters:,}",
            "refused": refused or "0",
            "last load": str(self.last_load or "never"),
            "ids that came again": f"{self.reused_ids:,}",
        }


def read_outbox_status(database: Path, folder: Path, *, wait_seconds: float = 30.0) -> OutboxStatus:
    """Read the status of the outbox that feeds a database.

    Args:
        database: the file.
        folder: the outbox.
        wait_seconds: for how long to wait while another process has the file.

    Raises:
        DatabaseError: there is no database, or it cannot be read.
    """
    dead_letters, refused, last_load, offsets, reused_ids, count = 0, {}, None, {}, 0, 0
    with connect(database, read_only=True, wait_seconds=wait_seconds) as connection:
        if schema_version_of(connection) >= 2:
            offsets = stored_offsets(connection)
            snapshot = Snapshot(connection)
            loaded = snapshot.row(
                "select (select count(*) from raw.dead_letters) as dead_letters, "
                "(select max(loaded_at) from raw.outbox_positions) as last_load, "
                "(select count(*) from raw.executions) as version_count"
            )
            dead_letters, last_load = loaded["dead_letters"], loaded["last_load"]
            count = loaded["version_count"]
            rows = snapshot.rows(
                "select reason, sum(refused_count)::bigint as refused_count "
                "from raw.refused_records group by reason order by reason"
            )
            refused = {row["reason"]: row["refused_count"] for row in rows}
        if schema_version_of(connection) >= 7:
            reused_ids = Snapshot(connection).row(
                "select count(*) as reused from raw.external_ids where task_id <> external_task_id"
            )["reused"]
    is_readable = _is_readable(folder)
    pending, oldest = pending_records(folder, offsets) if is_readable else (0, None)
    return OutboxStatus(
        folder,
        folder_size(folder),
        pending,
        as_time(oldest),
        dead_letters,
        refused,
        last_load,
        is_readable,
        reused_ids,
        count,
    )


def _is_readable(folder: Path) -> bool:
    if not folder.exists():
        return True  # nothing was ever recorded
    return os.access(folder, os.R_OK | os.X_OK) and all(
        os.access(file, os.R_OK) for file in files_of(folder)
    )
