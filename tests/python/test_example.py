"""The example runs, the README shows its lines, and broken telemetry changes nothing in it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from building import REPOSITORY
from orb_learning import LearningDatabase, Outbox, TelemetryCapture
from orb_learning.database import connect

EXAMPLE = REPOSITORY / "examples/pool_manager.py"
TASKS = 24


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pool_manager", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["pool_manager"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_tasks(example: ModuleType, telemetry: TelemetryCapture | None) -> list[dict[str, Any]]:
    async def scenario() -> list[dict[str, Any]]:
        manager = example.PoolManager(example.pools(), telemetry=telemetry)
        return await asyncio.gather(*map(manager.route_task, example.tasks(TASKS)))

    return asyncio.run(scenario())


@pytest.fixture(scope="module")
def results(example: ModuleType) -> list[dict[str, Any]]:
    """What the orchestrator's tasks come to without telemetry."""
    results = run_tasks(example, None)
    assert {result["status"] for result in results} == {"completed", "failed", "timeout"}
    return results


def test_it_runs_and_shows_what_it_recorded(database: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), str(database)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "{'kept': 50}" in ran.stdout
    assert "validation" in ran.stdout
    with connect(database, read_only=True) as connection:
        assert connection.execute(
            "select count(*), count(distinct task_id) from raw.executions"
        ).fetchone() == (50, 50)


def test_the_readme_shows_its_lines() -> None:
    shown = re.findall(
        r"^ *# in the README\n(.*?)\n+ *# to here$", EXAMPLE.read_text(), re.DOTALL | re.MULTILINE
    )
    readme = (REPOSITORY / "README.md").read_text()
    assert len(shown) == 2
    for lines in shown:
        assert f"```python\n{textwrap.dedent(lines)}\n```" in readme


def test_telemetry_leaves_the_results_as_they_are(
    example: ModuleType, results: list[dict[str, Any]], database: Path
) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with LearningDatabase(database) as learning:
            manager = example.PoolManager(example.pools(), telemetry=learning.telemetry)
            done = await asyncio.gather(*map(manager.route_task, example.tasks(TASKS)))
            assert learning.telemetry.counts() == {"kept": TASKS}
            return done

    assert asyncio.run(scenario()) == results


def closed(outbox: Outbox) -> None:
    outbox.close()


def too_large(outbox: Outbox) -> None:
    outbox._size_limit = 1
    outbox._until_look = 0


def corrupt(outbox: Outbox) -> None:
    for file in outbox.folder.iterdir():
        size = file.stat().st_size
        with file.open("r+b") as opened:
            opened.write(b"\xa5" * size)


def truncated(outbox: Outbox) -> None:
    for file in outbox.folder.iterdir():
        # The shared index of the log is mapped into memory: no SQLite survives its truncation.
        if not file.name.endswith("-shm"):
            os.truncate(file, 100)


def deleted(outbox: Outbox) -> None:
    shutil.rmtree(outbox.folder)


def replaced_by_a_file(outbox: Outbox) -> None:
    shutil.rmtree(outbox.folder)
    outbox.folder.write_text("in the way")


class BrokenOutbox(Outbox):
    """Breaks its own promise, and raises what is not even an Exception."""

    def put(self, *_: Any) -> bool:
        raise asyncio.CancelledError


FAILURES: list[Callable[[Outbox], None]] = [
    closed,
    too_large,
    corrupt,
    truncated,
    deleted,
    replaced_by_a_file,
]


@pytest.mark.parametrize("fail", FAILURES)
def test_an_outbox_that_fails_in_the_middle_leaves_the_results_as_they_are(
    example: ModuleType,
    results: list[dict[str, Any]],
    tmp_path: Path,
    fail: Callable[[Outbox], None],
) -> None:
    outbox = Outbox(tmp_path / "outbox", busy_timeout_ms=5)
    telemetry = TelemetryCapture(outbox)
    assert telemetry.store_execution_telemetry("first", {}, {}, None, None)
    fail(outbox)
    assert run_tasks(example, telemetry) == results
    # Every call was answered: with a commit, or with a reason.
    assert sum(telemetry.counts().values()) == TASKS + 1


def test_an_outbox_that_raises_leaves_the_results_as_they_are(
    example: ModuleType, results: list[dict[str, Any]], tmp_path: Path
) -> None:
    telemetry = TelemetryCapture(BrokenOutbox(tmp_path / "outbox"))
    assert run_tasks(example, telemetry) == results
    assert telemetry.counts() == {"failed CancelledError": TASKS}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_leaves_the_results_as_they_are(
    example: ModuleType, results: list[dict[str, Any]], small_disk: Path
) -> None:
    telemetry = TelemetryCapture(Outbox(small_disk / "outbox"))
    assert telemetry.store_execution_telemetry("first", {}, {}, None, None)
    (small_disk / "filler").write_bytes(b"")
    with (small_disk / "filler").open("r+b", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
    assert run_tasks(example, telemetry) == results
    counts = telemetry.counts()
    assert sum(counts.values()) == TASKS + 1
    assert counts["refused disk_full"] > 0


def test_a_database_that_cannot_be_loaded_leaves_the_results_as_they_are(
    example: ModuleType, results: list[dict[str, Any]], database: Path
) -> None:
    database.write_bytes(b"no database" * 1_000)

    async def scenario() -> list[dict[str, Any]]:
        async with LearningDatabase(database, flush_interval=0.05) as learning:
            manager = example.PoolManager(example.pools(), telemetry=learning.telemetry)
            done = await asyncio.gather(*map(manager.route_task, example.tasks(TASKS)))
            assert learning.telemetry.counts() == {"kept": TASKS}
            return done

    assert asyncio.run(scenario()) == results
