"""Numbers of CSV with ; between the columns: 1,5 is one and a half, and 1.234 may be two things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import duckdb

from orb_learning.record import COLUMNS
from orb_learning.store import identifier

COMMA = r"[+-]?[0-9.]+,[0-9]+"
POINT = r"[+-]?(0?\.[0-9]+|[0-9]+\.([0-9]{1,2}|[0-9]{4,})|[0-9]{4,}\.[0-9]{3})"
EITHER = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"


class DecimalMarks:
    """What the numbers of a file tell of its marks, counted batch by batch."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._example = ""

    def count(
        self, connection: duckdb.DuckDBPyConnection, relation: str, columns: Collection[str]
    ) -> None:
        """Count the marks in the columns of a relation of texts that hold fractions."""
        for column in (name for name in columns if COLUMNS[name] == "FLOAT"):
            value = f"trim({identifier(column)})"
            [(commas, points, either, example)] = connection.execute(
                f"select count(*) filter (regexp_full_match({value}, $comma)), "  # noqa: S608
                f"count(*) filter (regexp_full_match({value}, $point)), "
                f"count(*) filter (regexp_full_match({value}, $either)), "
                f"any_value({value} order by row_number) "
                f"filter (regexp_full_match({value}, $either)) from {relation}",
                {"comma": COMMA, "point": POINT, "either": EITHER},
            ).fetchall()
            self._counts += Counter(commas=commas, points=points, either=either)
            if example and not self._example:
                self._example = f"{column} {example}"

    def notes(self) -> list[str]:
        """Return what to say of numbers that the file leaves open."""
        either = self._counts["either"]
        if not either or (self._counts["points"] and not self._counts["commas"]):
            return []
        return [
            f"{either} such as {self._example} may have a point between thousands; it is read as "
            f"one before a fraction; write them without it if they are thousands"
        ]
