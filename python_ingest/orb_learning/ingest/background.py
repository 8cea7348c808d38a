"""The relay as a thread of a long-lived process."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from pathlib import Path

from orb_learning.errors import DatabaseLockedError, LoaderBusyError, OrbError
from orb_learning.filesystem import get_logger
from orb_learning.ingest.relay import (
    DEFAULTS,
    LoadResult,
    RelayOptions,
    load_once,
    pending_records,
)

WAIT_SECONDS = 5.0
"""How long one attempt waits for the database, and so the end of the process."""
LONGEST_BACK_OFF_SECONDS = 60.0

log = get_logger(__name__)


class BackgroundLoader:
    """A thread that loads the outbox of a long-lived process.

    It loads when ``flush_interval`` has passed or ``batch_size`` records wait. Where it cannot
    load, the outbox keeps the records, and it tries again later and later.

    Args:
        database_path: the database.
        outbox_folder: the outbox.
        options: how it is loaded and pruned.
        batch_size: how many waiting records are loaded at once, before the interval has passed.
        flush_interval: seconds between two loads.
    """

    def __init__(
        self,
        database_path: Path,
        outbox_folder: Path,
        options: RelayOptions = DEFAULTS,
        *,
        batch_size: int = 100,
        flush_interval: float = 5.0,
    ):
        self._database_path = database_path
        self._folder = outbox_folder
        self._options = options
        self._batch_size = batch_size
        self._flush_interval = flush_interval
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._offsets: dict[uuid.UUID, int] = {}
        self._known: dict[Path, tuple[uuid.UUID, int]] = {}
        self.last_result: LoadResult | None = None
        self.last_error: OrbError | None = None

    def start(self) -> None:
        """Start the thread; in a process that has none, as after a fork, too."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            # Not a daemon: one that is inside DuckDB when the interpreter ends aborts the process.
            # It ends by itself, see _wait.
            self._thread = threading.Thread(target=self._run, name="orb-loader", daemon=False)
            self._thread.start()

    def stop(self) -> None:
        """Load what is left, and end the thread.

        Where another process has the database for longer than ``WAIT_SECONDS``, the outbox keeps
        the records for the next relay.
        """
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None

    def load(self, wait_seconds: float) -> bool:
        """Load now, and note the result; returns whether it could."""
        try:
            self.last_result = load_once(
                self._database_path,
                self._folder,
                self._options,
                wait_seconds=wait_seconds,
                known=self._known,
            )
        except OrbError as error:
            self.last_error = error
            # Others at work are no fault; the rest is.
            expected = isinstance(error, DatabaseLockedError | LoaderBusyError)
            log.log(logging.INFO if expected else logging.WARNING, "outbox not loaded: %s", error)
            return False
        except Exception as error:  # the thread must go on: the outbox is only safe for so long
            self.last_error = OrbError(f"the outbox was not loaded: {error!r}")
            log.exception("outbox not loaded")
            return False
        self._offsets = self.last_result.offsets
        self.last_error = None
        return True

    def _run(self) -> None:
        pause = self._flush_interval
        while not self._wait(pause):
            loaded = self.load(WAIT_SECONDS)
            pause = self._pause() if loaded else min(2 * pause, LONGEST_BACK_OFF_SECONDS)
        self.load(WAIT_SECONDS)

    def _pause(self) -> float:
        """Return the flush interval, or more where many hosts share a lake."""
        least = self.last_result.least_pause_seconds if self.last_result else 0.0
        return max(self._flush_interval, least)

    def _wait(self, seconds: float) -> bool:
        """Wait until it is time to load; returns whether to stop instead."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            # Python ends the main thread first, and then waits for this one.
            if self._stopping.wait(min(left, 0.25)) or not threading.main_thread().is_alive():
                return True
            if seconds <= self._flush_interval and self._waiting() >= self._batch_size:
                break
        return self._stopping.is_set()

    def _waiting(self) -> int:
        try:
            return pending_records(self._folder, self._offsets, self._known)[0]
        except Exception as error:  # the load says what is wrong, and the thread must go on
            log.info("the outbox cannot be looked at: %r", error)
            return 0
