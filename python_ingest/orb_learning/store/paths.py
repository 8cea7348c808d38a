"""Which path can be that of the database."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from orb_learning.errors import DatabaseError, DatabaseMissingError, NotADatabaseError
from orb_learning.filesystem import ReadWriteLock, names_a_secret, printable
from orb_learning.locator import catalog_words, is_lake

RESERVED_STEMS = {"raw", "main", "temp", "system"}
"""A file's stem is its catalog's name; these make ``raw.executions`` or ``main.x`` ambiguous."""


def check_path(path: Path | str, *, must_exist: bool) -> None:
    """Refuse a path that cannot be the database, with the reason.

    Raises:
        DatabaseError: DuckDB or dbt cannot use such a path, it is a directory, or it is missing.
    """
    check_readable_path(path, must_exist=must_exist)
    path = Path(path)
    if is_lake(path):
        return
    if {"'", '"'} & set(path.stem):
        raise DatabaseError(
            f"{path}: a database file's name may not have a quote, because dbt writes the catalog, "
            f"which is named after it, into its queries as it is; give it another name"
        )
    if {"#", ";"} & set(str(path)) or not str(path).isprintable():
        raise DatabaseError(
            f"{printable(path)}: a database file's path may not have a # or a ; or a control "
            f"character, because dbt takes it for a URL's end; give it another name"
        )


def check_readable_path(path: Path | str, *, must_exist: bool) -> None:
    """Refuse a path at which DuckDB opens no file, with the reason.

    Raises:
        DatabaseError: DuckDB cannot use such a path, it is a directory, or it is missing.
    """
    path = Path(path)
    if is_lake(path):
        catalog_words(path)
        return
    if names_a_secret(str(path)):
        raise DatabaseError(
            "a database file's path may not have a password's word, because messages show it; "
            "a lake's locator begins with ducklake:postgres:"
        )
    if path.stem.lower() in RESERVED_STEMS:
        raise DatabaseError(
            f"{path}: a database file may not be named {path.stem!r}, because DuckDB names the "
            f"catalog after it and raw.executions becomes ambiguous; give it another name"
        )
    if "\\" in str(path):
        raise DatabaseError(
            f"{path}: a database file's path may not have a backslash, because DuckDB takes it for "
            f"a folder's end; give it another name"
        )
    if printable(path) != str(path):
        raise DatabaseError(
            f"{printable(path)}: a database file's path must be UTF-8, because DuckDB opens no "
            f"other; give it another name"
        )
    if path.is_dir():
        raise DatabaseError(f"{path} is a directory; name the database file in it")
    if path.exists():
        return
    if must_exist:
        raise DatabaseMissingError(
            f"{path} does not exist; `orb sample` or `orb import` makes it, "
            f"or set ORB_DATABASE to the file you mean"
        )
    # The folder is made with the file. More of them missing is a path with a mistake.
    folder = path.parent if path.parent.exists() else path.parent.parent
    if not folder.is_dir():
        raise DatabaseError(f"{folder} is not a directory; create it first")


def check_unknown_file(path: Path) -> None:
    """Refuse a file that is no database before a lock is made beside it, if none is there.

    Raises:
        NotADatabaseError: it does not begin as DuckDB's files do.
    """
    if not path.is_file() or ReadWriteLock(path).was_used():
        return
    # Another process reads, because closing the file would end the locks of this one on it.
    command = ["head", "-c", "12", "--", str(path.absolute())]
    with suppress(OSError):
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0 and done.stdout[8:] != b"DUCK":
            raise NotADatabaseError(
                f"{path} is not a DuckDB database, or is damaged; set ORB_DATABASE to another "
                f"file, or restore a backup"
            )
