"""A dbt-duckdb plugin: dbt's connection waits for the lock and has the raw schema, as ours do."""

from __future__ import annotations

import atexit
import gc
import os
import weakref
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from orb_learning.dbt import archive_functions, routing_functions
from orb_learning.dbt.lake_target import LakeTarget
from orb_learning.errors import DatabaseError, SettingsError
from orb_learning.filesystem import Lock
from orb_learning.settings import check_variables
from orb_learning.store import (
    CONFIG,
    check_path,
    check_version,
    make_log,
    migrate,
    open_with_lock,
    remove_empty_log,
)

WAIT_SECONDS = 30.0
"""How long dbt waits for the file, unless profiles.yml says ``wait_seconds``."""


class Plugin(BasePlugin):
    """Named in profiles.yml; dbt-duckdb calls it for each database that it opens."""

    _lock: ClassVar[Lock | LakeTarget] = Lock(None)
    """This process's, as dbt-duckdb has one database open in a process."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Take the settings from the profile.

        Raises:
            DbtRuntimeError: a variable is meant for a setting of the models, and is none.
        """
        try:
            check_variables(os.environ)
        except SettingsError as error:
            raise DbtRuntimeError(str(error)) from error
        self._wait_seconds = float(plugin_config.get("wait_seconds", WAIT_SECONDS))
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._path: Path | None = None
        self._is_shared = False
        self._lake: LakeTarget | None = None

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Open the file under the lock, the moment before dbt-duckdb opens it.

        dbt-duckdb itself takes no lock: it would seldom find the file free beside busy relays and
        readers, and could undo what they commit (rw_lock.py). This way it finds the file open in
        its own process, and DuckDB gives it the same.

        Raises:
            DbtRuntimeError: the path cannot be the database, or others have it for too long; dbt
                prints its message without a traceback.
        """
        locator = next((one.path for one in creds.attach or [] if one.is_ducklake), None)
        if locator is not None:
            Plugin._lock.release()
            try:
                self._lake = Plugin._lock = LakeTarget(locator, self._wait_seconds)
            except DatabaseError as error:
                raise DbtRuntimeError(str(error)) from error
            config.update(self._lake.config)
            return
        if creds.path == ":memory:":
            return
        config["storage_compatibility_version"] = CONFIG["storage_compatibility_version"]
        # What dbt had open before in this process, it has given up, or shares with this one.
        Plugin._lock.release()
        # The project's nodes stay until dbt ends: looking through them again and again for what
        # may go takes a fifth of a build's time. Of a process with more than one run, only the
        # first one's: another's would never go. DuckDB reports what is frozen in the end as leaks.
        if not gc.get_freeze_count():
            gc.freeze()
            atexit.register(gc.unfreeze)
        path = self._path = Path(creds.path)
        opening = partial(duckdb.connect, creds.path, read_only=False, config=config)
        is_shared = self._is_shared = str(config.get("access_mode", "")).upper() == "READ_ONLY"
        try:
            check_path(path, must_exist=is_shared)
            self._opened, Plugin._lock = open_with_lock(
                path, opening, shared=is_shared, wait_seconds=self._wait_seconds
            )
        except DatabaseError as error:
            raise DbtRuntimeError(str(error)) from error

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Bring the raw schema up to date, or only check it where the file is read.

        Raises:
            DbtRuntimeError: the database is newer than this package.
        """
        if self._opened is not None:
            # dbt-duckdb drops its connection when it closes the file.
            weakref.finalize(conn, _give_up, None if self._is_shared else self._path, Plugin._lock)
            self._opened.close()
            self._opened = None
        try:
            if self._lake is not None:
                self._lake.open(conn)
            check_version(conn, self.creds.path if self.creds else ":memory:")
        except DatabaseError as error:
            raise DbtRuntimeError(str(error)) from error
        row = conn.execute("select current_setting('access_mode')").fetchone()
        if row != ("READ_ONLY",):
            self.configure_cursor(conn)
            if self._lake is None:
                migrate(conn)
            archive_functions.register(conn)
            routing_functions.register(conn)

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Make the log for what a cursor writes, which the checkpoint of one before has deleted.

        Of a lake, make it the current catalog: a cursor does not have it from its connection.
        """
        if self._lake is not None:
            cursor.execute("use lake")
        if self._path is not None and not self._is_shared:
            make_log(self._path)


def _give_up(written: Path | None, lock: Lock | LakeTarget) -> None:
    if written is not None:
        remove_empty_log(written)
    lock.release()
