"""Threads and processes of this package, and dbt, share or exclude each other by a file's lock."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import DbtProject
from dbt.adapters.duckdb import environments
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.credentials import DuckDBCredentials, PluginConfig
from dbt.cli.main import dbtRunner
from dbt_common.exceptions import DbtRuntimeError

from orb_learning.errors import DatabaseError, DatabaseLockedError
from orb_learning.filesystem import rw_lock
from orb_learning.filesystem.rw_lock import Lock, ReadWriteLock
from orb_learning.store import connection as store_connection
from orb_learning.store.connection import connect

READ_WITHOUT_A_PAUSE = """
import sys
from orb_learning.database import connect

while True:
    with connect(sys.argv[1], read_only=True) as connection:
        connection.execute("select count(*) from range(2_000_000)").fetchall()
    print("read", flush=True)
"""


@pytest.fixture(autouse=True)
def existing(database: Path) -> None:
    with connect(database):
        pass


def open_and_close(database: Path) -> None:
    with connect(database):
        pass


def acquire(database: Path, *, shared: bool, seconds: float = 0.0) -> Lock | None:
    lock = ReadWriteLock(database)
    return lock.acquire(shared=shared, deadline=time.monotonic() + seconds)


def can_acquire(database: Path, *, shared: bool) -> bool:
    lock = acquire(database, shared=shared)
    if lock is not None:
        lock.release()
    return lock is not None


def test_readers_share_and_a_writer_is_alone(database: Path) -> None:
    first, second = acquire(database, shared=True), acquire(database, shared=True)
    assert first is not None
    assert second is not None
    assert acquire(database, shared=False) is None
    first.release()
    assert acquire(database, shared=False) is None
    second.release()
    writer = acquire(database, shared=False)
    assert writer is not None
    assert acquire(database, shared=False) is None
    assert acquire(database, shared=True) is None
    writer.release()
    writer.release()
    last = acquire(database, shared=True)
    assert last is not None
    last.release()


def test_threads_read_and_write_one_file_without_a_conflict(database: Path) -> None:
    with connect(database) as connection:
        connection.execute("create table seen (writer integer)")
    failures: list[BaseException] = []

    def work(number: int, read_only: bool) -> None:
        try:
            for _ in range(8):
                with connect(database, read_only=read_only) as connection:
                    if read_only:
                        connection.execute("select count(*) from seen").fetchall()
                    else:
                        connection.execute("insert into seen values (?)", [number])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(n, n % 2 == 0)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with connect(database, read_only=True) as connection:
        assert connection.execute("select count(*) from seen").fetchone() == (24,)


def has_lock_of_the_system(descriptor: int) -> bool:
    """Return whether this process has a lock of a file, by a descriptor that nobody closes.

    To close it would give the lock up. /proc/locks, which changes while it is read, may lack one.
    """
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
    kind, _, _, _, process = struct.unpack("hhqqi4x", found)
    return bool(kind != fcntl.F_UNLCK and process == os.getpid())


def test_no_thread_loses_the_files_lock_by_another_that_opens_it(database: Path) -> None:
    until = time.monotonic() + 1
    locked: list[bool] = []
    descriptor = os.open(database, os.O_RDONLY)

    def read() -> None:
        while time.monotonic() < until:
            with connect(database, read_only=True):
                locked.append(has_lock_of_the_system(descriptor))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not has_lock_of_the_system(descriptor)
    os.close(descriptor)
    assert len(locked) > 100
    assert all(locked), f"{locked.count(False)} of {len(locked)} connections had no lock"


def test_a_writer_gets_in_between_readers_that_never_pause(database: Path) -> None:
    command = [sys.executable, "-c", READ_WITHOUT_A_PAUSE, str(database)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "read\n"
        waits = []
        for _ in range(10):
            began = time.monotonic()
            with connect(database, wait_seconds=10):
                waits.append(time.monotonic() - began)
        print(  # noqa: T201 - a figure to read
            f"longest wait of a writer beside 4 steady readers: {max(waits) * 1000:.0f} ms"
        )
        assert max(waits) < 2
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_who_does_not_get_the_lock_in_time_gets_an_error_that_says_so(database: Path) -> None:
    with (
        connect(database),
        pytest.raises(DatabaseLockedError, match=r"for 0\.05 s"),
        connect(database, read_only=True, wait_seconds=0.05),
    ):
        pass


def test_a_file_that_this_process_has_open_in_another_mode_is_waited_for(database: Path) -> None:
    other = duckdb.connect(database)
    threading.Timer(0.2, other.close).start()
    with connect(database, read_only=True, wait_seconds=5) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_file_at_anothers_checkpoint_is_waited_for(database: Path) -> None:
    code = (
        "import duckdb, os, sys; connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('create table t (i int)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(database)], check=True)
    log = database.with_name(f"{database.name}.wal")
    before_the_checkpoint = log.read_bytes()
    with connect(database):
        pass
    log.write_bytes(before_the_checkpoint)
    with pytest.raises(duckdb.IOException, match="WAL checkpoint iteration does not match"):
        duckdb.connect(database)
    threading.Timer(0.2, log.unlink).start()
    with connect(database, wait_seconds=5) as connection:
        assert connection.execute("from t").fetchall() == []


def test_a_forked_child_can_open_a_file_while_its_parent_opens_one(database: Path) -> None:
    with store_connection._open_mutex:
        child = multiprocessing.get_context("fork").Process(target=open_and_close, args=(database,))
        thread = threading.Thread(target=child.start)  # one that does not have the lock forks
        thread.start()
        thread.join()
    child.join(timeout=10)
    child.kill()
    assert child.exitcode == 0


def test_the_lock_of_a_killed_process_is_released(database: Path) -> None:
    # It holds the lock for longer than the test takes: it is killed.
    code = (
        "import sys, time; from orb_learning.database import connect\n"
        "with connect(sys.argv[1]): print('in', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"
        assert acquire(database, shared=True) is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        lock = acquire(database, shared=False)
        assert lock is not None
        lock.release()


def test_a_forked_child_does_not_keep_the_lock_of_its_parent(database: Path) -> None:
    lock = acquire(database, shared=False)
    assert lock is not None
    fork = multiprocessing.get_context("fork")
    hold = fork.Event()
    child = fork.Process(target=hold.wait, args=(30,))
    child.start()
    try:
        os.close(rw_lock._held.pop())  # as if the parent had died: not unlocked, only closed
        next_lock = acquire(database, shared=True, seconds=5)
        assert next_lock is not None
        next_lock.release()
    finally:
        hold.set()
        child.join()


def test_a_folder_that_cannot_be_written_can_be_read(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    assert acquire(database, shared=True) is not None
    with pytest.raises(DatabaseError, match="cannot be written: "), connect(database):
        pass


def dbt_environment(path: Path | str, **changes: Any) -> environments.Environment:
    """What dbt-duckdb makes of a profile; its handle() opens the file."""
    plugin = PluginConfig(module="orb_learning.dbt.plugin", config={"wait_seconds": 0.1})
    return environments.create(
        DuckDBCredentials(
            database="learning", schema="main", path=str(path), plugins=[plugin], **changes
        )
    )


@pytest.fixture
def dbt_is_closed() -> Iterator[None]:
    """Leave no file open in this process."""
    yield
    DuckDBConnectionManager.close_all_connections()


def test_dbt_is_alone_until_it_closes_the_file(database: Path) -> None:
    environment = dbt_environment(database)
    assert can_acquire(database, shared=False), "before it opens the file it needs no lock"
    handle = environment.handle()
    assert not can_acquire(database, shared=True)
    handle.close()
    assert not can_acquire(database, shared=True), "dbt-duckdb keeps the file open"
    environment.close()
    assert can_acquire(database, shared=False)
    duckdb.connect(database, read_only=True).close()  # would be refused if it were open
    environment.handle().close()
    assert not can_acquire(database, shared=True)
    del environment, handle
    assert can_acquire(database, shared=False)


def test_dbt_that_only_reads_shares(database: Path) -> None:
    environment = dbt_environment(database, config_options={"access_mode": "READ_ONLY"})
    environment.handle()
    assert can_acquire(database, shared=True)
    assert not can_acquire(database, shared=False)


def test_dbt_takes_no_lock_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    handle = dbt_environment(":memory:").handle()
    assert handle.cursor().execute("select count(*) from raw.executions").fetchall() == [(0,)]
    assert list(tmp_path.glob(":memory:*")) == []


def test_dbt_says_what_it_waited_for_in_one_line(database: Path) -> None:
    lock = acquire(database, shared=True)
    assert lock is not None
    with pytest.raises(DbtRuntimeError) as caught:
        dbt_environment(database).handle()
    assert caught.value.msg == (
        f"{database} was in use by others of this package (a loader, an import, readers or dbt) "
        f"for 0.1 s; try again when they are done"
    )
    lock.release()
    with (
        duckdb.connect(database, read_only=True),  # without our lock
        pytest.raises(DbtRuntimeError, match="is in use by another process") as caught,
    ):
        dbt_environment(database).handle()
    assert "\n" not in caught.value.msg
    assert can_acquire(database, shared=False), "who could not open the file keeps no lock"


def test_dbt_does_not_wait_for_itself(database: Path) -> None:
    forgotten = dbt_environment(database).handle()  # keeps the file open
    handle = dbt_environment(database).handle()
    assert handle.cursor().execute("select 1").fetchall() == [(1,)]
    forgotten.close()


@pytest.mark.usefixtures("dbt_is_closed")
@pytest.mark.slow
def test_dbt_runs_again_and_again_in_one_process(
    project: DbtProject, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    dbt = dbtRunner(manifest=project.parse())
    longest = 0.0
    for options in (["--target", "dev"], [], ["--target", "read"], [], ["--threads", "4"]):
        began = time.monotonic()
        outcome = dbt.invoke(
            ["--quiet", "show", "--inline", "select 1", *options, *project._options({})]
        )
        longest = max(longest, time.monotonic() - began)
        assert outcome.success, (options, outcome.exception)
    assert longest < 20
    assert not can_acquire(database, shared=True)
    DuckDBConnectionManager.close_all_connections()
    assert can_acquire(database, shared=False)
