"""Where the database is: a file's path, or a lake's catalog as ``ducklake:postgres:<libpq words>``.

A locator of a lake is a ``Path``, too, so that whatever names the database takes both.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from orb_learning.errors import DatabaseError, NotOnALakeError

LAKE = "ducklake:"
CATALOG = f"{LAKE}postgres:"
LAKE_FOLDER = Path("data")
"""Where outbox, archive and the like are that lie beside a file; a lake has no folder."""
DATA_VARIABLE = "ORB_LAKE_DATA"

_PASSWORD = re.compile(r"\bpassword\s*=", re.IGNORECASE)


def is_lake(locator: Path | str) -> bool:
    """Whether a locator is a lake's."""
    return str(locator).startswith(LAKE)


def catalog_words(locator: Path | str) -> str:
    """Return the libpq words of a lake's catalog.

    Raises:
        DatabaseError: it is no catalog in Postgres, or has a password, which messages would show.
    """
    text = str(locator)
    words = text.removeprefix(CATALOG).strip()
    if not text.startswith(CATALOG) or "=" not in words or "://" in words:
        raise DatabaseError(
            f"{LAKE}…: a lake's locator is {CATALOG}<libpq words>, such as "
            f"{CATALOG}host=db.example dbname=lake user=orb"
        )
    if _PASSWORD.search(words):
        raise DatabaseError(
            f"{CATALOG}…: a locator may not have a password, because messages show it; "
            f"put it into the file that PGPASSFILE names, or into PGPASSWORD"
        )
    return words


def folder_of(locator: Path) -> Path:
    """Return the folder of what lies beside the database."""
    return LAKE_FOLDER if is_lake(locator) else locator.parent


def beside(locator: Path, ending: str) -> Path:
    """Return a file beside the database that has its name and an ending more."""
    if is_lake(locator):
        return LAKE_FOLDER / f"lake{ending}"
    return locator.with_name(f"{locator.name}{ending}")


def name_of(locator: Path) -> str:
    """Return the database's name in SQL, by which its views know it."""
    return "lake" if is_lake(locator) else locator.stem


def absolute(locator: Path) -> Path:
    """Return a locator that is the same from any folder."""
    return locator if is_lake(locator) else locator.resolve()


def data_place() -> str | None:
    """Return where the variable says that a lake's data is: a URL, or a folder's absolute path."""
    data = os.environ.get(DATA_VARIABLE, "").strip()
    if not data or "://" in data:
        return data or None
    return str(Path(data).absolute())


def only_on_a_file(locator: Path | str, what: str, instead: str) -> None:
    """Refuse what a lake does not do.

    Args:
        locator: the database's.
        what: what is not done, with a capital.
        instead: what to do, or why it is not needed.

    Raises:
        NotOnALakeError: the locator is a lake's.
    """
    if is_lake(locator):
        raise NotOnALakeError(f"{what} is not done on a lake; {instead}")
