"""The database that a restore replaces: locked, and read for what must outlive it."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.backup import BackupManifest, whole_backups
from orb_learning.errors import DatabaseError, DatabaseLockedError, DiskFullError
from orb_learning.filesystem import ReadWriteLock
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    CONFIG,
    existing_tables,
    open_copy,
    open_with_lock,
    store_of,
    stored_offsets,
    translated_errors,
)


class Tombstones(NamedTuple):
    """What was deleted on request and must not come back, and since when."""

    tasks: dict[uuid.UUID, datetime]
    feedback: dict[uuid.UUID, datetime]


@dataclass(frozen=True)
class ReplacedDatabase:
    """What a restore needs of the database that it replaces."""

    database_id: uuid.UUID
    tombstones: Tombstones
    offsets: dict[uuid.UUID, int]
    """How far it holds each outbox."""
    files: Counter[tuple[str, str]]
    """How often each imported file was loaded, by its SHA-256 and name."""
    last_load_seq: int


@contextmanager
def exclusive_database(
    path: Path, wait_seconds: float, notes: list[str]
) -> Iterator[ReplacedDatabase | None]:
    """Lock the database, with its file closed and without a log where it can be opened.

    Args:
        path: the database file; it may be missing.
        wait_seconds: how long to wait for others that have it.
        notes: takes why it could not be read.

    Yields:
        what it holds; None where it is missing or cannot be read.

    Raises:
        DatabaseLockedError: others have it for too long.
        DiskFullError: the disk has no room for its log.
    """
    deadline = time.monotonic() + wait_seconds
    replaced, lock = None, None
    try:
        if path.exists():
            try:
                opening = partial(duckdb.connect, path, config=CONFIG)
                connection, lock = open_with_lock(
                    path, opening, shared=False, wait_seconds=wait_seconds
                )
                with closing(connection), translated_errors(path):
                    connection.execute("checkpoint")
                    replaced = read_replaced(connection)
            except (DatabaseLockedError, DiskFullError):
                raise
            except (DatabaseError, duckdb.Error) as error:
                notes.append(
                    f"the present database could not be read, and with it what was imported or "
                    f"erased since: {error}"
                )
        lock = lock or ReadWriteLock(path).acquire(shared=False, deadline=deadline)
        if lock is None:
            raise DatabaseLockedError(f"{path} was in use by others for {wait_seconds:g} s")
        yield replaced
    finally:
        if lock is not None:
            lock.release()


def tombstones_since(
    manifest: BackupManifest,
    replaced: ReplacedDatabase | None,
    settings: LearningSettings,
    notes: list[str],
) -> Tombstones:
    """Return the tombstones that the replaced database or a newer backup has.

    An order to erase that is in neither is still in the outbox.

    Args:
        manifest: that of the backup to restore.
        replaced: the present database, if it could be read.
        settings: name the database and the folder of backups.
        notes: takes why a backup could not be read.
    """
    known = replaced.tombstones if replaced else Tombstones({}, {})
    newest = next(whole_backups(settings.backup_folder, manifest.database_id), None)
    if newest is not None and newest.time > manifest.created_at:
        try:
            file = newest.folder / newest.manifest.database_file
            lake, database = newest.manifest.lake, settings.database_path
            with open_copy(file, lake, database) as connection:
                there = read_tombstones(connection)
                known = Tombstones(there.tasks | known.tasks, there.feedback | known.feedback)
        except (DatabaseError, duckdb.Error) as error:
            notes.append(f"{newest.folder} could not be read: {error}")
    return known


def read_tombstones(connection: duckdb.DuckDBPyConnection) -> Tombstones:
    """Return the tombstones of a database."""
    tasks = connection.execute("select task_id, forgotten_at from raw.forgotten").fetchall()
    # A database of an older version has no feedback.
    feedback = [
        row
        for table in existing_tables(connection, ["raw.deleted_feedback"])
        for row in connection.execute(f"select feedback_id, deleted_at from {table}").fetchall()  # noqa: S608
    ]
    return Tombstones(dict(tasks), dict(feedback))


def imported_files(connection: duckdb.DuckDBPyConnection) -> Counter[tuple[str, str]]:
    """Return how often each imported file was loaded, by its SHA-256 and name."""
    rows = connection.execute("select file_sha256, file_name from raw.loaded_files").fetchall()
    return Counter(rows)


def imported_since(
    connection: duckdb.DuckDBPyConnection, replaced: ReplacedDatabase | None
) -> list[str]:
    """Return the names of the files that the replaced database has, and this one has not."""
    if replaced is None:
        return []
    return sorted({name for _, name in replaced.files - imported_files(connection)})


def read_replaced(connection: duckdb.DuckDBPyConnection) -> ReplacedDatabase:
    """Return what a database holds that must outlive it.

    Raises:
        DatabaseError: it has no raw schema, or one of an older version.
    """
    tables = ["raw.database_id", "raw.forgotten", "raw.outbox_positions", "raw.loaded_files"]
    if len(existing_tables(connection, tables)) < len(tables):
        raise DatabaseError("it has no raw schema, or one of an older version")
    [(database_id,)] = connection.execute("select database_id from raw.database_id").fetchall()
    return ReplacedDatabase(
        database_id,
        read_tombstones(connection),
        stored_offsets(connection),
        imported_files(connection),
        store_of(connection).last_load_number(connection),
    )
