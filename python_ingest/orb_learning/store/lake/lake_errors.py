"""What DuckDB and Postgres say of a lake that cannot be used, as one line of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import DatabaseLockedError, DatabaseMissingError, DiskFullError, LakeError
from orb_learning.locator import DATA_VARIABLE

AWAY = (
    "Unable to connect to Postgres",
    "connection to server",
    "server closed the connection",
    "no connection to the server",
    "terminating connection",
    "could not connect",
    "Failed to execute query",
    "Failed to copy",
    "SSL connection has been closed",
)
STORAGE = ("HTTP", "S3", "Could not establish connection", "Cannot open file", "Could not connect")


@contextmanager
def translated_lake_errors(locator: Path | str) -> Iterator[None]:
    """Turn errors about the catalog, the data or the extensions into this package's."""
    try:
        yield
    except duckdb.Error as error:
        told = explain(str(error), locator)
        if told is None:
            raise
        raise told from error


def explain(text: str, locator: Path | str) -> Exception | None:
    """Return what an error's text means for a lake; None where it means nothing of it."""
    line = first_line(text)
    if "creating a new DuckLake is explicitly disabled" in text:
        return DatabaseMissingError(
            f"{locator}: there is no lake in this catalog yet; `orb sample` or `orb import` makes "
            f"it, with {DATA_VARIABLE} set to the folder or s3:// place of its data. {line}"
        )
    if "DATA_PATH" in text:
        return LakeError(
            f"{locator}: {DATA_VARIABLE} is not where this lake's data is; set it to that place, "
            f"or leave it out. {line}"
        )
    if "password authentication failed" in text or "no password supplied" in text:
        return LakeError(
            f"{locator}: Postgres refuses this user or password; put the password into the file "
            f"that PGPASSFILE names, or into PGPASSWORD. {line}"
        )
    if 'database "' in text and "does not exist" in text:
        return LakeError(f"{locator}: Postgres has no such database; `createdb` makes it. {line}")
    if "permission denied" in text:
        return LakeError(f"{locator}: the catalog does not allow this user to do that. {line}")
    if "No space left" in text or "could not extend file" in text:
        return DiskFullError(f"{locator}: the disk is full, nothing was written. {line}")
    if "Transaction conflict" in text or "another transaction" in text:
        return DatabaseLockedError(
            f"{locator}: others committed at the same time, again and again; nothing was written, "
            f"try again. {line}"
        )
    if any(sign in text for sign in AWAY):
        return LakeError(
            f"{locator}: the catalog's Postgres cannot be reached or ended the connection; nothing "
            f"of this was written. {line}"
        )
    if "HTTP 403" in text:
        return LakeError(
            f"{locator}: object storage refuses this key; it is taken from AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY. {line}"
        )
    if any(sign in text for sign in STORAGE):
        return LakeError(
            f"{locator}: the lake's data cannot be reached; nothing of this was written. {line}"
        )
    return None


def first_line(text: str) -> str:
    """Return the line of an error that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:300] if lines else text
