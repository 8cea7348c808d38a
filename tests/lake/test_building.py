"""dbt builds every model on a lake, on a folder and on S3, and leaves alone what is as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from lakes import Lake
from test_histories import same

from conftest import AS_OF

MOST_SNAPSHOTS = 5
S3_KEY = {
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_REGION": "us-east-1",
}


def outcome(said: str) -> dict[str, int]:
    found = re.findall(r"(PASS|WARN|ERROR|SKIP)=(\d+)", said.splitlines()[-1])
    return {name: int(count) for name, count in found}


def tables(lake: Lake) -> dict[str, list[Any]]:
    names = lake.rows(
        "select table_name from duckdb_tables() where database_name = 'lake' "
        "and schema_name = 'main' and table_name <> 'build_state'"
    )
    return {
        name: [
            json.loads(row)
            for (row,) in lake.rows(f"select to_json(one)::varchar from main.{name} as one")
        ]
        for (name,) in names
    }


def in_order(rows: list[Any]) -> list[Any]:
    """Return rows in an order that no last digit of a float changes."""
    return sorted(
        rows,
        key=lambda row: str([v for v in row.values() if not isinstance(v, float | list | dict)]),
    )


def test_a_folder(built: tuple[Lake, str]) -> None:
    counts = outcome(built[1])
    assert counts["ERROR"] == 0
    assert counts["SKIP"] == 0
    assert counts["PASS"] > 370


def test_a_second_build_changes_nothing(built_lake: Lake) -> None:
    """But for the last digits of floats: a sum in parallel has no fixed order."""
    before, snapshots = tables(built_lake), built_lake.snapshots()
    no_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    built_lake.run("dbt", "build", "--vars", AS_OF, *no_tests)
    after = tables(built_lake)
    assert after.keys() == before.keys()
    for name, rows in before.items():
        assert same(in_order(rows), in_order(after[name])), name
    assert built_lake.snapshots() - snapshots <= MOST_SNAPSHOTS


def test_s3(new_lake: Callable[..., Lake], s3: str) -> None:
    lake = new_lake(data="s3://lake/data", variables={**S3_KEY, "AWS_ENDPOINT_URL": f"http://{s3}"})
    lake.run("orb", "sample")
    built = outcome(
        lake.run("dbt", "build", "--vars", AS_OF, "--exclude-resource-type", "unit_test").stdout
    )
    assert built["ERROR"] == 0
    assert built["SKIP"] == 0
    assert lake.rows("select count(*) from executions") == [(6199,)]
    assert lake.sql("select count(*) from ducklake_data_file where path like '%.parquet'") > [(20,)]


def test_no_table_has_a_column_of_128_bits(built_lake: Lake) -> None:
    """DuckLake rounds them without a word."""
    found = built_lake.rows(
        "select table_name, column_name from duckdb_columns() where database_name = 'lake' "
        "and data_type like '%HUGEINT%' and table_name in (select table_name from duckdb_tables())"
    )
    assert found == []


def test_no_macro_has_null_as_a_default(built_lake: Lake) -> None:
    """DuckLake keeps it as the text NULL, and nobody can open the lake then."""
    found = built_lake.sql(
        "select parameter_name from ducklake_macro_parameters "
        "where default_value_type <> 'unknown' and upper(default_value) = 'NULL'"
    )
    assert found == []
    assert built_lake.rows("select count(*) from similar_executions(null, moment := null)")
