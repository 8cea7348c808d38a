"""A database of its own for each test, of whose backups the newest two are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import Backup
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings, load_settings


@pytest.fixture
def settings(database: Path) -> LearningSettings:
    return load_settings(
        database_path=database,
        backup_keep_last=2,
        backup_keep_daily=0,
        backup_keep_weekly=0,
        backup_keep_monthly=0,
    )


@pytest.fixture
def folder(settings: LearningSettings) -> Path:
    return settings.backup_folder


@pytest.fixture
def outbox(settings: LearningSettings) -> Outbox:
    return Outbox(settings.outbox_folder)


@pytest.fixture
def make(settings: LearningSettings) -> Callable[..., Backup]:
    """Make a backup of the database and the outbox of this test."""

    def one(copy_to: str | None = None, **given: Any) -> Backup:
        changed = settings.model_copy(update={"backup_copy_to": copy_to})
        return make_backup(changed, **given).backup

    return one
