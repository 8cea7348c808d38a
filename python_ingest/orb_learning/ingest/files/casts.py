"""How a value of a file becomes a value of ``raw.executions``, as SQL.

A value changes in no other way than its type's precision makes it: FLOAT is the nearest one, a
time has microseconds. TRY_CAST alone would round 3.7 to 4, make 1e39 infinite and drop a zone.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple

import duckdb

from orb_learning.ingest.files.times import (
    AWARE_TYPES,
    NAIVE,
    NAIVE_TYPES,
    OUTSIDE,
    moment,
    moment_of_text,
)
from orb_learning.record import (
    COLUMNS,
    DIMENSIONS,
    EARLIEST,
    FAILED,
    FIRST_SECOND,
    INFINITY,
    LAST_SECOND,
    LATEST,
    NO,
    NOT_A_NUMBER,
    NULL_MARKS,
    SUCCEEDED,
    YES,
    task_uuid_sql,
)
from orb_learning.store import identifier, literal

NEEDED = frozenset(
    {
        "task_id", "timestamp", "task_type", "task_description", "repo", "model_tier", "pool_type",
        "success",
    }
)  # fmt: skip
"""The columns whose bad value makes a row unreadable: no valid execution lacks one. A bad value of
another column is set aside, and the row is taken."""

_SMALL_INTEGERS = {"TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "INTEGER"}
_INTEGERS = _SMALL_INTEGERS | {"UINTEGER", "BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"}
_FLOATS = {"FLOAT", "DOUBLE"}

_INTEGER_TEXT = r"[+-]?[0-9]+(\.0*)?"
_FLOAT_TEXT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


class Cast(NamedTuple):
    """How a column's value is read, as SQL in two steps, so that each part stands in it once."""

    token: str
    """What the file says, over its own column; NULL where it says nothing."""
    value: str
    """The value, over a column of the token; NULL where the token is not of the column's type."""
    why: str | None
    """Why it is not, over the same; None where no token can be wrong."""


def define_value_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define what the SQL of this module calls."""

    def pattern(words: frozenset[str], flags: str = "") -> str:
        return literal(flags + "|".join(map(re.escape, sorted(words))))

    text = files(__package__).joinpath("import_values.sql").read_text("utf-8")
    connection.execute(
        text.format(
            null_marks=pattern(NULL_MARKS),
            succeeded=pattern(SUCCEEDED | YES, "(?i)"),
            failed=pattern(FAILED | NO, "(?i)"),
            first=FIRST_SECOND,
            last=LAST_SECOND,
            earliest=EARLIEST,
            latest=LATEST,
            not_a_number=NOT_A_NUMBER,
            infinity=INFINITY,
        )
    )


def cast(
    column: str,
    source: str,
    source_type: str,
    *,
    naive_is_utc: bool,
    decimal_comma: bool = False,
    is_exact: bool = False,
    id_scope: str = "",
) -> Cast:
    """Return how a file's value becomes one of a column of the record.

    Args:
        column: one of the 27, except embedding and metadata.
        source: the SQL of the file's value.
        source_type: its DuckDB type; VARCHAR for the text formats.
        naive_is_utc: whether a time without a zone is one in UTC.
        decimal_comma: whether 1,5 is one and a half.
        is_exact: whether this project wrote the value, so that it comes back as it is.
        id_scope: of a task_id that is no UUID.
    """
    target, name = COLUMNS[column], identifier(column)
    if (is_exact or target not in ("TIMESTAMP", "FLOAT", "VARCHAR")) and target == source_type:
        return Cast(source, name, None)
    if target == "VARCHAR":
        return _to_text(name, source, source_type)
    if column == "task_id" and is_of_any_id(source_type):
        return _to_task_id(name, source, source_type, id_scope)
    if target == "TIMESTAMP" and source_type in AWARE_TYPES:
        return Cast(source, moment(name, source_type), literal(OUTSIDE))
    if target == "TIMESTAMP" and source_type in NAIVE_TYPES:
        if naive_is_utc:
            return Cast(source, moment(name, source_type), literal(OUTSIDE))
        return Cast(source, "null::timestamp", literal(NAIVE))
    if target in ("INTEGER", "BIGINT", "FLOAT") and source_type in _SMALL_INTEGERS:
        return Cast(source, f"{name}::{target}", None)
    wrong_type = literal(f"is not of type {target}")
    if target == "FLOAT" and source_type in _FLOATS:
        token = f"case when not isnan({source}) then {source} end"
        return Cast(token, f"import_finite(try_cast({name} as float))", wrong_type)
    if target in ("INTEGER", "BIGINT", "FLOAT") and source_type in _INTEGERS:
        return Cast(source, f"try_cast({name} as {target})", wrong_type)
    if target == "TIMESTAMP" and source_type in _FLOATS:
        # As decimal, because 1.7e18 as text has an exponent and too few digits.
        source = f"try_cast({source} as decimal(38, 6))"
    token = f"import_token({source}::varchar)"
    if target == "TIMESTAMP":
        token = f"import_extended({token})"
        return Cast(token, *moment_of_text(name, naive_is_utc=naive_is_utc))
    if target == "BOOLEAN":
        return Cast(token, f"import_outcome({name})", wrong_type)
    if decimal_comma and target in ("INTEGER", "BIGINT"):
        token = f"regexp_replace({token}, '^([+-]?[0-9]+),0*$', '\\1')"
    if decimal_comma and target == "FLOAT":
        token = f"import_decimal({token})"
    return Cast(token, _number(target, name), wrong_type)


def is_of_any_id(source_type: str) -> bool:
    """Return whether a column of a type may hold ids that are no UUIDs."""
    return source_type in _INTEGERS | _FLOATS | {"VARCHAR"}


def _to_task_id(name: str, source: str, source_type: str, id_scope: str) -> Cast:
    text = f"{source}::varchar"
    if source_type in _FLOATS:  # 7.0 and 7 are one id
        whole = f"case when {source} = trunc({source}) then try_cast({source} as hugeint) end"
        text = f"coalesce(({whole})::varchar, {text})"
    return Cast(f"import_token({text})", task_uuid_sql(name, literal(id_scope)), None)


def _number(target: str, text: str) -> str:
    value = f"try_cast({text} as {target})"
    if target in ("INTEGER", "BIGINT"):
        return f"case when regexp_full_match({text}, {literal(_INTEGER_TEXT)}) then {value} end"
    if target == "FLOAT":
        return (
            f"case when regexp_full_match({text}, {literal(_FLOAT_TEXT)}) "
            f"then import_finite({value}) end"
        )
    return value


def _to_text(name: str, source: str, source_type: str) -> Cast:
    if source_type == "BLOB":
        return Cast(source, f"try(decode({name}))", "'is not UTF-8 text'")
    if source_type.endswith(("]", ")")) and not source_type.startswith("DECIMAL"):
        return Cast(f"to_json({source})::varchar", name, None)
    return Cast(f"import_text({source}::varchar)", name, None)


def vector(source: str, source_type: str) -> Cast:
    """Return how an embedding is read, as a FLOAT[] of any length."""
    if source_type == "FLOAT[]":
        return Cast(source, "embedding", None)
    value = "try_cast(embedding as float[])"
    why = "'is not of type FLOAT[]'"
    if source_type.endswith("]"):
        fits = f"list_count({value}) = list_count(embedding)"
        return Cast(source, f"case when {fits} then {value} end", why)
    # An element that is no number becomes NULL, one that is too large becomes infinite.
    fits = (
        f"list_count({value}) = list_count(try_cast(embedding as varchar[])) "
        f"and not list_contains({value}, 'inf'::float) "
        f"and not list_contains({value}, '-inf'::float)"
    )
    return Cast(f"import_token({source}::varchar)", f"case when {fits} then {value} end", why)


def storable(floats: str) -> str:
    """Return the SQL of a FLOAT[] that raw takes; NULL for another length or with NULLs in it."""
    n = DIMENSIONS
    return f"case when len({floats}) = {n} and list_count({floats}) = {n} then {floats} end"


def metadata(source: str, source_type: str, *, is_object: bool) -> str:
    """Return the SQL that reads metadata as minified JSON; what is no JSON is its text in JSON.

    Args:
        source: the SQL of the file's value.
        source_type: its DuckDB type.
        is_object: whether JSON is known to be objects, and needs no look.
    """
    if source_type == "JSON" and is_object:
        return source
    if source_type not in ("JSON", "VARCHAR"):
        return f"nullif(to_json({source}), 'null'::json)"
    return f"nullif(import_object({source}::varchar), 'null'::json)"
