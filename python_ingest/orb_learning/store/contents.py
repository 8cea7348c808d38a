"""What a database that may be a stranger's holds, read in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from orb_learning.errors import DatabaseError
from orb_learning.store.apart import EndedError, Limits, StoppedError, answer_apart, ask_apart
from orb_learning.store.checksums import TableChecksum, read_relations, table_checksums
from orb_learning.store.connection import connect_without_lock

LEAST_SECONDS, BYTES_A_SECOND = 300.0, 2**20
"""For so long the work may take, and a second more for so many bytes; ten times as many are
usual."""
LEAST_SPILLED_BYTES, MOST_TIMES_ITS_SIZE = 4 * 2**30, 10
"""So much may be on the disk for what the memory does not hold, and so many times the file's size
more."""


class Contents(NamedTuple):
    """The tables and relations of a database."""

    tables: dict[str, TableChecksum]
    relations: dict[str, str | None]
    """DuckDB's error at each that cannot be queried."""


def limits_of(file: Path, bytes_elsewhere: int = 0) -> Limits:
    """Return what a process may use that works on a database, by its size and its other files'."""
    size = file.stat().st_size + bytes_elsewhere
    return Limits(
        LEAST_SECONDS + size / BYTES_A_SECOND, LEAST_SPILLED_BYTES + MOST_TIMES_ITS_SIZE * size
    )


def contents_of(file: Path) -> Contents:
    """Return what a database holds, every relation queried.

    Raises:
        DatabaseError: it cannot be read, or what it runs takes too much.
    """
    try:
        tables, relations = ask_apart(__name__, [str(file)], limits_of(file))
    except OSError as error:
        raise DatabaseError(f"{file}: {error.strerror}") from error
    except (StoppedError, EndedError) as error:
        raise DatabaseError(f"{file}: what its tables or views run is too much: {error}") from error
    checksums = {name: TableChecksum.model_validate(found) for name, found in tables.items()}
    return Contents(checksums, relations)


def _read_apart(arguments: list[str]) -> tuple[dict[str, dict[str, object]], dict[str, str | None]]:
    file = Path(arguments[0])
    most = {"max_temp_directory_size": f"{limits_of(file).file_bytes}B"}
    with connect_without_lock(file, limits=most, held=True) as connection:
        tables = table_checksums(connection)
        return {name: one.model_dump() for name, one in tables.items()}, read_relations(connection)


if __name__ == "__main__":
    answer_apart(_read_apart)
