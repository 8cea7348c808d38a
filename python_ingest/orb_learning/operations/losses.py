"""What a restore cannot bring back: records that had left the outbox."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orb_learning.backup import BackupManifest
from orb_learning.operations.replaced_database import ReplacedDatabase
from orb_learning.outbox import (
    DamagedFileError,
    StillInUseError,
    files_of,
    open_reader,
    pruned_segments,
)


@dataclass(frozen=True)
class Missing:
    """Records that came after the backup and are in no segment of the outbox any more."""

    count: int
    first_put_at: datetime | None
    """Between this time and the next one they were recorded; None where that is not known."""
    last_put_at: datetime | None


def find_missing(
    manifest: BackupManifest, replaced: ReplacedDatabase | None, outbox_folder: Path
) -> Missing | None:
    """Return what came after the backup and is in the outbox no longer; None if nothing is.

    Args:
        manifest: that of the restored backup.
        replaced: the database of before, if it is the same one and could be read.
        outbox_folder: the outbox, whose prune log says what was removed from it.
    """
    log = sorted(pruned_segments(outbox_folder), key=lambda segment: segment.last_number)
    pruned = {segment.outbox_id: segment for segment in log}
    last = Counter({outbox_id: segment.last_number for outbox_id, segment in pruned.items()})
    last |= Counter(replaced.offsets if replaced else {})
    held = Counter(manifest.positions) | Counter(last_sequence_numbers(outbox_folder))
    missing = last - held
    if not missing:
        return None
    logged = [pruned[outbox_id] for outbox_id in missing if outbox_id in pruned]
    return Missing(
        missing.total(),
        min((segment.first_put_at for segment in logged if segment.first_put_at), default=None),
        max((segment.last_put_at for segment in logged if segment.last_put_at), default=None),
    )


def last_sequence_numbers(outbox_folder: Path) -> dict[uuid.UUID, int]:
    """Return the last sequence number in each outbox that can be read, by the outbox's id."""
    found: dict[uuid.UUID, int] = {}
    for path in files_of(outbox_folder):
        with (
            suppress(StillInUseError, FileNotFoundError, DamagedFileError),
            open_reader(path) as reader,
        ):
            number = reader.last_sequence_number()
            found[reader.outbox_id] = max(number, found.get(reader.outbox_id, 0))
    return found
