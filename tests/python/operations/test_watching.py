"""`orb maintain --watch`: what is recorded is soon in the marts, and nothing is built in vain."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from polling import until
from sites import Site, quick_project, untested_project

from orb_learning.errors import DbtError, MaintenanceBusyError
from orb_learning.operations import watching
from orb_learning.operations.maintenance import MaintenanceRun, StepResult, exclusive_run
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect, utc_now

LONGEST_SECONDS = 240


def rows(database: Path, relation: str) -> int:
    with connect(database, read_only=True, wait_seconds=60) as connection:
        [(count,)] = connection.execute(f"select count(*) from {relation}").fetchall()
    return int(count)


@pytest.mark.slow
def test_what_is_recorded_is_in_core_and_marts_without_a_whole_run(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", untested_project(tmp_path / "project"))
    watch = site.start("--watch", "--every", "1")
    try:
        backups = site.database.parent / "backups"
        until(lambda: any(backups.glob("2*")), LONGEST_SECONDS)  # the whole run's
        site.record(random.Random(1), 40)  # noqa: S311
        until(lambda: rows(site.database, "fct_executions") == 40, LONGEST_SECONDS)
        until(lambda: rows(site.database, "tier_performance_mv") > 0, LONGEST_SECONDS)
    finally:
        watch.send_signal(signal.SIGTERM)
        said, _ = watch.communicate(timeout=LONGEST_SECONDS)
    assert watch.returncode == 0, said
    assert "core and marts have 80 rows more" in said
    assert len([*backups.glob("2*")]) == 1


class Watched:
    """A watch in a thread, with its builds and looks counted, without dbt and whole runs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, whole: MaintenanceRun):
        self.site = Site(folder, quick_project(folder / "project"))
        self.chance = random.Random(1)  # noqa: S311
        self.told: list[MaintenanceRun | int] = []
        self.builds = self.looks = self.tries = 0
        self.failing = 0
        load = watching.load_outbox

        def build(*_: Any, **__: Any) -> str:
            self.builds += 1
            if self.builds <= self.failing:
                raise DbtError("a model failed")
            return ""

        def looking(*given: Any, **named: Any) -> Any:
            self.looks += 1
            return load(*given, **named)

        def alone(database: Path) -> Any:
            self.tries += 1
            return exclusive_run(database)

        def maintained(*_: Any, **__: Any) -> MaintenanceRun:
            self.site.record(self.chance, 10)
            return whole

        monkeypatch.setattr(watching, "run_dbt", build)
        monkeypatch.setattr(watching, "load_outbox", looking)
        monkeypatch.setattr(watching, "exclusive_run", alone)
        monkeypatch.setattr(watching, "maintain", maintained)
        settings = load_settings(database_path=self.site.database)
        self.watch = watching.Watch(settings, every=0.05, whole_every=3_600)
        self.thread = threading.Thread(target=self.watch.run, args=(self.told.append,), daemon=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        self.thread.start()
        yield
        self.watch.stop()
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()

    def look_twice(self) -> None:
        before = self.looks
        until(lambda: self.looks > before + 2)


@contextmanager
def busy(database: Path) -> Iterator[None]:
    """Be another run, as soon as the watch looks away."""
    with ExitStack() as stack:

        def is_entered() -> bool:
            try:
                stack.enter_context(exclusive_run(database))
            except MaintenanceBusyError:
                return False
            return True

        until(is_entered)
        yield


def test_it_builds_only_when_something_came_and_again_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = MaintenanceRun()
    watched = Watched(tmp_path, monkeypatch, whole)
    watched.failing = 1
    with watched.running():
        until(lambda: len(watched.told) == 2)
        watched.look_twice()
        assert (watched.builds, watched.told) == (2, [whole, 20])
        with busy(watched.site.database):
            watched.site.record(watched.chance, 5)
            before = watched.tries
            until(lambda: watched.tries > before + 2)
            assert watched.builds == 2
        until(lambda: len(watched.told) == 3)
    assert watched.told[2] == 10


def test_what_a_whole_run_could_not_build_is_built_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    failed = MaintenanceRun(steps=[StepResult("build", "failed", now, now, "a model failed")])
    watched = Watched(tmp_path, monkeypatch, failed)
    watched.site.record(watched.chance, 10)
    watching.load_outbox(load_settings(database_path=watched.site.database))
    monkeypatch.setattr(watching, "maintain", lambda *_, **__: failed)
    with watched.running():
        until(lambda: len(watched.told) == 2)
    assert watched.told == [failed, 20]
