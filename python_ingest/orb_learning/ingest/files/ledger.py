"""Which files are in the database: ``raw.loaded_files``, by the SHA-256 of their bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

FIRST_VERSION_BY_CONTENT = 6
"""The version of the raw schema from which rows without a task_id are named by their content."""


def known_file(connection: duckdb.DuckDBPyConnection, sha256: str) -> bool:
    """Return whether a file of these bytes has been loaded before, under any name."""
    found = connection.execute(
        "select 1 from raw.loaded_files where file_sha256 = ? limit 1", [sha256]
    )
    return found.fetchone() is not None


def was_named_by_row(connection: duckdb.DuckDBPyConnection, sha256: str) -> bool:
    """Return whether an older version has loaded the file, and named rows by their numbers."""
    found = connection.execute(
        """
        select 1 from raw.loaded_files
        where file_sha256 = $sha256 and loaded_at < (
            select min(applied_at) from raw.schema_versions where version >= $version
        )
        -- A database that began with that version has no older file.
        and exists (from raw.schema_versions where version < $version)
        """,
        {"sha256": sha256, "version": FIRST_VERSION_BY_CONTENT},
    )
    return found.fetchone() is not None


def has_unreadable(connection: duckdb.DuckDBPyConnection, sha256: str, reason: str) -> bool:
    """Return whether a row of the file could not be read for a reason of which this is a part."""
    found = connection.execute(
        "select 1 from raw.unreadable_rows where file_sha256 = ? and contains(reason, ?) limit 1",
        [sha256, reason],
    )
    return found.fetchone() is not None


def take_unreadable(connection: duckdb.DuckDBPyConnection, sha256: str) -> None:
    """Move the numbers of the file's unreadable rows to the temporary table ``file_unreadable``.

    They are about to be read again, so no load counts them any more.
    """
    connection.execute(
        "create or replace temp table file_unreadable as "
        "select distinct row_number from raw.unreadable_rows where file_sha256 = ?",
        [sha256],
    )
    connection.execute("delete from raw.unreadable_rows where file_sha256 = ?", [sha256])
    connection.execute(
        "update raw.loaded_files set unreadable_count = 0 where file_sha256 = ?", [sha256]
    )


def record_file(
    connection: duckdb.DuckDBPyConnection,
    sha256: str,
    file: Path | str,
    row_count: int,
    unreadable_count: int,
    now: datetime,
) -> None:
    """Note a file as loaded, in the transaction that the caller has open for its rows.

    Args:
        connection: a writable connection inside that transaction.
        sha256: that of its bytes.
        file: the file; its path is kept as given.
        row_count: rows that went into ``raw.executions``.
        unreadable_count: rows that went into ``raw.unreadable_rows``.
        now: the ``_loaded_at`` of its rows, naive UTC.
    """
    connection.execute(
        "insert into raw.loaded_files values (?, ?, ?, ?, ?)",
        [sha256, str(file), row_count, unreadable_count, now],
    )
