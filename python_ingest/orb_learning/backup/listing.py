"""What is known of each backup at a look, without validating it."""

from __future__ import annotations

from typing import Any

from orb_learning.backup.manifests import backups_by_database, backups_in
from orb_learning.backup.policy import PrunePolicy
from orb_learning.errors import InvalidBackupError
from orb_learning.settings import LearningSettings


def list_backups(settings: LearningSettings) -> list[dict[str, Any]]:
    """Return what is known of each backup, the newest first.

    Args:
        settings: name the folder of backups, and the policy that keeps them.
    """
    policy = PrunePolicy.of(settings)
    kept_by = {
        backup: policy.kept(one.time for one in backups).get(backup.time, [])
        for backups in backups_by_database(settings.backup_folder).values()
        for backup in backups
    }
    rows = []
    for backup in reversed(backups_in(settings.backup_folder)):
        row: dict[str, Any] = {"folder": backup.folder, "time": backup.time, "damage": None}
        try:
            manifest = backup.manifest
            row |= {
                "database_id": manifest.database_id,
                "size_bytes": manifest.size_bytes,
                "row_count": manifest.row_count,
                "outbox_files": len(manifest.outbox),
                "verified_at": backup.verified_at if backup.is_whole() else None,
                "kept_by": kept_by.get(backup, []),
            }
            if not backup.is_whole():
                row["damage"] = "a file is missing or has another size"
        except InvalidBackupError as error:
            row["damage"] = str(error)
        rows.append(row)
    return rows
