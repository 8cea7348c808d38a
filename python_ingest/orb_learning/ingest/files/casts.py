"""How a value of a file becomes a value of ``raw.executions``, as SQL.

A value changes in no other way than its type's precision makes it: FLOAT is the nearest one, a
time has microseconds. TRY_CAST alone would round 3.7 to 4, make 1e39 infinite and drop a zone.
"""

from __future__ import annotations

from dataclasses import dataclass

from orb_learning.record import COLUMNS, DIMENSIONS
from orb_learning.store import literal

_SMALL_INTEGERS = {"TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"}
_INTEGERS = _SMALL_INTEGERS | {"INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"}
_NAIVE_TIMES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}

_INTEGER_TEXT = r"[+-]?[0-9]+(\.0*)?"
_TIME_TEXT = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?"
_ZONE_TEXT = r" ?(Z|z|UTC|[+-]\d\d(:?\d\d)?)"

NAIVE = "has no time zone (--naive-is-utc takes such times as UTC)"


@dataclass(frozen=True)
class Cast:
    """A column's value, and what is wrong with it: SQL that is NULL where nothing is."""

    value: str
    problem: str | None = None


def cast(column: str, source: str, source_type: str, *, naive_is_utc: bool) -> Cast:
    """Return the SQL that takes a file's value into a column of the record.

    Args:
        column: one of the 27, except embedding and metadata.
        source: the SQL of the file's value.
        source_type: its DuckDB type; VARCHAR for the text formats.
        naive_is_utc: whether a time without a zone is one in UTC.
    """
    target = COLUMNS[column]
    if target == source_type and target != "TIMESTAMP":
        return Cast(source)
    if target == "VARCHAR":
        return _to_text(column, source, source_type)
    if target == "TIMESTAMP" and source_type == "TIMESTAMP WITH TIME ZONE":
        return Cast(f"make_timestamp(epoch_us({source}))")
    if target == "TIMESTAMP" and source_type in _NAIVE_TIMES:
        return _to_naive_time(column, source, source_type, naive_is_utc=naive_is_utc)
    if target in ("INTEGER", "FLOAT") and source_type in _SMALL_INTEGERS:
        return Cast(f"{source}::{target}")
    if (target == "INTEGER" and source_type in _INTEGERS) or (
        target == "FLOAT" and source_type in _INTEGERS | {"DOUBLE"}
    ):
        value = f"try_cast({source} as {target})"
        return _checked(column, source, value, f"{value} is not null", target)
    return _from_text(column, f"trim({source}::varchar)", naive_is_utc=naive_is_utc)


def _to_text(column: str, source: str, source_type: str) -> Cast:
    if source_type == "BLOB":
        value = f"try(decode({source}))"
        return _checked(column, source, value, f"{value} is not null", "UTF-8 text")
    if source_type.endswith(("]", ")")) and not source_type.startswith("DECIMAL"):
        return Cast(f"to_json({source})::varchar")
    return Cast(f"{source}::varchar")


def _to_naive_time(column: str, source: str, source_type: str, *, naive_is_utc: bool) -> Cast:
    if not naive_is_utc:
        return Cast("null::timestamp", _complaint(column, source, f"{source} is not null", NAIVE))
    if source_type == "TIMESTAMP":
        return Cast(source)
    value = f"try_cast({source} as timestamp)"
    return _checked(column, source, value, f"{value} is not null", "TIMESTAMP")


def _from_text(column: str, text: str, *, naive_is_utc: bool) -> Cast:
    target = COLUMNS[column]
    text = f"nullif({text}, '')"
    if target == "TIMESTAMP":
        return _time_from_text(column, text, naive_is_utc=naive_is_utc)
    value = f"try_cast({text} as {target})"
    fits = f"{value} is not null"
    if target == "INTEGER":
        fits = f"regexp_full_match({text}, {literal(_INTEGER_TEXT)}) and {fits}"
    elif target == "FLOAT":
        fits += f" and (not isinf({value}) or {text} ilike '%inf%')"
    return _checked(column, text, value, fits, target)


def _time_from_text(column: str, text: str, *, naive_is_utc: bool) -> Cast:
    # A text with a zone goes through TIMESTAMPTZ, because a cast to TIMESTAMP drops the zone; the
    # session's zone is UTC, so that a naive one is taken as UTC where that is allowed.
    value = f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"
    aware = literal(_TIME_TEXT + _ZONE_TEXT)
    is_time = f"{value} is not null and regexp_full_match({text}, {{}})"
    if naive_is_utc:
        fits = is_time.format(literal(f"{_TIME_TEXT}({_ZONE_TEXT})?"))
        return _checked(column, text, value, fits, "time")
    naive = is_time.format(literal(_TIME_TEXT))
    problem = (
        f"case when {text} is null or ({is_time.format(aware)}) then null "
        f"when {naive} then {_says(column, text, NAIVE)} "
        f"else {_says(column, text, 'is not a time of ISO 8601 with a zone')} end"
    )
    return Cast(value, problem)


def vector(source: str, source_type: str) -> Cast:
    """Return the SQL that reads an embedding as a FLOAT[] of any length."""
    if source_type == "FLOAT[]":
        return Cast(source)
    if source_type.endswith("]"):
        value = f"try_cast({source} as float[])"
        fits = f"list_count({value}) = list_count({source})"
        return _checked("embedding", source, value, fits, "FLOAT[]")
    text = f"nullif(trim({source}::varchar), '')"
    value = f"try_cast({text} as float[])"
    # An element that is no number becomes NULL, one that is too large becomes infinite.
    fits = (
        f"list_count({value}) = list_count(try_cast({text} as varchar[])) "
        f"and ({text} ilike '%inf%' or not (list_contains({value}, 'inf'::float) "
        f"or list_contains({value}, '-inf'::float)))"
    )
    return _checked("embedding", text, value, fits, "FLOAT[]")


def storable(floats: str) -> str:
    """Return the SQL of a FLOAT[] that raw takes; NULL for another length or with NULLs in it."""
    n = DIMENSIONS
    return f"case when len({floats}) = {n} and list_count({floats}) = {n} then {floats} end"


def metadata(source: str, source_type: str, *, is_object: bool) -> Cast:
    """Return the SQL that reads metadata as minified JSON of any kind.

    Args:
        source: the SQL of the file's value.
        source_type: its DuckDB type.
        is_object: whether JSON is known to be objects, and needs no look.
    """
    if source_type == "JSON" and is_object:
        return Cast(source)
    if source_type not in ("JSON", "VARCHAR"):
        return Cast(f"nullif(to_json({source}), 'null'::json)")
    # An empty text is no value; trim() would cost a copy of every text.
    text = f"nullif({source}::varchar, '')"
    value = f"try(json({text}))"
    return Cast(
        f"nullif({value}, 'null'::json)",
        _complaint("metadata", text, f"{text} is not null and {value} is null", "is not JSON"),
    )


def _checked(column: str, source: str, value: str, fits: str, wanted: str) -> Cast:
    wrong = f"{source} is not null and not coalesce({fits}, false)"
    return Cast(value, _complaint(column, source, wrong, f"is not of type {wanted}"))


def _complaint(column: str, source: str, wrong: str, text: str) -> str:
    return f"case when {wrong} then {_says(column, source, text)} end"


def _says(column: str, source: str, text: str) -> str:
    shown = f"'''' || left({source}::varchar, 100) || ''''"
    return f"{literal(column + ': ')} || {shown} || {literal(' ' + text)}"
