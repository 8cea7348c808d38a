"""Retention of the oldest tenth of the executions, against a bare COPY of the same rows.

The bare COPY writes the rows into one Parquet file with ZSTD, without comparing or deleting
anything. After it, what gives the disk its space back: a CHECKPOINT, or a copy of the database.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.ingest.files import import_file
from orb_learning.store.compaction import compact
from orb_learning.store.connection import connect

TITLE = "Retention"
OLD_SHARE = 10


def run(scale: Scale) -> Iterator[Figure]:
    days = databases.DAYS // OLD_SHARE
    limit = (databases.UNTIL - timedelta(days=databases.DAYS - days)).replace(tzinfo=None)
    days_to_keep = (databases.AS_OF.replace(tzinfo=None) - limit).days
    with databases.new_folder() as folder:
        path = folder / "learning.db"
        import_file(path, databases.parquet_of(scale.large_rows), now=databases.LOADED_AT)
        databases.dbt(
            path,
            *("build", "--exclude-resource-type", "test", "unit_test"),
            *("--select", "+fct_executions", "+rejected_executions"),
        )
        old = f"from raw.executions where timestamp < '{limit}'"
        with connect(path, read_only=True) as connection:
            [(rows,)] = connection.execute(f"select count(*) {old}").fetchall()
            bare = folder / "bare.parquet"
            began = time.perf_counter()
            connection.execute(f"copy ({old}) to '{bare}' (format parquet, compression zstd)")
            copy_seconds = time.perf_counter() - began
        arguments = {"days_to_keep": days_to_keep, "archive_path": str(folder / "archive")}
        macro = ("run-operation", "archive_and_retain", "--args")
        nothing, _ = databases.operate(path, *macro, json.dumps({**arguments, "dry_run": True}))
        seconds, said = databases.operate(path, *macro, json.dumps(arguments))
        assert said["archived_count"] >= rows
        yield Figure(
            f"retention of {said['archived_count']:,} of {scale.large_rows:,} executions",
            seconds,
            baseline=copy_seconds,
            baseline_name="bare COPY",
        )
        yield Figure("of it, dbt's start and finding what is old", nothing)
        yield Figure("archived files", _size(folder / "archive"), unit="MB", baseline=_size(bare),
                     baseline_name="bare file")  # fmt: skip
        before = _size(path)
        with connect(path) as connection:
            connection.execute("checkpoint")
        yield Figure("the database after a CHECKPOINT", _size(path), unit="MB", baseline=before,
                     baseline_name="before")  # fmt: skip
        began = time.perf_counter()
        compact(path)
        yield Figure("the database after a copy", _size(path), unit="MB", baseline=before,
                     baseline_name="before")  # fmt: skip
        yield Figure("the copy", time.perf_counter() - began)


def _size(path: Path) -> float:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6
