"""Where the database is: a file's path, or a lake's catalog as ``ducklake:postgres:<libpq words>``.

A locator of a lake is a ``Path``, too, so that whatever names the database takes both.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from orb_learning.errors import DatabaseError, NotOnALakeError
from orb_learning.filesystem import is_url, names_a_secret, public_url

LAKE = "ducklake:"
CATALOG = f"{LAKE}postgres:"
LAKE_FOLDER = Path("data")
"""Where outbox, archive and the like are that lie beside a file; a lake has no folder."""
DATA_VARIABLE = "ORB_LAKE_DATA"

_WORDS = re.compile(r"(\w++\s*+=\s*+('([^'\\]|\\.)*+'|([^\s'\\]|\\.)*+)(\s++|$))+", re.DOTALL)


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
    if not text.startswith(CATALOG) or not _WORDS.fullmatch(words):
        raise DatabaseError(
            f"{LAKE}…: a lake's locator is {CATALOG}<libpq words>, such as "
            f"{CATALOG}host=db.example dbname=lake user=orb"
        )
    if names_a_secret(words):
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
    """Return where the variable says that a lake's data is: a URL, or a folder's absolute path.

    Raises:
        DatabaseError: it is neither, or has a secret, which the catalog and messages would show.
    """
    data = os.environ.get(DATA_VARIABLE, "").strip()
    if public_url(data) != data or ("://" not in data and (is_url(data) or names_a_secret(data))):
        raise DatabaseError(
            f"{DATA_VARIABLE} must be a folder, or a URL without user information, query and "
            f"parameters, because the catalog and messages show it; object storage has its key "
            f"from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
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
