"""What a restore cannot bring back: records that had left the outbox."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import Collection
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
    manifest: BackupManifest, replaced: ReplacedDatabase | None, outbox_folders: Collection[Path]
) -> Missing | None:
    """Return what came after the backup and is in the outbox no longer; None if nothing is.

    Args:
        manifest: that of the restored backup.
        replaced: the database of before, if it is the same one and could be read.
        outbox_folders: the outboxes, whose prune logs say what was removed from them.
    """
    noted = [segment for folder in outbox_folders for segment in pruned_segments(folder)]
    log = sorted(noted, key=lambda segment: segment.last_number)
    pruned = {segment.outbox_id: segment for segment in log}
    last = Counter({outbox_id: segment.last_number for outbox_id, segment in pruned.items()})
    last |= Counter(replaced.offsets if replaced else {})
    held = Counter(manifest.positions) | Counter(last_sequence_numbers(outbox_folders))
    missing = last - held
    if not missing:
        return None
    logged = [pruned[outbox_id] for outbox_id in missing if outbox_id in pruned]
    return Missing(
        missing.total(),
        min((segment.first_put_at for segment in logged if segment.first_put_at), default=None),
        max((segment.last_put_at for segment in logged if segment.last_put_at), default=None),
    )


def last_sequence_numbers(outbox_folders: Collection[Path]) -> dict[uuid.UUID, int]:
    """Return the last sequence number in each segment that can be read, by the segment's id."""
    found: dict[uuid.UUID, int] = {}
    for path in itertools.chain.from_iterable(map(files_of, outbox_folders)):
        with (
            suppress(StillInUseError, FileNotFoundError, DamagedFileError),
            open_reader(path) as reader,
        ):
            number = reader.last_sequence_number()
            found[reader.outbox_id] = max(number, found.get(reader.outbox_id, 0))
    return found
