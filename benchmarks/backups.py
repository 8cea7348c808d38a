"""Backup, validation and restore of a built database, against a bare copy of its file.

A writer asks for the database meanwhile: its wait says for how long a backup keeps the database.
That is to be no longer than the copy of the file takes. What a backup then does is to read every
row and every relation of the copy, as validation does.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.backup.create import make_backup
from orb_learning.backup.verify import check_backup
from orb_learning.operations.restore import restore_backup
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

TITLE = "Backups"
LONGEST_WAIT_SECONDS = 3_600.0


def run(scale: Scale) -> Iterator[Figure]:
    with databases.copy_of(databases.built_database(scale.large_rows)) as path:
        settings = load_settings(database_path=path)
        copied = path.parent / "copied.db"
        copy = _seconds(lambda: shutil.copyfile(path, copied))
        copied.unlink()
        megabytes = path.stat().st_size / 1e6
        waits: list[float] = []
        writer = threading.Timer(0.5, lambda: waits.append(_wait_of_a_writer(path)))
        writer.start()
        began = time.perf_counter()
        backup = make_backup(settings, wait_seconds=LONGEST_WAIT_SECONDS).backup
        made = time.perf_counter() - began
        writer.join()
        validated = _seconds(lambda: check_backup(backup.folder))
        restored = _seconds(lambda: restore_backup(settings, backup.folder)) - validated
        rows = f"{scale.large_rows:,} executions"
        bare = {"baseline": copy, "baseline_name": "bare copy of the file"}
        yield Figure(f"orb backup of {rows}", made, **bare, most=60)
        yield Figure(f"orb restore of {rows}, validation left out", restored, **bare, most=30)
        yield Figure("orb validate-backup, a part of a restore", validated, **bare)
        yield Figure("a writer's wait while the backup is made", waits[0], **bare, most=5)
        yield Figure(
            "the backup",
            backup.manifest.size_bytes / 1e6,
            unit="MB",
            baseline=megabytes,
            baseline_name="the database",
        )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _wait_of_a_writer(path: Path) -> float:
    began = time.perf_counter()
    with connect(path, wait_seconds=LONGEST_WAIT_SECONDS):
        return time.perf_counter() - began
