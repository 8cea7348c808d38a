"""A maintenance that stays: what is recorded is in core and marts a minute later.

In between it builds these alone, and only when something was loaded. The whole run does the rest:
clusters, embeddings, tests of the reports, retention, backup.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from orb_learning.dbt import run_dbt
from orb_learning.errors import DatabaseMissingError, MaintenanceBusyError, OrbError
from orb_learning.filesystem import get_logger
from orb_learning.operations.load import load_outbox
from orb_learning.operations.maintenance import MaintenanceRun, exclusive_run, maintain
from orb_learning.settings import LearningSettings
from orb_learning.store import connect, store_of

CORE_AND_MARTS = ("path:models/staging", "path:models/core", "path:models/marts")

log = get_logger(__name__)


class Watch:
    """Maintains a database until it is told to stop.

    Args:
        settings: where everything is.
        every: seconds between two looks at what came.
        whole_every: seconds between two whole runs; the first one comes at once.
        wait_seconds: for how long loading waits while others have the database.
    """

    def __init__(
        self,
        settings: LearningSettings,
        *,
        every: float,
        whole_every: float,
        wait_seconds: float = 60.0,
    ):
        self._settings = settings
        self._every = every
        self._whole_every = whole_every
        self._wait_seconds = wait_seconds
        self._stopping = threading.Event()
        self._built: int | None = None
        """Up to which loaded row core and marts are built."""

    def run(self, told: Callable[[MaintenanceRun | int], None]) -> None:
        """Go on until ``stop``.

        Args:
            told: is called with each whole run, and with how many rows each other build took in.

        Raises:
            DatabaseError: the path cannot be a database, or its folder cannot be written.
        """
        next_whole = time.monotonic()
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if began >= next_whole:
                    loaded = self._loaded()
                    run = maintain(self._settings, wait_seconds=self._wait_seconds)
                    if "build" not in run.failed:
                        self._built = loaded
                    next_whole = began + self._whole_every
                    told(run)
                elif rows := self._build_what_came():
                    told(rows)
            except MaintenanceBusyError as error:
                log.info("%s", error)
            self._stopping.wait(max(0.0, began + self._every - time.monotonic()))

    def stop(self) -> None:
        """End after the step at work; may be called by a signal's handler."""
        self._stopping.set()

    def _build_what_came(self) -> int:
        """Load, and build core and marts where rows were loaded since; returns how many.

        What fails is tried again at the next look, and recorded by the next whole run.
        """
        with exclusive_run(self._settings.database_path) as lock:
            try:
                load_outbox(self._settings, wait_seconds=self._wait_seconds)
                loaded = self._loaded()
                if loaded == self._built:
                    return 0
                options = ("--exclude-resource-type", "unit_test", "--select", *CORE_AND_MARTS)
                run_dbt(self._settings, "build", *options, pass_fds=[lock])
            except OrbError as error:
                log.warning("core and marts are not built: %s", error)
                return 0
        rows, self._built = loaded - (self._built or 0), loaded
        return rows

    def _loaded(self) -> int:
        """Return the number of the last row that was loaded, by whomever."""
        try:
            with connect(
                self._settings.database_path, read_only=True, wait_seconds=self._wait_seconds
            ) as connection:
                return store_of(connection).last_load_number(connection)
        except DatabaseMissingError:
            return 0
