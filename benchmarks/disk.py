"""Bytes an execution on disk, by table and index.

A DuckDB file keeps freed blocks, so its size says little. Each table is copied, in its own order,
alone into a new file: the size of that file less that of an empty one is the table's. Then its
primary key or index is made in it: what the file grows by is the index's. All are divided by the
number of executions in raw. Last, the whole database: `COPY FROM DATABASE` into a new file, which
packs it; and, beside it, the file as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale

TITLE = "Bytes an execution on disk"
TABLES = (
    "raw.executions",
    "main.fct_executions",
    "main.rejected_executions",
    "main.int_solution_days",
    "main.tier_performance_mv",
    "main.pool_performance_mv",
    "main.solution_patterns_mv",
)


def run(scale: Scale) -> Iterator[Figure]:
    source = databases.built_database(scale.import_rows)
    with databases.new_folder() as folder:
        empty = _size_with(folder / "empty.db", source, [])
        for table in TABLES:
            name = table.split(".")[1]
            copy = f"create table {name} as select * from source.{table} order by rowid"
            alone = _size_with(folder / f"{name}.db", source, [copy])
            yield Figure(table, (alone - empty) / scale.import_rows, unit="B")
            for index, statement in _indexes(source, table):
                size = _size_with(folder / f"{name}.db", source, [statement])
                yield Figure(
                    f"{table}, {index}", max(0, size - alone) / scale.import_rows, unit="B"
                )
        packed = _size_with(folder / "packed.db", source, ["copy from database source to packed"])
        yield Figure(
            "everything, packed",
            packed / scale.import_rows,
            unit="B",
            baseline=source.stat().st_size / scale.import_rows,
            baseline_name="as it is",
        )


def _size_with(file: Path, source: Path, statements: list[str]) -> int:
    with duckdb.connect(file) as connection:
        connection.execute(f"attach '{source}' as source (read_only)")
        for statement in statements:
            connection.execute(statement)
        connection.execute("checkpoint")
    return file.stat().st_size


def _indexes(source: Path, table: str) -> list[tuple[str, str]]:
    """Return name and DDL, for a table of the same name without its schema, of each index."""
    schema, name = table.split(".")
    with duckdb.connect(source, read_only=True) as connection:
        keys = connection.execute(
            """
            select constraint_column_names from duckdb_constraints()
            where schema_name = ? and table_name = ? and constraint_type = 'PRIMARY KEY'
            """,
            [schema, name],
        ).fetchall()
        named = connection.execute(
            "select index_name, regexp_extract(sql, '\\((.*)\\)', 1) from duckdb_indexes() "
            "where schema_name = ? and table_name = ?",
            [schema, name],
        ).fetchall()
    primary = [
        ("primary key", f"alter table {name} add primary key ({', '.join(columns)})")
        for (columns,) in keys
    ]
    return primary + [
        (index, f"create index {index} on {name} ({columns})") for index, columns in named
    ]
