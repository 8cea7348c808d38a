"""Whose turn it is to have the DuckDB file, among dbt, threads and processes of this package.

DuckDB gives a file to one writer or to many readers, refuses the rest at once, and refuses within
one process to open it in two modes. So who opens it takes a turn first: readers share it, a
writer is alone. A turn is a lock (flock, which also parts threads) on ``<file>.turn``. A writer
keeps ``<file>.door`` shut while it waits, and readers come in only by that door, so readers that
follow each other without a pause cannot keep it out. A lock ends with its process.

DuckDB's own lock is not enough even for who would wait for it: DuckDB 2.0.0 reads a file's header
before it takes the lock, so a writer that opens the file while another one closes it may go on
from the state before, and what the other one had committed is gone.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

POLL_SECONDS = 0.003

_held: set[int] = set()
"""The locked files of this process. A forked child closes them: they are its parent's turns."""


class Lock:
    """A turn that was taken; ``end`` gives it back."""

    def __init__(self, lock: int | None):
        self._lock = lock

    def end(self) -> None:
        """Let the next one have the file."""
        if self._lock is not None:
            _unlock(self._lock)
            self._lock = None


def acquire(path: Path, *, shared: bool, deadline: float) -> Lock | None:
    """Wait for a turn.

    Args:
        path: the DuckDB file.
        shared: whether beside others that share, or alone.
        deadline: the ``time.monotonic`` until which to wait.

    Returns:
        the turn, or None if it did not come in time.
    """
    try:
        door = _lock(path.with_name(f"{path.name}.door"), shared, deadline)
    except OSError:
        if not shared:
            raise
        return Lock(None)  # a folder that cannot be written has no writer to wait for
    if door is None:
        return None
    try:
        turn = _lock(path.with_name(f"{path.name}.turn"), shared, deadline)
    finally:
        _unlock(door)
    return None if turn is None else Lock(turn)


def writer_waiting(path: Path) -> bool:
    """Return whether a writer waits for its turn.

    Args:
        path: the DuckDB file.
    """
    try:
        door = _lock(path.with_name(f"{path.name}.door"), shared=True, deadline=time.monotonic())
    except OSError:
        return False  # a folder that cannot be written has no writer
    if door is None:
        return True
    _unlock(door)
    return False


def _lock(path: Path, shared: bool, deadline: float) -> int | None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(file)
                return None
            time.sleep(POLL_SECONDS)
        except BaseException:
            os.close(file)
            raise
        else:
            _held.add(file)
            return file


def _unlock(file: int) -> None:
    if file in _held:  # else a fork has closed it, and the number may be another file's by now
        _held.remove(file)
        fcntl.flock(file, fcntl.LOCK_UN)  # a child forked meanwhile may have the file, too
        os.close(file)


def _close_in_child() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_close_in_child)
