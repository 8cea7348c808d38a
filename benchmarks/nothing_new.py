"""`dbt build` when nothing is new: the sample, built once, then again.

Measured: the wall time of the whole command, dbt's start, models and tests: with the unit tests, as
`dbt build` runs, without them, and as `orb maintain` builds. Baseline: the database's first build.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.ingest.sample import SAMPLE_FILE, load_sample

TITLE = "Nothing new"

COMMANDS = {
    "dbt build": [],
    "dbt build without unit tests": ["--exclude-resource-type", "unit_test"],
    "dbt build of maintenance": [
        *("--exclude-resource-type", "unit_test", "--exclude", "tag:agreement")
    ],
}
MOST = {"dbt build": 15, "dbt build without unit tests": 8, "dbt build of maintenance": 8}
"""Seconds."""


def run(scale: Scale) -> Iterator[Figure]:
    with databases.new_folder() as folder:
        database = folder / "learning.db"
        rows = load_sample(
            database, file=databases.PROJECT / SAMPLE_FILE, now=databases.LOADED_AT
        ).rows
        first, _ = databases.dbt(database, "build", embeddings_enabled=True)
        again = {
            name: statistics.median(
                databases.dbt(database, "build", *options, embeddings_enabled=True)[0]
                for _ in range(scale.repeats)
            )
            for name, options in COMMANDS.items()
        }
    for name, seconds in again.items():
        yield Figure(
            f"{name} with nothing new, {rows:,} trials",
            seconds,
            baseline=first,
            baseline_name="first build",
            most=MOST[name],
        )
