"""The outbox that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orb_learning.outbox import Outbox

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings


def outbox_of(settings: LearningSettings) -> Outbox:
    """Return the outbox of executions, with the limits that the settings give it."""
    return Outbox(
        settings.outbox_folder,
        synchronous=settings.outbox_synchronous,
        busy_timeout_ms=settings.outbox_busy_timeout_ms,
        size_limit_bytes=settings.outbox_size_limit_mb * 2**20,
    )
