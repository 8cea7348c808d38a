"""The archive's files written again, without what was erased."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.archive.files import (
    EXECUTIONS,
    FEEDBACK,
    Archive,
    count_removed,
    readable_files,
    unreadable,
)
from orb_learning.errors import ArchiveError
from orb_learning.filesystem import open_private, sha256_of, sync
from orb_learning.store import literal, transaction, unglobbed


def rewrite_archive(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write the files that hold erased tasks or feedback again, without them.

    Args:
        connection: a writable connection.
        folder: the archive.

    Returns:
        how many versions of executions were removed.

    Raises:
        ArchiveError: a file cannot be read or written, or the new one does not compare; it is as it
            was.
    """
    try:
        for partial in folder.glob(".*_archive_*.partial"):
            partial.unlink()
        removed = {
            archive: sum(
                _rewrite_file(connection, archive, file)
                for file in readable_files(connection, folder, archive)
            )
            for archive in (EXECUTIONS, FEEDBACK)
        }
    except (OSError, duckdb.IOException) as error:
        raise ArchiveError(
            f"{folder} cannot be written, so what its files hold is not all erased: {error}; "
            f"let this user write there, and run it again"
        ) from error
    return removed[EXECUTIONS]


def _rewrite_file(connection: duckdb.DuckDBPyConnection, archive: Archive, file: Path) -> int:
    known = connection.execute(
        f"select {archive.count}, file_sha256, unarchived_at from {archive.files} "  # noqa: S608
        "where file_name = ?",
        [file.name],
    ).fetchone()
    try:
        [(total, removed)] = connection.execute(
            f"select count(*), count(*) filter ({archive.is_tombstoned}) "  # noqa: S608
            "from read_parquet(?)",
            [unglobbed(file)],
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(file, error) from error
    if not removed:
        if known and total != known[0] and known[1] in _former_checksums(connection, file):
            # The record is older than the file, as in a database that was restored.
            _record_content(connection, archive, file, file, total, known)
        return 0
    partial = file.with_name(f".{file.stem}.partial")
    _write_rest(connection, archive, file, partial)
    # Recorded first: killed in between, the file still holds the tasks and is rewritten again.
    _record_content(connection, archive, file, partial, total - removed, known)
    partial.replace(file)
    sync(file.parent)
    return int(removed)


def _former_checksums(connection: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    rows = connection.execute(
        "select decode(value) from parquet_kv_metadata(?) where decode(key) = 'rewritten_from'",
        [unglobbed(file)],
    ).fetchall()
    return rows[0][0].split(",") if rows else []


def _write_rest(
    connection: duckdb.DuckDBPyConnection, archive: Archive, file: Path, partial: Path
) -> None:
    former = ",".join([*_former_checksums(connection, file), sha256_of(file)])
    partial.unlink(missing_ok=True)
    descriptor = open_private(partial, os.O_RDWR | os.O_EXCL)
    rest = f"from read_parquet($file) where not {archive.is_tombstoned}"
    try:
        # By its descriptor: another may put a link in the place of its name.
        opened = f"/proc/self/fd/{descriptor}"
        connection.execute(
            f"copy (select * {rest} order by _load_seq) to {literal(opened)} "
            "(format parquet, compression zstd, use_tmp_file false, "
            f"kv_metadata {{rewritten_from: {literal(former)}}})",
            {"file": unglobbed(file)},
        )
        [(different,)] = connection.execute(
            "select count(*) filter (hash(old) is distinct from hash(new)) "  # noqa: S608
            f"from (select * {rest}) as old full join (from read_parquet($partial)) as new "
            "on old._load_seq = new._load_seq",
            {"file": unglobbed(file), "partial": opened},
        ).fetchall()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if different:
        raise ArchiveError(
            f"{partial}, read back, differs in {different} rows from what should stay of {file}, "
            f"which is as it was; check the disk and run it again"
        )


def _record_content(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    file: Path,
    content: Path,
    row_count: int,
    known: tuple[int, str, datetime | None] | None,
) -> None:
    """Record what a file holds from now on, and count what was removed from it."""
    if known is None:
        return
    with transaction(connection):
        connection.execute(
            f"update {archive.files} set {archive.count} = ?, size_bytes = ?, file_sha256 = ? "  # noqa: S608
            "where file_name = ?",
            [row_count, content.stat().st_size, sha256_of(content), file.name],
        )
        if known[2] is None:  # else they were live, or left out, and counted there
            count_removed(connection, archive, known[0] - row_count)
