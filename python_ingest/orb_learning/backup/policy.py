"""Which backups are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from orb_learning.settings import LearningSettings


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
