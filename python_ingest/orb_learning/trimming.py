"""Removing from the outbox what it need not keep.

The outbox is the log behind the backups: a restored database has an older position, and what came
after it is loaded again from here. So a file goes when its process has left it and a verified
backup holds all of it, or, as reported, when it is loaded and a limit is reached.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orb_learning import outbox_file
from orb_learning.batches import as_time
from orb_learning.outbox import Limits, folder_size
from orb_learning.outbox_reader import (
    DamagedFileError,
    StillInUseError,
    files_of,
    open_reader,
)


@dataclass(frozen=True)
class Trimmed:
    """What was removed."""

    files: int = 0
    unverified_records: int = 0
    """Records that no verified backup holds; a limit was reached."""


def trim(
    outbox_folder: Path,
    verified: Mapping[uuid.UUID, int],
    *,
    loaded: Mapping[uuid.UUID, int],
    limits: Limits,
    now: datetime,
) -> Trimmed:
    """Remove the files that need not be kept. Only one loader or trimmer may be at work.

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
        if outbox_file.in_use(path):
            continue
        try:
            with open_reader(path) as reader:
                last = reader.last_number()
                put_at = as_time(reader.put_at_of(last)) if last else None
                outbox_id = reader.outbox_id
        except (StillInUseError, FileNotFoundError, DamagedFileError):
            continue
        if last > loaded.get(outbox_id, 0):
            continue
        beyond = max(0, last - verified.get(outbox_id, 0))
        is_old = put_at is not None and put_at < now - limits.age
        if beyond and not is_old and too_large <= 0:
            continue
        too_large -= path.stat().st_size
        outbox_file.remove(path)
        files += 1
        unverified += beyond
    return Trimmed(files, unverified)
