"""What a restored database may hold: tables that this project knows, and nothing that runs SQL.

A backup may be a stranger's. Its views, macros and triggers would run with the rights of whoever
reads or writes the database, so they go before anything does. dbt makes the project's own again.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orb_learning.dbt import run_dbt
from orb_learning.errors import DbtError, RestoreError
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    EndedError,
    StoppedError,
    answer_apart,
    ask_apart,
    connect_without_lock,
    ddl,
    identifier,
    limits_of,
)

MADE_ANEW = ("config.materialized:view", "config.materialized:table_macro")
"""dbt's selectors of what a restored database is without."""


def keep_known_tables(copy: Path, project: Path) -> tuple[bool, list[str]]:
    """Drop every view, macro and trigger of a database, and the tables that are not the project's.

    A table that is not needed to be read calls its functions where it is only looked at: DuckDB
    computes what is constant. So a process of its own does it.

    Args:
        copy: the database, which nobody else has.
        project: the folder of the dbt project, which knows the tables of schema main.

    Returns:
        whether there were views or macros, and the names of the tables that were dropped.

    Raises:
        RestoreError: what it runs takes too much; it is not to be used.
    """
    try:
        had_views, unknown = ask_apart(__name__, [str(copy), str(project)], limits_of(copy))
    except (StoppedError, EndedError) as error:
        raise RestoreError(
            f"the backup's tables cannot be told from a stranger's: {error}; nothing was changed"
        ) from error
    return had_views, unknown


def _keep_known_tables(arguments: list[str]) -> tuple[bool, list[str]]:
    copy, project = map(Path, arguments)
    known = _known_tables(project)
    with connect_without_lock(copy, read_only=False) as connection:
        triggers = _names(connection, "triggers", "trigger_name", "table_name")
        for schema, trigger, table in triggers:
            connection.execute(
                f"drop trigger {identifier(trigger)} on {identifier(schema)}.{identifier(table)}"
            )
        views = _names(connection, "views", "view_name")
        for schema, view in views:
            connection.execute(f"drop view {identifier(schema)}.{identifier(view)}")
        macros = _names(connection, "functions", "function_name", "function_type")
        for schema, macro, kind in macros:
            table = "table" if kind == "table_macro" else ""
            connection.execute(
                f"drop macro {table} if exists {identifier(schema)}.{identifier(macro)}"
            )
        for schema, index, expressions in _names(connection, "indexes", "index_name, expressions"):
            if "(" in expressions:  # the project's are over columns
                connection.execute(f"drop index {identifier(schema)}.{identifier(index)}")
        # The project has none; what one runs may be another thing once it is not sealed.
        computing = {
            (schema, table)
            for schema, table, is_generated in _names(
                connection, "columns", "table_name", "is_generated"
            )
            if is_generated
        }
        unknown = [
            (schema, table)
            for schema, table in _names(connection, "tables", "table_name")
            if f"{schema}.{table}" not in known
            or (schema, table) in computing
            or not _calls_known_functions(connection, schema, table)
        ]
        for schema, table in unknown:
            connection.execute(f"drop table {identifier(schema)}.{identifier(table)}")
        connection.execute(ddl())  # a table of raw may have been something else
        connection.execute("checkpoint")
    return bool(views or macros), [f"{schema}.{table}" for schema, table in unknown]


def make_views_anew(settings: LearningSettings) -> str | None:
    """Let dbt make the project's views and macros; returns why it could not."""
    try:
        run_dbt(settings, "run", "--select", *MADE_ANEW)
    except DbtError as error:
        return f"the views were not made anew, `orb build` does it: {error}"
    return None


def _calls_known_functions(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether DuckDB has what a table's defaults, checks and generated columns call.

    dbt's connection has functions that write files besides, and a stranger's table could call them.
    """
    name = f"{identifier(schema)}.{identifier(table)}"
    try:
        connection.execute(f"explain select * from {name}")  # noqa: S608
        connection.execute(f"explain insert into {name} default values")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def _known_tables(project: Path) -> set[str]:
    with duckdb.connect() as connection:
        connection.execute(ddl())
        known = {f"{schema}.{name}" for schema, name in _names(connection, "tables", "table_name")}
    files = [file for part in ("models", "seeds") for file in (project / part).rglob("*.*")]
    return known | {"main.build_state"} | {f"main.{file.stem}" for file in files}


def _names(
    connection: duckdb.DuckDBPyConnection, kind: str, *columns: str
) -> list[tuple[str, ...]]:
    internal = "" if kind in ("triggers", "indexes") else "and not internal"
    return connection.execute(
        f"select distinct schema_name, {', '.join(columns)} from duckdb_{kind}() "  # noqa: S608
        f"where database_name = current_database() {internal} order by all"
    ).fetchall()


if __name__ == "__main__":
    answer_apart(_keep_known_tables)
