"""Backup, validation and restore of a built database, against a bare COPY of its executions.

There are two baselines, each into a new file. One is a COPY of raw.executions to Parquet: it leaves
out the other tables and the indexes, and reads nothing back. The other is DuckDB's own COPY FROM
DATABASE, with which a backup begins. A writer asks for the database meanwhile: its wait says for
how long a backup keeps the database. Afterwards the copy is hashed, read back and compared without
it.
"""

from __future__ import annotations

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
        parquet, copied = path.parent / "bare.parquet", path.parent / "copied.db"
        with connect(path, read_only=True) as connection:
            to_parquet = _seconds(
                lambda: connection.execute(f"copy raw.executions to '{parquet}' (format parquet)")
            )
            connection.execute(f"attach '{copied}' as copied (read_write)")
            to_database = _seconds(
                lambda: connection.execute("copy from database learning to copied")
            )
            connection.execute("detach copied")
        copied.unlink()
        waits: list[float] = []
        writer = threading.Timer(0.5, lambda: waits.append(_wait_of_a_writer(path)))
        writer.start()
        began = time.perf_counter()
        backup = make_backup(settings, wait_seconds=LONGEST_WAIT_SECONDS).backup
        made = time.perf_counter() - began
        writer.join()
        validated = _seconds(lambda: check_backup(backup.folder))
        restored = _seconds(lambda: restore_backup(settings, backup.folder))
        rows = f"{scale.large_rows:,} executions"
        for baseline, name in ((to_parquet, "bare COPY"), (to_database, "COPY FROM DATABASE")):
            yield Figure(f"orb backup of {rows}", made, baseline=baseline, baseline_name=name)
            yield Figure(f"orb restore of {rows}", restored, baseline=baseline, baseline_name=name)
        yield Figure("orb validate-backup, a part of both", validated)
        yield Figure("a writer's wait while the backup is made", waits[0])
        yield Figure(
            "the backup",
            backup.manifest.size_bytes / 1e6,
            unit="MB",
            baseline=parquet.stat().st_size / 1e6,
            baseline_name="the bare COPY's file",
        )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _wait_of_a_writer(path: Path) -> float:
    began = time.perf_counter()
    with connect(path, wait_seconds=LONGEST_WAIT_SECONDS):
        return time.perf_counter() - began
