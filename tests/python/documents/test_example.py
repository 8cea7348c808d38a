"""The example routes and records, a document shows it; broken telemetry changes nothing in it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from building import REPOSITORY
from forking import forked

from orb_learning import LearningDatabase, Outbox, Router, TelemetryCapture
from orb_learning.ingest.relay import load_once
from orb_learning.store.connection import connect

EXAMPLE = REPOSITORY / "examples/pool_manager.py"
TASKS = 24
CALLS = 2 * TASKS
"""Each task is a decision and an outcome: plans of one attempt are drawn."""
MIDDLE = TASKS // 3
"""So many tasks have ended when something goes wrong; others run, and some have not begun."""
TIMEOUT = 0.5
"""Seconds a task may take; long, so that a slow machine is not taken for a slow task."""

Result = dict[str, Any]


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pool_manager", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["pool_manager"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def router(plans: tuple[str, ...] = ("small", "large")) -> Router:
    """One that draws from all plans alike, since nothing is published for it."""
    return Router("/nowhere/learning.db", plans=plans, exploration=1, seed=1)


def tasks(example: ModuleType) -> list[dict[str, Any]]:
    return [task | {"timeout": TIMEOUT} for task in example.tasks(TASKS)]


def manager_that(
    example: ModuleType, telemetry: TelemetryCapture | None, in_the_middle: Callable[[], object]
) -> Any:
    """The example's PoolManager, with something that happens once some tasks have ended."""
    ended: list[int] = []

    async def agent(task: dict[str, Any]) -> Result:
        try:
            return await example.agent(task)
        finally:
            ended.append(task["seed"])
            if len(ended) == MIDDLE:
                in_the_middle()

    pools = example.pools()
    for pool in pools.values():
        pool.worker = agent
    return example.PoolManager(pools, router(), telemetry)


def run_tasks(
    example: ModuleType,
    telemetry: TelemetryCapture | None,
    in_the_middle: Callable[[], object] = lambda: None,
) -> list[Result]:
    async def scenario() -> list[Result]:
        manager = manager_that(example, telemetry, in_the_middle)
        return await asyncio.gather(*map(manager.route_task, tasks(example)))

    return asyncio.run(scenario())


@pytest.fixture(scope="module")
def results(example: ModuleType) -> list[Result]:
    """What the orchestrator's tasks come to without telemetry."""
    results = run_tasks(example, None)
    assert {result["status"] for result in results} == {"completed", "failed", "timeout"}
    assert {result["pool_type"] for result in results} == {"mahavishnu", "runpod"}
    return results


def query(database: Path, sql: str) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_it_runs_and_shows_what_it_recorded(database: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), str(database)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"{database.parent}/routing.json: it is not there" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert "validation" in ran.stdout
    firsts = "count(*) filter ((metadata -> 'routing' ->> 'attempt')::integer = 1)"
    [(attempts, tasks, decisions)] = query(
        database, f"select count(*), count(distinct task_id), {firsts} from raw.executions"
    )
    assert (attempts, decisions) == (tasks, 50)
    assert f"{{'kept': {2 * attempts}}}" in ran.stdout


def test_the_document_shows_its_lines() -> None:
    shown = re.findall(
        r"^ *# shown\n(.*?)\n+ *# to here$", EXAMPLE.read_text(), re.DOTALL | re.MULTILINE
    )
    readme = (REPOSITORY / "docs/recording.md").read_text()
    assert len(shown) == 3
    for lines in shown:
        assert f"```python\n{textwrap.dedent(lines)}\n```" in readme


def test_the_readmes_lines_route_and_record_a_task(database: Path) -> None:
    readme = (REPOSITORY / "README.md").read_text()
    [lines] = re.findall(r"```python\n(router = .*?)```", readme, re.DOTALL)
    assert len(lines.splitlines()) == 6
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(database.parent)
        learning = LearningDatabase(database)
        names: dict[str, Any] = {
            "Router": Router,
            "learning": learning,
            "task": {"id": "task-7", "prompt": "mend the build", "repo": "api"},
            "run": lambda *_: {"status": "failed", "cost": 0.02},
        }
        exec(lines, names)  # noqa: S102 - the README's own
    asyncio.run(learning.close())
    assert learning.telemetry.counts() == {"kept": 2}
    tiers = names["decision"]["plan"].split(">")
    assert names["tier"] == (tiers[1] if len(tiers) > 1 else None)
    load_once(database, database.parent / "outbox")
    assert query(
        database, "select success, model_tier, metadata->'routing'->>'plan' from raw.executions"
    ) == [(False, tiers[0], names["decision"]["plan"])]


def test_a_decision_and_its_outcome_are_one_row_that_can_be_learned_from(
    example: ModuleType, database: Path
) -> None:
    async def scenario() -> None:
        async with LearningDatabase(database) as learning:
            manager = example.PoolManager(example.pools(), router(), learning.telemetry)
            await asyncio.gather(*map(manager.route_task, tasks(example)))
            assert learning.telemetry.counts() == {"kept": CALLS}

    asyncio.run(scenario())
    rows = query(
        database, "select metadata, task_type, success, pool_type, model_tier from raw.executions"
    )
    assert len(rows) == TASKS
    for text, task_type, success, pool_type, model_tier in rows:
        assert task_type is not None
        assert success is not None
        metadata = json.loads(text)
        assert "half" not in metadata
        assert metadata["pool_id"] in example.pools()
        routing = metadata["routing"]
        assert routing["policy"] == "router_start"
        assert routing["candidates"] == [
            {"plan": plan, "propensity": 0.5} for plan in ("small", "large")
        ]
        assert routing["plan"] == routing["chosen"]["model_tier"] == model_tier
        assert pool_type in ("mahavishnu", "runpod")
    assert query(database, "from raw.pending_halves") == []


def test_a_failed_task_is_tried_again_by_its_plan(example: ModuleType, database: Path) -> None:
    """Each attempt is an execution of its own that names the first one."""

    async def scenario() -> list[Result]:
        async with LearningDatabase(database) as learning:
            chains = Router(database, "small>large", plans=[], exploration=0)
            manager = example.PoolManager(example.pools(), chains, learning.telemetry)
            return await asyncio.gather(*map(manager.route_task, tasks(example)))

    results = asyncio.run(scenario())
    rows = query(
        database,
        """
        select first.model_tier, first.success, later.model_tier, later.success,
            later.metadata ->> '$.routing.attempt'
        from raw.executions as first
        left join raw.executions as later
            on (later.metadata ->> '$.routing.first_task_id') = first.task_id::varchar
        where (first.metadata ->> '$.routing.attempt') = '1'
        """,
    )
    assert len(rows) == TASKS
    again = [row for row in rows if not row[1]]
    assert 0 < len(again) < TASKS
    for first_tier, succeeded, tier, _, attempt in rows:
        assert first_tier == "small"
        assert (tier, attempt) == ((None, None) if succeeded else ("large", "2"))
    ended = sum(succeeded or later for _, succeeded, _, later, _ in rows)
    assert ended == sum(result["status"] == "completed" for result in results)


def test_a_task_that_nobody_routed_is_recorded_as_an_execution(
    example: ModuleType, database: Path
) -> None:
    task_id = str(uuid.uuid4())

    async def scenario() -> bool:
        async with LearningDatabase(database) as learning:
            manager = example.PoolManager(example.pools(), router(), learning.telemetry)
            task = tasks(example)[0] | {"task_id": task_id}
            result = await manager.execute_on_pool("cloud-1", task)
            assert learning.telemetry.counts() == {"kept": 1}
            return bool(result["status"] == "completed")

    succeeded = asyncio.run(scenario())
    columns = "task_id, task_type, pool_type, success, metadata->>'pool_id'"
    assert query(database, f"select {columns} from raw.executions") == [
        (uuid.UUID(task_id), "bugfix", "runpod", succeeded, "cloud-1")
    ]


def test_the_next_task_starts_before_the_last_one_is_recorded(
    example: ModuleType, tmp_path: Path
) -> None:
    happened: list[str] = []

    class Watched(TelemetryCapture):
        def store_execution_telemetry(self, *_: Any) -> bool:
            happened.append("recorded")
            return True

    async def agent(_: dict[str, Any]) -> Result:
        happened.append("started")
        await asyncio.sleep(0.01)
        return {}

    async def scenario() -> None:
        pools = {"only": example.Pool("local", agent, 1)}
        watched = Watched(Outbox(tmp_path / "outbox"))
        manager = example.PoolManager(pools, router(), watched)
        await asyncio.gather(*(manager.execute_on_pool("only", {}) for _ in range(3)))

    asyncio.run(scenario())
    assert happened == ["started", "started", "recorded", "started", "recorded", "recorded"]


def test_telemetry_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], database: Path
) -> None:
    learning = LearningDatabase(database)
    asyncio.run(learning.initialize())
    assert run_tasks(example, learning.telemetry) == results
    asyncio.run(learning.close())
    assert learning.telemetry.counts() == {"kept": CALLS}


def live_file(outbox: Outbox, ending: str = "") -> Path:
    """The newest file, the one that the process has open, or its log or that one's index."""
    file = max(outbox.folder.glob("*.sqlite"))
    return file.with_name(file.name + ending)


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
        # The index of the log is mapped into memory: no process survives its truncation.
        if not file.name.endswith("-shm"):
            os.truncate(file, 100)


def deleted(outbox: Outbox) -> None:
    shutil.rmtree(outbox.folder)


def log_deleted(outbox: Outbox) -> None:
    live_file(outbox, "-wal").unlink()


def index_deleted(outbox: Outbox) -> None:
    live_file(outbox, "-shm").unlink()


def replaced_by_a_file(outbox: Outbox) -> None:
    shutil.rmtree(outbox.folder)
    outbox.folder.write_text("in the way")


FAILURES: dict[Callable[[Outbox], None], str] = {
    closed: "refused closed",
    too_large: "refused size_limit",
    corrupt: "kept",
    truncated: "kept",
    deleted: "kept",
    log_deleted: "kept",
    index_deleted: "kept",
    replaced_by_a_file: "refused io_error",
}
"""What happens to the outbox, and what then becomes of the records."""


@pytest.mark.parametrize(("fail", "becomes"), FAILURES.items())
def test_an_outbox_that_fails_in_the_middle_leaves_the_results_as_they_are(
    example: ModuleType,
    results: list[Result],
    tmp_path: Path,
    fail: Callable[[Outbox], None],
    becomes: str,
) -> None:
    outbox = Outbox(tmp_path / "outbox")
    telemetry = TelemetryCapture(outbox)
    before: dict[str, int] = {}

    def break_it() -> None:
        before.update(telemetry.counts())
        fail(outbox)

    assert run_tasks(example, telemetry, break_it) == results
    after = telemetry.counts()
    # Every call was answered: with a commit, or with a reason.
    assert sum(after.values()) == CALLS
    assert TASKS <= before["kept"] < CALLS
    assert after.get(becomes, 0) > before.get(becomes, 0)
    if becomes == "kept" and fail is not truncated:  # which nobody notices before the file is read
        outbox.close()
        loaded = load_once(tmp_path / "learning.db", outbox.folder).counts
        assert loaded["routing"] + loaded["outcome"] >= CALLS - before["kept"]


@contextmanager
def locked_on_demand(file: Path) -> Iterator[Callable[[], None]]:
    """Yield what makes another process take the write lock of a file, and keep it."""
    script = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
sys.stdin.readline()
connection.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def lock() -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "locked\n"

        try:
            yield lock
        finally:
            process.kill()


def test_an_outbox_locked_midway_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "outbox")
    telemetry = TelemetryCapture(outbox)
    assert telemetry.store_execution_telemetry("first", {}, {}, None, None)
    with locked_on_demand(live_file(outbox)) as lock:
        assert run_tasks(example, telemetry, lock) == results
        # The record that met the lock waited for the busy timeout; the next has a new file.
        assert telemetry.counts() == {"kept": CALLS, "refused busy": 1}


class BrokenOutbox(Outbox):
    """Breaks its own promise, and raises what is not even an Exception."""

    def put(self, *_: Any) -> bool:
        raise asyncio.CancelledError


def test_an_outbox_that_raises_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], tmp_path: Path
) -> None:
    telemetry = TelemetryCapture(BrokenOutbox(tmp_path / "outbox"))
    assert run_tasks(example, telemetry) == results
    assert telemetry.counts() == {"failed CancelledError": CALLS}


def test_a_full_disk_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("256k")
    telemetry = TelemetryCapture(Outbox(disk / "outbox"))

    def fill() -> None:
        with (disk / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    assert run_tasks(example, telemetry, fill) == results
    counts = telemetry.counts()
    assert sum(counts.values()) == CALLS
    assert counts["refused disk_full"] > 0


def test_a_database_that_cannot_be_loaded_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], database: Path
) -> None:
    database.write_bytes(b"no database" * 1_000)
    learning = LearningDatabase(database, flush_interval=0.05)
    asyncio.run(learning.initialize())
    assert run_tasks(example, learning.telemetry) == results
    asyncio.run(learning.close())
    assert learning.telemetry.counts() == {"kept": CALLS}


def test_a_clock_that_jumps_back_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumped = timedelta()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - jumped

    def jump() -> None:
        nonlocal jumped
        jumped = timedelta(hours=1)

    real_time, real_time_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: real_time() - jumped.total_seconds())
    monkeypatch.setattr(time, "time_ns", lambda: real_time_ns() - jumped // timedelta.resolution)
    monkeypatch.setattr(example, "datetime", Clock)
    learning = LearningDatabase(database, flush_interval=0.05, now=lambda: Clock.now(UTC))
    asyncio.run(learning.initialize())
    assert run_tasks(example, learning.telemetry, jump) == results
    asyncio.run(learning.close())
    counts = learning.telemetry.counts()
    assert counts["kept"] == CALLS
    assert counts["end_before_start"] > 0
    assert query(database, "select count(*), min(duration_seconds) >= 0 from raw.executions") == [
        (TASKS, True)
    ]


def test_a_fork_after_initialize_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], database: Path
) -> None:
    learning = LearningDatabase(database, flush_interval=0.05)
    asyncio.run(learning.initialize())
    assert learning.telemetry.store_execution_telemetry("first", {}, {}, None, None)

    def orchestrate() -> None:
        assert run_tasks(example, learning.telemetry) == results
        assert learning.telemetry.counts() == {"kept": CALLS + 1}

    with forked(orchestrate):
        orchestrate()
    asyncio.run(learning.close())
    assert query(database, "select count(*) from raw.executions") == [(1 + 2 * TASKS,)]


def test_an_event_loop_closed_in_the_middle_leaves_the_results_as_they_are(
    example: ModuleType, results: list[Result], database: Path
) -> None:
    learning = LearningDatabase(database, flush_interval=0.05)
    asyncio.run(learning.initialize())
    ended: dict[int, Result] = {}

    async def abandon() -> None:
        reached = asyncio.Event()
        manager = manager_that(example, learning.telemetry, reached.set)

        async def route(task: dict[str, Any]) -> None:
            ended[task["seed"]] = await manager.route_task(task)

        running.update(map(asyncio.create_task, map(route, tasks(example))))
        await reached.wait()

    running: set[asyncio.Task[None]] = set()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it would tell of each task that never ends
    loop.run_until_complete(abandon())
    loop.close()
    assert not all(task.done() for task in running)
    # The garbage collector would end them in any order, of which CPython 3.11 may die.
    for task in running:
        with suppress(RuntimeError):  # of the loop, which is closed
            task.get_coro().close()
    assert ended
    assert ended == {seed: results[seed] for seed in ended}
    assert run_tasks(example, learning.telemetry) == results
    asyncio.run(learning.close())
    (count,) = query(database, "select count(*) from raw.executions")[0]
    assert TASKS + len(ended) <= count <= 2 * TASKS


def test_an_interpreter_that_ends_in_the_middle_has_the_same_results(
    results: list[Result], tmp_path: Path
) -> None:
    script = f"""
import asyncio, json, logging, sys, threading
sys.path.insert(0, {str(EXAMPLE.parent)!r})
import pool_manager as example
from orb_learning import LearningDatabase, Router

logging.disable()  # of nothing that is published
telemetry = None
if len(sys.argv) > 1:
    learning = LearningDatabase(sys.argv[1], flush_interval=0.05)
    asyncio.run(learning.initialize())
    telemetry = learning.telemetry

async def orchestrate():
    router = Router("/nowhere/learning.db", plans=["small", "large"], exploration=1, seed=1)
    manager = example.PoolManager(example.pools(), router, telemetry)
    tasks = [task | {{"timeout": {TIMEOUT}}} for task in example.tasks({TASKS})]
    return await asyncio.gather(*map(manager.route_task, tasks))

def orchestrate_on():
    while True:
        asyncio.run(orchestrate())

for _ in range(3):
    threading.Thread(target=orchestrate_on, daemon=True).start()
print(json.dumps(asyncio.run(orchestrate())))
"""
    database = tmp_path / "learning.db"
    for arguments in ([], [database]):
        ended = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert json.loads(ended.stdout) == results
    load_once(database, tmp_path / "outbox")
    assert query(database, f"select count(*) >= {TASKS} from raw.executions") == [(True,)]
