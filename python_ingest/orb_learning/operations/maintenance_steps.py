"""The steps of the maintenance; each says in words what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orb_learning.archive import archive_and_retain
from orb_learning.backup import files_of_backups, make_backup, prune_backups
from orb_learning.dbt import run_dbt
from orb_learning.errors import MaintenanceError
from orb_learning.filesystem import public_url
from orb_learning.formats import count
from orb_learning.ingest import drop_old_spans
from orb_learning.operations.export import export_for_reading
from orb_learning.operations.load import load_outbox
from orb_learning.settings import LearningSettings
from orb_learning.store import clean_up, connect, merge_files, utc_now


@dataclass(frozen=True)
class MaintenanceSteps:
    """What the steps need, and the steps as methods.

    Each raises an OrbError where it failed, or did not do all that it should.
    """

    settings: LearningSettings
    wait_seconds: float
    """For how long a step waits while others have the database."""
    given_now: Callable[[], datetime | None]
    """Returns the present time where a clock was given, naive UTC; else None."""
    lock: int
    """The descriptor of the run's lock."""

    def load(self) -> str:
        """Load the outbox; fails where a segment was damaged, or feeds another database."""
        result = load_outbox(self.settings, wait_seconds=self.wait_seconds, now=self.given_now())
        parts = [f"{count(result.counts['execution'], 'execution')} loaded"]
        if result.counts["dead_letter"]:
            parts.append(
                f"{result.counts['dead_letter']:,} dead letters: see orb dead-letters list"
            )
        if result.pruned.unverified_records:
            parts.append(
                f"{result.pruned.unverified_records:,} loaded records left the outbox that no "
                f"verified backup holds"
            )
        parts += [f"damaged, loaded as far as it can be read: {fault}" for fault in result.damaged]
        parts += [
            f"{name} feeds another database and was left alone; orb load --adopt loads it"
            for name in result.foreign
        ]
        if result.damaged or result.foreign:
            raise MaintenanceError("; ".join(parts))
        return "; ".join(parts)

    def build(self) -> None:
        """Build and test the models."""
        # dbt that outlives this process keeps the lock, and so the next run out.
        # Unit tests and agreement test the SQL and not the data, which is for whoever edits it.
        run_dbt(
            self.settings,
            *("build", "--exclude-resource-type", "unit_test", "--exclude", "tag:agreement"),
            now=self.given_now(),
            pass_fds=[self.lock],
        )

    def retain(self) -> str:
        """Merge a lake's small files; archive old days and delete them; delete old spans."""
        merged = merge_files(self.settings.database_path, wait_seconds=self.wait_seconds)
        result = archive_and_retain(self.settings, now=self.given_now(), pass_fds=[self.lock])
        spans = self.drop_spans()
        done = f"{result.what_went} archived{result.what_was_reclaimed}"
        told = f"{count(spans, 'span')} deleted" if spans else None
        return "; ".join(filter(None, [done, result.what_was_kept, told, merged]))

    def drop_spans(self) -> int:
        """Delete the spans of traces that are over for long; returns how many."""
        with connect(self.settings.database_path, wait_seconds=self.wait_seconds) as connection:
            age = timedelta(days=self.settings.span_retention_days)
            return drop_old_spans(connection, self.given_now() or utc_now(), age)

    def back_up(self) -> str:
        """Make a verified backup; fails where a segment was left out."""
        made = make_backup(self.settings, wait_seconds=self.wait_seconds, now=self.given_now())
        parts = [str(made.backup.folder)]
        if made.copied_to:
            parts.append(f"copied to {made.copied_to}")
        if made.left_out:
            raise MaintenanceError(
                "; ".join([*parts, *(f"without {one}" for one in made.left_out)])
            )
        return "; ".join(parts)

    def export(self) -> str:
        """Write the copy for reading, where a setting names one."""
        output = self.settings.export_path
        assert output is not None
        done = export_for_reading(
            self.settings.database_path, output, wait_seconds=self.wait_seconds
        )
        return (
            f"{count(done.relation_count, 'relation')}, {count(done.row_count, 'row')} in {output}"
        )

    def prune(self) -> str:
        """Remove the backups that the policy does not keep, and of a lake what none needs."""
        pruned = prune_backups(self.settings, wait_seconds=self.wait_seconds)
        parts = [f"{count(len(pruned.removed), 'backup')} removed"]
        if pruned.removed_copies:
            place = public_url(str(self.settings.backup_copy_to))
            parts.append(f"{count(len(pruned.removed_copies), 'copy', 'copies')} in {place}")
        parts += [f"{one.folder.name} kept: no newer one is valid" for one in pruned.kept_as_valid]
        backups = files_of_backups(self.settings.backup_folder)
        cleaned = clean_up(self.settings.database_path, backups, wait_seconds=self.wait_seconds)
        return "; ".join([*parts, *([cleaned] if cleaned else [])])
