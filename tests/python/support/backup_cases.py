"""What the tests of backups share: records, statements, and what is wrong with a backup."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from orb_learning.backup.manifests import SUMS, Backup
from orb_learning.backup.verify import validate_backup
from orb_learning.filesystem.durable import sha256_of
from orb_learning.outbox.writer import Outbox
from orb_learning.record.model import ExecutionRecord
from orb_learning.settings import LearningSettings
from orb_learning.store.connection import connect

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001


def changed(settings: LearningSettings, **values: Any) -> LearningSettings:
    return settings.model_copy(update=values)


def put(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        record = ExecutionRecord(task_id=uuid.UUID(int=number), file_count=number)
        assert outbox.put("execution", record.model_dump_json())


def query(database: Path, sql: str) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def change(database: Path, *statements: str) -> None:
    with connect(database) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def problems(backup: Backup) -> str:
    return "; ".join(validate_backup(backup.folder).problems)


def sign_again(backup: Backup) -> None:
    """Note the bytes of a backup's files as they are now, as whoever tampers with them would."""
    noted = json.loads((backup.folder / "manifest.json").read_text())
    for name in noted["files"]:
        sha256 = sha256_of(backup.folder / name)
        noted["files"][name] = {"size_bytes": (backup.folder / name).stat().st_size} | {
            "sha256": sha256
        }
    (backup.folder / "manifest.json").write_text(json.dumps(noted))
    names = sorted([*noted["files"], "manifest.json"])
    sums = [f"{sha256_of(backup.folder / name)}  {name}\n" for name in names]
    (backup.folder / SUMS).write_text("".join(sums))
