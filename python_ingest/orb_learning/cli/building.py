"""What ``orb build`` shows of a build: how far it is, what is wrong, and how it ended."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from orb_learning import formats
from orb_learning.cli.console import out, tell

SECONDS_BETWEEN = 30.0
"""Between two lines of progress, where there is no terminal on which one can change."""
WRONG = ("warn", "error")
STARTS, ENDS, PRINTS = "LogStartLine", "StatsLine", "PrintEvent"
"""Names of dbt's events."""


class Building:
    """Hears dbt's log, in JSON, and prints what a user needs of it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told_at = self._began
        self._status: Any = None
        self._breaks_rules = False
        self._stats = ""

    def __enter__(self) -> Self:
        if out.is_terminal:
            self._status = out.status("dbt reads the project", spinner="line")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()
        if self._stats:
            self._show_end()

    def hear(self, line: str) -> None:
        """Print a line of the log, if it says that something is wrong, or how far the build is."""
        from orb_learning.dbt import read_event

        event = read_event(line)
        if event is None:
            _show(line.rstrip())
        elif event.level in WRONG or event.name == PRINTS:
            _show(event.said)
            self._breaks_rules |= event.name == "LogTestResult" and event.level == "warn"
        elif event.name == STARTS:
            index, total = event.data["index"], event.data["total"]
            self._tell(f"{index:,} of {total:,}: {event.data['description']}")
        elif event.name == ENDS:
            self._stats = event.said

    def _tell(self, progress: str) -> None:
        if self._status is not None:
            self._status.update(progress)
        elif time.monotonic() - self._told_at >= SECONDS_BETWEEN:
            self._told_at = time.monotonic()
            tell(progress)

    def _show_end(self) -> None:
        from orb_learning.dbt import log_file

        took = formats.duration(time.monotonic() - self._began)
        _show(f"{self._stats}, in {took}; {log_file()} has all that dbt said")
        if self._breaks_rules:
            _show("`orb quality` says which rules those rows break; they are let in.")


def _show(line: str) -> None:
    out.print(line, highlight=False, markup=False, soft_wrap=True)
