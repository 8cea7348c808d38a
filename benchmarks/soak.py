"""Everything at once, for ten minutes, and then every record counted.

Eight producers record 1,000 executions a second in all, one in twenty of a day that retention
takes. The relay loads every two seconds, dbt builds without a pause, and two readers query a mart
again and again. In between retention runs, each with a backup after it. At the end each
acknowledged execution is in raw or in the archive, once.

The slowest call is that of a producer. The relay's lag is the age of the oldest record that waits
in the outbox, sampled every second.
"""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.archive.files import archived_files
from orb_learning.archive.retention import archive_and_retain
from orb_learning.backup.create import make_backup
from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.errors import DatabaseMissingError, LoaderBusyError
from orb_learning.ingest.relay import load_once, pending_records
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

TITLE = "Soak: producers, relay, builds, readers, retention and backup at once"
PRODUCERS = 8
RECORDS_A_SECOND = 1_000
DAYS_KEPT = 30
WAIT_SECONDS = 300.0
"""For a process that was told to stop; a reader may just wait for a build or a backup."""


@dataclass(frozen=True)
class Report:
    """What a producer did."""

    number: int
    count: int
    refused: int
    seconds: float
    slowest_call: float


def run(scale: Scale) -> Iterator[Figure]:
    with databases.new_folder() as folder:
        settings = load_settings(
            database_path=folder / "learning.db", project_path=databases.PROJECT
        )
        load_once(settings.database_path, settings.outbox_folder)
        databases.dbt(settings.database_path, "build")
        context = multiprocessing.get_context("spawn")
        stop, reports = context.Event(), context.Queue()
        producers = [
            context.Process(target=_produce, args=(folder, number, stop, reports))
            for number in range(PRODUCERS)
        ]
        readers = [context.Process(target=_read, args=(folder, stop)) for _ in range(2)]
        for process in (*producers, *readers):
            process.start()
        try:
            lags, done = _work(settings, scale.soak_seconds)
        finally:
            stop.set()
        told = [reports.get(timeout=WAIT_SECONDS) for _ in producers]
        for process in (*producers, *readers):
            process.join(WAIT_SECONDS)
        assert all(process.exitcode == 0 for process in (*producers, *readers)), "one failed"
        assert done["retention"] > 0, "there was no retention"
        assert done["backups"] > 0, "there was no backup"
        load_once(settings.database_path, settings.outbox_folder)
        found = _found(settings)
    assert sum(report.refused for report in told) == 0, "records were refused"
    expected = {
        uuid.UUID(int=(report.number + 1 << 64) + n) for report in told for n in range(report.count)
    }
    rate = sum(report.count / report.seconds for report in told)
    yield Figure("acknowledged executions", len(expected), unit="records")
    yield Figure(
        f"short of {RECORDS_A_SECOND:,} a second",
        max(0.0, RECORDS_A_SECOND - rate),
        unit="a second",
        most=RECORDS_A_SECOND / 20,
    )
    yield Figure("of them lost", len(expected - found.keys()), unit="records", most=0)
    yield Figure("there twice", sum(n > 1 for n in found.values()), unit="records", most=0)
    slowest = max(report.slowest_call for report in told)
    yield Figure("slowest capture call", slowest, most=0.05)
    yield Figure("relay's lag, at the median", statistics.median(lags))
    yield Figure("relay's lag, at the most", max(lags))
    for what, count in sorted(done.items()):
        yield Figure(f"{what} meanwhile", count, unit="runs")


def _work(settings: LearningSettings, seconds: float) -> tuple[list[float], Counter[str]]:
    """Load, build, retain and back up for so long; returns the relay's lags, and what was done."""
    done: Counter[str] = Counter()
    until = time.monotonic() + seconds
    errors: list[BaseException] = []

    def again_and_again(what: str, act: Callable[[], object], pause: float) -> None:
        try:
            while time.monotonic() < until:
                act()
                done[what] += 1
                time.sleep(pause)  # the relay loads every few seconds, a schedule every few minutes
        except BaseException as error:
            errors.append(error)

    def load() -> None:
        with suppress(LoaderBusyError):  # a backup has the outbox
            load_once(settings.database_path, settings.outbox_folder, wait_seconds=120)

    def keep() -> None:
        archive_and_retain(settings, days_to_keep=DAYS_KEPT)
        done["retention"] += 1
        make_backup(settings, wait_seconds=300)
        done["backups"] += 1

    threads = [
        threading.Thread(target=again_and_again, args=arguments)
        for arguments in (
            ("loads", load, 2.0),
            ("builds", lambda: databases.dbt(settings.database_path, "build", as_of=""), 0.0),
            ("retention with backup", keep, seconds / 4),
        )
    ]
    for thread in threads:
        thread.start()
    lags = []
    while any(thread.is_alive() for thread in threads):
        lags.append(_lag(settings))
        time.sleep(1)  # between two looks
    if errors:
        raise errors[0]
    return lags, done


def _lag(settings: LearningSettings) -> float:
    try:
        with connect(settings.database_path, read_only=True, wait_seconds=120) as reading:
            positions = dict(
                reading.execute("select outbox_id, position from raw.outbox_positions").fetchall()
            )
    except DatabaseMissingError:
        positions = {}
    _, oldest = pending_records(settings.outbox_folder, positions)
    return 0.0 if oldest is None else max(0.0, time.time() - oldest)


def _produce(folder: Path, number: int, stop: Any, reports: Any) -> None:
    capture = TelemetryCapture(Outbox(folder / "outbox"))
    refused, slowest, count = 0, 0.0, 0
    began = time.monotonic()
    while not stop.is_set():
        now = datetime.now(UTC)
        record = {
            "task_id": str(uuid.UUID(int=(number + 1 << 64) + count)),
            "timestamp": now - timedelta(days=40 if count % 20 == 0 else 0),
            "task_type": f"type {count % 7}",
            "task_description": f"text {count % 97} of a task, " * 10,
            "repo": f"repo-{count % 5}",
            "model_tier": "small",
            "pool_type": "local",
            "success": count % 3 != 0,
            "duration_seconds": 1.5,
            "solution_summary": f"solution {count % 31}",
        }
        called = time.perf_counter()
        kept = capture.store_records([record])
        slowest = max(slowest, time.perf_counter() - called)
        refused += not kept
        count += 1
        ahead = began + count * PRODUCERS / RECORDS_A_SECOND - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)  # the rate
    reports.put(Report(number, count, refused, time.monotonic() - began, slowest))


def _read(folder: Path, stop: Any) -> None:
    while not stop.is_set():
        path = folder / "learning.db"
        with connect(path, read_only=True, wait_seconds=300) as reading:
            reading.execute("select sum(total_executions) from tier_performance_mv").fetchall()
        time.sleep(0.5)  # a reader looks now and then


def _found(settings: LearningSettings) -> Counter[uuid.UUID]:
    found: Counter[uuid.UUID] = Counter()
    with connect(settings.database_path, read_only=True) as connection:
        rows = connection.execute("select task_id from raw.executions").fetchall()
        found.update(task for (task,) in rows)
        for file in archived_files(connection):
            if file.unarchived_at is None:
                path = settings.archive_folder / file.file_name
                with duckdb.connect() as reading:
                    rows = reading.execute(
                        "select task_id from read_parquet(?)", [str(path)]
                    ).fetchall()
                found.update(task for (task,) in rows)
    return found
