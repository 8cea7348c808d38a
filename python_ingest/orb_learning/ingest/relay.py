"""The outbox's relay into raw: each record exactly once, whatever dies in between.

The rows and the outbox's offset commit in one DuckDB transaction, so a relay that is killed leaves
both or neither. One at a time loads. It opens the database, loads, and closes it soon, because
nobody else can read meanwhile.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import duckdb

from orb_learning.errors import OutboxError
from orb_learning.ingest.batches import Item, load_batch
from orb_learning.ingest.partials import record_unmatched
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
    store_of,
    stored_offsets,
    utc_now,
)

MOST_RECORDS_A_TRANSACTION = 20_000
MOST_CHARACTERS_A_TRANSACTION = 2**25
MOST_SECONDS_OPEN = 1.0
"""For so long a relay keeps the database; then others that wait for it come in between."""

VerifiedOffsets = Callable[[uuid.UUID], Mapping[uuid.UUID, int]]


@dataclass(frozen=True)
class RelayOptions:
    """How an outbox is loaded and pruned; operations/load.py makes it from the settings."""

    unmatched_limit: timedelta = timedelta(hours=24)
    """How long a partial record waits for the one that it is correlated with."""
    limits: Limits = field(default_factory=Limits)
    """Up to which loaded records are kept that no backup holds."""
    verified_offsets: VerifiedOffsets | None = None
    """Returns, for a database's id, how far a verified backup holds each outbox; what one holds is
    not kept."""
    samples_sizes: bool = True
    """Whether a run samples the sizes of the database and this outbox, once an hour."""


DEFAULTS = RelayOptions()


@dataclass
class LoadResult:
    """What one run of the relay did."""

    counts: Counter[str] = field(default_factory=Counter)
    """Records loaded by kind (execution, routing, outcome), dead letters, and unmatched ones."""
    foreign: list[str] = field(default_factory=list)
    """Segments that feed another database; they were left alone."""
    damaged: list[str] = field(default_factory=list)
    """Segments that were damaged, with the reason; what could be read is loaded, and the file is
    kept with the ending ``.damaged``. And those that cannot be opened, which stay."""
    waited_seconds: float = 0.0
    """The longest wait for the database."""
    pruned: Pruned = field(default_factory=Pruned)
    offsets: dict[uuid.UUID, int] = field(default_factory=dict)
    """How far each outbox has been loaded."""
    least_pause_seconds: float = 0.0
    """What this relay leaves the others between two loads."""


def load_once(
    database_path: Path,
    outbox_folder: Path,
    options: RelayOptions = DEFAULTS,
    *,
    wait_seconds: float = 30.0,
    now: datetime | None = None,
    adopt: bool = False,
    known: dict[Path, tuple[uuid.UUID, int]] | None = None,
) -> LoadResult:
    """Load what is in the outbox.

    Args:
        database_path: the database; it is made if it does not exist.
        outbox_folder: the outbox.
        options: how it is loaded and pruned.
        wait_seconds: how long to wait for the lease, and for whoever has the database.
        now: the rows' ``_loaded_at``, naive UTC; the present time if None.
        adopt: whether to take segments that feed another database, from their beginning.
        known: filled with the complete segments, their outbox ids and last sequence numbers.
            Whoever loads again and again gives it again, so that they are not opened each time.

    Raises:
        LoaderBusyError: another process holds the lease of the outbox.
        DatabaseError: the database cannot be opened or written; what was committed stays.
    """
    run = _Run(
        database_path,
        outbox_folder,
        options,
        wait_seconds=wait_seconds,
        given_now=now,
        adopt=adopt,
        known={} if known is None else known,
    )
    with hold_lease(outbox_folder, wait_seconds):
        while run.load_for_a_while():
            pass
        for path in run.salvaged:
            set_segment_aside(path)
        result = run.result
        result.pruned = prune_segments(
            outbox_folder,
            run.verified_offsets(),
            loaded=result.offsets,
            limits=options.limits,
            now=now or utc_now(),
        )
    return result


@dataclass
class _Run:
    """One run: its arguments, and what it has found so far."""

    database_path: Path
    folder: Path
    options: RelayOptions
    wait_seconds: float
    given_now: datetime | None
    adopt: bool
    known: dict[Path, tuple[uuid.UUID, int]]
    result: LoadResult = field(default_factory=LoadResult)
    salvaged: list[Path] = field(default_factory=list)
    _batches: Iterator[list[Item]] | None = None
    _foreign: set[str] = field(default_factory=set)
    _database_id: uuid.UUID | None = None
    _backed_up: Mapping[uuid.UUID, int] = field(default_factory=dict)

    def load_for_a_while(self) -> bool:
        """Open the database and load for at most ``MOST_SECONDS_OPEN``.

        Returns:
            whether there may be more.
        """
        began = time.monotonic()
        with connect(
            self.database_path, wait_seconds=self.wait_seconds, appends=True
        ) as connection:
            opened = time.monotonic()
            self.result.waited_seconds = max(self.result.waited_seconds, opened - began)
            self._database_id = store_of(connection).database_id(connection)
            offsets = stored_offsets(connection)
            if self._batches is None or offsets != self.result.offsets:
                # The first time, or another database stands there now.
                self.result.offsets = offsets
                self._batches = self._read_all(self._database_id, dict(offsets))
            for items in self._batches:
                now = self.given_now or utc_now()
                self.result.counts += load_batch(connection, items, now)
                for item in items:
                    self.result.offsets[item.outbox_id] = item.record.sequence_number
                if time.monotonic() - opened > MOST_SECONDS_OPEN:
                    return True
            if store_of(connection).looks_around(connection):
                self._look_around(connection)
            self._backed_up = store_of(connection).backed_up_offsets(connection)
            self.result.least_pause_seconds = store_of(connection).least_pause(connection)
            return False

    def _look_around(self, connection: duckdb.DuckDBPyConnection) -> None:
        now = self.given_now or utc_now()
        self.result.counts += record_unmatched(connection, now, self.options.unmatched_limit)
        if self.options.samples_sizes:
            places = {DATABASE_PLACE: self.database_path, "outbox": self.folder}
            sample_sizes_hourly(connection, places, now)

    def verified_offsets(self) -> Mapping[uuid.UUID, int]:
        """Return how far a verified backup holds each outbox."""
        if self.options.verified_offsets is None or self._database_id is None:
            return self._backed_up
        return Counter(self.options.verified_offsets(self._database_id)) | Counter(self._backed_up)

    def _read_all(self, database_id: uuid.UUID, seen: dict[uuid.UUID, int]) -> Iterator[list[Item]]:
        """Go once through all segments and yield what is new, in batches.

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
                        limit = MOST_RECORDS_A_TRANSACTION - len(items)
                        new = self._read(reader, seen.get(reader.outbox_id, 0), limit)
                        items += new
                        if new:  # so that a copy of this segment brings nothing twice
                            seen[reader.outbox_id] = new[-1].record.sequence_number
                        is_large = _is_large(items)
                        if len(items) >= MOST_RECORDS_A_TRANSACTION or is_large:
                            yield items
                            items = []
                        if (len(new) < limit and not is_large) or path in self.salvaged:
                            break
                    if is_complete:
                        self.known[path] = (reader.outbox_id, seen.get(reader.outbox_id, 0))
            except (StillInUseError, FileNotFoundError):
                continue
            except DamagedFileError as error:
                self._note_damage(path, error)
            except OutboxError as error:  # of this file alone; the others are loaded
                self.result.damaged.append(str(error))
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
            records = reader.read(after, limit, MOST_CHARACTERS_A_TRANSACTION)
        except DamagedFileError as error:
            records = list(reader.salvage(after))
            self._note_damage(reader.path, error)
        return [Item(reader.outbox_id, record) for record in records]

    def _note_damage(self, path: Path, error: DamagedFileError) -> None:
        self.salvaged.append(path)
        self.result.damaged.append(str(error))


def _is_large(items: list[Item]) -> bool:
    return sum(len(item.record.payload) for item in items) > MOST_CHARACTERS_A_TRANSACTION


def pending_records(
    outbox_folder: Path,
    offsets: Mapping[uuid.UUID, int],
    known: Mapping[Path, tuple[uuid.UUID, int]] = MappingProxyType({}),
) -> tuple[int, float | None]:
    """Return how many records wait to be loaded, and when the oldest was put."""
    count, oldest = 0, None
    seen = dict(offsets)
    for path in files_of(outbox_folder):
        if path in known and offsets.get(known[path][0], 0) >= known[path][1]:
            continue
        try:
            with open_reader(path) as reader:
                after = seen.get(reader.outbox_id, 0)
                last = reader.last_sequence_number()
                if last > after:
                    seen[reader.outbox_id] = last
                    count += last - after
                    put_at = reader.put_at_of(after + 1)
                    oldest = put_at if oldest is None else min(oldest, put_at or oldest)
        except (StillInUseError, FileNotFoundError, DamagedFileError, OutboxError):
            continue
    return count, oldest
