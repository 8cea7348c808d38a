"""Which column of a file is which of the record's: one rule for every format.

A name counts whatever its case, its spaces outside left out and those inside taken as underscores.
Two columns of one meaning are refused. A time's name may end in the unit of its numbers since 1970.
Any other column goes into metadata; one that nearly is the record's is named.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.kinds import kind_of
from orb_learning.record import COLUMNS, UNITS

TIMES = tuple(name for name, kind in COLUMNS.items() if kind == "TIMESTAMP")
GENERIC = frozenset({"timestamp", "metadata"})
"""Names that any log has; a file with no other of the record's holds no executions."""

MOST_COLUMNS = 500
"""Of a table, and keys of an object. Each takes a megabyte of memory, however few the rows are, and
20 microseconds a value: 2,000 rows of 1,000 columns took 40 s."""
TOO_MANY_KEYS = f"it has more than {MOST_COLUMNS:,} keys"
MOST_KEYS = 10_000
"""Of all objects of a file. Each is compared with the record's names: 300,000 took a minute."""

_WITH_UNIT = {f"{time}_{unit}": (time, unit) for time in TIMES for unit in UNITS}
_CLOSE = 0.85


def column_of(name: str) -> str | None:
    """Return the record's column that a file's name means, or None."""
    normal = _normal(name)
    if normal in COLUMNS:
        return normal
    return _WITH_UNIT[normal][0] if normal in _WITH_UNIT else None


def unit_of(name: str) -> str | None:
    """Return the unit that the name says its numbers since 1970 have, or None."""
    normal = _normal(name)
    return None if normal in COLUMNS else _WITH_UNIT.get(normal, (None, None))[1]


def spellings(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the record's columns in their order, each with the names that mean it."""
    found: dict[str, list[str]] = {}
    for name in names:
        if (column := column_of(name)) is not None:
            found.setdefault(column, []).append(name)
    return {column: found[column] for column in COLUMNS if column in found}


def check_names(file: Path, names: Collection[str]) -> None:
    """Refuse a file whose names are not those of executions.

    Raises:
        ImportFileError: with what it seems to be, the names that it has and those of an execution.
    """
    known = kind_of(names)
    if known is not None:
        kind, mapping = known
        raise ImportFileError(
            f"{file} seems to be {kind}, not executions; try `orb import --from {mapping}`, "
            f"`orb mappings` lists the systems; {_expected(names)}"
        )
    if not set(spellings(names)) - GENERIC:
        raise ImportFileError(
            f"{file}: no column or key has a name that only an execution has; {_expected(names)}"
        )


def check_count(file: Path, names: Collection[str]) -> None:
    """Refuse a file whose objects have too many different keys together.

    Raises:
        ImportFileError: says how many may be.
    """
    if len(names) > MOST_KEYS:
        raise ImportFileError(
            f"{file}: its objects have more than {MOST_KEYS:,} different keys; put those whose "
            f"names are values into one of JSON, such as metadata"
        )


def check_duplicates(file: Path, names: Collection[str]) -> None:
    """Refuse a table in which two columns have one name, or names of one meaning, or of too many.

    Raises:
        ImportFileError: names them.
    """
    if len(names) > MOST_COLUMNS:
        raise ImportFileError(
            f"{file} has {len(names):,} columns, and {MOST_COLUMNS:,} may be; "
            f"leave out those that nobody reads, or put them into one of JSON"
        )
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise ImportFileError(
            f"{file}: there is more than one column named {', '.join(map(repr, twice))}; "
            f"rename or drop all but one"
        )
    for column, found in spellings(names).items():
        if len(found) > 1:
            raise ImportFileError(
                f"{file}: the columns {' and '.join(map(repr, found))} both mean {column}; "
                f"rename or drop all but one"
            )


def notes_on(names: Iterable[str]) -> list[str]:
    """Return a sentence for each name that is read as another, or nearly is the record's."""
    names = list(names)
    missing = [column for column in COLUMNS if column not in spellings(names)]
    notes = []
    for name in names:
        column = column_of(name)
        if column is not None and column != name:
            unit = unit_of(name)
            counted = f", in {unit} since 1970" if unit else ""
            notes.append(f"{name!r} is read as {column}{counted}")
        elif column is None and (nearest := _near_miss(name, missing)) is not None:
            notes.append(f"{name!r} goes into metadata; if it means {nearest}, rename it")
    return notes


def _expected(names: Collection[str]) -> str:
    return f"it has {', '.join(names)[:300]}; an execution's names are {', '.join(COLUMNS)}"


def _normal(name: str) -> str:
    return re.sub(r"\s+", "_", name.strip("\ufeff \t\r\n\xa0").lower())


def _near_miss(name: str, missing: list[str]) -> str | None:
    normal = re.sub(r"\W+", "_", _normal(name))
    bare = {column.replace("_", ""): column for column in missing}
    if normal.replace("_", "") in bare:
        return bare[normal.replace("_", "")]
    close = difflib.get_close_matches(normal, missing, 1, _CLOSE)
    return close[0] if close else None
