"""Reading: some connections at once, in threads, with the file open only while somebody reads."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import newest_copy
from orb_learning.errors import (
    DatabaseError,
    DatabaseLockedError,
    DatabaseMissingError,
    NotADatabaseError,
    NotBuiltError,
    ReaderPoolTimeoutError,
)
from orb_learning.filesystem import waiting
from orb_learning.settings import load_settings
from orb_learning.store import reader_pool, shared_file
from orb_learning.store.connection import connect
from orb_learning.store.reader_pool import ReaderPool

ENDLESS = "select count(*) from range(1_000_000) a, range(1_000_000) b where a.range + b.range = 3"


@pytest.fixture(autouse=True)
def existing(database: Path) -> None:
    with connect(database) as connection:
        connection.execute("create table numbers as select range as n from range(3)")


class Gate:
    """Work that waits inside the pool until it is let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = 0

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> int:
        self.inside += 1
        assert self.open.wait(20)
        return id(connection)

    async def filled(self, count: int) -> None:
        while self.inside < count:
            await asyncio.sleep(0.005)


def test_rows_come_by_column_name_and_parameters_are_bound(database: Path) -> None:
    pool = ReaderPool(database)
    rows = asyncio.run(pool.query("select n, n * 2 as twice from numbers where n = $n", {"n": 2}))
    assert rows == [{"n": 2, "twice": 4}]
    pool.close()


def test_every_connection_is_in_utc(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    pool = ReaderPool(database)
    rows = asyncio.run(pool.query("select current_setting('TimeZone') as zone"))
    monkeypatch.undo()
    time.tzset()
    assert rows == [{"zone": "UTC"}]


def test_nothing_can_be_written(database: Path) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        asyncio.run(ReaderPool(database).query("insert into numbers values (4)"))


def test_four_and_two_read_at_once_and_the_seventh_waits_up_to_its_limit(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reader_pool, "NOTICE_SECONDS", 0.1)

    async def scenario() -> None:
        pool = ReaderPool(database, wait_seconds=0.3)
        gate = Gate()
        readers = [asyncio.create_task(pool.run(gate)) for _ in range(6)]
        await gate.filled(6)
        statistics = pool.statistics()
        assert (statistics.in_use, statistics.idle, statistics.waiting) == (6, 0, 0)
        began = time.monotonic()
        with pytest.raises(ReaderPoolTimeoutError, match="none of 4 connections and 2 more"):
            await pool.query("select 1")
        assert 0.25 < time.monotonic() - began < 2
        gate.open.set()
        assert len(set(await asyncio.gather(*readers))) == 6
        statistics = pool.statistics()
        assert (statistics.in_use, statistics.idle, statistics.waiting) == (0, 0, 0)
        assert (statistics.queries, statistics.timeouts, statistics.files_opened) == (6, 1, 1)
        assert statistics.longest_wait_seconds > 0
        pool.close()

    asyncio.run(scenario())
    notice = "waiting for a free connection of the reader pool of"
    assert [said for said in caplog.messages if said.startswith(notice)]


def test_of_idle_connections_only_the_pool_s_size_is_kept(database: Path) -> None:
    async def scenario() -> None:
        pool = ReaderPool(database)
        holding, others = Gate(), Gate()
        holder = asyncio.create_task(pool.run(holding))
        await holding.filled(1)
        readers = [asyncio.create_task(pool.run(others)) for _ in range(5)]
        await others.filled(5)
        others.open.set()
        await asyncio.gather(*readers)
        assert pool.statistics().idle == 4
        await pool.query("select 1")
        assert pool.statistics().connections_opened == 6
        holding.open.set()
        await holder

    asyncio.run(scenario())


def test_the_event_loop_goes_on_while_a_query_runs(database: Path) -> None:
    async def scenario() -> int:
        pool = ReaderPool(database)
        query = asyncio.create_task(
            pool.query("select sum(a.range * b.range) from range(30_000) a, range(10_000) b")
        )
        ticks = 0
        while not query.done():
            await asyncio.sleep(0.002)
            ticks += 1
        await query
        return ticks

    assert asyncio.run(scenario()) > 5


def test_the_file_is_open_only_while_somebody_reads(database: Path) -> None:
    async def scenario() -> None:
        pool = ReaderPool(database)
        gate = Gate()
        reader = asyncio.create_task(pool.run(gate))
        await gate.filled(1)
        with pytest.raises(duckdb.ConnectionException):
            duckdb.connect(database)
        gate.open.set()
        await reader
        duckdb.connect(database).close()

    asyncio.run(scenario())


def test_an_idle_pool_keeps_the_file_open_for_readers_that_follow(database: Path) -> None:
    pool = ReaderPool(database, idle_timeout_seconds=60)
    for _ in range(3):
        assert asyncio.run(pool.query("select count(*) as n from numbers")) == [{"n": 3}]
    assert pool.statistics().files_opened == 1
    with pytest.raises(duckdb.ConnectionException):
        duckdb.connect(database)
    pool.close()
    duckdb.connect(database).close()


def test_an_idle_pool_gives_the_file_to_a_writer_that_waits(
    database: Path,
) -> None:
    pool = ReaderPool(database, idle_timeout_seconds=600)
    for number in (10, 11):
        asyncio.run(pool.query("select count(*) from numbers"))
        with connect(database, wait_seconds=60) as connection:
            connection.execute("insert into numbers values (?)", [number])
        (row,) = asyncio.run(pool.query("select max(n) as newest from numbers"))
        assert row == {"newest": number}
    assert pool.statistics().files_opened == 3
    pool.close()


def test_readers_with_an_idle_timeout_let_a_writer_in(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks after the file but the next reader.
    monkeypatch.setattr("orb_learning.store.shared_file.WATCH_SECONDS", 600)

    async def scenario() -> None:
        pool = ReaderPool(database, idle_timeout_seconds=600)
        stop = False

        async def read() -> None:
            while not stop:
                await pool.query("select count(*) from numbers")

        reader = asyncio.create_task(read())

        def write() -> None:
            for _ in range(5):
                with connect(database, wait_seconds=60) as connection:
                    connection.execute("insert into numbers values (9)")

        await asyncio.to_thread(write)
        stop = True
        await reader
        pool.close()

    asyncio.run(scenario())


def test_an_idle_pool_closes_the_file_after_its_timeout(database: Path) -> None:
    pool = ReaderPool(database, idle_timeout_seconds=0.05)
    asyncio.run(pool.query("select 1"))
    deadline = time.monotonic() + 60
    while True:
        try:
            duckdb.connect(database).close()  # without our lock
        except duckdb.Error:
            assert time.monotonic() < deadline
            time.sleep(0.01)  # nothing tells when the file was closed
        else:
            break
    asyncio.run(pool.query("select 1"))
    assert pool.statistics().files_opened == 2
    pool.close()


def test_an_idle_pool_reads_the_file_that_is_there_now(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orb_learning.store.shared_file.WATCH_SECONDS", 600)
    other = tmp_path / "other.db"
    with connect(other) as connection:
        connection.execute("create table numbers as select 7 as n")
    pool = ReaderPool(database, idle_timeout_seconds=600)
    asyncio.run(pool.query("select n from numbers"))
    other.replace(database)
    assert asyncio.run(pool.query("select n from numbers")) == [{"n": 7}]
    pool.close()


def test_an_idle_pool_does_not_keep_a_backup_open(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    make_backup(load_settings(database_path=database))
    pool = ReaderPool(
        database,
        wait_seconds=0.1,
        fallback=partial(newest_copy, folder, database),
        idle_timeout_seconds=600,
    )
    asyncio.run(pool.query("select 1"))
    with connect(database):
        asyncio.run(pool.query("select 1"))
        assert pool.statistics().as_of is not None
    asyncio.run(pool.query("select 1"))
    assert pool.statistics().as_of is None
    pool.close()


def test_readers_that_overlap_without_end_let_a_writer_in(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orb_learning.store.shared_file.LONGEST_HOLD_SECONDS", 0.1)

    async def scenario() -> None:
        pool = ReaderPool(database)
        stop = False

        async def read() -> None:
            while not stop:
                await pool.run(lambda _: time.sleep(0.02))  # a query, so that they overlap

        readers = [asyncio.create_task(read()) for _ in range(6)]
        await asyncio.sleep(0.05)

        def write() -> None:
            for _ in range(5):
                with connect(database, wait_seconds=10) as connection:
                    connection.execute("insert into numbers values (9)")

        await asyncio.wait_for(asyncio.to_thread(write), 20)
        stop = True
        await asyncio.gather(*readers)
        (row,) = await pool.query("select count(*) as writes from numbers where n = 9")
        assert row == {"writes": 5}

    asyncio.run(scenario())


def test_after_a_while_new_readers_wait_until_the_file_was_closed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orb_learning.store.shared_file.LONGEST_HOLD_SECONDS", 0.05)

    async def scenario() -> None:
        pool = ReaderPool(database)
        gate = Gate()
        holder = asyncio.create_task(pool.run(gate))
        await gate.filled(1)
        await asyncio.sleep(0.1)
        late = asyncio.create_task(pool.query("select 1 as one"))
        await asyncio.sleep(0.1)
        assert not late.done()
        gate.open.set()
        await holder
        assert await late == [{"one": 1}]
        assert pool.statistics().files_opened == 2

    asyncio.run(scenario())


def test_a_connection_that_fails_its_check_is_replaced(database: Path) -> None:
    async def scenario() -> None:
        pool = ReaderPool(database)
        gate = Gate()
        holder = asyncio.create_task(pool.run(gate))
        await gate.filled(1)
        await pool.run(lambda connection: connection.close())
        assert await pool.query("select 1 as one") == [{"one": 1}]
        assert pool.statistics().connections_replaced == 1
        gate.open.set()
        await holder

    asyncio.run(scenario())


def test_who_is_cancelled_stops_the_query(database: Path) -> None:
    async def scenario() -> None:
        pool = ReaderPool(database)
        query = asyncio.create_task(pool.query(ENDLESS))
        while pool.statistics().in_use == 0:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        query.cancel()
        with pytest.raises(asyncio.CancelledError):
            await query
        until = time.monotonic() + 10
        while pool.statistics().in_use:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_a_query_may_take_longer_than_the_waiting_limit(database: Path) -> None:
    pool = ReaderPool(database, wait_seconds=0.1)
    # Three times the limit.
    assert asyncio.run(pool.run(lambda _: time.sleep(0.3) or "done")) == "done"


def test_a_writer_that_does_not_end_is_named(database: Path) -> None:
    pool = ReaderPool(database, wait_seconds=0.2)
    with connect(database), pytest.raises(DatabaseLockedError):
        asyncio.run(pool.query("select 1"))
    assert asyncio.run(pool.query("select 1 as one")) == [{"one": 1}]


def test_a_reader_waits_for_a_writer_of_its_own_process(database: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with connect(database):
            entered.set()
            leave.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    entered.wait(10)
    threading.Timer(0.2, leave.set).start()
    pool = ReaderPool(database)
    assert asyncio.run(pool.query("select 1 as one")) == [{"one": 1}]
    assert pool.statistics().longest_wait_seconds > 0.1
    writer.join()


@pytest.mark.parametrize(
    ("content", "error"), [(None, DatabaseMissingError), (b"no database" * 999, NotADatabaseError)]
)
def test_what_cannot_be_opened_is_named_and_the_pool_stays_usable(
    tmp_path: Path, database: Path, content: bytes | None, error: type[DatabaseError]
) -> None:
    file = tmp_path / "other.db"
    if content:
        file.write_bytes(content)
    pool = ReaderPool(file)
    for _ in range(2):
        with pytest.raises(error):
            asyncio.run(pool.query("select 1"))
    database.rename(file)
    assert asyncio.run(pool.query("select 1 as one")) == [{"one": 1}]


def test_a_missing_relation_says_that_nothing_was_built(database: Path) -> None:
    with pytest.raises(NotBuiltError, match="orb build"):
        asyncio.run(ReaderPool(database).query("from tier_performance_mv"))


def test_one_pool_serves_one_event_loop_after_another(database: Path) -> None:
    pool = ReaderPool(database, wait_seconds=5)

    async def abandon() -> None:
        # A query that outlives its loop, which ends after the 0.05 s below.
        asyncio.create_task(pool.run(lambda _: time.sleep(0.2)))  # noqa: RUF006 - left on purpose
        await asyncio.sleep(0.05)

    asyncio.run(abandon())
    assert asyncio.run(pool.query("select 1 as one")) == [{"one": 1}]


def fork_and_read(pool: ReaderPool) -> int:
    """Return the exit status of a child that reads: 0 if it got its row."""
    child = os.fork()
    if child == 0:
        try:
            rows: list[Any] = []
            reader = threading.Thread(
                target=lambda: rows.extend(asyncio.run(pool.query("select 1 as one"))), daemon=True
            )
            reader.start()
            reader.join(10)
            os._exit(0 if rows == [{"one": 1}] else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1]


def test_a_forked_child_has_threads_of_its_own(database: Path) -> None:
    pool = ReaderPool(database, wait_seconds=5)
    asyncio.run(pool.query("select 1"))  # its thread is idle now, and missing in the child
    assert fork_and_read(pool) == 0


def test_a_forked_child_reads_beside_its_parent(database: Path) -> None:
    pool = ReaderPool(database, wait_seconds=5)
    assert asyncio.run(pool.run(lambda _: fork_and_read(pool))) == 0


def test_a_forked_child_reads_beside_its_idle_parent(database: Path) -> None:
    pool = ReaderPool(database, wait_seconds=5, idle_timeout_seconds=600)
    asyncio.run(pool.query("select 1"))
    assert fork_and_read(pool) == 0
    assert asyncio.run(pool.query("select 1 as one")) == [{"one": 1}]
    pool.close()


def test_a_closed_pool_says_so(database: Path) -> None:
    pool = ReaderPool(database)
    pool.close()
    with pytest.raises(DatabaseError, match="closed"):
        asyncio.run(pool.query("select 1"))


def test_readers_kept_out_by_longer_ones_say_that_they_wait(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "NOTICE_SECONDS", 0.2)
    monkeypatch.setattr(shared_file, "LONGEST_HOLD_SECONDS", 0.0)
    pool = ReaderPool(database)
    gate = Gate()

    async def wait() -> None:
        first = asyncio.ensure_future(pool.run(gate))
        await gate.filled(1)
        second = asyncio.ensure_future(pool.run(id))
        await asyncio.sleep(0.6)
        gate.open.set()
        await asyncio.gather(first, second)

    asyncio.run(wait())
    pool.close()
    (notice,) = caplog.messages
    assert notice == f"waiting for {database}, which another thread of this process has"
