"""Whoever waits for long says for whom; no line of the log acts on a terminal."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from building import REPOSITORY

from orb_learning.backup.exclusive import exclusive_backups
from orb_learning.errors import OrbError
from orb_learning.filesystem import ReadWriteLock, get_logger, waiting
from orb_learning.outbox import Outbox, hold_lease, reader, writer
from orb_learning.outbox.reader import files_of, open_reader
from orb_learning.search.vector_index.on_disk import exclusive_build
from orb_learning.store import connect

HOLD = """
import sys, time
from pathlib import Path
from orb_learning.filesystem import ReadWriteLock

lock = ReadWriteLock(Path(sys.argv[1])).acquire(shared=False, deadline=0)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""
HOLD_WITHOUT_LOCK = """
import sys, time, duckdb

connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""
HOLD_SEGMENT = """
import sqlite3, sys, time

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin immediate")
print("held", flush=True)
time.sleep(float(sys.argv[2]))  # for which a wait is to last
"""
SOON = 0.5
"""Seconds after which a wait is told of in these tests."""


@contextmanager
def held(file: Path, code: str = HOLD, seconds: float = 60) -> Iterator[int]:
    """Hold a lock in another process; yields its number."""
    command = [sys.executable, "-c", code, str(file), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process.pid
        finally:
            process.kill()


def open_database(folder: Path) -> None:
    with connect(folder / "learning.db", wait_seconds=2 * SOON):
        pass


def take_lease(folder: Path) -> None:
    with hold_lease(folder, 2 * SOON):
        pass


def make_backups(folder: Path) -> None:
    with exclusive_backups(folder, 2 * SOON, "nothing was done"):
        pass


WAITS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "database": (open_database, "learning.db", HOLD),
    "without-lock": (open_database, "learning.db", HOLD_WITHOUT_LOCK),
    "loader": (take_lease, "loader", HOLD),
    "backups": (make_backups, "backups", HOLD),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_long_wait_says_once_which_process_it_is_for(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "NOTICE_SECONDS", SOON)
    wait, file, code = WAITS[name]
    with held(tmp_path / file, code) as pid, pytest.raises(OrbError):
        wait(tmp_path)
    (notice,) = caplog.messages
    assert notice.startswith("waiting for ")
    assert str(tmp_path) in notice
    assert f"which process {pid} (" in notice


def bind_segment(_: Outbox, path: Path) -> None:
    with open_reader(path) as reader, pytest.raises(sqlite3.OperationalError):
        reader.bind(uuid.uuid4())


def put_record(outbox: Outbox, _: Path) -> None:
    assert not outbox.put("maintenance", "{}")


@pytest.mark.parametrize("wait", [bind_segment, put_record])
def test_a_wait_of_sqlite_says_which_process_has_the_segment(
    tmp_path: Path,
    wait: Callable[[Outbox, Path], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for module in (waiting, writer):
        monkeypatch.setattr(module, "NOTICE_SECONDS", SOON)
    monkeypatch.setattr(reader, "BUSY_SECONDS", 2 * SOON)
    outbox = Outbox(tmp_path, busy_timeout_ms=int(2_000 * SOON))
    assert outbox.put("maintenance", "{}")
    (path,) = files_of(tmp_path)
    with held(path, HOLD_SEGMENT) as pid:
        wait(outbox, path)
    (notice,) = caplog.messages
    assert notice.startswith(f"waiting for the outbox's {path}, which process {pid} (")


def test_a_thread_that_waits_for_another_one_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "NOTICE_SECONDS", SOON)
    file = tmp_path / "learning.db"
    with connect(file):
        lock = ReadWriteLock(file).acquire(shared=True, deadline=time.monotonic() + 2 * SOON)
    assert lock is None
    (notice,) = caplog.messages
    assert notice == f"waiting for {file}, which another thread of this process has"


def test_a_process_is_named_without_the_passwords_of_its_command() -> None:
    # The system names a process once its program runs, a little after Popen returns.
    program = "print(flush=True); input()"
    command = [sys.executable, "-c", program, "https://ada:4711@bucket.example/copies"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        said = waiting._name_of(process.pid)
        process.kill()
    assert f"process {process.pid} (" in said
    assert "bucket.example/copies" in said
    assert "4711" not in said


def test_the_builder_of_an_index_says_for_whom_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "NOTICE_SECONDS", SOON)
    with held(tmp_path / "builder", seconds=1), exclusive_build(tmp_path):
        assert "waiting for the index" in caplog.text


def test_a_short_wait_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with held(tmp_path / "loader", seconds=0.2), hold_lease(tmp_path, 30):
        assert caplog.messages == []


def test_a_command_that_waits_says_so_on_standard_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "orb_learning", "load", "--wait", "3"]
    environment = {**os.environ, "ORB_DATABASE": str(tmp_path / "learning.db")}
    (tmp_path / "outbox").mkdir()
    with held(tmp_path / "outbox" / "loader"):
        began = time.monotonic()
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert time.monotonic() - began > waiting.NOTICE_SECONDS
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(f"waiting for the outbox {tmp_path}/outbox, which process ")
    assert second.startswith("error: ")


def test_no_line_of_the_log_acts_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = get_logger("orb_learning.test_waiting")
    handler = logging.StreamHandler(sys.stderr)
    log.addHandler(handler)
    evil = "\x1b]0;title\x07\x1b[2J\u202eend\r\udc80"
    try:
        log.warning("of %s", evil)
        try:
            raise ValueError(evil)
        except ValueError:
            log.exception("failed")
    finally:
        log.removeHandler(handler)
    said = capsys.readouterr().err
    assert said.count("title") == 2
    assert "Traceback" in said
    assert all(one.isprintable() or one == "\n" for one in said)


def test_every_module_logs_by_the_clean_logger() -> None:
    package = REPOSITORY / "python_ingest/orb_learning"
    found = {file.name for file in package.rglob("*.py") if "logging.getLogger" in file.read_text()}
    assert found == {"logs.py"}
