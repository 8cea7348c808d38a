"""What the macro archive_and_retain needs of the file system, as SQL functions."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orb_learning.filesystem import make_folder, sync, write_private


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the functions to a connection and its cursors."""
    known = connection.execute(
        "select function_name from duckdb_functions() where function_name = 'publish_file'"
    ).fetchall()
    if known:
        return  # dbt opened the database again in the same process
    for function in (prepare_folder, prepare_file, publish_file):
        connection.create_function(function.__name__, function, side_effects=True)


def prepare_folder(folder: str) -> bool:
    """Make a folder where there is none, durably; returns True.

    Raises:
        ValueError: DuckDB would take its name for a pattern of several.
    """
    if any(sign in folder for sign in "*?["):
        raise ValueError(f"archive_path is {folder!r}: it may not contain *, ? or [")
    path = Path(folder)
    make_folder(path)
    sync(path.parent)
    return True


def prepare_file(file: str) -> bool:
    """Make an empty file, for its owner alone, in the place of one of that name; returns True.

    DuckDB itself would write through a link, and by the umask.
    """
    write_private(Path(file), b"")
    return True


def publish_file(file: str, name: str) -> bool:
    """Give a complete file its own name, which none may have yet, durably; returns True."""
    path = Path(file)
    published = path.with_name(name)
    if published.exists():  # nobody else makes files here while dbt has the database
        raise FileExistsError(f"{published} exists already")
    sync(path)
    path.rename(published)
    sync(path.parent)
    return True
