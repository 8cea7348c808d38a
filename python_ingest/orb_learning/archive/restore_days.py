"""Archived days back into the database, and the holds that keep them there.

A day that was unarchived is held: retention leaves it alone until its hold is released.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from orb_learning.archive.files import (
    EXECUTIONS,
    FEEDBACK,
    Archive,
    archived_files,
    count_removed,
    verified_file,
)
from orb_learning.errors import ArchiveError
from orb_learning.settings import LearningSettings
from orb_learning.store import check_path, connect, identifier, transaction, unglobbed, utc_now


@dataclass(frozen=True)
class Unarchived:
    """What came back."""

    version_count: int
    """Versions of executions."""
    feedback_count: int
    """People's feedback."""


def unarchive(
    settings: LearningSettings, first: date, last: date, *, now: datetime | None = None
) -> Unarchived:
    """Bring archived days back into raw, as they were, and hold them.

    Days that were unarchived before and are still there are held, too.

    Args:
        settings: name the database and the archive.
        first: the first day.
        last: the last day.
        now: naive UTC; the present time if None.

    Returns:
        what came back; fct_executions has it after the next build.

    Raises:
        ArchiveError: a file is missing or is not what was archived, or the first day is after the
            last; nothing came back.
        DatabaseError: there is no database, or it cannot be written.
    """
    if first > last:
        raise ArchiveError(
            f"the first day, {first}, is after the last, {last}; did you mean --from {last} "
            f"--to {first}?"
        )
    check_path(settings.database_path, must_exist=True)
    now = now or utc_now()
    counts = {EXECUTIONS: 0, FEEDBACK: 0}
    with connect(settings.database_path) as connection:
        known = [
            (archive, file)
            for archive in counts
            for file in archived_files(connection, archive)
            if first <= file.archived_day <= last
        ]
        wanted = [(archive, file) for archive, file in known if file.unarchived_at is None]
        with transaction(connection):
            for archive, file in wanted:
                with verified_file(settings.archive_folder, file) as path:
                    count = _bring_back(connection, archive, path)
                counts[archive] += count
                # Erased meanwhile; feedback may have been loaded again, too.
                count_removed(connection, archive, file.row_count - count)
                connection.execute(
                    f"update {archive.files} set unarchived_at = ? where file_name = ?",  # noqa: S608
                    [now, file.file_name],
                )
            connection.execute(
                "insert into raw.held_days by name "
                "select distinct unnest(?::date[]) as held_day, ?::timestamp as held_at "
                "except select held_day, ?::timestamp from raw.held_days",
                [[file.archived_day for _, file in known], now, now],
            )
    return Unarchived(counts[EXECUTIONS], counts[FEEDBACK])


def release_holds(settings: LearningSettings) -> list[date]:
    """Let retention take the days again that were unarchived; returns them."""
    with connect(settings.database_path) as connection, transaction(connection):
        rows = connection.execute("select held_day from raw.held_days").fetchall()
        connection.execute("delete from raw.held_days")
    return sorted(day for (day,) in rows)


def _bring_back(connection: duckdb.DuckDBPyConnection, archive: Archive, path: Path) -> int:
    columns = ", ".join(map(identifier, archive.columns))
    is_new = "true"
    if archive is FEEDBACK:  # one that was loaded again meanwhile is there
        is_new = "feedback_id not in (select feedback_id from raw.feedback)"
    [(count,)] = connection.execute(
        f"""
        insert into {archive.table} by name
        select {columns} from read_parquet(?)
        where not {archive.is_tombstoned} and {is_new}
        order by _load_seq
        """,  # noqa: S608
        [unglobbed(path)],
    ).fetchall()
    return int(count)
