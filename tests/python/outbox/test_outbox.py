"""The outbox: acknowledged means committed, and whatever goes wrong, the caller goes on."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from forking import forked

from orb_learning.outbox import writer
from orb_learning.outbox.reader import files_of, open_reader
from orb_learning.outbox.segment import is_in_use
from orb_learning.outbox.writer import Outbox, folder_size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def kept_in(folder: Path) -> list[str]:
    """The payloads that another connection can read, in order."""
    payloads: list[str] = []
    for path in files_of(folder):
        with open_reader(path) as reader:
            payloads += [record.payload for record in reader.read(0, 10**6)]
    return payloads


def test_a_record_is_committed_when_put_returns(folder: Path) -> None:
    outbox = Outbox(folder)
    for number in range(3):
        assert outbox.put("execution", str(number)) is True
        assert kept_in(folder) == [str(done) for done in range(number + 1)]
    assert outbox.put_many("execution", ["3", "4"]) == 2
    assert kept_in(folder) == ["0", "1", "2", "3", "4"]


def test_many_are_kept_all_or_none(folder: Path) -> None:
    outbox = Outbox(folder)
    assert outbox.put_many("execution", ["a", "\ud800"]) == 0
    assert outbox.refused() == {"unencodable": 2}
    assert outbox.put("execution", "b")
    assert kept_in(folder)[0] == "b"


def test_full_waits_for_the_disk_and_normal_does_not(folder: Path) -> None:
    for synchronous, value in (("NORMAL", 1), ("FULL", 2)):
        outbox = Outbox(folder, synchronous=synchronous)  # type: ignore[arg-type]
        outbox.put("execution", "a")
        assert outbox._file is not None
        connection = outbox._file._connection
        assert connection.execute("pragma synchronous").fetchone() == (value,)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_threads_share_one_outbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_RECORDS", 97)
    outbox = Outbox(folder)

    def record(thread: int) -> None:
        for number in range(200):
            assert outbox.put("execution", f"{thread}-{number}")

    threads = [threading.Thread(target=record, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.close()
    kept = kept_in(folder)
    assert sorted(kept) == sorted(f"{one}-{number}" for one in range(8) for number in range(200))
    for one in range(8):
        of_one = [payload for payload in kept if payload.startswith(f"{one}-")]
        assert of_one == [f"{one}-{number}" for number in range(200)]


def test_a_full_file_is_followed_by_a_new_one_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_RECORDS", 3)
    moments = iter([5_000_000_000_000, 4_000_000_000_000, 3_000_000_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))  # the clock jumps back
    outbox = Outbox(folder)
    for number in range(9):
        assert outbox.put("execution", str(number))
    assert kept_in(folder) == [str(number) for number in range(9)]
    assert len(files_of(folder)) == 3


def test_a_forked_child_records_into_a_file_of_its_own(folder: Path) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "before")
    stop = threading.Event()
    recorded: list[str] = []

    def record() -> None:
        while not stop.is_set():
            text = f"parent {len(recorded)}"
            assert outbox.put("execution", text)
            recorded.append(text)

    thread = threading.Thread(target=record)
    thread.start()

    def record_in_child(child: int) -> None:
        assert outbox.put("execution", f"child {child}")
        outbox.close()

    try:
        for child in range(5):
            with forked(partial(record_in_child, child)):
                pass
    finally:
        stop.set()
        thread.join()
    assert outbox.put("execution", "after")
    assert sorted(kept_in(folder)) == sorted(
        ["before", *recorded, "after", *(f"child {child}" for child in range(5))]
    )


def test_a_forked_child_does_not_wait_for_a_lock_of_its_parent(folder: Path) -> None:
    outbox = Outbox(folder)

    def record() -> None:
        thread = threading.Thread(target=outbox.put, args=["execution", "child"])
        thread.start()  # another thread than the lock's
        thread.join()

    with outbox._lock, forked(record):
        pass
    assert kept_in(folder) == ["child"]


def test_a_forked_child_does_not_open_what_its_parent_has_open(folder: Path) -> None:
    left, read, own = Outbox(folder), Outbox(folder), Outbox(folder)
    for outbox in (left, read, own):
        assert outbox.put("execution", "a")
    left.close()
    read.close()
    files = files_of(folder)

    def look() -> None:
        assert files_of(folder) == files[:1]

    with open_reader(files[1]), forked(look):
        assert files_of(folder) == files


def test_a_forked_child_neither_closes_its_parents_file_nor_locks_it(folder: Path) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "a")
    (file,) = files_of(folder)
    told, tell = os.pipe()
    begun, begin = os.pipe()

    def wait() -> None:
        os.write(begin, b"!")  # what is done at a fork has been done by now
        os.close(tell)
        gc.collect()
        opened = set()
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):  # that of the listing itself
                opened.add(descriptor.readlink())
        assert file in opened, "SQLite was told to close the parent's file"
        assert file.with_name(f"{file.name}.lock") not in opened
        os.read(told, 1)

    with forked(wait):
        try:
            os.close(begin)
            assert os.read(begun, 1) == b"!"
            outbox.close()
            assert not is_in_use(file)
        finally:
            for descriptor in (told, tell, begun):
                os.close(descriptor)


def test_what_was_refused_before_a_fork_is_told_once(folder: Path) -> None:
    outbox = Outbox(folder)
    assert outbox.put_many("execution", ["\ud800"]) == 0

    def record() -> None:
        assert outbox.put("execution", "child")

    with forked(record):
        pass
    assert outbox.put("execution", "parent")
    told = '{"reason": "unencodable", "count": 1}'
    assert sorted(kept_in(folder)) == ["child", "parent", told]


def test_a_forked_child_that_ends_normally_leaves_the_parents_file_alone(folder: Path) -> None:
    script = f"""
        import os, sys
        from orb_learning.outbox import Outbox
        outbox = Outbox({str(folder)!r})
        assert outbox.put("execution", "before")
        [log] = [file for file in outbox.folder.iterdir() if file.name.endswith("-wal")]
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert log.exists(), "the child deleted the log"
        assert outbox.put("execution", "after")
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=60)
    assert kept_in(folder) == ["before", "after"]


def test_acknowledged_records_survive_the_interpreters_end(folder: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    script = f"""
        import os, threading, time, atexit
        from orb_learning.outbox import Outbox
        outbox = Outbox({str(folder)!r})
        notes = os.open({str(notes)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        def record(thread):
            number = 0
            while True:
                text = f"{{thread}}-{{number}}"
                if outbox.put("execution", text):
                    os.write(notes, (text + "\\n").encode())
                number += 1
        for thread in range(4):
            threading.Thread(target=record, args=[thread], daemon=True).start()
        def late():
            assert outbox.put("execution", "at exit")
            os.write(notes, b"at exit\\n")
        atexit.register(late)
        time.sleep(0.3)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    acknowledged = notes.read_text().split("\n")[:-1]
    assert "at exit" in acknowledged
    assert len(acknowledged) > 10
    kept = kept_in(folder)
    assert len(kept) == len(set(kept))
    assert set(acknowledged) <= set(kept)


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_deleted_outbox_is_made_again(folder: Path, whole_folder: bool) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "lost")
    if whole_folder:
        shutil.rmtree(folder)
    else:
        files_of(folder)[0].unlink()
    assert outbox.put("execution", "kept")
    assert kept_in(folder) == ["kept"]


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_a_deleted_index_of_the_log_loses_nothing(folder: Path, end: str) -> None:
    script = f"""
        import os, pathlib, sys
        from orb_learning.outbox import Outbox
        outbox = Outbox(pathlib.Path({str(folder)!r}))
        for text in sys.stdin:
            assert outbox.put("execution", text.strip())
            print("kept", flush=True)
        outbox.close() if {end!r} == "closed" else os.kill(os.getpid(), 9)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(6):
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "kept\n"
            if number % 2:
                # A reader makes the index again; the process goes on with the one it has.
                assert kept_in(folder) == [str(done) for done in range(number + 1)]
            else:
                next(folder.glob("*-shm")).unlink()
    assert process.returncode == (0 if end == "closed" else -signal.SIGKILL)
    assert kept_in(folder) == [str(number) for number in range(6)]


def test_a_deleted_log_comes_back_when_the_file_is_left(folder: Path) -> None:
    outbox = Outbox(folder)
    for text in ("before", "after"):
        assert outbox.put("execution", text)
        for log in folder.glob("*-wal"):
            log.unlink()
    outbox.close()
    assert kept_in(folder) == ["before", "after"]


def test_a_cut_index_kills_the_process_but_not_its_records(folder: Path) -> None:
    script = f"""
        import os, pathlib
        from orb_learning.outbox import Outbox
        outbox = Outbox(pathlib.Path({str(folder)!r}))
        assert outbox.put("execution", "before")
        os.truncate(next(outbox.folder.glob("*-shm")), 0)
        outbox.put("execution", "after")
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert ended.returncode == -signal.SIGBUS
    assert kept_in(folder) == ["before"]


def test_a_replaced_file_is_left_for_a_new_one(folder: Path, tmp_path: Path) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "lost")
    file = files_of(folder)[0]
    shutil.copy(file, tmp_path / "other")
    (tmp_path / "other").replace(file)
    assert outbox.put("execution", "kept")
    assert "kept" in kept_in(folder)
    assert len(files_of(folder)) == 2


@pytest.mark.parametrize("pause", [0, 0.2])
def test_a_deleted_log_is_left_for_a_new_one(folder: Path, pause: float) -> None:
    outbox = Outbox(folder)
    for _ in range(3):
        outbox.put("execution", "before")
        time.sleep(pause)
    Path(f"{files_of(folder)[0]}-wal").unlink()
    assert outbox.put("execution", "kept")
    outbox.close()
    assert "kept" in kept_in(folder)
    assert len(files_of(folder)) == 2


@pytest.mark.parametrize("pause", [0, 0.2])
def test_a_moved_folder_is_made_again(folder: Path, tmp_path: Path, pause: float) -> None:
    outbox = Outbox(folder)
    for _ in range(3):
        outbox.put("execution", "before")
        time.sleep(pause)
    folder.rename(tmp_path / "elsewhere")
    assert outbox.put("execution", "kept")
    assert kept_in(folder) == ["kept"]
    assert kept_in(tmp_path / "elsewhere") == ["before"] * 3


def test_a_damaged_file_is_left_for_a_new_one(folder: Path) -> None:
    for damage in (b"", b"\xff" * 100_000):
        outbox = Outbox(folder)
        outbox.put("execution", "before")
        path = files_of(folder)[-1]
        for victim in (path, path.with_name(f"{path.name}-wal")):
            victim.write_bytes(damage)
        assert all(outbox.put("execution", str(number)) for number in range(5))
        assert set(outbox.refused()) <= {"corrupt"}
        new = files_of(folder)[-1]
        if new != path:
            with open_reader(new) as reader:
                assert len(reader.read(0, 10)) == 5


def test_a_busy_file_refuses_within_the_timeout_and_is_left(folder: Path) -> None:
    outbox = Outbox(folder, busy_timeout_ms=50)
    outbox.put("execution", "a")
    with closing(sqlite3.connect(files_of(folder)[0], isolation_level=None)) as other:
        other.execute("begin immediate")
        began = time.monotonic()
        assert outbox.put("execution", "b") is False
        assert time.monotonic() - began < 1
        assert outbox.refused() == {"busy": 1}
        assert outbox.put("execution", "c")
    assert kept_in(folder) == ["a", "c", '{"reason": "busy", "count": 1}']


def test_the_size_limit_refuses_and_counts(folder: Path) -> None:
    outbox = Outbox(folder, size_limit_bytes=500_000)
    kept = sum(outbox.put("execution", "x" * 1000) for _ in range(1000))
    assert 10 < kept < 300
    assert outbox.refused() == {"size_limit": 1000 - kept}
    assert folder_size(folder) < 700_000
    assert len(kept_in(folder)) == kept


def test_a_full_disk_refuses_and_counts_and_is_got_over(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("1m")
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * 400_000)
    outbox = Outbox(disk / "outbox")
    kept = sum(outbox.put("execution", "x" * 1000) for _ in range(500))
    assert 0 < kept < 500
    assert outbox.refused() == {"disk_full": 500 - kept}
    ballast.unlink()
    assert outbox.put("execution", "after")
    payloads = kept_in(disk / "outbox")
    assert payloads == ["x" * 1000] * kept + [
        "after",
        f'{{"reason": "disk_full", "count": {500 - kept}}}',
    ]


def test_an_outbox_that_cannot_be_made_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / "file" / "outbox")
    assert outbox.put("execution", "a") is False
    assert outbox.put_many("execution", ["a", "b"]) == 0
    assert outbox.refused() == {"io_error": 3}


def test_a_closed_outbox_refuses(folder: Path) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "a")
    outbox.close()
    outbox.close()
    assert outbox.put("execution", "b") is False
    assert outbox.refused() == {"closed": 1}
    assert [path.suffix for path in folder.iterdir()].count(".sqlite") == 1


def test_the_outbox_is_imported_without_duckdb() -> None:
    script = "import sys, orb_learning.outbox; assert not {'duckdb', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
