"""Which mappings there are: the package's own, and a user's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from orb_learning.errors import ImportFileError
from orb_learning.filesystem import read_regular

_NOT_MAPPINGS = {"macros", "span_macros", "spans_to_executions"}
_NEEDS_ALL = "-- needs all records of a file at once"
_KNOWN_BY = re.compile(r"^-- known by: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class SystemMapping:
    """A query over the relation ``source``."""

    name: str
    """Its ids' scope, too: the ids of two systems stay apart."""
    sql: str
    is_ours: bool = False
    """Whether it is the package's; what is not may be a stranger's."""

    @property
    def summary(self) -> str:
        """Its first comment, up to the signature, in one line."""
        lines = []
        for line in self.sql.splitlines():
            if not line.startswith("-- ") or line.startswith(("-- known by:", _NEEDS_ALL)):
                break
            lines.append(line.removeprefix("-- "))
        return " ".join(lines)

    @property
    def is_by_record(self) -> bool:
        """Whether what it makes of a record depends on no other one."""
        return self.is_ours and _NEEDS_ALL not in self.sql

    @property
    def signatures(self) -> list[list[str]]:
        """Lists of paths; a record that has all of one list is of this system."""
        found = _KNOWN_BY.search(self.sql)
        lists = found.group(1).split(" or ") if found else []
        return [[path.strip() for path in one.split(",")] for one in lists]


@cache
def text_of(name: str) -> str:
    """Return the text of one of the package's SQL files."""
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


@cache
def known_mappings() -> dict[str, SystemMapping]:
    """Return the package's mappings by the names that ``orb import --from`` takes."""
    stems = sorted(
        entry.name.removesuffix(".sql")
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".sql")
    )
    names = {stem.replace("_", "-"): stem for stem in stems if stem not in _NOT_MAPPINGS}
    return {name: SystemMapping(name, text_of(stem), is_ours=True) for name, stem in names.items()}


def named_mapping(name: str) -> SystemMapping:
    """Return one of the package's mappings.

    Raises:
        ImportFileError: there is none of this name.
    """
    found = known_mappings().get(name.strip().lower().replace("_", "-"))
    if found is None:
        raise ImportFileError(
            f"there is no mapping named {name!r}; there are {', '.join(known_mappings())}; "
            f"--mapping FILE.sql takes your own"
        )
    return found


def mapping_from_file(path: Path) -> SystemMapping:
    """Return a user's mapping; its name is the file's stem.

    Raises:
        ImportFileError: the file cannot be read.
    """
    try:
        sql = read_regular(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ImportFileError(f"the mapping {path} cannot be read: {error}") from error
    return SystemMapping(path.stem, sql.rstrip().rstrip(";"))
