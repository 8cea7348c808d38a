"""One run of what keeps the learning database well: load, build, retention, backup, prune, export.

Each step can be done again, so a run that was killed leaves nothing to go on from: the next run
does what is left. What becomes of a step goes into the outbox before and after it, so a run that
never got the database, or was killed, is reported by the next load (rpt_maintenance_runs).
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from orb_learning.errors import DatabaseError, MaintenanceBusyError, OrbError
from orb_learning.filesystem import (
    NOTICE_SECONDS,
    get_logger,
    lasting,
    make_folder,
    without_secrets,
)
from orb_learning.formats import duration
from orb_learning.locator import folder_of
from orb_learning.operations.load import load_outbox, places_of
from orb_learning.operations.maintenance_steps import MaintenanceSteps
from orb_learning.outbox import Outbox, try_lock
from orb_learning.settings import LearningSettings
from orb_learning.store import check_path, connect, only_maintainer, sample_sizes, utc_now

Outcome = Literal["succeeded", "failed", "skipped"]

FAILURE_BITS = {
    "load": 4, "build": 8, "retention": 16, "backup": 32, "prune": 64, "export": 128,
}  # fmt: skip
"""The steps in their order, and what each adds to the exit status when it fails. 1 and 2 say that
the command could not run at all."""

NEEDS = {"retention": "build", "prune": "backup", "export": "build"}
"""What was never summed up must not leave the database, nor an old backup go without a new one;
and who reads an export wants it of one build."""

RUN = "run"
"""The step by which the run as a whole is recorded."""

SECONDS_FOR_THE_END = 10.0
"""How long the end waits for the database: what it does there, the next run does as well."""
LONGEST_MESSAGE = 4_000

log = get_logger(__name__)


@dataclass(frozen=True)
class StepResult:
    """What became of a step."""

    step: str
    outcome: Outcome
    started_at: datetime
    """Naive UTC."""
    ended_at: datetime
    """Naive UTC, not before it started."""
    message: str | None
    """What it did, why it failed, or why it was skipped."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended_at - self.started_at).total_seconds()


@dataclass
class MaintenanceRun:
    """What became of a run."""

    run_id: uuid.UUID = field(default_factory=uuid.uuid4)
    steps: list[StepResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What could not be recorded or measured; no step failed by it."""

    @property
    def failed(self) -> list[str]:
        """The steps that failed."""
        return [result.step for result in self.steps if result.outcome == "failed"]

    @property
    def exit_status(self) -> int:
        """The sum of the failed steps' bits: 0 where none failed."""
        return sum(FAILURE_BITS[step] for step in self.failed)


def maintain(
    settings: LearningSettings,
    *,
    wait_seconds: float = 60.0,
    now: Callable[[], datetime] | None = None,
    tell: Callable[[str], None] | None = None,
) -> MaintenanceRun:
    """Do every step that can be done, and record what became of each.

    Args:
        settings: where everything is.
        wait_seconds: for how long loading waits while others have the database.
        now: the clock, naive UTC, for the models and retention, too; the machine's if None.
        tell: is told of each step that lasts over 2 s: that it is at work, and what became of it.

    Returns:
        what became of each step; a step that fails raises nothing.

    Raises:
        MaintenanceBusyError: another run is at work on this database.
        DatabaseError: the path cannot be a database, or its folder cannot be written.
    """
    with exclusive_run(settings.database_path) as lock:
        # No limit of size: what a run tells may be why the outbox is full.
        outbox = Outbox(settings.outbox_folder, busy_timeout_ms=5_000, size_limit_bytes=None)
        try:
            work = _Run(settings, wait_seconds, now, lock, outbox, tell)
            work.do()
        finally:
            outbox.close()
    return work.result


@contextmanager
def exclusive_run(database_path: Path) -> Iterator[int]:
    """Be the only run, until this process and the build that it started have ended.

    Yields:
        the descriptor of the lock.
    """
    folder = folder_of(database_path)
    try:
        make_folder(folder)
        check_path(database_path, must_exist=False)
        lock = try_lock(folder / "maintain")
    except OSError as error:
        raise DatabaseError(f"{folder} cannot be written: {error}") from error
    if lock is None:
        raise MaintenanceBusyError(
            f"another run of the maintenance, or the build of one that was killed, is at work on "
            f"{database_path}; run it again when that is done"
        )
    try:
        with only_maintainer(database_path):
            yield lock
    finally:
        os.close(lock)


class _Run:
    """A run at work."""

    def __init__(
        self,
        settings: LearningSettings,
        wait_seconds: float,
        clock: Callable[[], datetime] | None,
        lock: int,
        outbox: Outbox,
        tell: Callable[[str], None] | None,
    ):
        self.settings = settings
        self.tell = tell
        self.wait_seconds = wait_seconds
        self.clock = clock
        self.outbox = outbox
        self.steps = MaintenanceSteps(settings, wait_seconds, self._given_now, lock)
        self.result = MaintenanceRun()

    def do(self) -> None:
        started_at = self._now()
        self._record(RUN, "started", started_at, started_at, None)
        steps: dict[str, Callable[[], str | None]] = {
            "load": self.steps.load,
            "build": self.steps.build,
            "retention": self.steps.retain,
            "backup": self.steps.back_up,
            "prune": self.steps.prune,
        }
        if self.settings.export_path is not None:
            steps["export"] = self.steps.export
        for step, work in steps.items():
            self._do_step(step, work)
        self._attempt("the storage was not measured", self._sample)
        failed = self.result.failed
        message = f"{' and '.join(failed)} failed" if failed else None
        outcome: Outcome = "failed" if failed else "succeeded"
        self._record(RUN, outcome, started_at, max(started_at, self._now()), message)
        self._attempt("the run is recorded in the outbox only", self._load_records)

    def _do_step(self, step: str, work: Callable[[], str | None]) -> None:
        started_at = self._now()
        missing = NEEDS.get(step)
        if missing and any(
            result.step == missing and result.outcome != "succeeded" for result in self.result.steps
        ):
            outcome: Outcome = "skipped"
            message: str | None = f"it needs {missing}, which did not succeed"
        else:
            self._record(step, "started", started_at, started_at, None)
            try:
                with self._told(step):
                    message = work()
                outcome = "succeeded"
            except Exception as error:  # whatever it is, the other steps are to be done
                message = str(error)
                outcome = "failed"
                if not isinstance(error, OrbError):
                    message = f"{type(error).__name__}: {message}"
                    log.exception("%s failed", step)
        # The clock may have jumped back in between.
        ended_at = max(started_at, self._now())
        self._record(step, outcome, started_at, ended_at, message)
        self.result.steps.append(StepResult(step, outcome, started_at, ended_at, message))

    @contextmanager
    def _told(self, step: str) -> Iterator[None]:
        """Tell of a step once it lasts, and again when it ends."""
        if self.tell is None:
            yield
            return
        began = time.monotonic()
        with lasting(f"{step} …", self.tell):
            try:
                yield
            finally:
                seconds = time.monotonic() - began
                if seconds >= NOTICE_SECONDS:
                    self.tell(f"{step}: {duration(seconds)}")

    def _record(
        self,
        step: str,
        outcome: Outcome | Literal["started"],
        started_at: datetime,
        ended_at: datetime,
        message: str | None,
    ) -> None:
        payload = {
            "run_id": str(self.result.run_id),
            "step": step,
            "outcome": outcome,
            "started_at": started_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "message": message and self._public(message)[-LONGEST_MESSAGE:],
        }
        if not self.outbox.put("maintenance", json.dumps(payload)):
            reasons = ", ".join(self.outbox.refused())
            self.result.problems.append(
                f"{step} {outcome}: not recorded, {self.outbox.folder} refused it ({reasons})"
            )

    def _attempt(self, otherwise: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # the steps are done, and what became of them is reported
            self.result.problems.append(self._public(f"{otherwise}: {error}"))

    def _public(self, text: str) -> str:
        return without_secrets(text, self.settings.backup_copy_to)

    def _now(self) -> datetime:
        return self.clock() if self.clock else utc_now()

    def _given_now(self) -> datetime | None:
        # Only a given clock: it becomes a constant in the views that dbt makes.
        return self.clock() if self.clock else None

    def _sample(self) -> None:
        with connect(
            self.settings.database_path, wait_seconds=self._seconds_for_the_end()
        ) as connection:
            places = places_of(self.settings)
            sample_sizes(connection, places, self._now(), with_tables=True)

    def _load_records(self) -> None:
        wait_seconds = self._seconds_for_the_end()
        load_outbox(self.settings, wait_seconds=wait_seconds, now=self._given_now())

    def _seconds_for_the_end(self) -> float:
        return min(self.wait_seconds, SECONDS_FOR_THE_END)
