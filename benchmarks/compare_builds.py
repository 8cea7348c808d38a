"""Whether two builds hold the same: the marts, the clusters and every report of two files.

``python -m benchmarks.compare_builds ONE.db OTHER.db``. Both have to be built from the same raw, as
of one moment (``--vars '{as_of: …}'``). Columns of whole numbers, texts and times are to be the
same, value for value. A float may differ by 1e-9 of itself, because a parallel sum has no fixed
order; one near 0 by 1e-13 of its column's largest, for its summands cancel. Columns of the clock
and of the file are left out, each with its reason.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from orb_learning.store.connection import connect

TABLES = [
    "tier_performance_mv",
    "pool_performance_mv",
    "solution_patterns_mv",
    "solution_clusters",
    "error_resolutions",
    "error_resolution_rates",
]
TOLERANCE = 1e-9
"""Of a float, relative."""
CANCELLED = 1e-13
"""Of its column's largest: some hundred roundings of a double."""
FLOATS = {"FLOAT", "DOUBLE"}
Contents = tuple[dict[str, str], list[tuple[Any, ...]]]
"""The columns with their types, and the rows."""

BUILT_AT = "true", "the moment of the build"
OF_THE_BUILD = (
    "alert_name in ('build_age', 'database_size')",
    "of build_age the time since the build, of database_size the size of the file",
)
LEFT_OUT: dict[tuple[str, str], tuple[str, str]] = {
    ("rpt_alerts", "value"): OF_THE_BUILD,
    ("rpt_alerts", "message"): OF_THE_BUILD,
    ("rpt_database_status", "size_mb"): ("true", "the size of the file, by how it was written"),
    ("rpt_freshness", "built_at"): BUILT_AT,
    ("rpt_page_age", "built_at"): BUILT_AT,
}
"""Columns that are of the clock or the file: in which rows they are not compared, and why."""


def differences(
    one: Path,
    other: Path,
    *,
    relations_of: Callable[[Path], set[str]] | None = None,
    prepare_other: str = "",
) -> Iterator[str]:
    """Compare two databases; yield a sentence for each relation that is not the same in both.

    Args:
        one: a database.
        other: the other one.
        relations_of: which relations of a file are compared; marts, clusters and reports if None.
        prepare_other: SQL that the other one's connections begin with.
    """
    relations = [(relations_of or _relations)(file) for file in (one, other)]
    for name in sorted(relations[0] ^ relations[1]):
        yield f"{name}: in one of the two only"
    for name in sorted(relations[0] & relations[1]):
        yield from _differences_of(name, _read(name, one), _read(name, other, prepare_other))


def _relations(file: Path) -> set[str]:
    with connect(file, read_only=True) as connection:
        views = connection.execute(
            "select view_name from duckdb_views() where starts_with(view_name, 'rpt_')"
        ).fetchall()
    return {*TABLES, *(name for (name,) in views)}


def _differences_of(name: str, one: Contents, other: Contents) -> Iterator[str]:
    (columns, rows), (other_columns, other_rows) = one, other
    if columns != other_columns:
        yield f"{name}: its columns are {columns} and {other_columns}"
        return
    if len(rows) != len(other_rows):
        yield f"{name}: {len(rows):,} and {len(other_rows):,} rows"
        return
    is_float = [of_type in FLOATS for of_type in columns.values()]
    pairs = zip(_sorted(rows, is_float), _sorted(other_rows, is_float), strict=True)
    roundings = [
        CANCELLED * _largest(row[at] for row in rows) if inexact else 0
        for at, inexact in enumerate(is_float)
    ]
    different = [
        (column, a, b)
        for row, other_row in pairs
        for column, inexact, rounding, a, b in zip(
            columns, is_float, roundings, row, other_row, strict=True
        )
        if not (_is_close(a, b, rounding) if inexact else a == b)
    ]
    for column, found in itertools.groupby(sorted(different, key=lambda d: d[0]), lambda d: d[0]):
        values = list(found)
        yield f"{name}.{column}: {len(values):,} values, such as {values[0][1]} and {values[0][2]}"


def _read(name: str, file: Path, prepare: str = "") -> Contents:
    with connect(file, read_only=True) as connection:
        connection.execute(prepare or "select 1")
        described = connection.execute(f"describe {name}").fetchall()
        columns = {column: of_type for column, of_type, *_ in described}
        values = [
            f"case when not ({LEFT_OUT[name, column][0]}) then {column} end"
            if (name, column) in LEFT_OUT
            else column
            for column in columns
        ]
        rows = connection.execute(f"select {', '.join(values)} from {name}").fetchall()
    return columns, rows


def _sorted(rows: list[tuple[Any, ...]], is_float: list[bool]) -> list[tuple[Any, ...]]:
    """Sort by what is exact, then by the floats."""
    return sorted(
        rows,
        key=lambda row: (
            [repr(v) for v, inexact in zip(row, is_float, strict=True) if not inexact],
            [(v is not None, v or 0) for v, inexact in zip(row, is_float, strict=True) if inexact],
        ),
    )


def _is_close(one: float | None, other: float | None, rounding: float) -> bool:
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=rounding)


def _largest(values: Iterable[float | None]) -> float:
    finite = (abs(value) for value in values if value is not None and math.isfinite(value))
    return max(finite, default=0)


def main() -> int:
    """Compare the two files; print what differs, and what was left out. 1 where anything does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    files = parser.parse_args()
    found = list(differences(files.one, files.other))
    for (relation, column), (_, reason) in LEFT_OUT.items():
        sys.stdout.write(f"left out: {relation}.{column}: {reason}\n")
    for difference in found:
        sys.stdout.write(f"{difference}\n")
    compared = len(_relations(files.one))
    sys.stdout.write(f"{compared} relations compared, {len(found)} differences\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
