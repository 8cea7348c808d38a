"""Verified copies of the database and its outbox."""

from orb_learning.backup.create import make_backup
from orb_learning.backup.listing import list_backups
from orb_learning.backup.manifests import (
    OUTBOX,
    TIME,
    Backup,
    BackupManifest,
    backups_in,
    files_of_backups,
    folder_of,
    newest_copy,
    read_manifest,
    time_of,
    verified_offsets,
    whole_backups,
)
from orb_learning.backup.offsite import copies_of, copy_archived_files, remove_copies
from orb_learning.backup.policy import PrunePolicy
from orb_learning.backup.prune import prune_backups, remove_backups
from orb_learning.backup.signature import signature_problem
from orb_learning.backup.verify import check_backup, validate_backup

__all__ = [
    "OUTBOX",
    "TIME",
    "Backup",
    "BackupManifest",
    "PrunePolicy",
    "backups_in",
    "check_backup",
    "copies_of",
    "copy_archived_files",
    "files_of_backups",
    "folder_of",
    "list_backups",
    "make_backup",
    "newest_copy",
    "prune_backups",
    "read_manifest",
    "remove_backups",
    "remove_copies",
    "signature_problem",
    "time_of",
    "validate_backup",
    "verified_offsets",
    "whole_backups",
]
