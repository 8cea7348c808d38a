"""Old days as Parquet files, and back."""

from orb_learning.archive.files import (
    EXECUTIONS,
    FEEDBACK,
    before_erasing,
    check_archive,
    copy_archive,
    read_index,
    readable_files,
)
from orb_learning.archive.restore_days import release_holds, unarchive
from orb_learning.archive.retention import archive_and_retain
from orb_learning.archive.rewrite import rewrite_archive

__all__ = [
    "EXECUTIONS",
    "FEEDBACK",
    "archive_and_retain",
    "before_erasing",
    "check_archive",
    "copy_archive",
    "read_index",
    "readable_files",
    "release_holds",
    "rewrite_archive",
    "unarchive",
]
