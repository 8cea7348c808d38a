"""One process at a time makes or removes the backups of a folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orb_learning.errors import BackupError, DiskFullError
from orb_learning.filesystem import ReadWriteLock, make_folder, translated_disk_errors


@contextmanager
def exclusive_backups(folder: Path, wait_seconds: float, not_done: str) -> Iterator[None]:
    """Be the only one that adds or removes backups; the system ends a dead one's lock.

    Args:
        folder: the folder of backups; it is made if it does not exist.
        wait_seconds: for how long to wait.
        not_done: what an error says was not done.

    Raises:
        BackupError: another one does for too long, or the folder cannot be written.
        DiskFullError: the disk is full.
    """
    full = f"{folder}: the disk is full, {not_done}; free some space and run it again"
    with translated_disk_errors(
        lambda: DiskFullError(full),
        lambda error: BackupError(f"{folder}: {not_done}: {error}; the database is as it was"),
    ):
        make_folder(folder)
        lock = ReadWriteLock(folder / "backups", f"the backups in {folder}").acquire(
            shared=False, deadline=time.monotonic() + wait_seconds
        )
        if lock is None:
            raise BackupError(f"{folder}: another process makes or prunes backups; try again later")
        try:
            yield
        finally:
            lock.release()


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left; the caller is the only one at work in the folder."""
    for ending in ("partial", "deleting"):
        for path in folder.glob(f".*.{ending}"):
            shutil.rmtree(path)
