"""A collector: what other hosts shipped into object storage, loaded by the same relay.

The copies are brought into a folder here, an outbox like any other. The relay prunes it: once a
verified backup holds a segment, it goes there, and then its copies go, too.
"""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from orb_learning.errors import OutboxError
from orb_learning.filesystem import (
    make_folder,
    open_place,
    open_private,
    read_regular,
    sha256_of,
    sync,
    write_private,
)
from orb_learning.ingest import LoadResult, load_once
from orb_learning.locator import folder_of
from orb_learning.operations.load import relay_options
from orb_learning.outbox import ShippedSegment, files_of, newest_of_each, shipped_segments
from orb_learning.settings import LearningSettings

NOTE = ".sha256"
"""Beside a segment: the SHA-256 of the copy that it was, which outlives it."""


def load_shipped(
    settings: LearningSettings, place: str, *, wait_seconds: float, adopt: bool = False
) -> LoadResult:
    """Load what hosts shipped to a place: each record exactly once.

    Args:
        settings: name the database, and how its outboxes are pruned.
        place: where the hosts shipped to, or one of their folders; one collector drains it.
        wait_seconds: how long to wait for who has the database.
        adopt: whether to take segments that feed another database, from their beginning.

    Raises:
        OutboxError: the place cannot be read; what was loaded stays.
        LoaderBusyError: another collector drains it.
        DatabaseError: the database cannot be opened or written; what was committed stays.
    """
    folder = folder_of_place(settings, place)
    make_folder(folder)
    not_done = "not all was loaded that was shipped to"
    with open_place(place, not_done, OutboxError) as (files, root):
        for segment in newest_of_each(shipped_segments(files, root)).values():
            _bring(files, segment, folder)
    result = load_once(
        settings.database_path,
        folder,
        relay_options(settings),
        wait_seconds=wait_seconds,
        adopt=adopt,
    )
    here = {path.stem for path in files_of(folder)}
    with open_place(place, "not every loaded copy was removed from", OutboxError) as (files, root):
        for segment in shipped_segments(files, root):
            note = folder / f"{segment.stem}{NOTE}"
            if segment.stem not in here and _is_noted(note, segment):
                files.rm_file(segment.path)
    return result


def folder_of_place(settings: LearningSettings, place: str) -> Path:
    """Return where the copies of a place are brought, an outbox of its own."""
    return folder_of(settings.database_path) / "shipped" / sha256(place.encode()).hexdigest()[:16]


def _bring(files: Any, segment: ShippedSegment, folder: Path) -> None:
    """Bring a copy that is not here yet, or newer; one that is cut short is left for the next."""
    note, target = folder / f"{segment.stem}{NOTE}", folder / f"{segment.stem}.sqlite"
    if _is_noted(note, segment):
        return
    partial = folder / f".{segment.stem}.partial"
    try:
        partial.unlink(missing_ok=True)
        descriptor = open_private(partial, os.O_WRONLY | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as written, files.open(segment.path, "rb") as source:
            shutil.copyfileobj(source, written)
    except FileNotFoundError:
        return  # its host has shipped a newer one
    if sha256_of(partial) != segment.sha256:
        partial.unlink()
        return
    sync(partial)
    partial.replace(target)
    write_private(note, segment.sha256.encode())
    sync(folder)


def _is_noted(note: Path, segment: ShippedSegment) -> bool:
    return note.exists() and read_regular(note).decode() == segment.sha256
