"""Which of the five error types an error is of, outside DuckDB."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    seed = files(__package__).joinpath("seeds/error_types.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(seed.splitlines())
    return [(re.compile(row["pattern"]), row["error_type"]) for row in rows]


def error_type_of(*said: str | None) -> str:
    """Return the error type of what is said of an error: by the first text that the seed knows."""
    for words in said:
        for pattern, error_type in _patterns():
            if words and pattern.search(words.lower()):
                return error_type
    return "unknown"
