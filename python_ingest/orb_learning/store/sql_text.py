"""Names and texts as they stand in SQL, whatever characters they have."""

from __future__ import annotations

import re
from pathlib import Path


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
