"""From call to mart: from a captured call to its row in `executions` and in a report.

The database is the sample, built. `orb maintain --watch` works on it as it ships, looking each
minute, and a call is captured every two seconds. Measured: from the call's return until a reader
finds the execution in `executions`, and its number in `rpt_success_by_tier`. The reader looks twice
a second. Beside it the processor's time for each build of the watch, loading and looking included.
With the timer in place of the watch the pause is an hour, not a minute, and the rest is the same.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.ingest.sample import load_sample
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

TITLE = "From call to mart"
PAUSE_SECONDS = 2.0
POLL_SECONDS = 0.5
WAIT_SECONDS = 600.0
ORB = [sys.executable, "-m", "orb_learning"]
POOL = "of-the-benchmark"
SAID = "watch.log"
OF_A_BUILD = "core and marts have"
"""What the watch says of a build of its own."""


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    every, calls = (60, 150) if full else (1, 5)
    with databases.new_folder() as folder:
        database = folder / "learning.db"
        load_sample(database)
        with _watching(database, every) as watch:
            began = _processor_seconds(watch.pid)
            found, reported = _measure(database, calls)
            seconds = _processor_seconds(watch.pid) - began
        builds = (folder / SAID).read_text().count(OF_A_BUILD)
    for where, waits in (("executions", found), ("a report", reported)):
        for percent in (50, 95):
            yield Figure(
                f"from call to {where}, p{percent}",
                statistics.quantiles(waits, n=100, method="inclusive")[percent - 1],
                most=1.5 * every if full and percent == 95 else None,
            )
    yield Figure(f"processor's time a build of the watch, of {builds}", seconds / builds)


@contextmanager
def _watching(database: Path, every: int) -> Iterator[subprocess.Popen[bytes]]:
    """Let the watch work, from its first whole run's end on."""
    with (database.parent / SAID).open("wb") as said:
        watch = subprocess.Popen(
            [*ORB, "--database", str(database), "maintain", "--watch", "--every", str(every)],
            cwd=database.parent,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        backups = load_settings(database_path=database).backup_folder
        _until(lambda: any(backups.glob("2*Z/manifest.json")), watch)
        yield watch
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.wait(timeout=WAIT_SECONDS)


def _measure(database: Path, calls: int) -> tuple[list[float], list[float]]:
    """Return for each call the seconds until `executions` and a report had it."""
    capture = TelemetryCapture(Outbox(load_settings(database_path=database).outbox_folder))
    called: list[float] = []
    seen: dict[str, list[float]] = {"executions": [], "a report": []}
    due = time.monotonic()
    while min(map(len, seen.values())) < calls:
        if len(called) < calls and time.monotonic() >= due:
            now = datetime.now(UTC)
            task = {"id": uuid.uuid4(), "prompt": f"task {len(called)}", "model_tier": "small"}
            result = {"success": True, "cost": 0.01}
            capture.store_execution_telemetry(POOL, task, result, now - timedelta(seconds=1), now)
            called.append(time.monotonic())
            due += PAUSE_SECONDS
        for where, count in _counts(database).items():
            times = seen[where]
            # Calls are loaded in their order, so a count says which have arrived.
            times += [time.monotonic() - began for began in called[len(times) : count]]
        if called and time.monotonic() - called[-1] > WAIT_SECONDS:
            raise RuntimeError(f"of {len(called)} calls, only {seen} arrived")
        time.sleep(POLL_SECONDS)  # as a reader who looks again; it is what is measured
    return seen["executions"], seen["a report"]


def _counts(database: Path) -> dict[str, int]:
    with connect(database, read_only=True, wait_seconds=60) as connection:
        rows = connection.execute(
            """
            select
                (select count(*) from executions where pool_type = $pool),
                (
                    select coalesce(sum(total_executions), 0)
                    from rpt_success_by_pool
                    where time_range = '24h' and pool_type = $pool
                )
            """,
            {"pool": POOL},
        ).fetchall()
    ((executions, reported),) = rows
    return {"executions": int(executions), "a report": int(reported)}


def _processor_seconds(process: int) -> float:
    """Return what a process and its children that ended took, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _until(holds: Callable[[], bool], watch: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + WAIT_SECONDS
    while not holds():
        if watch.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"the watch made no backup; its status is {watch.poll()}")
        time.sleep(POLL_SECONDS)  # nothing tells when another process has made a file
