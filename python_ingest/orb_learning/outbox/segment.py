"""A segment, one file of the outbox: SQLite in WAL mode, written by one process, read by the relay.

Its rows are only ever appended, by the process that made it, so that their sequence numbers are
never used twice; a process that starts makes a new segment with a new id. While the process has it,
it holds a lock on ``<file>.lock``, which the system takes back when the process dies.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from orb_learning.filesystem import open_private

Synchronous = Literal["NORMAL", "FULL"]

SUFFIX = ".sqlite"
TABLES = {
    "outbox": "create table outbox "
    "(outbox_id text not null, database_id text, created_at real not null)",
    "records": "create table records "
    "(id integer primary key, kind text not null, payload text not null, put_at real not null)",
}
"""What a segment holds; the reader takes no other file."""
SCHEMA = f"""
begin;
{TABLES["outbox"]};
{TABLES["records"]};
insert into outbox values ('{{outbox_id}}', null, {{created_at!r}});
commit;
"""  # noqa: S608
LONGEST_TICK_SECONDS = 0.02
"""Of the clock by which a file system notes changes: 1 to 10 ms, by how Linux was built."""
INSERT = "insert into records (kind, payload, put_at) values (?, ?, ?)"

_open: Counter[str] = Counter()
"""The files that this process has open."""
inherited: set[str] = set()
"""The files that the parent had open when this process was forked. SQLite's locks do not survive
a fork, so this process must not open them."""


class Segment:
    """A file that this process has made and appends to. Not thread-safe."""

    def __init__(self, path: Path, *, synchronous: Synchronous, busy_timeout_ms: int):
        """Make the file.

        Raises:
            OSError, sqlite3.Error: it cannot be made; what was begun is removed.
        """
        self.path = path
        self.outbox_id = uuid.uuid4()
        self.count = 0
        self.size = 0
        self._text_path = str(path)
        lock = try_lock(path)
        if lock is None:
            raise FileExistsError(f"{path} is another process's")
        self._lock: int | None = lock
        self._folder, self._folder_changed = str(path.parent), 0
        try:
            self._connection = self._create(synchronous, busy_timeout_ms)
            # SQLite has both open until the end, so no other file gets their numbers.
            self._inodes = [(name, _inode(name)) for name in (self._text_path, f"{path}-wal")]
        except BaseException:
            self._give_lock_back()
            remove_segment(path)
            raise
        _open[self._text_path] += 1

    def _create(self, synchronous: Synchronous, busy_timeout_ms: int) -> sqlite3.Connection:
        # SQLite's log and index get the mode of the file.
        os.close(open_private(self.path, os.O_RDWR | os.O_EXCL))
        connection = sqlite3.connect(
            self.path,
            timeout=busy_timeout_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # NORMAL promises nothing over a power cut, and 25 ms are long for an event loop.
            before = "full" if synchronous == "FULL" else "off"
            connection.execute(f"pragma synchronous = {before}")
            connection.execute("pragma journal_mode = wal")
            connection.executescript(
                SCHEMA.format(outbox_id=self.outbox_id, created_at=time.time())
            )
            connection.execute(f"pragma synchronous = {synchronous}")
            # A checkpoint waits for the disk; it is done by close(), away from the callers.
            connection.execute("pragma wal_autocheckpoint = 0")
        except BaseException:
            connection.close()
            raise
        return connection

    def is_there(self) -> bool:
        """Whether the file and its log are where they were made: not deleted, replaced or moved."""
        try:
            changed = os.stat(self._folder).st_ctime_ns  # noqa: PTH116
            if changed == self._folder_changed:
                return True
            # Of two changes within a tick of the clock the second has the time of the first.
            if time.time() - changed / 1e9 > LONGEST_TICK_SECONDS:
                self._folder_changed = changed
            return all(_inode(name) == inode for name, inode in self._inodes)
        except OSError:
            return False

    def append(self, kind: str, payload: str) -> None:
        """Append one record; it is committed when this returns."""
        self._connection.execute(INSERT, (kind, payload, time.time()))
        self.count += 1
        self.size += len(payload)

    def append_all(self, kind: str, payloads: Sequence[str]) -> None:
        """Append records, all or none; they are committed when this returns."""
        now = time.time()
        execute = self._connection.execute
        execute("begin immediate")
        try:
            self._connection.executemany(INSERT, [(kind, payload, now) for payload in payloads])
            execute("commit")
        except BaseException:
            with suppress(sqlite3.Error):
                execute("rollback")
            raise
        self.count += len(payloads)
        self.size += sum(map(len, payloads))

    def close(self) -> None:
        """Move the log into the file, which takes some ms, and give the lock back."""
        with suppress(sqlite3.Error):
            self._connection.close()
        _open[self._text_path] -= 1
        self._give_lock_back()

    def abandon_after_fork(self) -> None:
        """Never touch the parent's connection in its child, not even to free it."""
        # Freed, it would be closed, which can delete the parent's log; so it never is.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        self._give_lock_back()

    def _give_lock_back(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _inode(name: str) -> int:
    return os.stat(name, follow_symlinks=False).st_ino  # noqa: PTH116


def segment_lock(path: Path) -> tuple[str, Path]:
    """Return what a wait for a segment is said to be for, and the file on which SQLite locks it."""
    return f"the outbox's {path}", path.with_name(f"{path.name}-shm")


def try_lock(path: Path) -> int | None:
    """Take the lock beside a file, without waiting.

    Returns:
        a descriptor that holds it until it is closed, or None where a live process has it.
    """
    descriptor = open_private(Path(f"{path}.lock"), os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_in_use(path: Path) -> bool:
    """Whether a live process appends to the file."""
    try:
        lock = try_lock(path)
    except OSError:
        # A link or a directory in the lock's place, which none of ours is, or a disk that only
        # reads: nobody can tell, so the file is left as it is.
        return True
    if lock is None:
        return True
    os.close(lock)
    return False


@contextmanager
def note_open(path: Path) -> Iterator[None]:
    """Note that this process has the file open, for a child that may be forked meanwhile."""
    _open[str(path)] += 1
    try:
        yield
    finally:
        _open[str(path)] -= 1


def set_segment_aside(path: Path) -> None:
    """Keep a damaged segment, under a name that is no segment's, unless a process has it."""
    if is_in_use(path):
        return
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").rename(f"{path}.damaged{ending}")
    Path(f"{path}.lock").unlink(missing_ok=True)


def remove_segment(path: Path) -> None:
    """Remove a segment with its log and its lock."""
    for ending in ("", "-wal", "-shm", ".lock"):
        with suppress(OSError):
            Path(f"{path}{ending}").unlink(missing_ok=True)


def _note_fork() -> None:
    inherited.update(path for path, count in _open.items() if count)
    _open.clear()


os.register_at_fork(after_in_child=_note_fork)
