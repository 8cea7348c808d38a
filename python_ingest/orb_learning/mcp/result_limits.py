"""How large a value of a query is, asked of DuckDB before Python gets it.

A list of a million numbers takes a few bytes of SQL, and many times its own size as Python's
objects, so only what an answer can hold is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from duckdb.sqltypes import DuckDBPyType

from orb_learning.figures import LONGEST_TEXT

SMALL = {
    "bigint",
    "boolean",
    "date",
    "decimal",
    "double",
    "enum",
    "float",
    "hugeint",
    "integer",
    "interval",
    "null",
    "smallint",
    "time",
    "time with time zone",
    "time_ns",
    "timestamp",
    "timestamp with time zone",
    "timestamp_ms",
    "timestamp_ns",
    "timestamp_s",
    "tinyint",
    "ubigint",
    "uhugeint",
    "uinteger",
    "usmallint",
    "utinyint",
    "uuid",
}
"""Types whose values are all small."""

NESTED = {"list", "array", "map", "struct", "tuple", "union"}


@dataclass(frozen=True)
class Bound:
    """How a column is selected: as a value that is small enough, and its whole size beside it."""

    sql: str
    most: int
    unit: str

    def shown(self, value: Any, size: int | None) -> Any:
        """Return a value, saying so where it was larger than may be fetched."""
        if size is None or size <= self.most:
            return value
        return f"{value or ''}… ({size:,} {self.unit}, cut here)"


def bounds_of(types: Sequence[DuckDBPyType], most: int) -> list[Bound]:
    """Return how the columns of a query are to be selected from it.

    Args:
        types: those of the columns, in order.
        most: parts and characters that all the nested values of a row may have together.
    """
    nested = sum(kind.id in NESTED for kind in types)
    return [
        _bound(f"#{position}", kind, most // max(nested, 1))
        for position, kind in enumerate(types, 1)
    ]


def _bound(value: str, kind: DuckDBPyType, most: int) -> Bound:
    if kind.id in SMALL:
        return Bound(f"{value}, null", 0, "")
    if kind.id == "varchar":
        return Bound(f"left({value}, {LONGEST_TEXT}), length({value})", LONGEST_TEXT, "characters")
    if kind.id == "blob":
        return Bound(f"{value}[:{LONGEST_TEXT}], octet_length({value})", LONGEST_TEXT, "bytes")
    most = most if kind.id in NESTED else LONGEST_TEXT
    size = _size(value, kind, most)
    return Bound(
        f"case when {size} <= {most} then {value} end, {size}", most, "parts and characters"
    )


def _size(value: str, kind: DuckDBPyType, most: int, depth: int = 0) -> str:
    """Return the SQL of how many parts and characters a value has.

    What is inside a list that is too long by itself is not looked at.
    """
    if kind.id in SMALL:
        return "1"
    if kind.id in ("list", "array"):
        return _size_of_list(value, _children(kind)[0][1], most, depth)
    if kind.id == "map":
        keys, values = (
            _size_of_list(f"map_{part}({value})", of, most, depth)
            for part, (_, of) in zip(("keys", "values"), _children(kind), strict=True)
        )
        return f"({keys} + {values})"
    if kind.id in ("struct", "tuple", "union"):
        parts = (f"coalesce({_size(part, of, most, depth)}, 1)" for part, of in _parts(value, kind))
        return f"({' + '.join(parts)})"
    if kind.id == "blob":
        return f"octet_length({value})"
    return f"length({value}::varchar)"


def _parts(value: str, kind: DuckDBPyType) -> Iterator[tuple[str, DuckDBPyType]]:
    for position, (name, of) in enumerate(_children(kind), 1):
        if kind.id != "union":
            yield f"struct_extract_at({value}, {position})", of
        elif name:  # the part without one is the tag
            yield f"union_extract({value}, '{name.replace(chr(39), chr(39) * 2)}')", of


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    # An array's length is among them, too.
    return [(name, of) for name, of in kind.children if isinstance(of, DuckDBPyType)]


def _size_of_list(value: str, part: DuckDBPyType, most: int, depth: int) -> str:
    inner = _size(f"part_{depth}", part, most, depth + 1)
    if inner == "1":
        return f"len({value})"
    return (
        f"case when len({value}) > {most} then len({value}) else len({value}) + "
        f"coalesce(list_sum(list_transform({value}, lambda part_{depth}: {inner})), 0) end"
    )
