"""What a lake needs besides what a file does, as functions that do nothing for a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from orb_learning.formats import count
from orb_learning.locator import is_lake
from orb_learning.store import lake
from orb_learning.store.lake import Door, LakeFiles


@contextmanager
def only_maintainer(locator: Path) -> Iterator[None]:
    """Be the only host that maintains a database; of a file, there is no other.

    Raises:
        MaintenanceBusyError: another host does.
    """
    if not is_lake(locator):
        yield
        return
    with closing(Door(locator, wait_seconds=0)) as door:
        door.maintain_alone()
        yield


def merge_files(locator: Path, *, wait_seconds: float) -> str | None:
    """Merge small files, and say so; None where there was nothing to do."""
    if not is_lake(locator):
        return None
    merged = lake.merge_files(locator, wait_seconds=wait_seconds)
    if not merged.before:
        return None
    return f"{count(merged.before, 'file')} merged into {merged.after:,}"


def rewrite_deleted(locator: Path, *, wait_seconds: float) -> None:
    """Write every file of a lake anew that has a deleted row."""
    lake.merge_files(locator, wait_seconds=wait_seconds, rewrites_all=True)


def clean_up(locator: Path, backups: Iterable[LakeFiles], *, wait_seconds: float) -> str | None:
    """Expire old snapshots, delete what neither they nor a backup need, and say so."""
    if not is_lake(locator):
        return None
    cleaned = lake.clean_up(locator, backups, wait_seconds=wait_seconds)
    return f"{count(cleaned.snapshots, 'snapshot')} expired, {count(cleaned.files, 'file')} deleted"


def snapshots_until(locator: Path, now: datetime) -> date | None:
    """Return the day on which what is deleted now has left a lake's snapshots and their files.

    `orb maintain` runs at least daily then, and no backup holds it; of a file None.
    """
    kept = lake.SNAPSHOTS_KEPT + lake.FILES_KEPT
    return (now + kept + timedelta(days=1)).date() if is_lake(locator) else None


def note_backup(locator: Path, offsets: Mapping[uuid.UUID, int]) -> None:
    """Tell the relays of all hosts how far a verified backup holds each outbox."""
    if is_lake(locator):
        with closing(Door(locator, wait_seconds=0)) as door:
            door.set_up()
            door.note_backup(offsets)
