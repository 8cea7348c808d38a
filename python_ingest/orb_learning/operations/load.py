"""The outbox into the database, as the settings say."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from orb_learning.backup import verified_offsets
from orb_learning.ingest import LoadResult, RelayOptions, load_once
from orb_learning.outbox import Limits
from orb_learning.settings import LearningSettings
from orb_learning.store import DATABASE_PLACE, check_path


def load_outbox(
    settings: LearningSettings,
    *,
    wait_seconds: float = 30.0,
    now: datetime | None = None,
    adopt: bool = False,
) -> LoadResult:
    """Load what is in both outboxes, and prune them, as the settings say; see ``load_once``.

    Returns:
        what became of the outbox of executions, with the counts and troubles of that of spans.
    """
    result = load_once(
        settings.database_path,
        settings.outbox_folder,
        relay_options(settings),
        wait_seconds=wait_seconds,
        now=now,
        adopt=adopt,
    )
    if settings.span_outbox_folder.is_dir():
        spans = load_once(
            settings.database_path,
            settings.span_outbox_folder,
            span_relay_options(settings),
            wait_seconds=wait_seconds,
            now=now,
            adopt=adopt,
        )
        result.counts += spans.counts
        result.foreign += [f"{settings.span_outbox_folder.name}/{name}" for name in spans.foreign]
        result.damaged += spans.damaged
        result.pruned += spans.pruned
    return result


def check_recorded(settings: LearningSettings) -> None:
    """Refuse settings that name neither a database nor an outbox: a path with a mistake.

    Raises:
        DatabaseMissingError: says which file is not there.
    """
    if not settings.outbox_folder.exists():
        check_path(settings.database_path, must_exist=True)


def relay_options(settings: LearningSettings) -> RelayOptions:
    """Return how the outbox is loaded and pruned."""
    return RelayOptions(
        unmatched_limit=timedelta(hours=settings.lone_half_hours),
        limits=Limits(
            settings.outbox_size_limit_mb * 2**20 // 2,
            timedelta(days=settings.outbox_age_limit_days),
        ),
        verified_offsets=partial(verified_offsets, settings.backup_folder),
    )


def span_relay_options(settings: LearningSettings) -> RelayOptions:
    """Return how the outbox of spans is loaded and pruned.

    Loaded spans stay for a backup only while they leave half of the limit to those that wait.
    """
    return RelayOptions(
        limits=Limits(
            settings.span_outbox_size_limit_mb * 2**20 // 2,
            timedelta(days=settings.span_retention_days),
        ),
        verified_offsets=partial(verified_offsets, settings.backup_folder),
        samples_sizes=False,
    )


def places_of(settings: LearningSettings) -> dict[str, Path]:
    """Return what is measured as a whole, by its name: the database, and the folders beside it."""
    return {
        DATABASE_PLACE: settings.database_path,
        "outbox": settings.outbox_folder,
        "span_outbox": settings.span_outbox_folder,
        "archive": settings.archive_folder,
        "backups": settings.backup_folder,
    }
