"""`orb maintain --watch`: what is recorded is soon in the marts, and nothing is built in vain."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sites import Site, quick_project, untested_project

from orb_learning.errors import DbtError, MaintenanceBusyError
from orb_learning.operations import watching
from orb_learning.operations.maintenance import exclusive_run
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

LONGEST_SECONDS = 240


def rows(database: Path, relation: str) -> int:
    with connect(database, read_only=True, wait_seconds=60) as connection:
        [(count,)] = connection.execute(f"select count(*) from {relation}").fetchall()
    return int(count)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
def test_what_is_recorded_is_in_core_and_marts_without_a_whole_run(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", untested_project(tmp_path / "project"))
    watch = site.start("--watch", "--every", "1")
    try:
        wait_until(lambda: any(site.database.parent.glob("backups/2*")))  # the whole run's
        site.record(random.Random(1), 40)  # noqa: S311
        wait_until(lambda: rows(site.database, "fct_executions") == 40)
        wait_until(lambda: rows(site.database, "tier_performance_mv") > 0)
    finally:
        watch.send_signal(signal.SIGTERM)
        said, _ = watch.communicate(timeout=LONGEST_SECONDS)
    assert watch.returncode == 0, said
    assert "core and marts have 80 rows more" in said
    assert len([*site.database.parent.glob("backups/2*")]) == 1


class Builds:
    """Counts what a watch builds, in place of dbt."""

    def __init__(self, failing: int = 0):
        self.count = 0
        self.failing = failing

    def __call__(self, *_arguments: object, **_options: object) -> str:
        self.count += 1
        if self.count <= self.failing:
            raise DbtError("a model failed")
        return ""


@contextmanager
def busy(database: Path) -> Iterator[None]:
    """Be another run, as soon as the watch looks away."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(exclusive_run(database))
            except MaintenanceBusyError:
                time.sleep(0.001)
            else:
                break
        yield


def test_it_builds_only_when_something_came_and_again_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)  # noqa: S311
    site = Site(tmp_path, quick_project(tmp_path / "project"))
    builds = Builds(failing=1)
    monkeypatch.setattr(watching, "run_dbt", builds)
    monkeypatch.setattr(watching, "maintain", lambda *_, **__: site.record(chance, 10))
    settings = load_settings(database_path=site.database)
    watch = watching.Watch(settings, every=0.2, whole_every=3_600)
    told: list[object] = []
    thread = threading.Thread(target=watch.run, args=(told.append,), daemon=True)
    thread.start()
    wait_until(lambda: len(told) == 2)
    time.sleep(0.5)
    assert (builds.count, told) == (2, [None, 20])
    with busy(site.database):
        site.record(chance, 5)
        time.sleep(0.5)
        assert builds.count == 2
    wait_until(lambda: len(told) == 3)
    watch.stop()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert told[2] == 10
