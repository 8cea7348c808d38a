"""`orb report` on a million executions: how long it takes, and how big the page is.

The command runs as a user starts it; the median of several runs. Below are the views that it alone
reads, `rpt_page_…`, which hold the figures of every filter value. Each is read once, without a
target of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import reports
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.store.connection import connect

TITLE = "Page"
ORB = [sys.executable, "-c", "from orb_learning.cli import app; app()"]


def run(scale: Scale) -> Iterator[Figure]:
    with reports.database_as_of_its_end(scale.import_rows) as file:
        yield from measure(file, scale.repeats)


def measure(file: Path, runs: int) -> Iterator[Figure]:
    """Measure the page of the database."""
    page = file.parent / "report.html"
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(
            [*ORB, "report", "--output", str(page)],
            env={**os.environ, "ORB_DATABASE": str(file)},
            check=True,
        )
        times.append(time.perf_counter() - began)
    yield Figure("orb report", statistics.median(times), most=10)
    yield Figure("size of the page", page.stat().st_size / 1e6, unit="MB", most=5)
    with connect(file, read_only=True) as connection:
        for report in reports.names(connection):
            if report.startswith(reports.OF_THE_PAGE):
                began = time.perf_counter()
                connection.execute(f"from {report}").fetchall()
                yield Figure(report, time.perf_counter() - began)
