"""Removing from the outbox what it need not keep.

The outbox is the log behind the backups: a restored database has older offsets, and what came after
them is loaded again from here. So a segment is pruned when its process has left it and a verified
backup holds all of it, or, as reported, when it is loaded and a limit is reached. The prune log
notes it, so that whoever restores an older backup learns what is missing.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from orb_learning.errors import MALFORMED, OutboxError
from orb_learning.filesystem import open_private, open_regular, read_regular, sync
from orb_learning.outbox.reader import (
    DamagedFileError,
    StillInUseError,
    as_time,
    files_of,
    open_reader,
)
from orb_learning.outbox.segment import is_in_use, remove_segment
from orb_learning.outbox.writer import Limits, folder_size

PRUNE_LOG = "trimmed.jsonl"


@dataclass(frozen=True)
class PrunedSegment:
    """A line of the prune log, whose names older versions have written, too."""

    outbox_id: uuid.UUID
    last_number: int
    """Its records had the sequence numbers from 1 to this one."""
    first_put_at: datetime | None
    last_put_at: datetime | None
    trimmed_at: datetime

    @classmethod
    def from_json(cls, line: bytes) -> PrunedSegment:
        """Return what a line says.

        Raises:
            Exception: one of ``MALFORMED``: it is no line of the prune log.
        """
        fields = json.loads(line)
        return cls(
            outbox_id=uuid.UUID(fields["outbox_id"]),
            last_number=int(fields["last_number"]),
            first_put_at=_time(fields["first_put_at"]),
            last_put_at=_time(fields["last_put_at"]),
            trimmed_at=_naive(fields["trimmed_at"]),
        )

    def to_json(self) -> str:
        """Return its line."""
        return json.dumps(asdict(self), default=_text)


@dataclass(frozen=True)
class Pruned:
    """What was removed."""

    files: int = 0
    unverified_records: int = 0
    """Records that no verified backup holds; a limit was reached."""

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(self.files + other.files, self.unverified_records + other.unverified_records)


def prune_segments(
    outbox_folder: Path,
    verified: Mapping[uuid.UUID, int],
    *,
    loaded: Mapping[uuid.UUID, int],
    limits: Limits,
    now: datetime,
) -> Pruned:
    """Remove the segments that need not be kept; the caller holds the lease.

    Args:
        outbox_folder: the outbox.
        verified: how far a verified backup holds each outbox.
        loaded: how far the database holds each outbox.
        limits: up to which loaded records are kept that no backup holds.
        now: naive UTC.
    """
    files = unverified = 0
    too_large = folder_size(outbox_folder) - limits.size_bytes
    for path in files_of(outbox_folder):
        if is_in_use(path):
            continue
        try:
            with open_reader(path) as reader:
                last = reader.last_sequence_number()
                put_at = as_time(reader.put_at_of(last))
                segment = PrunedSegment(
                    outbox_id=reader.outbox_id,
                    last_number=last,
                    first_put_at=as_time(reader.put_at_of(0)),
                    last_put_at=put_at,
                    trimmed_at=now,
                )
        except (StillInUseError, FileNotFoundError, DamagedFileError, OutboxError):
            continue
        if last > loaded.get(segment.outbox_id, 0):
            continue
        beyond = max(0, last - verified.get(segment.outbox_id, 0))
        is_old = put_at is not None and put_at < now - limits.age
        if beyond and not is_old and too_large <= 0:
            continue
        try:
            if last:
                _note(outbox_folder / PRUNE_LOG, [segment])
        except OSError:
            break  # the disk is full: what cannot be noted, stays
        too_large -= path.stat().st_size
        remove_segment(path)
        files += 1
        unverified += beyond
    return Pruned(files, unverified)


def pruned_segments(outbox_folder: Path) -> list[PrunedSegment]:
    """Return what was removed from an outbox, as far as some backup may lack it."""
    try:
        lines = read_regular(outbox_folder / PRUNE_LOG).splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(PrunedSegment.from_json(line))
        except MALFORMED:
            continue  # a kill cut it short; its file was not removed then
    return found


def drop_covered_entries(outbox_folder: Path, offsets: Collection[Mapping[uuid.UUID, int]]) -> None:
    """Drop from the prune log what every backup holds; the caller holds the lease.

    Args:
        outbox_folder: the outbox.
        offsets: how far each backup holds each outbox.
    """
    noted = pruned_segments(outbox_folder)
    needed = [
        segment
        for segment in noted
        if any(held.get(segment.outbox_id, 0) < segment.last_number for held in offsets)
        or not offsets
    ]
    if len(needed) < len(noted):
        written = outbox_folder / f".{PRUNE_LOG}.new"
        written.unlink(missing_ok=True)
        _note(written, needed)
        written.replace(outbox_folder / PRUNE_LOG)
        sync(outbox_folder)


def _text(value: uuid.UUID | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _time(text: str | None) -> datetime | None:
    return None if text is None else _naive(text)


def _naive(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        raise ValueError("its time has a zone, which none has that is written here")
    return found


def _note(prune_log: Path, segments: Iterable[PrunedSegment]) -> None:
    """Append lines, durably before the segments are removed."""
    is_new = not prune_log.exists()
    with os.fdopen(open_private(prune_log, os.O_RDWR | os.O_APPEND), "ab+") as file:
        if file.tell() and not _ends_with_newline(prune_log):
            file.write(b"\n")
        file.write("".join(f"{one.to_json()}\n" for one in segments).encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync(prune_log.parent)


def _ends_with_newline(file: Path) -> bool:
    with open_regular(file) as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) == b"\n"
