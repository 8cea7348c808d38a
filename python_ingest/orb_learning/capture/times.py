"""The caller's times: what zone those without one are in, and a clock that may fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

NaiveTimes = Literal["local", "utc", "refuse"]


def with_zones(
    naive_times: NaiveTimes, count: Callable[[], None]
) -> Callable[[datetime], datetime]:
    """Return what gives a naive time its zone.

    Args:
        naive_times: local, the machine's zone; utc; or refuse, which leaves it for the record to
            refuse.
        count: called once for each time that is taken as local.
    """

    def local(value: datetime) -> datetime:
        count()
        try:
            return value.astimezone(UTC)
        except (OverflowError, OSError, ValueError):
            return value  # before the year 1 or after 9999 in UTC; the record refuses it by name

    def utc(value: datetime) -> datetime:
        return value.replace(tzinfo=UTC)

    def refuse(value: datetime) -> datetime:
        return value

    return {"local": local, "utc": utc, "refuse": refuse}[naive_times]


def never_failing(
    now: Callable[[], datetime], failed: Callable[[Exception], None]
) -> Callable[[], datetime]:
    """Return a clock that tells the system's time where another one raises.

    Args:
        now: the other one.
        failed: called with what it raised.
    """

    def clock() -> datetime:
        try:
            return now()
        except Exception as error:
            failed(error)
            return datetime.now(UTC)

    return clock
