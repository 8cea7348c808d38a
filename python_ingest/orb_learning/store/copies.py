"""The copy of a database in a backup: of a file, the file; of a lake, a dump of its catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb

from orb_learning.errors import NotADatabaseError
from orb_learning.locator import is_lake
from orb_learning.store.checksums import read_relations, table_checksums
from orb_learning.store.connection import connect_without_lock
from orb_learning.store.contents import Contents, contents_of
from orb_learning.store.lake import LakeFiles, dump_catalog, open_dump

FILE_ENDING, DUMP_ENDING = ".db", ".dump"


def dump_of_lake(locator: Path, file: Path) -> LakeFiles | None:
    """Dump a lake's catalog; return the files that it names, or None where the database is a file.

    Raises:
        DatabaseError: Postgres is away, or one of its programs is missing or fails.
    """
    return dump_catalog(locator, file) if is_lake(locator) else None


def open_copy(
    file: Path, files: LakeFiles | None, database: Path, *, read_only: bool = True
) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Open the copy in a backup.

    Args:
        file: the copied file, or the dump.
        files: those that the dump names; None of a file.
        database: the locator of the database, on whose server a dump is opened.
        read_only: whether only to read it; a dump always is.

    Raises:
        DatabaseError: it cannot be opened, and why.
    """
    if files is None:
        return connect_without_lock(file, read_only=read_only)
    return _opened_dump(file, files, database)


@contextmanager
def _opened_dump(
    file: Path, files: LakeFiles, database: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    if not is_lake(database):
        raise NotADatabaseError(
            f"{file} is a dump of a lake's catalog, which is opened on the lake's server: set "
            f"ORB_DATABASE to the lake"
        )
    with open_dump(database, file, files) as connection:
        yield connection


def contents_of_copy(file: Path, files: LakeFiles | None, database: Path) -> Contents:
    """Return what the copy in a backup holds, every relation queried.

    Args:
        file: the copied file, or the dump.
        files: those that the dump names; None of a file.
        database: the locator of the database, on whose server a dump is opened.

    Raises:
        DatabaseError: it cannot be read, or what it runs takes too much.
    """
    if files is None:
        return contents_of(file)
    with _opened_dump(file, files, database) as connection:
        return Contents(table_checksums(connection), read_relations(connection))
