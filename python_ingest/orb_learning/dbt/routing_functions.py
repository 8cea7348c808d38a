"""The SQL function by which a build publishes what routers draw from."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import duckdb

from orb_learning.filesystem import make_folder, make_private, sync
from orb_learning.locator import folder_of

PUBLISHED = "routing.json"
"""The file's name, beside the database, where the settings name no other."""


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the function to a connection and its cursors."""
    known = connection.execute(
        "select function_name from duckdb_functions() where function_name = 'publish_routing'"
    ).fetchall()
    if not known:  # dbt may open the database again in the same process
        connection.create_function("publish_routing", publish_routing, side_effects=True)


def publish_routing(database: str, path: str, content: str) -> str:
    """Put a content in a file's place by a rename, so that readers see it whole; returns its path.

    Args:
        database: the path of the DuckDB file.
        path: the setting ``routing_path``; empty: routing.json beside the database.
        content: the JSON text.
    """
    published = Path(path) if path else folder_of(Path(database)) / PUBLISHED
    make_folder(published.parent)
    number, name = tempfile.mkstemp(dir=published.parent, prefix=f".{published.name}.")
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(content)
    making = Path(name)
    make_private(making)
    sync(making)
    making.rename(published)
    sync(published.parent)
    return str(published)
