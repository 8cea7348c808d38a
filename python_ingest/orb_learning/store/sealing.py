"""How DuckDB opens a file: plainly, sandboxed for queries of clients, or sealed as a stranger's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.errors import DatabaseError

STORAGE_VERSION = "v1.4"
"""Of every file that is made, copies too: tools that bundle DuckDB 1.4 or 1.5 open it."""

CONFIG: dict[str, Any] = {
    # DuckDB would take an SQLite file for an order to download an extension. The file's header must
    # not be read to find that out: closing a file ends the locks that this process has on it,
    # DuckDB's too, and another process could write beside it.
    "autoinstall_known_extensions": "false",
    # DuckDB 2.0.0 takes the sums over a left join for 0 where the other side is empty, and keeps
    # them in a byte: 777 becomes 9, and `having sum(n) > 500` finds nothing (2026-11).
    "disabled_optimizers": "statistics_propagation",
    "storage_compatibility_version": f"{STORAGE_VERSION}.0",
}

SANDBOXED_CONFIG: dict[str, Any] = {
    **CONFIG,
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}
"""Of a sandboxed file: no query reaches another file, the network or a variable of this process."""

SEALED_CONFIG: dict[str, Any] = {
    **CONFIG,
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "60%",
}
"""Of a file that may be a stranger's; ``seal`` does the rest, which has an order."""

LONGEST_SEALED_SECONDS = 3600.0
"""For so long such a file may be read, whatever its views do."""

_LOOK_SECONDS = 0.25
_mutex = threading.Lock()


def config_of(sandbox_memory_mb: int | None) -> dict[str, Any]:
    """Return how to open a file of this project, sandboxed if a memory limit is given."""
    if sandbox_memory_mb is None:
        return CONFIG
    return SANDBOXED_CONFIG | {"memory_limit": f"{sandbox_memory_mb}MB"}


def begin(connection: duckdb.DuckDBPyConnection, sandbox_memory_mb: int | None) -> None:
    """Make times UTC, and lock the settings of a sandbox."""
    if sandbox_memory_mb is None:
        # Where Python runs no file, DuckDB draws a progress bar into the output; cursors draw none.
        connection.execute("set global timezone = 'UTC'; set enable_progress_bar = false")
        return
    with _mutex:
        if not _is_locked(connection):  # else the file is open already
            connection.execute("set global timezone = 'UTC'; set enable_progress_bar = false")
            connection.execute("set lock_configuration = true")


def seal(connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """Let a stranger's file reach nothing but a scratch folder."""
    with _mutex:
        if _is_locked(connection):  # another reader of this process has it open
            return
        connection.execute("set global timezone = 'UTC'; set enable_progress_bar = false")
        if not _is_spilling_into(connection, scratch):
            connection.execute("set temp_directory = ?", [str(spilled_in(scratch))])
        connection.execute("set allowed_directories = ?", [[str(scratch)]])
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")


def spilled_in(scratch: Path) -> Path:
    """Return where a sealed connection keeps what does not fit into memory."""
    return scratch / "spilled"


def _is_spilling_into(connection: duckdb.DuckDBPyConnection, scratch: Path) -> bool:
    # Once something is there, DuckDB refuses to be told the same folder again.
    settings = "select current_setting('temp_directory')"
    return connection.execute(settings).fetchall() == [(str(spilled_in(scratch)),)]


def _is_locked(connection: duckdb.DuckDBPyConnection) -> bool:
    settings = "select current_setting('lock_configuration')"
    return connection.execute(settings).fetchall() == [(True,)]


@contextmanager
def time_limit(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """Stop what a stranger's file is asked for too long.

    Raises:
        DatabaseError: it was stopped.
    """
    done = threading.Event()

    def watch() -> None:
        if not done.wait(LONGEST_SEALED_SECONDS):
            while not done.wait(_LOOK_SECONDS):  # it stops the query of just then only
                connection.interrupt()

    watching = threading.Thread(target=watch, name="orb-time-limit", daemon=True)
    watching.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise DatabaseError(
            f"{path}: reading it took longer than {LONGEST_SEALED_SECONDS:,g} s and was stopped"
        ) from error
    finally:
        done.set()
        watching.join()
