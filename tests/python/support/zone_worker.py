"""Reads every view of a database in a process of its own: zone_worker.py DATABASE, under some TZ.

Prints the rows of each, and the views that answer otherwise when the session's zone is set to UTC,
or to the process's own, in the same transaction, so at the same moment.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import duckdb

from orb_learning.store.connection import connect


def main(database: str) -> None:
    with connect(database, read_only=True) as connection:
        connection.execute("begin")
        names = connection.execute(
            "select view_name from duckdb_views() where schema_name = 'main' and not internal"
        ).fetchall()
        rows = {name: read(connection, name) for (name,) in names}
        differing = []
        for zone in ("UTC", os.environ["TZ"]):
            connection.execute(f"set timezone = '{zone}'")
            differing += [name for name in rows if read(connection, name) != rows[name]]
        json.dump({"rows": rows, "differing": differing}, sys.stdout, default=str)


def read(connection: duckdb.DuckDBPyConnection, view: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"from {view} order by all").fetchall()


if __name__ == "__main__":
    main(sys.argv[1])
