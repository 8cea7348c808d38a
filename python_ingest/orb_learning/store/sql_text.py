"""Names and texts as they stand in SQL, whatever characters they have."""

from __future__ import annotations

import re
from pathlib import Path

MOST_DIGITS = 38
"""Of a decimal."""
_NAMES_AND_DECIMALS = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|DECIMAL\((?P<width>\d+),(?P<scale>\d+)\)"""
)


def identifier(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """Return a text or a path as an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def shortened(value: str, most: int) -> str:
    """Return the SQL of a text that is cut and says so, for an expression of a text.

    Args:
        value: the expression; no caller's text.
        most: the characters that stay.
    """
    return (
        f"case when length({value}) > {most} then left({value}, {most}) || '… (' "
        f"|| format('{{:,}}', length({value})) || ' characters, cut here)' else {value} end"
    )


def unglobbed(file: Path) -> str:
    """Return a path as DuckDB's functions take it: a name with * ? [ is no pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(file.absolute()))


def with_whole_digits(kind: str) -> str:
    """Return a type in which each decimal has a digit before its point.

    Of one that has none, such as DECIMAL(18,18), DuckDB 2.0.0 writes .5 into JSON, which is none.
    """
    return _NAMES_AND_DECIMALS.sub(_wider, kind)


def _wider(found: re.Match[str]) -> str:
    if found["width"] is None or found["width"] != found["scale"]:
        return found[0]
    width = int(found["width"])
    return f"DECIMAL({width + 1},{width})" if width < MOST_DIGITS else "DOUBLE"
