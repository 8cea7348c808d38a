"""Old days as Parquet files, and back."""

from orb_learning.archive.retention import (
    EXECUTIONS,
    FEEDBACK,
    Archive,
    archive_and_retain,
    archived_files,
    check_archive,
    copy_archive,
    count_removed,
    release_holds,
    unarchive,
)

__all__ = [
    "EXECUTIONS",
    "FEEDBACK",
    "Archive",
    "archive_and_retain",
    "archived_files",
    "check_archive",
    "copy_archive",
    "count_removed",
    "release_holds",
    "unarchive",
]
