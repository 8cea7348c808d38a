"""Figures as people read them: money, lengths of time, rates, counts and times.

What the database's sentences show (macros/formats) is written alike; a test holds the two equal.
"""

from __future__ import annotations

from datetime import datetime
from math import floor, log10
from struct import pack

UNKNOWN = "-"
"""What is shown of a figure that is not known."""


def money(dollars: float | None) -> str:
    """Return US dollars: whole from 100 on, to the cent from one on, else two digits that count."""
    if dollars is None:
        return UNKNOWN
    size = abs(dollars)
    sign = "-" if dollars < 0 else ""
    if size == 0:
        return "$0"
    if size >= 99.995:
        return f"{sign}${size:,.0f}"
    if size >= 0.00995:
        return f"{sign}${size:.2f}"
    return f"{sign}${size:.{1 - floor(log10(size))}f}"


def duration(seconds: float | None) -> str:
    """Return a length of time in the unit that fits it: 42 ms, 9.5 s, 54 min, 3.2 h, 12 d."""
    if seconds is None:
        return UNKNOWN
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{_amount(seconds * 1000)} ms"
    if seconds < 119.5:
        return f"{_amount(seconds)} s"
    if seconds < 7_170:
        return f"{_amount(seconds / 60)} min"
    if seconds < 171_000:
        return f"{_amount(seconds / 3600)} h"
    return f"{_amount(seconds / 86400)} d"


def _amount(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if number < 9.95 else f"{number:,.0f}"


def rate(share: float | None) -> str:
    """Return a share as a percentage; only what is none or all is shown as that."""
    if share is None:
        return UNKNOWN
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if share < 0.0005:
        return "<0.1 %"
    if share > 0.9995:
        return ">99.9 %"
    return f"{100 * share:.1f} %"


def interval(lower: float, upper: float) -> str:
    """Return the bounds of a share in whole percent: 24-76 %."""
    return f"{100 * lower:.0f}-{100 * upper:.0f} %"


def points(difference: float, lower: float, upper: float) -> str:
    """Return how many points of percent shares are apart, and the bounds: -7.1 (-22 to +9)."""
    return f"{100 * difference:+.1f} ({100 * lower:+.0f} to {100 * upper:+.0f})"


def number(value: float | None) -> str:
    """Return a number: whole ones as they are, others with one digit after the point."""
    if value is None:
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def recorded(value: float) -> float:
    """Return a FLOAT of DuckDB in the digits that it was recorded with: 0.02, not 0.01999999955."""
    stored = pack("f", value)
    shortest = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next((short for short in shortest if pack("f", short) == stored), value)


def count(how_many: int | None, noun: str, plural: str | None = None) -> str:
    """Return how many there are of what: 1 execution, 1,324 executions."""
    if how_many is None:
        return UNKNOWN
    return f"{how_many:,} {noun if how_many == 1 else plural or f'{noun}s'}"


def time(moment: datetime | None) -> str:
    """Return a time to the second, as it is: times are UTC."""
    return UNKNOWN if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def assigned_times(assigned_count: int, total: int) -> str | None:
    """Return of how many executions the time was assigned; None where it is of none."""
    if not assigned_count:
        return None
    return (
        f"The times of {number(assigned_count)} of {number(total)} executions were assigned, not "
        "recorded: how fresh they are, and how they change with time, is not known."
    )
