"""The relay's side of a segment: it reads, and writes only which database the segment feeds."""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from orb_learning.errors import OutboxError
from orb_learning.filesystem import open_private, sync, told_wait
from orb_learning.outbox.defence import open_defensively
from orb_learning.outbox.segment import SUFFIX, inherited, is_in_use, note_open, segment_lock

BUSY_SECONDS = 5.0
HEADER_BYTES = 100
LONGEST_FILE = 2**30
"""Bytes; what says it is longer is damaged in its header."""
_RECORD = "id, cast(kind as text), cast(payload as text), cast(put_at as real)"
"""SQLite keeps a value of any type in any column."""
MOST_MISSING = 20_000
"""So many sequence numbers without a readable record are the end of a damaged segment."""


class OutboxRecord(NamedTuple):
    """A record as it was put."""

    sequence_number: int
    kind: str
    payload: str
    put_at: float
    """Seconds since 1970 by the clock of the process that put it."""


class DamagedFileError(Exception):
    """The file, or a part of it, cannot be read."""


class StillInUseError(Exception):
    """It cannot be read yet: a live process makes it, or has not left it."""


def files_of(folder: Path) -> list[Path]:
    """Return the outbox's segments in the order in which they were made."""
    return sorted(
        path
        for path in folder.glob(f"*{SUFFIX}")
        if str(path) not in inherited and path.is_file() and not path.is_symlink()
    )


def as_time(put_at: float | None) -> datetime | None:
    """Return a time of the outbox in naive UTC; None where it is none."""
    if put_at is None:
        return None
    try:
        return datetime.fromtimestamp(put_at, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


class OutboxReader:
    """An open segment.

    Raises:
        DamagedFileError: it is no segment, or not any more.
    """

    def __init__(self, path: Path):
        self.path = path
        with _damage(path), self._told():
            self._connection = open_defensively(path, "mode=rw", busy_seconds=BUSY_SECONDS)
            try:
                row = self._connection.execute("select outbox_id, database_id from outbox")
                outbox_id, self.database_id = row.fetchone()
                self.outbox_id = uuid.UUID(outbox_id)
            except BaseException as error:
                self._connection.close()
                if isinstance(error, (TypeError, ValueError)):
                    raise DamagedFileError(f"{path.name}: it has no id") from error
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _told(self) -> AbstractContextManager[None]:
        """Say for whom SQLite waits."""
        return told_wait(*segment_lock(self.path))

    def bind(self, database_id: uuid.UUID) -> None:
        """Write into the segment which database it feeds, durably before anything is loaded."""
        # A copy out of a backup has no log, and nobody else at work on it. Where there is one, the
        # disk is waited for after the lock is given up, or a put beside it would be refused.
        has_log = self._connection.execute("pragma journal_mode").fetchone() == ("wal",)
        self._connection.execute(f"pragma synchronous = {'normal' if has_log else 'full'}")
        with self._told():
            self._connection.execute("update outbox set database_id = ?", (str(database_id),))
        if has_log:
            sync(self.path.with_name(f"{self.path.name}-wal"))
            sync(self.path.parent)
        self.database_id = str(database_id)

    def read(self, after: int, limit: int, most_characters: float = math.inf) -> list[OutboxRecord]:
        """Return the records after a sequence number, in order.

        Args:
            after: the sequence number.
            limit: how many at most.
            most_characters: of payloads; the record that goes beyond is the last one.

        Raises:
            DamagedFileError: some cannot be read; ``salvage`` gives the rest.
        """
        records: list[OutboxRecord] = []
        with _damage(self.path):
            rows = self._connection.execute(
                f"select {_RECORD} from records where id > ? order by id limit ?",  # noqa: S608
                (after, limit),
            )
            for row in rows:
                records.append(OutboxRecord._make(row))
                most_characters -= len(records[-1].payload)
                if most_characters < 0:
                    break
        return records

    def salvage(self, after: int) -> Iterator[OutboxRecord]:
        """Yield every record after a sequence number that can still be read."""
        self._connection.text_factory = lambda text: text.decode(errors="replace")
        number, missing = after, 0
        while missing < MOST_MISSING:
            number += 1
            try:
                row = self._connection.execute(
                    f"select {_RECORD} from records where id = ?",  # noqa: S608
                    (number,),
                ).fetchone()
            except sqlite3.Error:
                row = None
            missing = 0 if row else missing + 1
            if row:
                yield OutboxRecord._make(row)

    def erase(self, sequence_numbers: Sequence[int]) -> None:
        """Overwrite records; their numbers stay taken, or the next ones would be skipped."""
        if not sequence_numbers:
            return
        self._connection.execute("pragma secure_delete = on")
        with self._told():
            self._connection.execute("begin immediate")
        self._connection.executemany(
            "update records set kind = 'forgotten', payload = '' where id = ?",
            [(number,) for number in sequence_numbers],
        )
        self._connection.execute("commit")
        # The log still has them as they were.
        with self._told():
            self._connection.execute("pragma wal_checkpoint(truncate)").fetchall()

    def back_up(self, file: Path) -> None:
        """Copy the file as it is at this moment, with what is in its log, while others append.

        Raises:
            DamagedFileError: it cannot be read.
            sqlite3.Error: the copy cannot be written.
        """
        os.close(open_private(file, os.O_RDWR | os.O_EXCL))
        with closing(sqlite3.connect(file)) as copy:
            try:
                self._connection.backup(copy)
            except sqlite3.Error as error:
                if error.sqlite_errorname.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
                    raise DamagedFileError(f"{self.path.name}: {error}") from error
                raise
            copy.execute("pragma journal_mode = delete").fetchall()

    def last_sequence_number(self) -> int:
        """Return the sequence number of the last record, 0 where there is none."""
        with _damage(self.path):
            row = self._connection.execute("select max(id) from records").fetchone()
        return int(row[0] or 0)

    def put_at_of(self, number: int) -> float | None:
        """Return when the first record from a sequence number on was put, None if there is none."""
        with _damage(self.path):
            row = self._connection.execute(
                "select cast(put_at as real) from records where id >= ? order by id limit 1",
                (number,),
            ).fetchone()
        return float(row[0]) if row else None


@contextmanager
def open_reader(path: Path) -> Iterator[OutboxReader]:
    """Open a segment to read it.

    Raises:
        FileNotFoundError: it has been removed meanwhile.
        StillInUseError: it cannot be read, but a live process has it.
        DamagedFileError: it is no segment, or not any more.
        OutboxError: the system does not let it be opened: it is a link, or on a disk that fails.
    """
    with note_open(path):
        try:
            reader = _open_or_fill_up(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise OutboxError(f"{path} cannot be opened: {error.strerror or error}") from error
        try:
            yield reader
        finally:
            reader.close()


def _open_or_fill_up(path: Path) -> OutboxReader:
    try:
        return _open(path)
    except DamagedFileError as error:
        if is_in_use(path):
            raise StillInUseError(str(path)) from error
        if not _fill_up(path):
            raise
        return _open(path)


def _open(path: Path) -> OutboxReader:
    if path.stat().st_size == 0:
        # SQLite would take it for new, and delete the log beside it.
        raise DamagedFileError(f"{path.name}: it is empty")
    return OutboxReader(path)


def _fill_up(path: Path) -> bool:
    """Bring a truncated file to its length again, or SQLite reads none of its pages.

    Returns:
        whether it was too short.
    """
    # Only where no process has the file: closing it here would end SQLite's locks on it. One
    # descriptor for all of it: another may put a link in the place of the name.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return False  # a pipe in its place would be waited for
        header = file.read(HEADER_BYTES)
        length = int.from_bytes(header[16:18], "big") * int.from_bytes(header[28:32], "big")
        if not header.startswith(b"SQLite format 3") or length > LONGEST_FILE:
            return False
        if os.fstat(file.fileno()).st_size >= length:
            return False
        os.ftruncate(file.fileno(), length)
    return True


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise
        raise DamagedFileError(f"{path.name}: {error}") from error
