"""A readers-writer lock with writer preference, between processes and threads.

DuckDB gives a file to one writer or to many readers and refuses the rest at once. Within one
process it refuses to open a file in two modes. So whoever opens the file acquires this lock first:
readers share it, a writer holds it alone.

The lock is flock on ``<file>.turn``, which excludes threads of one process, too. A writer holds the
gate, ``<file>.door``, while it waits for the lock, and readers come in through the gate. So readers
that overlap without end cannot keep a writer out. The system releases both when a process dies.
The names of the two files stay as older versions have them, because those lock the same files.

DuckDB's own lock does not suffice. DuckDB 2.0.0 reads a file's header before it takes its lock, so
a writer that opens the file while another closes it may go on from the older state, and what the
other committed is lost.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from orb_learning.filesystem.private import open_private
from orb_learning.filesystem.waiting import Waiting

POLL_SECONDS = 0.003

_held: set[int] = set()
"""Descriptors of the files that this process has locked. A forked child closes them: the locks are
its parent's."""


class Lock:
    """A lock that is held until ``release``."""

    def __init__(self, descriptor: int | None):
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in; a second call does nothing."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            self._descriptor = None


class ReadWriteLock:
    """The lock of one file.

    Args:
        path: the file that is protected; the lock's own files stand beside it.
        subject: what a notice says is waited for; the path if None.
    """

    def __init__(self, path: Path, subject: Path | str | None = None):
        self._subject = path if subject is None else subject
        self._file = path.with_name(f"{path.name}.turn")
        self._gate = path.with_name(f"{path.name}.door")

    def was_used(self) -> bool:
        """Return whether anybody ever waited for the lock."""
        return self._file.exists()

    def acquire(
        self, *, shared: bool, deadline: float, waiting: Waiting | None = None
    ) -> Lock | None:
        """Wait for the lock.

        Args:
            shared: whether beside others that share, or alone.
            deadline: the ``time.monotonic`` until which to wait.
            waiting: a wait that this one is a part of.

        Returns:
            the lock, or None if it did not become free in time.

        Raises:
            OSError: a writer cannot make the lock's files.
        """
        waiting = waiting or Waiting(self._subject)
        try:
            gate = _lock(self._gate, shared, deadline, waiting)
        except OSError:
            if not shared:
                raise
            return Lock(None)  # a folder that cannot be written has no writer to wait for
        if gate is None:
            return None
        try:
            descriptor = _lock(self._file, shared, deadline, waiting)
        finally:
            _unlock(gate)
        return None if descriptor is None else Lock(descriptor)

    def writer_waiting(self) -> bool:
        """Return whether a writer waits for the lock."""
        try:
            gate = _lock(self._gate, True, time.monotonic(), Waiting(self._subject))
        except OSError:
            return False  # a folder that cannot be written has no writer
        if gate is None:
            return True
        _unlock(gate)
        return False


def _lock(path: Path, shared: bool, deadline: float, waiting: Waiting) -> int | None:
    descriptor = open_private(path, os.O_RDWR)
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            waiting.look(path)
            time.sleep(POLL_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise
        else:
            _held.add(descriptor)
            return descriptor


def _unlock(descriptor: int) -> None:
    if descriptor in _held:  # else a fork closed it, and another file may have the number by now
        _held.remove(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child forked meanwhile may have the file, too
        os.close(descriptor)


def _close_in_child() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_close_in_child)
