"""The lease of an outbox: whoever loads or prunes it holds the lease alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orb_learning.errors import DiskFullError, LoaderBusyError, OutboxError
from orb_learning.filesystem import ReadWriteLock, make_folder, translated_disk_errors


@contextmanager
def hold_lease(outbox_folder: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lease; the system takes it back from a process that dies.

    Args:
        outbox_folder: the outbox; it is made if it is missing.
        wait_seconds: for how long to wait for another holder.

    Raises:
        LoaderBusyError: another process held it for longer.
        OutboxError: the folder cannot be made or written.
        DiskFullError: the disk has no room for the lock.
    """
    full = f"{outbox_folder}: the disk is full, nothing was done; free some space and run it again"
    with translated_disk_errors(
        lambda: DiskFullError(full),
        lambda error: OutboxError(
            f"{outbox_folder} cannot be written, and nothing was done: {error}; let this user "
            f"write there, or set ORB_OUTBOX to another folder"
        ),
    ):
        make_folder(outbox_folder)
        lock = ReadWriteLock(outbox_folder / "loader", f"the outbox {outbox_folder}").acquire(
            shared=False, deadline=time.monotonic() + wait_seconds
        )
    if lock is None:
        raise LoaderBusyError(
            f"{outbox_folder} is being loaded by another process; its records will be there soon"
        )
    try:
        yield
    finally:
        lock.release()
