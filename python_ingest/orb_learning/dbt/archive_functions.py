"""What the macro archive_and_retain needs of the file system, as SQL functions."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orb_learning.filesystem import make_folder, make_private, sync


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the functions to a connection and its cursors."""
    known = connection.execute(
        "select function_name from duckdb_functions() where function_name = 'publish_file'"
    ).fetchall()
    if known:
        return  # dbt opened the database again in the same process
    for function in (prepare_folder, publish_file):
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


def publish_file(file: str, name: str) -> bool:
    """Give a complete file its own name, which none may have yet, durably; returns True."""
    path = Path(file)
    published = path.with_name(name)
    if published.exists():  # nobody else makes files here while dbt has the database
        raise FileExistsError(f"{published} exists already")
    make_private(path)
    sync(path)
    path.rename(published)
    sync(path.parent)
    return True
