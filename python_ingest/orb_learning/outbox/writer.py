"""The outbox: where a process leaves its records for the relay, without waiting for DuckDB.

A folder of segments, one or more for each process. A record whose ``put`` returned True is
committed in its segment by then, and survives the process; with ``synchronous`` FULL, a power cut
too. Nothing here raises, because the caller is an orchestrator at work: what is not kept is
counted by its reason.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from orb_learning.filesystem import NOTICE_SECONDS, is_full, make_folder, told_wait
from orb_learning.outbox.segment import SUFFIX, Segment, Synchronous, segment_lock

Kind = Literal[
    "execution",
    "routing",
    "outcome",
    "dead_letter",
    "maintenance",
    "forget",
    "feedback",
    "delete_feedback",
    "spans",
]
"""What a caller puts; ``refused`` is put by the outbox itself, to report what it refused."""

MOST_RECORDS = 8_192
MOST_BYTES = 8 * 2**20
"""A segment that holds so much is closed and a new one begun, so that loaded ones can be pruned."""
BYTES_BETWEEN_LOOKS = 256 * 2**10
"""How much is written between two looks at the folder's size."""
PAGE_BYTES = 4_096
"""A commit writes at least one page to the log."""


@dataclass(frozen=True)
class Limits:
    """Up to which loaded records stay in the outbox that no verified backup holds."""

    size_bytes: int = 2**29
    age: timedelta = timedelta(days=7)


class Outbox:
    """A process's way into the outbox; threads may share it, and a fork may inherit it.

    Args:
        folder: the outbox; it is made with the first record.
        synchronous: NORMAL, or FULL to wait for the disk with every record.
        busy_timeout_ms: for how long to wait when somebody else has locked the file.
        size_limit_bytes: the size of the whole folder beyond which records are refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        synchronous: Synchronous = "NORMAL",
        busy_timeout_ms: int = 50,
        size_limit_bytes: int | None = 2**30,
    ):
        self.folder = Path(folder)
        self._synchronous: Synchronous = synchronous
        self._busy_timeout_ms = busy_timeout_ms
        self._size_limit = size_limit_bytes
        self._refused: Counter[str] = Counter()
        self._unreported: Counter[str] = Counter()
        self._closed = False
        self._last_name = 0
        self._begin()
        _outboxes.add(self)

    def _begin(self) -> None:
        # Re-entrant, because a signal handler or a finalizer may record while its thread records.
        self._lock = threading.RLock()
        self._file: Segment | None = None
        self._until_look = 0
        self._closing: list[threading.Thread] = []

    def put(self, kind: Kind, payload: str) -> bool:
        """Keep one record.

        Returns:
            True when it is committed; False when it was refused, which is counted.
        """
        return self._keep(lambda file: file.append(kind, payload), len(payload), 1)

    def put_many(self, kind: Kind, payloads: Sequence[str]) -> int:
        """Keep records in one transaction, all or none.

        Returns:
            how many were kept.
        """
        size = sum(map(len, payloads))
        kept = self._keep(lambda file: file.append_all(kind, payloads), size, len(payloads))
        return len(payloads) if kept else 0

    def refused(self) -> dict[str, int]:
        """Return how many records were refused, by reason, since the process started."""
        return dict(self._refused)

    def report(self, reason: str) -> None:
        """Tell `orb status` of a record that was lost before it came here, now or later."""
        with self._lock:
            self._unreported[reason] += 1
            with suppress(Exception):
                if not self._closed and self._has_room(len(reason)):
                    self._report_refused(self._current_file())

    def open(self) -> None:
        """Take records again after ``close``."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """Close the file; what is put later is refused."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
                self._file = None
            for thread in self._closing:
                thread.join()

    def _keep(self, write: Callable[[Segment], None], size: int, count: int) -> bool:
        with self._lock:
            try:
                if self._closed:
                    reason = "closed"
                elif not self._has_room(size):
                    reason = "size_limit"
                else:
                    file = self._current_file()
                    with self._told(file):
                        write(file)
                    if self._unreported:
                        self._report_refused(file)
                    return True
            except Exception as error:
                reason = self._reason(error)
                # A file that is locked or damaged is left to the relay; the next record, and
                # this one where it is damaged, goes to a new one.
                if reason in ("busy", "corrupt"):
                    self._leave_file()
                if reason == "corrupt":
                    try:
                        write(self._current_file())
                        return True
                    except Exception as again:
                        reason = self._reason(again)
            self._refused[reason] += count
            self._unreported[reason] += count
            return False

    def _told(self, file: Segment) -> AbstractContextManager[None]:
        """Say for whom a write waits, where it may wait for so long; it costs a thread."""
        if self._busy_timeout_ms <= NOTICE_SECONDS * 1_000:
            return nullcontext()
        return told_wait(*segment_lock(file.path))

    def _report_refused(self, file: Segment) -> None:
        """Put what was refused since the last time into the outbox, for `orb status`."""
        with suppress(sqlite3.Error, OSError):
            payloads = [
                json.dumps({"reason": reason, "count": count})
                for reason, count in self._unreported.items()
            ]
            file.append_all("refused", payloads)
            self._unreported.clear()

    def _current_file(self) -> Segment:
        file = self._file
        if file is not None and (
            file.count >= MOST_RECORDS or file.size >= MOST_BYTES or not file.is_there()
        ):
            self._leave_file()
            file = None
        if file is None:
            make_folder(self.folder)
            file = self._file = Segment(
                self.folder / self._new_name(),
                synchronous=self._synchronous,
                busy_timeout_ms=self._busy_timeout_ms,
            )
        return file

    def _new_name(self) -> str:
        # The relay takes segments by name: a process's own stay in order if the clock jumps back.
        self._last_name = max(self._last_name + 1, time.time_ns() // 1000)
        return f"{self._last_name:017d}-{os.getpid()}{SUFFIX}"

    def _leave_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            # Closing moves the log into the file and waits for the disk; the caller must not.
            thread = threading.Thread(target=file.close, name="orb-outbox-close", daemon=True)
            thread.start()
            self._closing = [*filter(threading.Thread.is_alive, self._closing), thread]

    def _has_room(self, size: int) -> bool:
        if self._size_limit is None:
            return True
        self._until_look -= size + PAGE_BYTES
        if self._until_look > 0:
            return True
        if folder_size(self.folder) + size > self._size_limit:
            return False
        self._until_look = min(BYTES_BETWEEN_LOOKS, self._size_limit // 16)
        return True

    def _reason(self, error: Exception) -> str:
        if is_full(error):
            return "disk_full"
        if isinstance(error, UnicodeEncodeError):
            return "unencodable"
        if not isinstance(error, sqlite3.Error):
            return "io_error" if isinstance(error, OSError) else "other"
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return "busy"
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return "corrupt"
        if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
            return "disk_full" if _is_full(self.folder) else "io_error"
        return "other"


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in a folder, 0 where there is none."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    total += entry.stat().st_size
                except OSError:
                    continue  # removed since it was listed
    except OSError:
        return 0
    return total


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < 2**16
    except OSError:
        return False


_outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()


def _after_fork() -> None:
    for outbox in _outboxes:
        file = outbox._file
        outbox._begin()
        outbox._unreported.clear()  # its parent reports them
        if file is not None:
            file.abandon_after_fork()


os.register_at_fork(after_in_child=_after_fork)
