"""Warnings of what was not recorded, once a minute for each reason, and what is left at the end."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable

from orb_learning.filesystem import get_logger

SECONDS_BETWEEN = 60.0
MOST_REASONS = 50
"""Reasons that are told apart; later ones count as one."""
_DIGITS = re.compile(r"[0-9]+")

logger = get_logger("orb_learning")


class Warnings:
    """Says what was refused; threads may share it.

    Args:
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.RLock()
        self._records = 0
        self._refused: Counter[str] = Counter()
        self._unsaid: dict[str, str] = {}
        self._said_at: dict[str, float] = {}
        self._said_once: set[str] = set()

    def tried(self, count: int = 1) -> None:
        """Count records that somebody tried to keep."""
        self._records += count

    def refused(self, reason: str, count: int = 1) -> None:
        """Count records that were not kept, and warn, at most once a minute for a reason.

        Reasons that differ in their numbers alone are one, as in the funnel; the last one is said.
        """
        with self._lock:
            kind = _DIGITS.sub("", reason)
            if kind not in self._refused and len(self._refused) >= MOST_REASONS:
                kind = reason = "other reasons"
            self._refused[kind] += count
            self._unsaid[kind] = reason
            now = self._clock()
            if now - self._said_at.get(kind, -SECONDS_BETWEEN) >= SECONDS_BETWEEN:
                self._said_at[kind] = now
                self._say(kind)

    def once(self, message: str) -> None:
        """Warn of something, the first time."""
        with self._lock:
            if message not in self._said_once:
                self._said_once.add(message)
                logger.warning("%s", message)

    def close(self) -> None:
        """Warn of what was refused since each reason's last warning."""
        with self._lock:
            for kind in list(self._unsaid):
                self._say(kind)

    def _say(self, kind: str) -> None:
        reason = self._unsaid.pop(kind)
        logger.warning("%d of %d records refused: %s", self._refused[kind], self._records, reason)

    def after_fork(self) -> None:
        """Forget the lock, which another thread of the parent may have held."""
        self._lock = threading.RLock()
