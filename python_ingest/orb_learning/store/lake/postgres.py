"""A connection to a lake's Postgres, and what it refuses as one line of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orb_learning.errors import DatabaseLockedError, LakeError
from orb_learning.locator import CATALOG, catalog_words
from orb_learning.store.lake.lake_errors import explain, first_line

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
LOCK_NOT_AVAILABLE = "55P03"


def open_postgres(locator: Path | str, application_name: str) -> psycopg.Connection[Any]:
    """Connect to the Postgres of a lake's catalog; each statement commits by itself.

    Raises:
        LakeError: psycopg is not installed, or Postgres cannot be reached.
    """
    try:
        import psycopg
    except ImportError as error:
        raise LakeError(
            "psycopg, by which a lake is written, is not installed here: "
            "pip install 'orb-learning[lake]'"
        ) from error
    with translated_postgres_errors(locator):
        return psycopg.connect(
            catalog_words(locator),
            application_name=application_name,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
        )


@contextmanager
def translated_postgres_errors(
    locator: Path | str, what: str = "the catalog", wait_seconds: float = 0.0
) -> Iterator[None]:
    """Turn psycopg's errors into this package's.

    Args:
        locator: the lake's.
        what: what is asked of Postgres, for an error.
        wait_seconds: for how long a lock is waited for, for an error.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate == LOCK_NOT_AVAILABLE:
            raise DatabaseLockedError(
                f"{locator}: others had {what} for {wait_seconds:g} s; try again when they are done"
            ) from error
        raise explain(str(error), locator) or LakeError(
            f"{locator}: Postgres refuses {what}. {first_line(str(error))}"
        ) from error


def other_database(locator: Path | str, name: str) -> str:
    """Return the locator of another database of the same server."""
    from psycopg.conninfo import make_conninfo

    return f"{CATALOG}{make_conninfo(catalog_words(locator), dbname=name)}"


def lock_number(name: str) -> int:
    """Return the advisory lock's number of a name."""
    return int.from_bytes(sha256(f"orb-learning {name}".encode()).digest()[:8], "big", signed=True)
