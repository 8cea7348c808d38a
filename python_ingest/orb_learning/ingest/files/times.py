"""How a value of a file becomes a time, as SQL; orb_learning.record says what a time is."""

from __future__ import annotations

from orb_learning.store import literal

NAIVE_TYPES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}
AWARE_TYPES = {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"}

NAIVE = "has no time zone (--naive-is-utc takes such times as UTC)"
OUTSIDE = "is outside the years 1 to 9999 of UTC"
_OFFSET = "has an offset beyond ±15:59, which no zone has"
_NO_TIME = (
    "is not a time of ISO 8601 with a zone, and no number of seconds, ms, us or ns since 1970"
)

_CALENDAR = "is a week or an ordinal date; write year, month and day"
_OPEN = (
    "may be year, month, day and time, or milliseconds since 1970; write it as ISO 8601, or name "
    "the column timestamp_ms"
)

_TIME_TEXT = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?"
_ANY_ZONE = r" ?(Z|z|UTC|[+-]\d\d(:?\d\d)?)"
_ZONE = r" ?(Z|z|UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?)"
_OTHER_CALENDAR = r"\d{4}-?W\d\d(-?\d)?(T.*)?|\d{4}-\d{3}(T.*)?|\d{7}T.*"
_FOURTEEN_DIGITS = r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d"
_NUMBER = r"[0-9]{1,19}(\.[0-9]+)?([eE][+]?[0-9]{1,2})?( ?[mun]?s)?"


def moment(source: str, source_type: str) -> str:
    """Return the SQL of a typed time in UTC, NULL outside the years 1 to 9999."""
    if source_type.endswith("_NS"):
        nanoseconds = f"epoch_ns({source})"
        # Rounded down, as the others are; // would round the years before 1970 up.
        return (
            f"import_from_microseconds(({nanoseconds} - (({nanoseconds} % 1000) + 1000) % 1000) "
            f"// 1000)"
        )
    if source_type == "TIMESTAMP WITH TIME ZONE":
        return f"import_in_years(make_timestamp(epoch_us({source})))"
    return f"import_in_years(try_cast({source} as timestamp))"


def moment_of_text(text: str, *, naive_is_utc: bool) -> tuple[str, str]:
    """Return the SQL of a text's time in UTC, NULL if it is none, and of why it is none.

    A text with a zone goes through TIMESTAMPTZ, because a cast to TIMESTAMP drops the zone. The
    session's zone is UTC, so that a naive one is taken as UTC where that is allowed.
    """

    def looks(pattern: str) -> str:
        return f"regexp_full_match({text}, {literal(pattern)})"

    written = f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"
    read = f"import_in_years({written})"
    zone = f"({_ZONE})?" if naive_is_utc else _ZONE
    value = (
        f"case when {looks(_TIME_TEXT + zone)} then {read} "
        f"when {looks(_NUMBER)} and not {looks(_FOURTEEN_DIGITS)} "
        f"then import_from_microseconds(import_epoch({text})) end"
    )
    why = (
        f"case when {looks(_TIME_TEXT)} and {read} is not null then {literal(NAIVE)} "
        f"when {looks(_TIME_TEXT + _ANY_ZONE)} and not {looks(_TIME_TEXT + _ZONE)} "
        f"then {literal(_OFFSET)} "
        f"when {looks(f'{_TIME_TEXT}({_ZONE})?')} and {written} is not null "
        f"then {literal(OUTSIDE)} "
        f"when {looks(_OTHER_CALENDAR)} then {literal(_CALENDAR)} "
        f"when {looks(_FOURTEEN_DIGITS)} then {literal(_OPEN)} "
        f"else {literal(_NO_TIME)} end"
    )
    return value, why
