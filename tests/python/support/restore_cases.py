"""What the tests of restoring share: a database with its outbox and its backups."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from crash_worker import payload_of

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import Backup, verified_offsets
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.operations.erasure import erase
from orb_learning.operations.restore import Restored, restore_backup
from orb_learning.outbox.writer import Limits, Outbox
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

EVERYTHING_IS_PRUNED = Limits(0, timedelta(0))


class Place:
    """A database with its outbox and its backups."""

    def __init__(self, database: Path, backups: Path | None = None):
        self.settings = load_settings(database_path=database, backup_path=backups)
        self.database = database
        self.folder = database.parent
        self.outbox_folder = self.settings.outbox_folder
        self.backups = self.settings.backup_folder

    def put(self, *numbers: int) -> None:
        """Record executions in a segment of their own."""
        outbox = Outbox(self.outbox_folder)
        for number in numbers:
            assert outbox.put("execution", payload_of(str(uuid.UUID(int=number)), number))
        outbox.close()

    def load(self, limits: Limits = Limits()) -> None:  # noqa: B008 (frozen)
        load_once(
            self.database,
            self.outbox_folder,
            RelayOptions(limits=limits, verified_offsets=partial(verified_offsets, self.backups)),
        )

    def back_up(self) -> Backup:
        return make_backup(self.settings).backup

    def restore(self, backup: Backup | Path, **given: Any) -> Restored:
        return restore_backup(
            self.settings,
            backup.folder if isinstance(backup, Backup) else backup,
            **given,
        )

    def numbers(self) -> list[int]:
        rows = self.query("select task_id from raw.executions order by task_id")
        return [task_id.int for (task_id,) in rows]

    def query(self, sql: str) -> list[Any]:
        with connect(self.database, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with connect(self.database) as connection:
            for statement in statements:
                connection.execute(statement).fetchall()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*learning*"))


def erase_tasks(place: Place, *numbers: int) -> None:
    erase(place.settings, task_ids=[uuid.UUID(int=number) for number in numbers])
