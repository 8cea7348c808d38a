"""The outbox into the database, as the settings say."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from orb_learning.backup import verified_offsets
from orb_learning.ingest import LoadResult, load_once
from orb_learning.outbox import Limits
from orb_learning.settings import LearningSettings
from orb_learning.store import DATABASE_PLACE


def load_outbox(
    settings: LearningSettings,
    *,
    wait_seconds: float = 30.0,
    now: datetime | None = None,
    adopt: bool = False,
) -> LoadResult:
    """Load what is in the outbox, and prune it, as the settings say; see ``load_once``."""
    return load_once(
        settings.database_path,
        settings.outbox_folder,
        wait_seconds=wait_seconds,
        now=now,
        lone_half_limit=settings.lone_half_limit,
        limits=outbox_limits(settings),
        verified_offsets=partial(verified_offsets, settings.backup_folder),
        adopt=adopt,
    )


def places_of(settings: LearningSettings) -> dict[str, Path]:
    """Return what is measured as a whole, by its name: the database, and the folders beside it."""
    return {
        DATABASE_PLACE: settings.database_path,
        "outbox": settings.outbox_folder,
        "archive": settings.archive_folder,
        "backups": settings.backup_folder,
    }


def outbox_limits(settings: LearningSettings) -> Limits:
    """Return up to which loaded records stay in the outbox that no verified backup holds."""
    return Limits(
        settings.outbox_size_limit_mb * 2**20 // 2, timedelta(days=settings.outbox_age_limit_days)
    )
