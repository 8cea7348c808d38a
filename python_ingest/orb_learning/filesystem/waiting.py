"""Whoever waits for long says for whom, in the log, which a command has on standard error."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from orb_learning.filesystem.logs import get_logger
from orb_learning.filesystem.urls import without_secrets

NOTICE_SECONDS = 2.0
"""So long nobody wonders."""
WAITING = "waiting for "
"""How each notice begins."""
LONGEST_COMMAND = 80
THREAD = "another thread of this process"

log = get_logger(__name__)


class Waiting:
    """One wait, which is told of once.

    Args:
        subject: what is waited for.
    """

    def __init__(self, subject: Path | str):
        self._subject = subject
        self._notice_at = time.monotonic() + NOTICE_SECONDS

    def look(self, *locked: Path) -> None:
        """Say for whom it waits, once that lasts long.

        Args:
            locked: the files whose locks the others hold.
        """
        if time.monotonic() < self._notice_at:
            return
        self._notice_at = float("inf")
        pids = {pid for file in locked for pid in _holders(file)}
        say_wait(self._subject, " and ".join(map(_name_of, sorted(pids))) or "another process")


@contextmanager
def told_wait(subject: Path | str, locked: Path | None = None) -> Iterator[None]:
    """Say for whom a block waits that cannot look itself, once it lasts long.

    Args:
        subject: what is waited for.
        locked: the file whose lock another process holds; another thread waits for none.
    """

    def say() -> None:
        if locked is None:
            say_wait(subject)
        # The block may have a lock of its own on it, or be slow where nobody else has one.
        elif pids := _holders(locked) - {os.getpid()}:
            say_wait(subject, " and ".join(map(_name_of, sorted(pids))))

    with _once_it_lasts(say):
        yield


@contextmanager
def lasting(words: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Tell what a block does, once it lasts long.

    Args:
        words: what is told.
        tell: is told it, in a thread of its own.
    """
    with _once_it_lasts(partial(tell, words)):
        yield


@contextmanager
def _once_it_lasts(say: Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(NOTICE_SECONDS, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def say_wait(subject: Path | str, holders: str = THREAD) -> None:
    """Say in the log what is waited for, and who has it."""
    log.warning("%s%s, which %s has", WAITING, subject, holders)


def _holders(file: Path) -> set[int]:
    """Return the processes that hold a lock on a file, where the system (Linux) says so."""
    try:
        inode = str(file.stat().st_ino)
        lines = Path("/proc/locks").read_text("utf-8").splitlines()
    except OSError:
        return set()
    held = [words for line in lines if "->" not in (words := line.split())]
    return {int(words[4]) for words in held if words[5].rpartition(":")[2] == inode}


def _name_of(pid: int) -> str:
    """Return a process by its number and its command, without the interpreter and the folder."""
    if pid == os.getpid():
        return THREAD
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return f"process {pid}"
    words = [word for word in command.split("\0") if word]
    if len(words) > 1 and Path(words[0]).name.startswith("python"):
        del words[0]
    if not words:
        return f"process {pid}"
    said = without_secrets(" ".join([Path(words[0]).name, *words[1:]]))
    return f"process {pid} ({said if len(said) <= LONGEST_COMMAND else said[:LONGEST_COMMAND]})"
