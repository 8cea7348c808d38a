"""From the outbox into raw: each record exactly once, whatever dies in between.

The rows and the position in the outbox that they come from commit in one DuckDB transaction, so a
loader that is killed leaves both or neither. One loader drains at a time; it opens the database,
loads, and closes it soon, because nobody else can read meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from orb_learning.errors import DatabaseLockedError, LoaderBusyError, OrbError
from orb_learning.ingest.batches import Item, load_batch, record_lone_halves
from orb_learning.outbox import (
    DamagedFileError,
    Limits,
    OutboxReader,
    Pruned,
    StillInUseError,
    files_of,
    hold_lease,
    is_in_use,
    open_reader,
    prune_segments,
    set_segment_aside,
)
from orb_learning.store import (
    DATABASE_PLACE,
    connect,
    sample_sizes_hourly,
    stored_offsets,
    utc_now,
)

MOST_RECORDS_A_TRANSACTION = 20_000
MOST_SECONDS_OPEN = 1.0
"""For so long the loader keeps the database; then others that wait for it come in between."""
LONE_HALF_LIMIT = timedelta(hours=24)
LONGEST_BACK_OFF_SECONDS = 60.0

VerifiedOffsets = Callable[[uuid.UUID], Mapping[uuid.UUID, int]]

log = logging.getLogger(__name__)


@dataclass
class LoadResult:
    """What one run of the loader did."""

    counts: Counter[str] = field(default_factory=Counter)
    """Records loaded by kind (execution, routing, outcome), dead letters, and lone halves."""
    foreign: list[str] = field(default_factory=list)
    """Files that feed another database; they were left alone."""
    damaged: list[str] = field(default_factory=list)
    """Files that were damaged, with the reason; what could be read is loaded, and the file is kept
    with the ending ``.damaged``."""
    waited_seconds: float = 0.0
    """The longest wait for the database."""
    trimmed: Pruned = field(default_factory=Pruned)
    positions: dict[uuid.UUID, int] = field(default_factory=dict)
    """How far each outbox has been loaded."""


def load_once(
    database_path: Path,
    outbox_folder: Path,
    *,
    batch_size: int = MOST_RECORDS_A_TRANSACTION,
    wait_seconds: float = 30.0,
    now: datetime | None = None,
    lone_half_limit: timedelta = LONE_HALF_LIMIT,
    limits: Limits | None = None,
    verified_offsets: VerifiedOffsets | None = None,
    adopt: bool = False,
    known: dict[Path, tuple[uuid.UUID, int]] | None = None,
) -> LoadResult:
    """Load what is in the outbox.

    Args:
        database_path: the database; it is made if it does not exist.
        outbox_folder: the outbox.
        batch_size: the most records in one transaction.
        wait_seconds: how long to wait for another loader, and for whoever has the database.
        now: the rows' ``_loaded_at``, naive UTC; the present time if None.
        lone_half_limit: how long a half waits for its other.
        limits: up to which loaded records are kept that no backup holds.
        verified_offsets: returns, for a database's id, how far a verified backup holds each
            outbox; what one holds is not kept.
        adopt: whether to take files that feed another database, from their beginning.
        known: filled with the complete files, their outbox ids and last numbers; who loads again
            and again gives it again, so that they are not opened each time.

    Raises:
        LoaderBusyError: another loader drains the outbox.
        DatabaseError: the database cannot be opened or written; what was committed stays.
    """
    run = _Run(
        database_path,
        outbox_folder,
        batch_size,
        wait_seconds,
        now,
        lone_half_limit,
        adopt,
        {} if known is None else known,
    )
    with hold_lease(outbox_folder, wait_seconds):
        while run.load_for_a_while():
            pass
        for path in run.salvaged:
            set_segment_aside(path)
        result = run.result
        result.trimmed = prune_segments(
            outbox_folder,
            run.verified(verified_offsets),
            loaded=result.positions,
            limits=limits or Limits(),
            now=now or utc_now(),
        )
    return result


class _Run:
    """One run: its arguments, and what it has found so far."""

    def __init__(
        self,
        database_path: Path,
        folder: Path,
        batch_size: int,
        wait_seconds: float,
        now: datetime | None,
        lone_half_limit: timedelta,
        adopt: bool,
        known: dict[Path, tuple[uuid.UUID, int]],
    ):
        self.database_path = database_path
        self.folder = folder
        self.batch_size = batch_size
        self.wait_seconds = wait_seconds
        self.given_now = now
        self.lone_half_limit = lone_half_limit
        self.adopt = adopt
        self.known = known
        self.result = LoadResult()
        self.salvaged: list[Path] = []
        self._batches: Iterator[list[Item]] | None = None
        self._foreign: set[str] = set()
        self._database_id: uuid.UUID | None = None

    def load_for_a_while(self) -> bool:
        """Open the database and load for at most ``MOST_SECONDS_OPEN``.

        Returns:
            whether there may be more.
        """
        began = time.monotonic()
        with connect(self.database_path, wait_seconds=self.wait_seconds) as connection:
            opened = time.monotonic()
            self.result.waited_seconds = max(self.result.waited_seconds, opened - began)
            row = connection.execute("select database_id from raw.database_id").fetchone()
            assert row is not None
            self._database_id = row[0]
            positions = stored_offsets(connection)
            if self._batches is None or positions != self.result.positions:
                # The first time, or another database stands there now.
                self.result.positions = positions
                self._batches = self._read_all(row[0], dict(positions))
            for items in self._batches:
                now = self.given_now or utc_now()
                self.result.counts += load_batch(connection, items, now)
                for item in items:
                    self.result.positions[item.outbox_id] = item.record.number
                if time.monotonic() - opened > MOST_SECONDS_OPEN:
                    return True
            self.result.counts["lone_half"] += record_lone_halves(
                connection, self.given_now or utc_now(), self.lone_half_limit
            )
            sample_sizes_hourly(
                connection,
                {DATABASE_PLACE: self.database_path, "outbox": self.folder},
                self.given_now or utc_now(),
            )
            return False

    def verified(self, offsets: VerifiedOffsets | None) -> Mapping[uuid.UUID, int]:
        """Return how far a verified backup holds each outbox."""
        if offsets is None or self._database_id is None:
            return {}
        return offsets(self._database_id)

    def _read_all(self, database_id: uuid.UUID, seen: dict[uuid.UUID, int]) -> Iterator[list[Item]]:
        """Go once through all files and yield what is new, in batches.

        What is put meanwhile may be left to the next run: processes that record faster than this
        loads must not keep it for ever.
        """
        items: list[Item] = []
        for path in files_of(self.folder):
            known = self.known.get(path)
            if known and seen.get(known[0], 0) >= known[1]:
                continue
            try:
                is_complete = not is_in_use(path)
                with open_reader(path) as reader:
                    if not self._feeds(reader, database_id):
                        continue
                    while True:
                        limit = self.batch_size - len(items)
                        new = self._read(reader, seen.get(reader.outbox_id, 0), limit)
                        items += new
                        if new:  # so that a copy of this file brings nothing twice
                            seen[reader.outbox_id] = new[-1].record.number
                        if len(items) >= self.batch_size:
                            yield items
                            items = []
                        if len(new) < limit or path in self.salvaged:
                            break
                    if is_complete:
                        self.known[path] = (reader.outbox_id, seen.get(reader.outbox_id, 0))
            except (StillInUseError, FileNotFoundError):
                continue
            except DamagedFileError as error:
                self._note_damage(path, error)
        if items:
            yield items

    def _feeds(self, reader: OutboxReader, database_id: uuid.UUID) -> bool:
        if reader.database_id is None or (self.adopt and reader.database_id != str(database_id)):
            # Before anything is loaded: from here on no other database takes these records.
            reader.bind(database_id)
        if reader.database_id == str(database_id):
            return True
        if reader.path.name not in self._foreign:
            self._foreign.add(reader.path.name)
            self.result.foreign.append(reader.path.name)
        return False

    def _read(self, reader: OutboxReader, after: int, limit: int) -> list[Item]:
        try:
            records = reader.read(after, limit)
        except DamagedFileError as error:
            records = list(reader.salvage(after))
            self._note_damage(reader.path, error)
        return [Item(reader.outbox_id, record) for record in records]

    def _note_damage(self, path: Path, error: DamagedFileError) -> None:
        self.salvaged.append(path)
        self.result.damaged.append(str(error))


class BackgroundLoader:
    """A thread that loads the outbox of a long-lived process.

    It loads when ``flush_interval`` has passed or ``batch_size`` records wait. Where it cannot
    load, the outbox keeps the records, and it tries again later and later.

    Args:
        database_path: the database.
        outbox_folder: the outbox.
        batch_size: how many waiting records are loaded at once, before the interval has passed.
        flush_interval: seconds between two loads.
        wait_seconds: how long one attempt waits for the database, and so the end of the process.
        lone_half_limit: how long a half waits for its other.
        limits: up to which loaded records are kept that no backup holds.
        verified_offsets: returns, for a database's id, how far a verified backup holds each
            outbox; what one holds is not kept.
    """

    def __init__(
        self,
        database_path: Path,
        outbox_folder: Path,
        *,
        batch_size: int = 100,
        flush_interval: float = 5.0,
        wait_seconds: float = 5.0,
        lone_half_limit: timedelta = LONE_HALF_LIMIT,
        limits: Limits | None = None,
        verified_offsets: VerifiedOffsets | None = None,
    ):
        self._database_path = database_path
        self._folder = outbox_folder
        self._batch_size = batch_size
        self._flush_interval = flush_interval
        self._wait_seconds = wait_seconds
        self._lone_half_limit = lone_half_limit
        self._limits = limits
        self._verified_offsets = verified_offsets
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._positions: dict[uuid.UUID, int] = {}
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

    def stop(self, wait_seconds: float = 10.0) -> None:
        """Load what is left, and end the thread.

        Where another process has the database for longer than ``wait_seconds``, the outbox keeps
        the records for the next loader.
        """
        if self._thread is None:
            return
        self._wait_seconds = min(self._wait_seconds, wait_seconds)
        self._stopping.set()
        self._thread.join()
        self._thread = None

    def load(self, wait_seconds: float) -> bool:
        """Load now, and note what came of it; returns whether it could."""
        try:
            self.last_result = load_once(
                self._database_path,
                self._folder,
                wait_seconds=wait_seconds,
                lone_half_limit=self._lone_half_limit,
                limits=self._limits,
                verified_offsets=self._verified_offsets,
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
        self._positions = self.last_result.positions
        self.last_error = None
        return True

    def _run(self) -> None:
        pause = self._flush_interval
        while not self._wait(pause):
            loaded = self.load(self._wait_seconds)
            pause = self._flush_interval if loaded else min(2 * pause, LONGEST_BACK_OFF_SECONDS)
        self.load(self._wait_seconds)

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
        return pending_records(self._folder, self._positions, self._known)[0]


def pending_records(
    outbox_folder: Path,
    positions: dict[uuid.UUID, int],
    known: Mapping[Path, tuple[uuid.UUID, int]] = MappingProxyType({}),
) -> tuple[int, float | None]:
    """Return how many records wait to be loaded, and when the oldest was put."""
    count, oldest = 0, None
    seen = dict(positions)
    for path in files_of(outbox_folder):
        if path in known and positions.get(known[path][0], 0) >= known[path][1]:
            continue
        try:
            with open_reader(path) as reader:
                after = seen.get(reader.outbox_id, 0)
                last = reader.last_number()
                if last > after:
                    seen[reader.outbox_id] = last
                    count += last - after
                    put_at = reader.put_at_of(after + 1)
                    oldest = put_at if oldest is None else min(oldest, put_at or oldest)
        except (StillInUseError, FileNotFoundError, DamagedFileError):
            continue
    return count, oldest
