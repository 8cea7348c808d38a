"""Which backups are kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orb_learning.settings import LearningSettings

MOST_DAYS = 3_660
"""From now, within which the end of a backup is foreseen."""


@dataclass(frozen=True)
class PrunePolicy:
    """Which backups are kept: the newest, and the newest of each of the newest periods."""

    last: int
    daily: int
    weekly: int
    monthly: int

    @classmethod
    def of(cls, settings: LearningSettings) -> PrunePolicy:
        """Return the policy that is set."""
        return cls(
            settings.backup_keep_last,
            settings.backup_keep_daily,
            settings.backup_keep_weekly,
            settings.backup_keep_monthly,
        )

    def kept(self, times: Iterable[datetime]) -> dict[datetime, list[str]]:
        """Return the times whose backups are kept, with what keeps each."""
        newest_first = sorted(set(times), reverse=True)
        kept: defaultdict[datetime, list[str]] = defaultdict(list)
        for time in newest_first[: self.last]:
            kept[time].append("last")
        for name, form, count in (
            ("day", "%Y-%m-%d", self.daily),
            ("week", "%G-W%V", self.weekly),
            ("month", "%Y-%m", self.monthly),
        ):
            newest = {time.strftime(form): time for time in reversed(newest_first)}
            for period in sorted(newest, reverse=True)[:count]:
                kept[newest[period]].append(f"{name} {period}")
        return dict(kept)

    def expires_on(self, time: datetime, times: Iterable[datetime], now: datetime) -> date | None:
        """Return the day on which a backup goes, if one is made every day from now on.

        Args:
            time: of the backup, naive UTC.
            times: of all backups of the database.
            now: naive UTC.

        Returns:
            the day; None if it stays for more than ten years.
        """
        known = {time, *times}
        coming = [now + timedelta(days=days) for days in range(1, MOST_DAYS + 1)]
        # What is not kept once is not kept later.
        days = bisect_left(
            range(1, MOST_DAYS + 1),
            True,
            key=lambda days: time not in self.kept(known.union(coming[:days])),
        )
        return coming[days].date() if days < MOST_DAYS else None
