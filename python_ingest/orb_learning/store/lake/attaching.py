"""How a connection comes to have the lake: its extensions, the key of its data, ATTACH."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.errors import LakeError
from orb_learning.locator import CATALOG, DATA_VARIABLE, catalog_words, data_place
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.sql_text import literal

NAME = "lake"
"""The catalog's name in DuckDB, which is current in every connection."""
CONFIG: dict[str, Any] = {
    "autoinstall_known_extensions": "false",
    "disabled_optimizers": "statistics_propagation",  # sealing.py says why
}
EXTENSIONS = ("postgres_scanner", "ducklake", "httpfs")
MOST_RETRIES = 100
"""Of a commit that lost a race: each race has a winner, so none goes on for ever."""


def attach(
    connection: duckdb.DuckDBPyConnection,
    locator: Path | str,
    *,
    read_only: bool,
    application_name: str,
) -> None:
    """Attach a lake and make it the current catalog; whoever writes makes one that is not there.

    Args:
        connection: to nothing yet.
        locator: the lake's.
        read_only: whether only to read.
        application_name: by which Postgres knows the connection.

    Raises:
        LakeError: an extension, the catalog or the data is missing, and which.
    """
    words = catalog_words(locator)
    lake_extensions(connection)
    options = ["read_only"] if read_only else ["data_inlining_row_limit 0"]
    if data := data_place():
        options.append(f"data_path {literal(data)}")
    _add_key(connection)
    # Whoever lost a race waits another while than the others that did.
    wait = random.randint(5, 20)  # noqa: S311 (no secret)
    connection.execute("set global timezone = 'UTC'; set enable_progress_bar = false")
    connection.execute(f"set global ducklake_max_retry_count = {MOST_RETRIES}")
    connection.execute(f"set global ducklake_retry_wait_ms = {wait}")
    connection.execute("set global ducklake_retry_backoff = 1.2")
    place = f"{CATALOG}{words} application_name={application_name}"
    with translated_lake_errors(locator):
        connection.execute(f"attach {literal(place)} as {NAME} ({', '.join(options)})")
        connection.execute(f"use {NAME}")


def is_attached(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a connection's current catalog is a lake."""
    return bool(
        connection.execute(
            "select 1 from duckdb_databases() "
            "where database_name = current_database() and type = 'ducklake'"
        ).fetchall()
    )


def require_data_place(locator: Path | str, door: Door) -> None:
    """Refuse to make a lake of which nobody said where its data is to be.

    Raises:
        LakeError: says what to set.
    """
    if not door.has_lake() and data_place() is None:
        raise LakeError(
            f"{locator}: there is no lake in this catalog yet; set {DATA_VARIABLE} to the folder "
            f"or s3:// place where its data is to be"
        )


def lake_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    """Load what a lake needs: from the extra's wheels, or as DuckDB has it.

    Raises:
        LakeError: one cannot be had.
    """
    for name in EXTENSIONS:
        file = _in_wheel(name)
        try:
            connection.execute(f"load {name if file is None else literal(file)}")
        except duckdb.Error as error:
            raise LakeError(
                f"the extension {name} for DuckDB {duckdb.__version__}, which a lake needs, is not "
                f"here: pip install 'orb-learning[lake]' in an environment of its own. "
                f"{str(error).splitlines()[0]}"
            ) from error


def _in_wheel(name: str) -> Path | None:
    spec = find_spec(f"duckdb_extension_{name}")
    folders: Sequence[str] = (spec.submodule_search_locations or ()) if spec else ()
    part = f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
    return next((file for folder in folders if (file := Path(folder, part)).is_file()), None)


def _add_key(connection: duckdb.DuckDBPyConnection) -> None:
    """Take the key of object storage from the variables that its tools read, too."""
    key = os.environ.get("AWS_ACCESS_KEY_ID")
    if not key:
        return
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    values = {
        "key_id": key,
        "secret": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        "session_token": os.environ.get("AWS_SESSION_TOKEN", ""),
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "",
        "endpoint": host.rstrip("/"),
        "url_style": "path" if host else "",
    }
    parts = ["type s3", *(f"{name} {literal(value)}" for name, value in values.items() if value)]
    if scheme == "http":
        parts.append("use_ssl false")
    connection.execute(f"create or replace temporary secret orb_s3 ({', '.join(parts)})")


def seal_lake(connection: duckdb.DuckDBPyConnection, memory_mb: int) -> None:
    """Let no query reach a file but the lake's, use more memory, or change a setting."""
    connection.execute(f"set memory_limit = '{int(memory_mb)}MB'")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set allow_community_extensions = false")
    connection.execute("set python_enable_replacements = false")
    connection.execute("set temp_directory = ''")
    [place] = [
        value
        for name, _, value, *_ in connection.execute(f"from {NAME}.options()").fetchall()
        if name == "data_path"
    ]
    connection.execute("set allowed_directories = ?", [[place]])
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
