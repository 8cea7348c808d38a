"""The copy of a backup that takes the database's place, and the segments that come back with it."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.backup import OUTBOX, BackupManifest
from orb_learning.errors import RestoreError
from orb_learning.feedback import delete_feedback
from orb_learning.filesystem import make_private, open_private, open_regular, sha256_of, sync
from orb_learning.operations.losses import last_sequence_numbers
from orb_learning.operations.replaced_database import (
    ReplacedDatabase,
    Tombstones,
    imported_since,
    read_tombstones,
)
from orb_learning.store import connect, delete_tasks, store_of, transaction


@contextmanager
def restored_copy(
    folder: Path, manifest: BackupManifest, path: Path, *, validated: bool
) -> Iterator[Path]:
    """Yield a copy of the backed-up database, on the file system of the present one.

    Args:
        folder: the backup.
        manifest: its manifest.
        path: the present database.
        validated: whether the backup's files are known to be what the manifest says.

    Raises:
        RestoreError: the copy is not the backup.
    """
    scratch = path.with_name(f".{path.name}.restoring")
    if scratch.is_symlink():
        scratch.unlink()
    shutil.rmtree(scratch, ignore_errors=True)  # of a restore that was killed
    scratch.mkdir(0o700)  # one that is there is another's
    try:
        make_private(scratch)
        copy, source = scratch / manifest.database_file, folder / manifest.database_file
        known = manifest.files[manifest.database_file].sha256 if validated else sha256_of(source)
        _copy_file(source, copy, known)
        yield copy
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def bring_up_to_date(
    copy: Path, replaced: ReplacedDatabase | None, tombstones: Tombstones
) -> list[str]:
    """Apply to a copy what must hold before it replaces the present database.

    Args:
        copy: the copied database.
        replaced: the present one, if it is the same database and could be read.
        tombstones: what must not come back.

    Returns:
        the files that were imported since the backup.
    """
    with connect(copy) as connection:
        erase_again(connection, tombstones)
        if replaced is not None:
            # A load number is never used twice: archived files have some that came since.
            ahead = replaced.last_load_seq - store_of(connection).last_load_number(connection)
            if ahead > 0:
                connection.execute(
                    "select max(nextval('raw.load_seq')) from range(?)", [ahead]
                ).fetchall()
        connection.execute("checkpoint")  # which closing would do, too, but not say if it failed
        return imported_since(connection, replaced)


def erase_again(connection: duckdb.DuckDBPyConnection, tombstones: Tombstones) -> None:
    """Delete what was deleted before, where it is still there, as of that time."""
    here = read_tombstones(connection)
    with transaction(connection):
        for deleted_at, task_ids in _by_time(tombstones.tasks, here.tasks):
            delete_tasks(connection, task_ids, deleted_at)
        for deleted_at, feedback_ids in _by_time(tombstones.feedback, here.feedback):
            delete_feedback(connection, feedback_ids, deleted_at)


def bring_back_segments(
    folder: Path, manifest: BackupManifest, outbox_folders: Sequence[Path]
) -> list[str]:
    """Copy the segments that are in the backup only into the first of the outboxes.

    It takes any kind of record. No segment that is there is written over.

    Returns:
        their names.

    Raises:
        RestoreError: a copy is not the backup; it is not in the outbox.
    """
    there = set(last_sequence_numbers(outbox_folders))
    outbox_folder = outbox_folders[0]
    missing = [
        name
        for name, copy in manifest.outbox.items()
        if copy.outbox_id not in there and not (outbox_folder / name).exists()
    ]
    for name in missing:
        copy = outbox_folder / f".{name}.restoring"
        try:
            _copy_file(folder / OUTBOX / name, copy, manifest.files[f"{OUTBOX}/{name}"].sha256)
        except RestoreError:
            copy.unlink()
            raise
        copy.replace(outbox_folder / name)
    sync(outbox_folder)
    return missing


def _copy_file(source: Path, copy: Path, sha256: str) -> None:
    copy.unlink(missing_ok=True)
    # By its descriptor: another may put a link in the place of its name.
    with (
        os.fdopen(open_private(copy, os.O_RDWR | os.O_EXCL), "w+b") as written,
        open_regular(source) as read,
    ):
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
        written.seek(0)
        if hashlib.file_digest(written, "sha256").hexdigest() != sha256:
            raise RestoreError(f"{copy}, read back, is not the backup; nothing was changed")


def _by_time(
    tombstones: dict[uuid.UUID, datetime], here: dict[uuid.UUID, datetime]
) -> list[tuple[datetime, list[uuid.UUID]]]:
    """Return the ids that are not here yet, by the time of their deletion."""
    by_time: defaultdict[datetime, list[uuid.UUID]] = defaultdict(list)
    for each in tombstones.keys() - here.keys():
        by_time[tombstones[each]].append(each)
    return sorted(by_time.items())
