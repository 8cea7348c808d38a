"""`orb import` of Parquet, against the least that DuckDB itself needs for the same rows.

Measured: the command as a user runs it, its start included, into a new database. Baseline: INSERT …
SELECT * FROM read_parquet in a process that runs already. It fills a table of the same 27 columns
in a new file. It closes the file, so that both have written everything. Medians, in turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.record.model import STORED_COLUMNS

TITLE = "Import"


def run(scale: Scale) -> Iterator[Figure]:
    parquet = databases.parquet_of(scale.import_rows)
    commands, inserts = [], []
    for _ in range(scale.repeats):
        with databases.new_folder() as folder:
            inserts.append(_bare_insert(folder / "bare.db", parquet))
            commands.append(_orb_import(folder / "learning.db", parquet))
    yield Figure(
        f"orb import, {scale.import_rows:,} rows of Parquet",
        statistics.median(commands),
        baseline=statistics.median(inserts),
        baseline_name="bare INSERT",
        most_ratio=2,
    )


def _orb_import(database: Path, parquet: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("orb")), "import", str(parquet)],
        env={**os.environ, "ORB_DATABASE": str(database)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def _bare_insert(database: Path, parquet: Path) -> float:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in STORED_COLUMNS.items())
    began = time.perf_counter()
    with duckdb.connect(database) as connection:
        connection.execute(f"create table executions ({columns})")
        connection.execute("insert into executions select * from read_parquet(?)", [str(parquet)])
    return time.perf_counter() - began
