"""Segments on their way through object storage, for hosts that do not load by themselves.

A copy's name says which segment it is of, up to which record, and its SHA-256. So one that is cut
short is told from a whole one, wherever it is, and a segment in use is shipped again as it grows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from orb_learning.errors import OutboxError
from orb_learning.filesystem import copy_there, open_place, sha256_of
from orb_learning.outbox.lease import hold_lease
from orb_learning.outbox.reader import (
    DamagedFileError,
    StillInUseError,
    files_of,
    open_reader,
)
from orb_learning.outbox.segment import SUFFIX, is_in_use, remove_segment

_NAME = re.compile(
    rf"(?P<stem>[A-Za-z0-9_-]{{1,100}})~(?P<last>\d{{12}})~(?P<sha256>[0-9a-f]{{64}}){SUFFIX}"
)


class ShippedSegment(NamedTuple):
    """A copy of a segment in the other place, by its name."""

    stem: str
    """The segment's name without its ending."""
    last: int
    """The sequence number of its last record."""
    sha256: str
    path: str
    """Where it is in the place."""


@dataclass
class Shipped:
    """What shipping did."""

    copied: int = 0
    removed: int = 0
    """Segments that no process has, and that are in the other place whole."""
    left: int = 0
    """Segments that cannot be read, or not yet."""


def shipped_segments(files: Any, root: str) -> list[ShippedSegment]:
    """Return the copies in a place, whatever else is there: a pipe would be waited for."""
    found = []
    there = files.find(root, detail=True) if files.exists(root) else {}
    for path in sorted(path for path, one in there.items() if one["type"] == "file"):
        if name := _NAME.fullmatch(path.rpartition("/")[2]):
            found.append(ShippedSegment(name["stem"], int(name["last"]), name["sha256"], path))
    return found


def newest_of_each(segments: Iterable[ShippedSegment]) -> dict[str, ShippedSegment]:
    """Return the copy of each segment that has most of its records."""
    return {one.stem: one for one in sorted(segments, key=lambda one: (one.last, one.path))}


def ship(outbox_folder: Path, place: str, *, wait_seconds: float) -> Shipped:
    """Copy every segment that has new records to a place, read back; then remove those left by all.

    Args:
        outbox_folder: the outbox.
        place: a folder of this host's own, or a URL of one that fsspec knows.
        wait_seconds: how long to wait for who loads the outbox.

    Raises:
        LoaderBusyError: another process loads or ships it.
        OutboxError: there is none, or not all of it was copied; what was not is still here.
    """
    if not outbox_folder.is_dir():
        raise OutboxError(
            f"{outbox_folder} does not exist; ORB_OUTBOX names the folder that is recorded into"
        )
    result = Shipped()
    with (
        hold_lease(outbox_folder, wait_seconds),
        open_place(place, f"not all of {outbox_folder} was shipped to", OutboxError) as (
            files,
            root,
        ),
        TemporaryDirectory(prefix="orb-") as scratch,
    ):
        there = defaultdict(list)
        for one in shipped_segments(files, root):
            there[one.stem].append(one)
        for path in files_of(outbox_folder):
            is_left = not is_in_use(path)
            try:
                known = there[path.stem]
                if _ship(path, files, root, Path(scratch), known):
                    result.copied += 1
                if is_left:
                    remove_segment(path)
                    result.removed += 1
            except (DamagedFileError, StillInUseError, FileNotFoundError):
                result.left += 1
    return result


def _ship(path: Path, files: Any, root: str, scratch: Path, known: list[ShippedSegment]) -> bool:
    """Copy a segment where the place does not have all of it; returns whether it was copied."""
    with open_reader(path) as reader:
        copy = scratch / path.name
        reader.back_up(copy)
    with open_reader(copy) as reader:  # which has all that was there at that moment
        last = reader.last_sequence_number()
    sha256 = sha256_of(copy)
    whole = {one for one in known if one.last == last and _is_whole(files, one)}
    is_new = last > 0 and not whole
    if is_new:
        to = f"{root}/{path.stem}~{last:012d}~{sha256}{SUFFIX}"
        if not copy_there(files, copy, to, sha256):
            raise OutboxError(f"{to}, read back, is another one")
    for one in known:
        if one.last < last:
            files.rm_file(one.path)
    copy.unlink()
    return is_new


def _is_whole(files: Any, one: ShippedSegment) -> bool:
    import hashlib

    with files.open(one.path, "rb") as opened:
        return bool(hashlib.file_digest(opened, "sha256").hexdigest() == one.sha256)
