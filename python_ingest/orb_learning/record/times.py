"""What is a time: the same for files as for capture.

A time lies in the years 1 to 9999 of UTC, an offset within 15:59, and what is finer than a
microsecond is cut off. A number is a time where its size tells seconds, milliseconds, microseconds
or nanoseconds since 1970: from 2001 to 5138, in which no two units meet.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

FIRST_SECOND, LAST_SECOND = 10**9, 10**11
"""Seconds since 1970 that are a time of the clock: a monotonic clock is below (2001)."""
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many of a unit make a second."""
FARTHEST_OFFSET = timedelta(hours=15, minutes=59)
"""PostgreSQL's limit and DuckDB's; zones in use are within 14 hours."""
EARLIEST, LATEST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_epoch(number: float | Decimal) -> datetime | None:
    """Return the time of a number since 1970 in the unit that its size tells; None if none."""
    for per_second in UNITS.values():
        if FIRST_SECOND * per_second <= number < LAST_SECOND * per_second:
            if isinstance(number, float):
                return datetime.fromtimestamp(number / per_second, UTC)
            return _EPOCH + timedelta(microseconds=int(number * 10**6 // per_second))
    return None


def to_utc(value: datetime) -> datetime:
    """Return an aware time in UTC.

    Raises:
        ValueError: its offset is that of no zone, or in UTC it lies outside years 1 to 9999.
    """
    offset = value.utcoffset()
    if offset is not None and abs(offset) > FARTHEST_OFFSET:
        raise ValueError("the offset is beyond ±15:59, which no zone has")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC it is outside the years 1 to 9999") from error
