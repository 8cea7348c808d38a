"""dbt's connection to a lake: one builder at a time, attached as the package attaches it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import duckdb

from orb_learning.store.lake import LAKE_CONFIG, Door, attach, migrate_lake, require_data_place


class LakeTarget:
    """The lake that a dbt process builds.

    Args:
        locator: the lake's.
        wait_seconds: for how long to wait for another builder.

    Raises:
        DatabaseError: another builds for longer, or Postgres cannot be reached.
    """

    config: dict[str, Any] = LAKE_CONFIG

    def __init__(self, locator: str, wait_seconds: float):
        self._locator = locator
        self._inside = ExitStack()
        self._door = Door(locator, wait_seconds=wait_seconds)
        try:
            self._door.build_alone()
        except BaseException:
            self._door.close()
            raise

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the lake, and bring its raw schema up to date.

        Raises:
            DatabaseError: the catalog, the data or an extension cannot be used.
        """
        with self._door.gate(alone=True):  # two would make one lake, or one schema, twice
            self._door.set_up()
            require_data_place(self._locator, self._door)
            name = self._door.application_name
            attach(connection, self._locator, read_only=False, application_name=name)
            migrate_lake(connection)
        for function in (self.enter_gate, self.leave_gate):
            connection.create_function(function.__name__, function, side_effects=True)

    def enter_gate(self) -> bool:
        """Have the lake alone, until ``leave_gate`` or the process ends; returns True.

        Raises:
            DatabaseError: others write for too long.
        """
        self._inside.enter_context(self._door.gate(alone=True))
        return True

    def leave_gate(self) -> bool:
        """Let others write again; returns True."""
        self._inside.close()
        return True

    def release(self) -> None:
        """Let the next builder in; a second call does nothing."""
        self._door.close()
