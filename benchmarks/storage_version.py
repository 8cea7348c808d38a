"""What the storage version of DuckDB 1.4 costs beside that of the DuckDB that writes.

Every file that is made has it, so that tools which bundle an older DuckDB read it. Measured: all
tables of a built database, copied into a new file; appended again to its raw executions, with
its checkpoint; and read: the executions' figures by tier, task type and day. Medians of rounds in
which the two versions take turns; and the file. Baseline: the same in a file of the newest version.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.store.sealing import CONFIG

TITLE = "Storage version"
OLDER, NEWEST = "v1.4.0", "latest"
ROUNDS = 12
MOST = 1.1
"""What speed suffers no more than."""
STEPS = {
    "copying everything": "copy from database source to made; checkpoint made",
    "appending the executions": (
        "insert into made.raw.executions from source.raw.executions; checkpoint made"
    ),
    "figures by tier, type and day": """
        select model_tier, task_type, timestamp::date as day, count(*), avg(duration_seconds),
            sum(actual_cost), avg(quality_score), max(length(task_description))
        from made.fct_executions group by all
    """,
}


def run(scale: Scale) -> Iterator[Figure]:
    source = databases.built_database(scale.small_rows)
    seconds: dict[tuple[str, str], list[float]] = {}
    sizes: dict[str, int] = {}
    for number in range(ROUNDS):
        versions = (OLDER, NEWEST) if number % 2 else (NEWEST, OLDER)
        for version in versions:
            with databases.new_folder() as folder:
                file = folder / "made.db"
                for step, taken in _measured(source, file, version):
                    seconds.setdefault((step, version), []).append(taken)
                sizes[version] = file.stat().st_size
    for step in STEPS:
        yield Figure(
            f"{step}, {scale.small_rows:,} executions",
            statistics.median(seconds[step, OLDER]),
            baseline=statistics.median(seconds[step, NEWEST]),
            baseline_name="newest version",
            most_ratio=MOST,
        )
    yield Figure(
        "the file, bytes an execution",
        sizes[OLDER] / scale.small_rows,
        unit="B",
        baseline=sizes[NEWEST] / scale.small_rows,
        baseline_name="newest version",
    )


def _measured(source: Path, file: Path, version: str) -> Iterator[tuple[str, float]]:
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute(f"attach '{source}' as source (read_only)")
        connection.execute(f"attach '{file}' as made (storage_version '{version}')")
        for step, statements in STEPS.items():
            began = time.perf_counter()
            connection.execute(statements).fetchall()
            yield step, time.perf_counter() - began
