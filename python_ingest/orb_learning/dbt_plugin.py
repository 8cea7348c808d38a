"""A dbt-duckdb plugin: dbt's connection gets the same raw schema as every other of ours."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from orb_learning import database, schema
from orb_learning.errors import DatabaseError


class Plugin(BasePlugin):
    """Named in profiles.yml; dbt-duckdb calls it for each database that it opens."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Bring the raw schema up to date, or only check it where the file is read.

        Raises:
            DbtRuntimeError: the file's name is reserved, or the database is newer than this
                package; dbt prints its message without a traceback.
        """
        path = self.creds.path if self.creds else ":memory:"
        try:
            database.check_path(path, must_exist=False)
            schema.check_version(conn, path)
        except DatabaseError as error:
            raise DbtRuntimeError(str(error)) from error
        row = conn.execute("select current_setting('access_mode')").fetchone()
        if row != ("READ_ONLY",):
            schema.migrate(conn)
