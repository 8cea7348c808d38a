"""One rename puts a restored file in the database's place, and a failure is undone."""

from __future__ import annotations

import errno
import shutil
from datetime import datetime
from pathlib import Path

from orb_learning.backup import TIME, BackupManifest
from orb_learning.errors import RestoreError
from orb_learning.filesystem import sync
from orb_learning.store import connect_without_lock


def exchange(new: Path, path: Path, manifest: BackupManifest, now: datetime) -> Path | None:
    """Put a new file in the database's place, and keep the present one beside it.

    Args:
        new: the file, on the same file system.
        path: the database, which the caller holds alone; it may be missing.
        manifest: of the backup that the new file is.
        now: names the present database's new place.

    Returns:
        the present database's new path; None where there was none.

    Raises:
        RestoreError: it failed; the present database is as it was.
    """
    kept = path.with_name(f"{path.stem}.before-restore-{now.strftime(TIME)}{path.suffix}")
    log, kept_log = (Path(f"{file}.wal") for file in (path, kept))
    had_one = path.exists()
    if had_one:
        shutil.copymode(path, new)
        _link(path, kept)
    sync(new)
    try:
        if log.exists():
            # Of a database that could not be opened. Before the exchange, or a kill would leave
            # the restored one with another one's log.
            log.rename(kept_log)
        new.replace(path)
        sync(path.parent)
        _verify(path, manifest)
    except BaseException as error:
        if had_one:
            kept.replace(path)
        else:
            path.unlink(missing_ok=True)
        if kept_log.exists():
            kept_log.rename(log)
        sync(path.parent)
        raise RestoreError(
            f"{path}: restoring failed and was undone, all is as it was before: {error}"
        ) from error
    return kept if had_one else None


def _link(path: Path, kept: Path) -> None:
    """Give a file a second name, so that there is no moment without one."""
    try:
        kept.hardlink_to(path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        shutil.copyfile(path, kept)  # a file system without links
        sync(kept)


def _verify(path: Path, manifest: BackupManifest) -> None:
    with connect_without_lock(path) as connection:
        found = connection.execute("select database_id from raw.database_id").fetchall()
        connection.execute("select count(*) from raw.executions").fetchall()
    if found != [(manifest.database_id,)]:
        raise RestoreError(f"the file has the id {found}, not {manifest.database_id}")
