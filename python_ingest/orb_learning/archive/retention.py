"""Old executions out of the database and into files, by the macro archive_and_retain.

The macro decides what is old, writes the files and deletes; here is its call.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from orb_learning.archive.files import copy_archive
from orb_learning.dbt import run_dbt
from orb_learning.errors import DatabaseLockedError
from orb_learning.formats import count
from orb_learning.settings import LearningSettings
from orb_learning.store import check_path, compact, is_compaction_worth_it

FILES_NAMED = 3
"""In a sentence about files; of the others it says how many they are."""


@dataclass(frozen=True)
class RetentionResult:
    """What left the database."""

    archived_count: int
    """Versions of executions that are in files now."""
    deleted_count: int
    """Versions that left the database; the same ones."""
    days_cleaned: int
    """UTC days that they were of."""
    feedback_count: int = 0
    """People's feedback on them, and on no execution, that is in files now."""
    reclaimed_bytes: int = 0
    """By how much the database's file is shorter."""
    kept_count: int = 0
    """Versions that stay, because files brought them when they were older than the limit."""
    kept_days: int = 0
    """UTC days that they are of."""
    kept_files: tuple[str, ...] = ()
    """The files that brought them."""

    @property
    def what_went(self) -> str:
        """The versions and the feedback, in words."""
        feedback = f" and {self.feedback_count:,} of people's feedback"
        versions = f"{count(self.archived_count, 'version')} of {count(self.days_cleaned, 'day')}"
        return versions + (feedback if self.feedback_count else "")

    @property
    def what_was_reclaimed(self) -> str:
        """The space, in words; nothing where there was none."""
        shorter = f"; the database's file is {self.reclaimed_bytes / 1e6:,.1f} MB shorter"
        return shorter if self.reclaimed_bytes else ""

    @property
    def what_was_kept(self) -> str:
        """What was imported and stays until somebody confirms it, in words; else nothing."""
        if not self.kept_count:
            return ""
        names = ", ".join(self.kept_files[:FILES_NAMED])
        more = len(self.kept_files) - FILES_NAMED
        names += f" and {more:,} more" if more > 0 else ""
        return (
            f"{count(self.kept_count, 'version')} of {count(self.kept_days, 'day')} stay, which "
            f"were imported from {names} beyond the limit: "
            "`orb retention --yes` archives them, a larger retention_days keeps them, "
            "retention_takes_imported archives such versions unasked"
        )


def archive_and_retain(
    settings: LearningSettings,
    *,
    days_to_keep: int | None = None,
    dry_run: bool = False,
    take_imported: bool | None = None,
    now: datetime | None = None,
    pass_fds: Collection[int] = (),
) -> RetentionResult:
    """Archive and delete whole UTC days that are older than the limit; runs the dbt macro.

    Args:
        settings: name the database, the archive and the dbt project.
        days_to_keep: 7 to 365; ``retention_days`` if None.
        dry_run: whether only to count what would go; it needs no build.
        take_imported: whether also what files brought when it was older than the limit already, and
            that never left before; ``retention_takes_imported`` if None.
        now: the present time, naive UTC; the clock's if None.
        pass_fds: descriptors that dbt keeps open for as long as it lives.

    Raises:
        DbtError: it failed, and the message says why; days that were done before stay done.
        BackupError: all is done, but not every file was copied to the other place.
        DatabaseError: there is no database; or all is done, but the file was not made smaller.
    """
    check_path(settings.database_path, must_exist=True)
    arguments = {
        "days_to_keep": settings.retention_days if days_to_keep is None else days_to_keep,
        "archive_path": str(settings.archive_folder.resolve()),
        "dry_run": dry_run,
        "take_imported": (
            settings.retention_takes_imported if take_imported is None else take_imported
        ),
    }
    output = run_dbt(
        settings,
        *("run-operation", "archive_and_retain", "--args", json.dumps(arguments)),
        now=now,
        pass_fds=pass_fds,
    )
    found = json.loads(output.strip().splitlines()[-1])
    found["kept_files"] = tuple(found.get("kept_files", ()))
    result = RetentionResult(**found)
    if not dry_run:
        copy_archive(settings)
    # Whatever this run deleted: where others keep the file for too long, the next one does it.
    with suppress(DatabaseLockedError):
        if not dry_run and is_compaction_worth_it(settings.database_path):
            before, after = compact(settings.database_path)
            result = replace(result, reclaimed_bytes=before - after)
    return result
