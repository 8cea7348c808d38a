"""A query runs in a process that its parent ends: it can kill nothing, and holds nobody up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orb_learning.errors import QueryRefusedError
from orb_learning.mcp import query_processes
from orb_learning.mcp.query_processes import MOST_OF_A_CLIENT, QueryProcesses
from orb_learning.mcp.query_result import QueryResult
from orb_learning.mcp.sql_functions import ALLOWED_FUNCTIONS
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

LIMIT_SECONDS = 1.0
KILLS_ITS_PROCESS = "select (repeat('[', 100000) || repeat(']', 100000))::json::variant"
BREAKS_DUCKDB = "select reservoir_quantile(range, 0.5, 1000000000) from range(1000000000)"
CANNOT_BE_INTERRUPTED = "select levenshtein(repeat('a', 300000), repeat('b', 300000))"
REFUSED_FUNCTIONS = {
    "json_transform": "json_transform('{}', '{\"a\": \"int\"}')",
    "from_json": "from_json('{}', '{\"a\": \"int\"}')",
    "json_serialize_plan": "json_serialize_plan('select 1')",
    "write_log": "write_log('text')",
    "nextval": "nextval('sequence')",
    "getvariable": "getvariable('name')",
    "current_setting": "current_setting('memory_limit')",
    "error": "error('text')",
}
REFUSED_TABLE_FUNCTIONS = {
    "read_text": "read_text('/etc/passwd')",
    "read_csv": "read_csv('/etc/passwd')",
    "glob": "glob('/*')",
    "query": "query('select 1')",
    "duckdb_settings": "duckdb_settings()",
    "duckdb_secrets": "duckdb_secrets()",
}

Asking = Callable[[Callable[[QueryProcesses], Awaitable[None]]], None]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """As much of a built one as a query needs."""
    path = tmp_path / "learning.db"
    with connect(path) as connection:
        connection.execute("create table executions as select 'api' as repo")
        connection.execute(
            "create view rpt_freshness as select now()::timestamp as as_of, null as built_at, "
            "10 as least_samples"
        )
    return path


@pytest.fixture
def asking(database: Path) -> Asking:
    """Run a piece of work with processes for queries."""
    settings = load_settings(database_path=database, mcp_query_seconds=LIMIT_SECONDS)

    def run(work: Callable[[QueryProcesses], Awaitable[None]]) -> None:
        async def working() -> None:
            processes = QueryProcesses(settings, idle_timeout_seconds=10)
            try:
                await work(processes)
            finally:
                processes.close()

        asyncio.run(working())

    return run


async def rows(processes: QueryProcesses, sql: str, **of: str) -> list[Any]:
    return QueryResult.model_validate_json(await processes.run(sql, **of)).rows


async def refusal(processes: QueryProcesses, sql: str, **of: str) -> str:
    with pytest.raises(QueryRefusedError) as caught:
        await processes.run(sql, **of)
    return str(caught.value)


def process_of(processes: QueryProcesses) -> int:
    """Return the number of the process that gets the next query."""
    handle = processes._idle[-1]._process
    words = Path(f"/proc/self/fdinfo/{handle}").read_text().split()
    return int(words[words.index("Pid:") + 1])


def is_a_zombie(process: int) -> bool:
    return "State:\tZ" in Path(f"/proc/{process}/status").read_text()


def test_sql_that_kills_its_process_is_answered_and_so_is_the_next(asking: Asking) -> None:
    async def work(processes: QueryProcesses) -> None:
        assert "ended its own process" in await refusal(processes, KILLS_ITS_PROCESS)
        assert await rows(processes, "select 1") == [[1]]

    asking(work)


def test_killed_queries_of_many_clients_keep_nobody_waiting(asking: Asking) -> None:
    """Workers that start anew, a second each, made this 12 s."""

    async def work(processes: QueryProcesses) -> None:
        await rows(processes, "select 1")
        began = time.monotonic()
        killed = [
            asyncio.create_task(refusal(processes, KILLS_ITS_PROCESS, client=str(number)))
            for number in range(40)
        ]
        await asyncio.gather(*killed)
        assert time.monotonic() - began < 6
        began = time.monotonic()
        assert await rows(processes, "select 1") == [[1]]
        assert time.monotonic() - began < 1

    asking(work)


def test_a_process_that_forks_workers_is_replaced_when_it_was_killed(asking: Asking) -> None:
    async def work(processes: QueryProcesses) -> None:
        await rows(processes, "select 1")
        started = processes._forks._process
        assert started is not None
        started.kill()
        started.wait()
        assert "ended its own process" in await refusal(processes, KILLS_ITS_PROCESS)
        assert await rows(processes, "select 1") == [[1]]

    asking(work)


def test_sql_that_breaks_duckdb_ends_its_process_and_the_next_is_answered(asking: Asking) -> None:
    """After an error of its own, DuckDB refuses whatever else the process asks."""

    async def work(processes: QueryProcesses) -> None:
        said = await refusal(processes, BREAKS_DUCKDB)
        assert "DuckDB fails at the query" in said
        assert "Stack Trace" not in said
        assert await rows(processes, "select 1") == [[1]]

    asking(work)


def test_a_query_that_nothing_interrupts_ends_and_a_writer_gets_in(
    database: Path, asking: Asking
) -> None:
    waited: list[float] = []

    def write() -> None:
        began = time.monotonic()
        with connect(database):
            waited.append(time.monotonic() - began)

    async def work(processes: QueryProcesses) -> None:
        await rows(processes, "select 1")  # a worker has started
        writer = threading.Thread(target=write)
        began = time.monotonic()
        query = asyncio.create_task(refusal(processes, CANNOT_BE_INTERRUPTED))
        await asyncio.sleep(0.3)
        writer.start()
        assert "ran for 1 s and was stopped" in await query
        assert time.monotonic() - began >= LIMIT_SECONDS
        await asyncio.to_thread(writer.join)
        assert await rows(processes, "select count(*) > 0 from executions") == [[True]]

    asking(work)
    assert waited[0] < LIMIT_SECONDS + 1 + 2  # and what a busy machine adds


def test_a_client_has_a_few_queries_at_once_and_leaves_room(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_processes, "WAIT_SECONDS", 0.1 - LIMIT_SECONDS)

    async def work(processes: QueryProcesses) -> None:
        await rows(processes, "select 1")
        slow = [
            asyncio.create_task(refusal(processes, CANNOT_BE_INTERRUPTED, client="ada"))
            for _ in range(MOST_OF_A_CLIENT)
        ]
        await asyncio.sleep(0.1)
        assert "still run" in await refusal(processes, "select 1", client="ada")
        monkeypatch.undo()
        assert await rows(processes, "select 2", client="grace") == [[2]]
        await asyncio.gather(*slow)

    asking(work)


def test_a_client_that_leaves_ends_its_query(asking: Asking) -> None:
    async def work(processes: QueryProcesses) -> None:
        await rows(processes, "select 1")
        process = process_of(processes)
        query = asyncio.create_task(processes.run(CANNOT_BE_INTERRUPTED))
        await asyncio.sleep(0.2)
        query.cancel()
        with pytest.raises(asyncio.CancelledError):
            await query
        await asyncio.sleep(0.5)
        assert not Path(f"/proc/{process}").exists() or is_a_zombie(process)
        assert await rows(processes, "select 1") == [[1]]

    asking(work)


def test_a_worker_has_limits_and_no_secret_of_its_parent(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("ORB_LEARNING__MCP_TOKEN_FILE", "tokens")

    async def work(processes: QueryProcesses) -> None:
        await rows(processes, "select 1")
        process = Path(f"/proc/{process_of(processes)}")
        environment = (process / "environ").read_text()
        assert "SECRET" not in environment
        assert "ORB_" not in environment
        limits = {
            line[:26].strip(): line[26:47].strip()
            for line in (process / "limits").read_text().splitlines()
        }
        assert limits["Max core file size"] == limits["Max file size"] == "0"
        assert int(limits["Max cpu time"]) < 60
        assert int(limits["Max data size"]) <= (2 * 1_024 + 512) * 2**20

    asking(work)


def test_functions_are_allowed_by_name_and_none_binds_a_text() -> None:
    with duckdb.connect() as connection:
        known = {
            str(name).lower()
            for (name,) in connection.execute(
                "select function_name from duckdb_functions()"
            ).fetchall()
        }
    assert ALLOWED_FUNCTIONS - known <= {"!", "->", "grouping", "grouping_id"}
    for part in ("serialize", "query", "setting", "sleep", "read_", "pg_", "internal", "variant"):
        assert not [name for name in ALLOWED_FUNCTIONS if part in name], part
    assert set(REFUSED_FUNCTIONS) <= known - ALLOWED_FUNCTIONS


def test_a_function_that_is_not_allowed_is_refused_where_it_stands(asking: Asking) -> None:
    async def work(processes: QueryProcesses) -> None:
        for name, call in REFUSED_FUNCTIONS.items():
            for sql in (
                f"select {call}",
                f"from executions where {call} is not null",
                f"with a as (select {call} as b) from a",
                f"select list_transform([1], lambda x: {call})",
                f"select {call.replace(name, name.upper(), 1)}",
                f"select {call.replace(name, f'system.main.{name}', 1)}",
            ):
                assert f"the function {name} may not be used" in await refusal(processes, sql), sql
        for name, call in REFUSED_TABLE_FUNCTIONS.items():
            for sql in (f"from {call}", f"from executions, {call}", f"select (from {call})"):
                said = await refusal(processes, sql)
                assert f"the table function {name} may not be used" in said, sql
        assert await rows(processes, "select upper('a')") == [["A"]]

    asking(work)
