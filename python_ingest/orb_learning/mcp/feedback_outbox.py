"""The way of clients' feedback into the outbox: bounded, so that it never crowds out executions."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from uuid import UUID

from orb_learning.errors import FeedbackError
from orb_learning.figures import Reader
from orb_learning.outbox import Outbox
from orb_learning.settings import LearningSettings

MOST_A_MINUTE = 30
"""Of one client; a person says less."""

SHARE_OF_OUTBOX = 0.5
"""Feedback is refused from this share of the outbox's limit on; the rest is for executions."""


REMEMBERED = 1_000
"""Pieces of feedback that can be withdrawn before they are loaded."""


class FeedbackOutbox:
    """Takes feedback of clients, all of it into one segment of this process.

    Args:
        settings: where the outbox is, and its limits.
        reader: of the database, which says what feedback is of.
    """

    def __init__(self, settings: LearningSettings, reader: Reader):
        self.settings = settings
        self.reader = reader
        self._given: deque[tuple[UUID, str]] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._outbox = Outbox(
            settings.outbox_folder,
            synchronous=settings.outbox_synchronous,
            busy_timeout_ms=settings.outbox_busy_timeout_ms,
            size_limit_bytes=int(settings.outbox_size_limit_mb * 2**20 * SHARE_OF_OUTBOX),
        )

    def take(self, client: str) -> Outbox:
        """Return the outbox for one piece of feedback of a client.

        Raises:
            FeedbackError: the client gave too much within a minute.
        """
        now = time.monotonic()
        with self._lock:
            times = self._times[client]
            while times and times[0] < now - 60:
                times.popleft()
            if len(times) >= MOST_A_MINUTE:
                raise FeedbackError(
                    f"{MOST_A_MINUTE} pieces of feedback a minute are taken of a client; "
                    f"give the next one in a minute"
                )
            times.append(now)
        return self._outbox

    def remember(self, feedback_id: UUID, client: str) -> None:
        """Note whose feedback is that was just taken."""
        self._given.append((feedback_id, client))

    def gave(self, feedback_id: UUID, client: str) -> bool:
        """Return whether feedback is this client's, of what was taken lately."""
        return (feedback_id, client) in self._given

    def close(self) -> None:
        """Close the segment; what is given later is refused."""
        self._outbox.close()
