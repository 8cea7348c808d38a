"""A backup of a lake in the lake's place: its catalog, which names the files of the data.

The files are where they were; who deletes some asks the backups first. The present lake is backed
up before, where it can be. A kill leaves the present catalog or the restored one; of the restored
one, a second restore deletes again what was erased since.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb

from orb_learning.backup import BackupManifest, make_backup
from orb_learning.errors import DatabaseError, DatabaseMissingError, OrbError
from orb_learning.operations.replaced_database import (
    ReplacedDatabase,
    imported_since,
    read_replaced,
    tombstones_since,
)
from orb_learning.operations.restored_copy import erase_again
from orb_learning.settings import LearningSettings
from orb_learning.store import LakeInHand, connect


def read_lake(settings: LearningSettings, notes: list[str]) -> ReplacedDatabase | None:
    """Return what a lake holds; None where it is missing or cannot be read, which is noted."""
    try:
        with (
            suppress(DatabaseMissingError),
            connect(settings.database_path, read_only=True) as connection,
        ):
            return read_replaced(connection)
    except (DatabaseError, duckdb.Error) as error:
        notes.append(
            f"the present lake could not be read, and with it what was imported or erased since: "
            f"{error}"
        )
    return None


def back_up_present(
    settings: LearningSettings, wait_seconds: float, notes: list[str]
) -> Path | None:
    """Back up the lake that a restore replaces; return the backup, None where there is none."""
    try:
        return make_backup(settings, wait_seconds=wait_seconds).backup.folder
    except DatabaseMissingError:
        return None
    except (OrbError, OSError) as error:
        notes.append(f"the present lake could not be backed up: {error}")
        return None


def put_lake_back(
    lake: LakeInHand,
    folder: Path,
    manifest: BackupManifest,
    settings: LearningSettings,
    replaced: ReplacedDatabase | None,
    notes: list[str],
) -> list[str]:
    """Put a backup in a lake's place, and delete again what was erased since.

    Returns:
        the files that were imported since the backup.

    Raises:
        LakeError: Postgres refuses it; the catalog is as it was.
    """
    tombstones = tombstones_since(manifest, replaced, settings, notes)
    lake.put_back(folder / manifest.database_file)
    with lake.open() as connection:
        erase_again(connection, tombstones)
        return imported_since(connection, replaced)
