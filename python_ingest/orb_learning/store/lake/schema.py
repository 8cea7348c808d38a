"""The raw schema on a lake: the tables of raw.sql, without what a lake has not.

It has no keys, CHECKs, defaults or sequences. What they hold on a file, the code holds here.
"""

from __future__ import annotations

from functools import cache

import duckdb

from orb_learning.store.schema import SCHEMA_VERSION, ddl, schema_version_of
from orb_learning.store.sql_text import identifier

PARTITIONED = {"executions": "_loaded_at"}
"""Tables whose files are of one day each, so that a day goes by whole files."""


@cache
def lake_ddl() -> tuple[str, ...]:
    """Return the statements that make the raw schema, or bring an older one up to date."""
    with duckdb.connect() as scratch:
        scratch.execute(ddl())
        columns = scratch.execute(
            "select table_name, column_name, data_type, is_nullable from duckdb_columns() "
            "where schema_name = 'raw' order by table_name, column_index"
        ).fetchall()
    statements = ["create schema if not exists raw"]
    for table in dict.fromkeys(name for name, *_ in columns):
        own = [(name, kind, free) for of, name, kind, free in columns if of == table]
        typed = ", ".join(
            f"{identifier(name)} {kind}{'' if free else ' not null'}" for name, kind, free in own
        )
        statements.append(f"create table if not exists raw.{table} ({typed})")
        statements += [
            f"alter table raw.{table} add column if not exists {identifier(name)} {kind}"
            for name, kind, free in own
            if free
        ]
    return tuple(statements)


def migrate_lake(connection: duckdb.DuckDBPyConnection) -> bool:
    """Bring the raw schema to this package's version, in one transaction; who calls has the gate.

    Returns:
        whether there was anything to do.
    """
    version = schema_version_of(connection)
    if version == SCHEMA_VERSION:
        return False
    connection.execute("begin")
    try:
        for statement in lake_ddl():
            connection.execute(statement)
        if version == 0:
            for table, column in PARTITIONED.items():
                connection.execute(
                    f"alter table raw.{table} set partitioned by "
                    f"(year({column}), month({column}), day({column}))"
                )
            connection.execute("insert into raw.database_id select uuid()")
        connection.execute(
            "insert into raw.schema_versions values (?, now()::timestamp)", [SCHEMA_VERSION]
        )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return True
