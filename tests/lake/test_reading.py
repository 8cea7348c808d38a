"""Figures and queries of clients on a lake: read only, sandboxed, nothing but its own relations."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

import duckdb
import pytest
from lakes import REPOSITORY, Lake

from orb_learning.errors import OrbError, QueryRefusedError
from orb_learning.mcp.sql_guard import check_sql
from orb_learning.store import ReaderPool
from orb_learning.store.connection import connect

FIGURES = ["status", "stats", "alerts", "metrics", "quality", "storage", "changes", "policies"]
META = "__ducklake_metadata_lake"
OF_A_LAKE = [
    f"from postgres_query('{META}', 'select 1')",
    f"select * from postgres_query('{META}', 'select * from ducklake_data_file')",
    f"select * from postgres_query('{META}', 'select pg_read_file(''/etc/passwd'')')",
    f"select (select count(*) from postgres_query('{META}', 'select 1'))",
    f"with x as (from postgres_query('{META}', 'select 1')) from x",
    f"call postgres_execute('{META}', 'drop table ducklake_snapshot')",
    f"from postgres_execute('{META}', 'drop table ducklake_snapshot')",
    "from postgres_scan('host=127.0.0.1', 'public', 'ducklake_snapshot')",
    "from postgres_scan_pushdown('host=127.0.0.1', 'public', 'ducklake_snapshot')",
    "from postgres_attach('host=127.0.0.1')",
    "attach 'host=127.0.0.1' as other (type postgres)",
    "select pg_clear_cache()",
    "from pg_clear_cache()",
    f"from {META}.public.ducklake_snapshot",
    f"from {META}.ducklake_snapshot",
    f'select * from "{META}"."public"."ducklake_file_column_stats"',
    "from ducklake_snapshots('lake')",
    "from ducklake_table_info('lake')",
    "from ducklake_list_files('lake', 'executions', schema => 'raw')",
    "from ducklake_table_changes('lake', 'raw', 'executions', 0, 100)",
    "from ducklake_table_insertions('lake', 'raw', 'executions', 0, 100)",
    "from ducklake_table_deletions('lake', 'raw', 'executions', 0, 100)",
    "from ducklake_options('lake')",
    "from ducklake_settings('lake')",
    "call ducklake_expire_snapshots('lake', older_than => now())",
    "from ducklake_expire_snapshots('lake', older_than => now())",
    "call ducklake_cleanup_old_files('lake', cleanup_all => true)",
    "call ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    "call ducklake_merge_adjacent_files('lake')",
    "call ducklake_rewrite_data_files('lake')",
    "call ducklake_flush_inlined_data('lake')",
    "call ducklake_set_option('lake', 'data_inlining_row_limit', 5)",
    "call ducklake_add_data_files('lake', 'executions', '/etc/passwd')",
    "from lake.snapshots()",
    "from lake.options()",
    "from lake.table_info()",
    "from options()",
    "from snapshots()",
    "call lake.expire_snapshots(older_than => now())",
    "call lake.set_option('x', 1)",
    "from fct_executions at (version => 3)",
    "from lake.main.executions at (timestamp => now() - interval 1 hour)",
    "from raw.executions",
    "from lake.raw.executions",
    "from lake.raw.feedback",
    "from memory.main.x",
    "from temp.main.x",
    "from system.information_schema.tables",
    "from read_parquet('{data}/raw/executions/*/*/*/*.parquet')",
    "from '{data}/raw/executions/*/*/*/*.parquet'",
    "from glob('{data}/**')",
    "copy (select 1) to '{data}/mine.parquet'",
    "from duckdb_secrets()",
    "select which_secret('s3://lake/x', 's3')",
    "use memory",
    "detach lake",
]  # fmt: skip


def hostile() -> list[str]:
    """Return what a file's queries are refused, and what a lake's are besides."""
    file = REPOSITORY / "tests/python/mcp/test_query.py"
    spec = importlib.util.spec_from_file_location("of_a_file", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["of_a_file"] = module
    spec.loader.exec_module(module)
    refused: list[str] = module.REFUSED
    return refused + OF_A_LAKE


def is_refused(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        check_sql(connection, sql)
    except QueryRefusedError:
        return True
    return False


@pytest.mark.parametrize("command", FIGURES)
def test_a_command_of_figures_answers(built_lake: Lake, command: str) -> None:
    done = built_lake.run("orb", command, "--json")
    assert json.loads(done.stdout)


def test_hostile_queries_are_refused(built_lake: Lake, tmp_path: Path) -> None:
    queries = hostile()
    assert len(queries) >= 100
    places = {"data": built_lake.variables["ORB_LAKE_DATA"], "other": str(tmp_path / "other.db")}
    with connect(built_lake.locator, read_only=True, sandbox_memory_mb=512) as connection:
        for query in queries:
            sql = query
            for name in ("data", "other", "written", "csv", "database", "secret", "folder"):
                sql = sql.replace("{" + name + "}", places.get(name, str(tmp_path / name)))
            if "getenv" in sql:  # a function of DuckDB's shell alone
                continue
            assert is_refused(connection, sql), sql


def test_the_sandbox_itself_reaches_no_file_and_writes_nothing(built_lake: Lake) -> None:
    with connect(built_lake.locator, read_only=True, sandbox_memory_mb=512) as connection:
        assert connection.execute("select count(*) from executions").fetchall() == [(6199,)]
        for sql in (
            "from read_csv('/etc/passwd')",
            "insert into main.build_state (model) values ('x')",
            "delete from raw.executions",
            "create table main.mine as select 1",
            "set enable_external_access = true",
            "attach '/tmp/other.db'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)


def test_an_answer_is_of_one_moment(lake: Lake) -> None:
    with connect(lake.locator):
        pass

    def count_twice(connection: duckdb.DuckDBPyConnection) -> list[int]:
        counts = []
        for _ in range(2):
            [(count,)] = connection.execute("select count(*) from raw.dead_letters").fetchall()
            counts.append(count)
            with connect(lake.locator) as writing:
                writing.execute(
                    "insert into raw.dead_letters values (1, 'x', 'x', 'x', null, now()::timestamp)"
                )
        return counts

    pool = ReaderPool(lake.locator)
    try:
        assert asyncio.run(pool.run(count_twice)) == [0, 0]
        assert asyncio.run(pool.run(count_twice)) == [2, 2]
    finally:
        pool.close()


def test_what_is_asked_of_nothing_says_how_a_lake_is_made(lake: Lake) -> None:
    with (
        pytest.raises(OrbError, match="there is no lake in this catalog yet"),
        connect(lake.locator, read_only=True),
    ):
        pass
