"""Which files are in the database: ``raw.loaded_files``, by the SHA-256 of their bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb


def known_file(connection: duckdb.DuckDBPyConnection, sha256: str) -> bool:
    """Return whether a file of these bytes has been loaded before, under any name."""
    found = connection.execute(
        "select 1 from raw.loaded_files where file_sha256 = ? limit 1", [sha256]
    )
    return found.fetchone() is not None


def record_file(
    connection: duckdb.DuckDBPyConnection,
    sha256: str,
    file: Path,
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
