"""LearningDatabase: executions in, durable at once; what was learned out, from the marts."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from building import STEM, DbtProject
from forking import forked

from orb_learning.errors import (
    DatabaseError,
    DatabaseMissingError,
    ExecutionRefusedError,
    NotBuiltError,
    SettingsError,
)
from orb_learning.ingest.relay import load_once
from orb_learning.learning_database import LearningDatabase
from orb_learning.record.model import ExecutionRecord
from orb_learning.store.connection import connect
from orb_learning.store.rows import rows_as_dicts

NOW = datetime(2026, 4, 1, 12, 30, tzinfo=UTC)


def execution(**given: Any) -> ExecutionRecord:
    values: dict[str, Any] = {
        "timestamp": NOW,
        "task_type": "bugfix",
        "task_description": "mend it",
        "repo": "orb",
        "model_tier": "small",
        "pool_type": "local",
        "success": True,
    }
    return ExecutionRecord(**values | given)


def task_ids(database: Path) -> list[uuid.UUID]:
    if not database.exists():
        return []
    with connect(database, read_only=True) as connection:
        rows = connection.execute("select task_id from raw.executions order by _load_seq")
        return [task_id for (task_id,) in rows.fetchall()]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_what_is_stored_is_in_raw_after_close(database: Path) -> None:
    records = [execution() for _ in range(5)]

    async def scenario() -> None:
        async with LearningDatabase(database) as learning:
            await learning.store_execution(records[0])
            assert await learning.store_executions_batch(records[1:]) == {
                "inserted_count": 4,
                "failed_count": 0,
            }

    run(scenario())
    assert task_ids(database) == [record.task_id for record in records]


def test_a_database_that_was_closed_may_be_opened_again(database: Path) -> None:
    learning = LearningDatabase(database)

    async def scenario(number: int) -> None:
        async with learning:
            await learning.store_execution(execution(task_id=uuid.UUID(int=number)))
            with pytest.raises((DatabaseMissingError, NotBuiltError)):
                await learning.get_tier_performance()

    for number in range(3):
        run(scenario(number))
        assert task_ids(database)[-1] == uuid.UUID(int=number)
    assert learning.telemetry.counts() == {"kept": 3}


@pytest.mark.parametrize("inside", ["/proc", "file"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / inside / "folder/learning.db"
    with pytest.raises(DatabaseError, match=r"learning\.db cannot be made: "):
        run(LearningDatabase(path).initialize())


def test_mappings_are_stored_as_records_are(database: Path) -> None:
    task_id = uuid.uuid4()

    async def scenario() -> None:
        async with LearningDatabase(database) as learning:
            await learning.store_execution({"task_id": str(task_id), "success": True})

    run(scenario())
    assert task_ids(database) == [task_id]


def test_what_is_stored_is_durable_before_anything_is_loaded(database: Path) -> None:
    code = """
import asyncio, os, sys
from orb_learning.learning_database import LearningDatabase

async def main():
    learning = LearningDatabase(sys.argv[1])
    print(await learning.store_executions_batch([{"success": True}] * 50), flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""
    killed = subprocess.run(
        [sys.executable, "-c", code, str(database)], capture_output=True, text=True, check=False
    )
    assert killed.stdout == "{'inserted_count': 50, 'failed_count': 0}\n"
    load_once(database, database.parent / "outbox")
    assert len(task_ids(database)) == 50


def test_the_outbox_is_loaded_in_the_background(database: Path) -> None:
    async def scenario() -> None:
        async with LearningDatabase(database, flush_interval=0.05) as learning:
            await learning.store_execution(execution())
            until = time.monotonic() + 20
            while not await asyncio.to_thread(task_ids, database):
                assert time.monotonic() < until
                await asyncio.sleep(0.02)

    run(scenario())


def test_what_is_no_record_is_a_dead_letter_and_holds_up_nobody(database: Path) -> None:
    good = execution()

    async def scenario() -> LearningDatabase:
        async with LearningDatabase(database) as learning:
            batch: list[Any] = [good, {"file_count": "three"}, {"unheard_of": 1}, 17, None]
            assert await learning.store_executions_batch(batch) == {
                "inserted_count": 1,
                "failed_count": 4,
            }
            with pytest.raises(ExecutionRefusedError, match="no record"):
                await learning.store_execution({"success": "yes"})
            assert await learning.store_executions_batch([]) == {
                "inserted_count": 0,
                "failed_count": 0,
            }
            return learning

    assert run(scenario()).telemetry.counts() == {"kept": 1, "invalid": 5}
    assert task_ids(database) == [good.task_id]
    with connect(database, read_only=True) as connection:
        letters = connection.execute(
            "select kind, reason, payload from raw.dead_letters"
        ).fetchall()
    assert {kind for kind, _, _ in letters} == {"execution"}
    assert any(
        reason.startswith("file_count:") and "three" in payload for _, reason, payload in letters
    )


def test_a_batch_that_the_outbox_refuses_has_failed_as_a_whole(database: Path) -> None:
    async def scenario() -> None:
        learning = LearningDatabase(database)
        learning.outbox.close()
        assert await learning.store_executions_batch([execution()] * 3) == {
            "inserted_count": 0,
            "failed_count": 3,
        }
        with pytest.raises(ExecutionRefusedError, match="refused closed"):
            await learning.store_execution(execution())

    run(scenario())


@pytest.fixture(scope="module")
def learned(
    project: DbtProject, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A built database: two repositories, three days, one solution used six times, one five."""
    database = tmp_path_factory.mktemp("learned") / f"{STEM}.db"
    shutil.copy(empty_database, database)
    records = [
        execution(
            timestamp=NOW - timedelta(days=day),
            repo=repo,
            actual_cost=0.5,
            solution_summary=f"solution of {repo}",
        )
        for repo, days in {"orb": [0, 0, 1, 1, 2, 2], "web": [0, 0, 0, 0, 1]}.items()
        for day in days
    ]

    async def store() -> None:
        async with LearningDatabase(database) as learning:
            await learning.store_executions_batch(records)

    run(store())
    project.run(database, as_of="2026-04-01T13:00:00Z")
    return database


def read(database: Path, method: str, *arguments: Any, **named: Any) -> Any:
    async def scenario() -> Any:
        learning = LearningDatabase(database, now=lambda: NOW)
        try:
            return await getattr(learning, method)(*arguments, **named)
        finally:
            await learning.close()

    return run(scenario())


def test_tier_performance_is_filtered_by_repository_and_days(learned: Path) -> None:
    everything = read(learned, "get_tier_performance")
    days = [(row["repo"], row["date"].day, row["total_executions"]) for row in everything]
    assert days == [("orb", 1, 2), ("web", 1, 4), ("orb", 31, 2), ("web", 31, 1), ("orb", 30, 2)]
    assert everything[0]["model_tier"] == "small"
    assert everything[0]["avg_cost"] == 0.5
    assert len(read(learned, "get_tier_performance", "orb")) == 3
    assert len(read(learned, "get_tier_performance", days_back=1)) == 4
    assert len(read(learned, "get_tier_performance", repo="web", days_back=0)) == 1
    assert read(learned, "get_tier_performance", repo="'; drop table executions; --") == []


def test_pool_performance_is_filtered_by_repository_and_days(learned: Path) -> None:
    everything = read(learned, "get_pool_performance")
    assert [(row["repo"], row["total_tasks"]) for row in everything] == [
        ("orb", 2),
        ("web", 4),
        ("orb", 2),
        ("web", 1),
        ("orb", 2),
    ]
    assert {row["pool_type"] for row in everything} == {"local"}
    assert len(read(learned, "get_pool_performance", "web", 1)) == 2
    assert len(read(learned, "get_pool_performance", days_back=0)) == 2


def test_solution_patterns_are_filtered_by_repository_usage_and_limit(learned: Path) -> None:
    everything = read(learned, "get_solution_patterns")
    assert [(row["solution_summary"], row["usage_count"]) for row in everything] == [
        ("solution of orb", 6),
        ("solution of web", 5),
    ]
    assert len(read(learned, "get_solution_patterns", "web")) == 1
    assert len(read(learned, "get_solution_patterns", min_usage=6)) == 1
    assert len(read(learned, "get_solution_patterns", limit=1)) == 1


def test_rows_are_those_of_the_marts_with_their_rate_s_interval(learned: Path) -> None:
    for method, relation in {
        "get_tier_performance": "tier_performance_mv",
        "get_pool_performance": "pool_performance_mv",
        "get_solution_patterns": "solution_patterns_mv",
    }.items():
        rows = read(learned, method)
        with connect(learned, read_only=True) as connection:
            mart = rows_as_dicts(connection.execute(f"select columns('^[^_]') from {relation}"))
        columns = list(mart[0])
        interval = {"success_rate", "success_rate_lower", "success_rate_upper"}
        assert rows[0].keys() == {*columns, *interval, "has_enough_samples"}
        shown = [{name: row[name] for name in columns} for row in rows]
        assert sorted(shown, key=str) == sorted(mart, key=str)


def test_texts_are_whole_however_long(learned: Path, tmp_path: Path) -> None:
    database = tmp_path / learned.name
    shutil.copy(learned, database)
    with connect(database) as connection:
        connection.execute("update solution_patterns_mv set solution_summary = repeat('x', 9000)")
    assert {len(row["solution_summary"]) for row in read(database, "get_solution_patterns")} == {
        9000
    }


def test_a_database_that_is_not_there_or_not_built_is_named(database: Path) -> None:
    with pytest.raises(DatabaseMissingError):
        read(database, "get_tier_performance")
    with connect(database):
        pass
    with pytest.raises(NotBuiltError, match="orb build"):
        read(database, "get_solution_patterns")


def test_arguments_out_of_their_range_are_refused(database: Path) -> None:
    with pytest.raises(ValueError, match="days_back"):
        read(database, "get_tier_performance", days_back=-1)
    with pytest.raises(ValueError, match="limit"):
        read(database, "get_solution_patterns", limit=-1)
    with pytest.raises(SettingsError, match="flush_interval"):
        LearningDatabase(database, flush_interval=0)
    with pytest.raises(DatabaseError, match="raw"):
        run(LearningDatabase(database.with_name("raw.db")).initialize())


def test_reading_and_loading_go_on_beside_each_other(learned: Path, tmp_path: Path) -> None:
    database = tmp_path / learned.name
    shutil.copy(learned, database)
    before = len(task_ids(database))

    async def scenario() -> None:
        async with LearningDatabase(database, flush_interval=0.05, now=lambda: NOW) as learning:

            async def read_on() -> None:
                for _ in range(20):
                    assert await learning.get_tier_performance()

            async def store_on() -> None:
                for _ in range(30):
                    await learning.store_execution(execution())
                    await asyncio.sleep(0.01)

            await asyncio.gather(*(read_on() for _ in range(8)), store_on())
            statistics = learning.pool_statistics()
            assert statistics.queries == 160
            assert statistics.timeouts == 0

    run(scenario())
    assert len(task_ids(database)) == before + 30


def test_an_event_loop_closed_in_the_middle_loses_nothing(database: Path) -> None:
    learning = LearningDatabase(database, flush_interval=0.05)
    stored: list[bool] = []

    async def abandon() -> None:
        await learning.initialize()

        async def record_on() -> None:
            while True:
                stored.append(learning.telemetry.store_execution_telemetry("p", {}, {}, NOW, NOW))
                await learning.store_execution(execution())
                stored.append(True)

        asyncio.create_task(record_on())  # noqa: RUF006 - left on purpose
        await asyncio.sleep(0.1)

    run(abandon())
    assert learning.telemetry.store_execution_telemetry("p", {}, {}, NOW, NOW)
    run(learning.close())
    # A batch that its thread committed after the loop had gone is there, though nobody was told.
    assert len(stored) + 1 <= len(task_ids(database)) <= len(stored) + 2


def test_a_forked_child_stores_beside_its_parent(database: Path) -> None:
    learning = LearningDatabase(database, flush_interval=0.05)
    run(learning.initialize())

    def store() -> None:
        run(learning.initialize())
        run(learning.store_execution(execution()))
        run(learning.close())

    with forked(store):
        run(learning.store_execution(execution()))
    run(learning.close())
    assert len(task_ids(database)) == 2


def test_records_in_flight_at_the_interpreter_s_end_are_kept(database: Path) -> None:
    code = """
import asyncio, atexit, sys, threading
from orb_learning.learning_database import LearningDatabase

learning = LearningDatabase(sys.argv[1], flush_interval=0.05)
asyncio.run(learning.initialize())

def record_on():
    while True:
        if learning.telemetry.store_execution_telemetry("p", {}, {}, None, None):
            sys.stdout.write("1\\n")
            sys.stdout.flush()

for _ in range(3):
    threading.Thread(target=record_on, daemon=True).start()
atexit.register(lambda: learning.telemetry.store_execution_telemetry("last", {}, {}, None, None))
threading.Event().wait(0.3)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, str(database)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    acknowledged = ended.stdout.count("1\n")
    load_once(database, database.parent / "outbox")
    assert acknowledged > 10
    assert len(task_ids(database)) >= acknowledged
    with connect(database, read_only=True) as connection:
        last = connection.execute(
            "select count(*) from raw.executions where metadata->>'pool_id' = 'last'"
        ).fetchone()
    assert last == (1,)
