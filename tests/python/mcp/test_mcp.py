"""The MCP server, asked by the SDK's client over both transports."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import resource
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from building import REPOSITORY, DbtProject
from mcp.client.client import Client
from mcp.server import MCPServer
from serving import (
    EVIL_TEXTS,
    ORB,
    PROMPT,
    Site,
    answer,
    as_objects,
    call,
    make_site,
    over_http,
    over_stdio,
    said,
    serving,
)

from orb_learning.backup.create import make_backup
from orb_learning.errors import McpServerError, NotBuiltError
from orb_learning.figures import list_executions
from orb_learning.figures import reader as figures_reader
from orb_learning.figures.database_tools import (
    get_data_quality_report,
    get_database_alerts,
    get_database_status,
    get_execution_statistics,
    get_performance_metrics,
    get_storage_status,
)
from orb_learning.figures.groups import TABLES
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import LONGEST_TEXT, UNTRUSTED
from orb_learning.figures.status import read_contents
from orb_learning.ingest.relay import load_once
from orb_learning.mcp import server
from orb_learning.mcp.answers import EMPTY, REST, sent
from orb_learning.mcp.server import IDLE_TIMEOUT_SECONDS, READING, make_server, serve_http
from orb_learning.mcp.sql_guard import check_sql
from orb_learning.page.reports import read_reports
from orb_learning.record import task_uuid
from orb_learning.search.queries import known_vector
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect
from orb_learning.time_ranges import GROUPS, Group

CALLS: dict[str, dict[str, Any]] = {
    "database_status": {"success_rate_threshold": 99.0},
    "what_to_change": {},
    "execution_statistics": {"time_range": "30d"},
    "performance_metrics": {"time_range": "30d"},
    "data_quality_report": {},
    "find_similar_executions": {"task_description": "split the module", "threshold": 0.5},
    "find_solutions": {"task_description": "split the module"},
    "list_executions": {"repo": "web", "success": False, "day": "2026-03-31"},
    "recommend_route": {"repo": "web", "task_type": "refactor", "complexity": 40},
    "policy_values": {},
    "describe_data": {},
    "query": {"sql": "select repo, count(*) as runs from executions group by all order by all"},
}
HOLD = (
    "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); "
    "sys.stdin.read()"
)


@pytest.fixture(scope="module")
def site(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    return make_site(project, small_database, tmp_path_factory.mktemp("mcp"))


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with serving(site) as url:
        yield url


async def every_answer(client: Client) -> dict[str, dict[str, Any]]:
    answers = {tool: answer(await client.call_tool(tool, given)) for tool, given in CALLS.items()}
    del answers["database_status"]["timestamp"]  # of the clock
    return answers


@pytest.fixture(scope="module")
def answers(url: str) -> dict[str, dict[str, Any]]:
    return over_http(url, every_answer)


def test_both_transports_and_protocols_give_the_same_answers(
    site: Site, url: str, answers: dict[str, dict[str, Any]]
) -> None:
    assert over_stdio(site, every_answer, TZ="Asia/Tokyo") == answers
    assert over_http(url, every_answer, mode="legacy") == answers


def test_every_tool_is_described_and_typed(url: str) -> None:
    async def listed(client: Client) -> list[Any]:
        assert client.instructions is not None
        assert UNTRUSTED in client.instructions
        return list((await client.list_tools()).tools)

    tools = over_http(url, listed)
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (REPOSITORY / "docs/mcp.md").read_text(), re.M)
    assert rows == [(tool.name, tool.description.split("\n")[0]) for tool in tools]
    assert [name for name, _ in rows] == [*CALLS, "submit_feedback"]
    for tool in tools:
        assert tool.annotations.read_only_hint == (tool.name != "submit_feedback")
        assert tool.output_schema is None
        for name, argument in tool.input_schema.get("properties", {}).items():
            assert argument["description"], (tool.name, name)
    for tool in asyncio.run(MCPServer.list_tools(make_server(load_settings()))):
        for name, field in (tool.output_schema or {})["properties"].items():
            assert field.get("description") or "$ref" in str(field), (tool.name, name)


def test_the_tools_and_their_answers_leave_an_agent_its_context(url: str) -> None:
    async def sent(client: Client) -> tuple[str, dict[str, Any]]:
        listed = await client.list_tools()
        answers = {}
        for tool in listed.tools:
            if tool.name != "submit_feedback":
                needed = tool.input_schema.get("required", [])
                if tool.name == "find_solutions":  # either of two
                    needed = ["task_description"]
                given = {name: CALLS[tool.name][name] for name in needed}
                answers[tool.name] = await client.call_tool(tool.name, given)
        return listed.model_dump_json(by_alias=True, exclude_none=True), answers

    listed, answers = over_http(url, sent)
    assert len(listed) <= 16_000
    for tool, found in answers.items():
        assert answer(found)["is_cut"] is ("rest" in answer(found)), tool
        assert len(said(found)) <= 8_000, tool
        assert found.structured_content is None  # a client would show it as well as the text


def test_a_prompt_says_how_to_choose_a_tier_and_documents_what_figures_mean(url: str) -> None:
    async def read(client: Client) -> tuple[str, list[str], str]:
        found = await client.get_prompt("choose_tier", {"task": PROMPT, "repo": "web"})
        [message] = found.messages
        listed = (await client.list_resources()).resources
        content = await client.read_resource("orb://docs/statistics")
        return message.content.text, [str(each.uri) for each in listed], content.contents[0].text

    said, documents, text = over_http(url, read)
    assert json.dumps(PROMPT) in said  # a text in quotes
    for tool in re.findall(r"Ask (\w+)", said):
        assert tool in CALLS
    assert len(said) < 3_000
    assert "orb://docs/mcp" in documents
    assert text == (REPOSITORY / "docs/statistics.md").read_text()


def test_every_result_says_of_when_it_is_and_how_to_take_its_texts(
    site: Site, answers: dict[str, dict[str, Any]]
) -> None:
    ((built,),) = site.rows("select strftime(built_at, '%Y-%m-%dT%H:%M:%SZ') from rpt_page_age")
    for tool, found in answers.items():
        assert found["as_of"] == "2026-03-31T12:30:00Z", tool
        assert found["built_at"] == built, tool
        assert found["from_backup"] is False
        assert found["untrusted"] == UNTRUSTED
        assert found["window"], tool


def test_every_result_says_of_which_time_its_figures_are(
    url: str, answers: dict[str, dict[str, Any]]
) -> None:
    shared = {tool: found["window"].split("; ") for tool, found in answers.items()}
    for tool, (whole, *parts) in shared.items():
        assert re.fullmatch(r"\d+[hd]|all that is held|the day .*|as the SELECT says", whole), tool
        for part in parts:  # of another time, by the key that it is of
            name, _, told = part.partition(": ")
            assert told, part
            assert name in json.dumps(answers[tool]), part
    windows: list[tuple[str, dict[str, Any], str]] = [
        ("execution_statistics", {"time_range": "90d", "by": "tier"}, "90d"),
        ("performance_metrics", {}, "7d"),
        (
            "find_similar_executions",
            {"task_description": "split the module", "days_back": 12},
            "12d",
        ),
        ("find_solutions", {"error_message": "split the module"}, "90d"),
        ("list_executions", {"day": "2026-03-31"}, "the day 2026-03-31"),
        ("list_executions", {}, "all that is held"),
    ]
    for tool, given, window in windows:
        assert answer(call(url, tool, **given))["window"] == window


def test_figures_are_those_of_the_reports(site: Site, answers: dict[str, dict[str, Any]]) -> None:
    def report(sql: str) -> Any:
        ((value,),) = site.rows(sql)
        return value

    status = answers["database_status"]
    assert status["status"] == "WARNING"
    (warning,) = status["warnings"]
    assert "of the last 24 hours" in warning
    assert status["executions"]["total"] == report("select count(*) from executions")
    assert status["executions"]["recent_1h"] == 25
    assert status["performance"]["has_enough_samples"] is report(
        "select has_enough_samples from rpt_performance where time_range = '24h'"
    )
    assert status["performance"]["daily_success_rate"] == pytest.approx(
        report("select success_rate from rpt_performance where time_range = '24h'"), rel=1e-3
    )
    size_mb = site.database.stat().st_size / 1e6
    # DuckDB counts free blocks at the end, too, which may be cut off the file, and no header.
    assert size_mb - 0.1 < status["database"]["size_mb"] < 2 * size_mb

    found = answers["execution_statistics"]
    assert len(found["time_series"]) == 31
    tiers = {row["model_tier"]: row["total_executions"] for row in found["by_model_tier"]}
    assert sum(tiers.values()) == found["performance"]["total_executions"]
    assert sum(row["total_executions"] for row in found["time_series"]) == sum(tiers.values())
    assert found["top_repositories"][0]["repo"] == "web"

    metrics = answers["performance_metrics"]
    assert metrics["cost"]["avg_savings"] == pytest.approx(0.25)  # 12 of 0.50 that cost 0.25
    assert metrics["cost"]["savings_known_count"] == 12
    assert metrics["resources"] == {
        "avg_memory_mb": 100.0,
        "p95_memory_mb": 100.0,
        "known_count": 12,
    }
    assert metrics["duration"]["p95_seconds"] == pytest.approx(
        report("select p95_duration from rpt_performance where time_range = '30d'"), rel=1e-3
    )
    assert {row["model_tier"] for row in metrics["by_model_tier"]} == set(tiers)

    similar = answers["find_similar_executions"]["rows"]
    assert similar[0]["task_description"] == "split the module"
    assert similar[0]["similarity"] == pytest.approx(1)
    assert all(row["similarity"] == pytest.approx(0.6) for row in similar[1:])
    assert len(similar) == 1 + len(EVIL_TEXTS)


def test_alerts_take_the_seeds_thresholds_where_none_is_given(url: str) -> None:
    def raised(**given: Any) -> dict[str, dict[str, Any]]:
        found = answer(call(url, "database_status", **given))["alerts"]
        assert not {row["state"] for row in found["others"]} & {"warning", "critical"}
        assert all(row["is_raised"] and row["has_enough_samples"] for row in found["raised"])
        return {row["alert_name"]: row for row in found["raised"] + found["others"]}

    by_seed, given = raised(), raised(success_rate_threshold=10, avg_duration_threshold=1)
    assert by_seed["daily_success_rate"]["threshold"] == 80
    assert by_seed["avg_duration"]["threshold"] == 120
    assert "is_raised" not in by_seed["avg_duration"]
    assert by_seed["success_rate"]["is_raised"]
    assert given["avg_duration"]["is_raised"]
    assert given["avg_duration"]["threshold"] == 1
    assert "is_raised" not in given["daily_success_rate"]


def test_executions_are_listed_by_what_is_asked_for(site: Site, url: str) -> None:
    wanted: list[tuple[dict[str, Any], str]] = [
        ({"words": "WEB task 15"}, "contains(task_description, 'web task 15')"),
        ({"repo": "web", "success": False}, "repo = 'web' and not success"),
        (
            {"error_type": "timeout", "tier": "small"},
            "error_type = 'timeout' and model_tier = 'small'",
        ),
        ({"pool": "none of them"}, "false"),
        ({"model": "no such model"}, "false"),
        ({"day": "2026-03-30"}, "timestamp::date = date '2026-03-30'"),
        ({}, "true"),
    ]

    async def each(client: Client) -> None:
        for given, condition in wanted:
            found = answer(await client.call_tool("list_executions", {"limit": 4, **given}))
            expected = site.rows(
                "select task_id::varchar from executions_flat "
                f"where timestamp <= '2026-03-31 12:30:00' and {condition} "
                "order by timestamp desc, task_id"
            )
            listed = [row["task_id"] for row in found["rows"]]
            assert listed == [task for (task,) in expected[:4]], given
            assert found["is_cut"] == (len(expected) > 4), given
            assert found["matching_count"] == len(expected), given
        evil = answer(await client.call_tool("list_executions", {"words": "xxx"}))
        assert evil["rows"][0]["task_description"].startswith("x" * 200 + "…")

    over_http(url, each)


def test_executions_are_listed_by_cost_where_it_is_known(site: Site, tmp_path: Path) -> None:
    site = site.copy(tmp_path / "site")
    with connect(site.database) as connection:
        connection.execute(
            "update fct_executions set actual_cost = case when _load_seq % 3 > 0 "
            "then _load_seq % 7 end where repo = 'web'"
        )
    expected = site.rows(
        "select task_id::varchar from executions where repo = 'web' "
        "order by coalesce(actual_cost, -1) desc, timestamp desc, task_id"
    )
    reader = Reader(load_settings(database_path=site.database))
    found = asyncio.run(list_executions(reader, repo="web", order="dearest", limit=100))
    reader.close()
    assert [str(row.task_id) for row in found.rows] == [task for (task,) in expected]
    assert found.rows[-1].actual_cost is None
    known = [row for row in found.rows if row.actual_cost is not None]
    assert (found.matching_count, found.cost_known_count) == (len(expected), len(known))


@pytest.mark.parametrize("by", GROUPS)
def test_an_agent_asks_for_one_table_of_the_statistics(site: Site, url: str, by: Group) -> None:
    kind, report, _ = TABLES[by]
    found = answer(call(url, "execution_statistics", time_range="90d", by=by))
    assert (found["by"], found["time_range"]) == (by, "90d")
    [(count,)] = site.rows(f"select count(*) from {report} where time_range = '90d'")
    assert len(found["rows"]) == count > 0 or found["is_cut"]
    assert found["rows"][0].keys() <= kind.model_fields.keys()


def test_the_data_are_described_by_the_databases_own_comments(site: Site, url: str) -> None:
    async def asked(client: Client) -> list[Any]:
        given: list[dict[str, Any]] = [{}, {"relation": "executions"}, {"relation": "metadata"}]
        return [await client.call_tool("describe_data", one) for one in given]

    every, executions, metadata = map(answer, over_http(url, asked))
    listed = {row["relation_name"]: row.get("row_is") for row in every["relations"]}
    assert every["is_cut"] is False
    assert {"executions", "metadata", "tier_performance_mv", "rpt_what_to_change"} <= listed.keys()
    assert not {"build_state", "fct_executions", "stg_executions", "rpt_page_age"} & listed.keys()
    comments = "select comment from duckdb_views() where view_name = 'executions'"
    assert (executions.get("sentence"),) in site.rows(comments)
    columns = [row["column_name"] for row in executions["columns"]]
    assert columns == [name for (name, *_) in site.rows("describe executions")]
    shares = {
        row["column_name"]: row["unknown_share"]
        for row in executions["columns"]
        if row["unknown_share"] is not None
    }
    unknown = "select column_name, unknown_share from rpt_unknown_values where time_range = '90d'"
    assert shares == pytest.approx(dict(site.rows(unknown)), rel=1e-3)
    keys = {row["metadata_key"]: row["execution_count"] for row in executions["metadata_keys"]}
    assert keys == dict(
        site.rows(
            "select key, count(*) from (select unnest(json_keys(metadata)) as key from executions) "
            "group by key"
        )
    )
    assert (metadata["relations"], metadata["metadata_keys"]) == ([], [])
    refused = call(url, "describe_data", relation="executoins")
    assert refused.is_error
    assert "did you mean executions? (got 'executoins')" in said(refused)
    assert call(url, "describe_data", relation="stg_feedback").is_error


def test_evil_texts_come_back_as_data(url: str, answers: dict[str, dict[str, Any]]) -> None:
    sql = "select task_description from executions where repo = 'evil' order by task_id"
    found = [row[0] for row in answer(call(url, "query", sql=sql))["rows"]]
    for given, returned in zip(EVIL_TEXTS, found, strict=True):
        assert returned[:LONGEST_TEXT] == given[:LONGEST_TEXT]
        assert len(returned) < LONGEST_TEXT + 100
    (text,) = [text for text in found if text.startswith("xxx")]
    assert text.endswith("(1,000,000 characters, cut here)")
    similar = [row["task_description"] for row in answers["find_similar_executions"]["rows"]]
    assert PROMPT in similar
    assert max(len(json.dumps(found)) for found in answers.values()) < 100_000


def test_what_is_left_out_can_be_had_as_an_answer_says(site: Site) -> None:
    assert REST.keys() == CALLS.keys()
    statements = [
        sql.format(time_range="7d")
        for tool, rest in [*REST.items(), *EMPTY.items()]
        if tool != "query"
        for sql in re.findall("`(.*?)`", rest)
    ]
    assert len(statements) >= len(CALLS) - 1
    with connect(site.database, read_only=True) as connection:
        for sql in statements:
            assert connection.sql(check_sql(connection, sql)).columns, sql  # it is bound, not run


def test_nothing_but_protocol_is_on_standard_output(site: Site) -> None:
    messages = [
        {"method": "initialize", "id": 1, "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }},
        {"method": "notifications/initialized"},
        {"method": "tools/call", "id": 2, "params": {"name": "database_status", "arguments": {}}},
        {"method": "tools/call", "id": 3, "params": {"name": "no_such_tool", "arguments": {}}},
        {"method": "tools/call", "id": 4, "params": {
            "name": "query", "arguments": {"sql": "select 1"},
        }},
    ]  # fmt: skip
    process = subprocess.Popen(
        [*ORB, "mcp"],
        env=site.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for message in messages:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(4)]
    rest, errors = process.communicate(timeout=60)  # it leaves when its client does
    assert sorted(json.loads(line)["id"] for line in lines) == [1, 2, 3, 4]
    server = next(json.loads(line) for line in lines if json.loads(line)["id"] == 1)
    assert server["result"]["serverInfo"]["version"] == version("orb-learning")
    assert (rest, errors) == ("", "")
    assert process.returncode == 0


def test_feedback_goes_into_the_outbox_and_nowhere_else(site: Site, tmp_path: Path) -> None:
    site = site.copy(tmp_path / "site")
    before = hashlib.sha256(site.database.read_bytes()).digest()

    async def submit(client: Client) -> str:
        (task_id,) = site.rows("select task_id::varchar from executions limit 1")[0]
        given = {"task_id": task_id, "satisfaction": "fair"}
        refused = await client.call_tool("submit_feedback", given)
        assert refused.is_error
        assert "issue_type is missing" in said(refused)
        taken = await client.call_tool("submit_feedback", {**given, "issue_type": "too_slow"})
        return str(answer(taken)["feedback_id"])

    feedback_id = over_stdio(site, submit)
    assert hashlib.sha256(site.database.read_bytes()).digest() == before
    (record,) = waiting_feedback(site)
    assert (record["feedback_id"], record["user_id"]) == (feedback_id, "ada")


def test_feedback_shows_the_execution_that_it_is_of(site: Site, tmp_path: Path) -> None:
    site = site.copy(tmp_path / "site")
    ((task_id, text),) = site.rows(
        "select task_id::varchar, task_description from executions where repo = 'web' limit 1"
    )
    named = task_uuid("task-7", "litellm")  # by another system, whose scope is its name
    with connect(site.database) as connection:
        connection.execute(
            "insert into raw.executions (task_id, metadata, _load_seq, _loaded_at) "
            "values (?, ?, 1000000, now())",
            [named, json.dumps({"external_id": "task-7"})],
        )
        connection.execute(
            "update fct_executions set task_id = ? where task_id = ?", [named, task_id]
        )

    async def submit(client: Client) -> list[Any]:
        given = [{"task_id": id_, "satisfaction": "good"} for id_ in ("task-7", "task-8")]
        return [answer(await client.call_tool("submit_feedback", one)) for one in given]

    reaching, waiting = over_stdio(site, submit)
    assert reaching["execution"]["task_id"] == str(named)
    assert reaching["execution"]["task_description"] == text
    assert reaching["untrusted"] == UNTRUSTED
    assert "execution" not in waiting
    assert "waits for it" in waiting["note"]


def test_feedback_is_withdrawn_by_whoever_gave_it(site: Site, tmp_path: Path) -> None:
    site = site.copy(tmp_path / "site")
    settings = load_settings(database_path=site.database)
    given = {"task_id": "task-7", "satisfaction": "good", "visibility": "team"}

    def load() -> list[str]:
        load_once(settings.database_path, settings.outbox_folder)
        return [str(row) for (row,) in site.rows("select feedback_id from raw.feedback")]

    async def take_back(client: Client) -> str:
        kept, dropped = [
            answer(await client.call_tool("submit_feedback", given))["feedback_id"] for _ in "12"
        ]
        gone = answer(await client.call_tool("submit_feedback", {"withdraw": dropped}))
        assert (gone["feedback_id"], "execution" in gone) == (dropped, False)
        both = await client.call_tool("submit_feedback", {"withdraw": kept, **given})
        assert "withdraw: give it alone" in said(both)
        neither = await client.call_tool("submit_feedback", {"task_id": "task-7"})
        assert "satisfaction: give it, or withdraw (got none)" in said(neither)
        return str(kept)

    of_others = load()
    kept = over_stdio(site, take_back)
    assert set(load()) == {*of_others, kept}

    async def again(client: Client) -> Any:  # a server that did not take it
        return await client.call_tool("submit_feedback", {"withdraw": kept})

    refused = over_stdio(site, again, ORB_USER="eve")
    assert refused.is_error
    assert "eve has no such feedback" in said(refused)
    assert kept in load()
    answer(over_stdio(site, again))
    assert load() == of_others


def waiting_feedback(site: Site) -> list[dict[str, Any]]:
    """What is in the outbox, which nothing has loaded."""
    import sqlite3

    found = []
    for file in site.outbox.glob("*.sqlite"):
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            rows = connection.execute("select kind, payload from records").fetchall()
        assert {kind for kind, _ in rows} == {"feedback"}
        found += [json.loads(payload) for _, payload in rows]
    return found


def test_feedback_can_be_switched_off(site: Site) -> None:
    async def names(client: Client) -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    listed = over_stdio(site, names, ORB_LEARNING__ENABLE_FEEDBACK_COLLECTION="false")
    assert listed == list(CALLS)


def test_tokens_say_who_it_is_and_nobody_else_gets_in(site: Site, tmp_path: Path) -> None:
    site = site.copy(tmp_path / "site")
    file = tmp_path / "tokens"
    file.write_text("# who may\nada 0123456789abcdef\ngrace fedcba9876543210\n")
    file.chmod(0o600)
    (task_id,) = site.rows("select task_id::varchar from executions limit 1")[0]
    given = {"task_id": task_id, "satisfaction": "good"}
    with serving(site, "--host", "0.0.0.0", ORB_LEARNING__MCP_TOKEN_FILE=str(file)) as url:  # noqa: S104
        for token in ["", "0123456789abcdeg", "0123456789abcde", "ada", "é", "0" * 1_000]:
            assert status_of(url, Authorization=f"Bearer {token}") == 401, token
        assert status_of(url) == 401
        assert status_of(url, Authorization="Basic 0123456789abcdef") == 401
        for token in ["fedcba9876543210", "0123456789abcdef"]:
            assert answer(call(url, "database_status", token=token))["errors"] == []
            call(url, "submit_feedback", token=token, **given)
    assert sorted(record["user_id"] for record in waiting_feedback(site)) == ["ada", "grace"]


def status_of(url: str, **headers: str) -> int:
    """The HTTP status of a request to list the tools."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).encode()
    request = urllib.request.Request(  # noqa: S310
        url,
        body,
        {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **{name: value.encode().decode("latin-1") for name, value in headers.items()},
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_whoever_watches_the_server_needs_no_token(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("ada 0123456789abcdef\n")
    file.chmod(0o600)
    with serving(site, ORB_LEARNING__MCP_TOKEN_FILE=str(file)) as guarded:
        health = guarded.replace("/mcp", "/health")
        with urllib.request.urlopen(health, timeout=30) as response:  # noqa: S310
            assert json.load(response) == {"status": "ok", "version": version("orb-learning")}
        assert status_of(guarded) == 401


def test_requests_by_another_hosts_name_are_refused(site: Site, url: str, tmp_path: Path) -> None:
    assert status_of(url) == 200
    assert status_of(url, Host="attacker.example") == 421
    assert status_of(url, Origin="http://attacker.example") == 403
    token = "0123456789abcdef"  # noqa: S105
    file = tmp_path / "tokens"
    file.write_text(f"ada {token}\n")
    file.chmod(0o600)
    tokens = {"ORB_LEARNING__MCP_TOKEN_FILE": str(file)}
    with serving(site, "--allowed-host", "orb.example", **tokens) as named:
        given = {"Authorization": f"Bearer {token}"}
        assert status_of(named, Host="orb.example", **given) == 200
        assert status_of(named, Host="orb.example") == 401
        assert status_of(named, Host="orb.example.attacker.example", **given) == 421


def test_what_is_reached_beyond_this_machine_needs_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def serve(*_: Any, **given: Any) -> None:
        pytest.fail(f"it is served without tokens: {given}")

    told: list[str] = []
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    for given in [
        {"host": "0.0.0.0"},  # noqa: S104
        {"host": "10.1.2.3"},
        {"host": "::"},
        {"host": "example.com"},
        {"allowed_hosts": ["orb.example"]},
        {"allowed_hosts": ["localhost", "10.1.2.3"]},
    ]:
        with monkeypatch.context() as broken:
            broken.setattr(server, "run_server", serve)  # it would serve until it is stopped
            with pytest.raises(McpServerError, match="ORB_LEARNING__MCP_TOKEN_FILE"):
                serve_http(load_settings(), ready=told.append, **given)
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(McpServerError, match="cannot be listened at: Address already in use"),
    ):
        serve_http(load_settings(), port=taken.getsockname()[1], ready=told.append)
    assert told == []  # no URL of what is not served
    assert resource.getrlimit(resource.RLIMIT_DATA) == limits


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        ("ada 0123456789abcdef", 0o644, "chmod 600"),
        ("ada short", 0o600, "line 1"),
        ("# nobody\n", 0o600, "holds no token"),
        ("ada 0123456789abcdef\neve 0123456789abcdef", 0o600, "line 2"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_file_of_tokens_that_is_not_safe_is_refused(
    site: Site, tmp_path: Path, content: str | None, mode: int, reason: str
) -> None:
    file = tmp_path / "tokens"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    outcome = orb_mcp(site, "--transport", "http", ORB_LEARNING__MCP_TOKEN_FILE=str(file))
    assert outcome.returncode == 1
    assert reason in outcome.stderr
    assert "0123456789abcdef" not in outcome.stderr


def orb_mcp(site: Site, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ORB, "mcp", *options],
        env=site.environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_extra_it_says_what_to_install(site: Site) -> None:
    script = "import sys; sys.modules['mcp'] = None; from orb_learning.cli import app; app()"
    outcome = subprocess.run(
        [sys.executable, "-c", script, "mcp"],
        env=site.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "pip install 'orb-learning[mcp]'" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_database_that_cannot_be_read_gets_a_useful_answer(
    site: Site, empty_database: Path, tmp_path: Path
) -> None:
    site = site.copy(tmp_path / "site")
    outside = tmp_path / "outside.db"
    site.database.rename(outside)
    with serving(site) as url:

        def status() -> tuple[str, str]:
            found = answer(call(url, "database_status"))
            return found["status"], " ".join(found["errors"] + found["warnings"])

        def refusal(tool: str) -> str:
            result = call(url, tool, **CALLS[tool])
            assert result.is_error
            return said(result)

        assert status()[0] == "ERROR"
        assert "does not exist" in status()[1]
        assert "does not exist" in refusal("execution_statistics")

        with connect(site.database):  # raw alone
            pass
        for tool in CALLS:
            if tool not in ("database_status", "query", "find_similar_executions"):
                assert "orb build" in refusal(tool), tool
        assert "orb build" in refusal("find_similar_executions")
        assert status()[0] == "ERROR"
        assert "orb build" in status()[1]

        site.database.write_bytes(empty_database.read_bytes())
        assert status() == ("WARNING", "No execution records found - database is empty")
        found = answer(call(url, "execution_statistics"))
        assert found["performance"]["total_executions"] == 0
        assert "success_rate" not in found["performance"]

        site.database.write_bytes(b"no database" * 1000)
        assert "restore a backup" in status()[1]


READ_BESIDE_REPORTS = {
    # How far the outbox was loaded: what is beyond it is only there.
    "database_status": {"raw.outbox_positions", "alerts_at"},
    "execution_statistics": {"raw.outbox_positions"},
    "find_similar_executions": {"known_vector", "similar_executions", "text_embeddings"},
    "find_solutions": {"known_vector", "similar_solutions"},
    "describe_data": {"duckdb_tables", "duckdb_views", "relations"},
    "list_executions": {"executions_flat"},
    "recommend_route": {"executions"},
}
"""As docs/architecture.md says; with an index similar_among takes similar_executions' place."""


class NotedConnection:
    """A connection that keeps what it was asked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, asked: list[str]):
        self._connection = connection
        self._asked = asked

    def execute(self, sql: str, *parameters: Any) -> duckdb.DuckDBPyConnection:
        self._asked.append(sql)
        return self._connection.execute(sql, *parameters)


@pytest.mark.parametrize("tool", [tool for tool in CALLS if tool != "query"])
def test_a_tool_reads_reports_and_what_is_named_beside_them(
    tool: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        figures_reader,
        "Snapshot",
        lambda connection, *rest: Snapshot(
            cast("duckdb.DuckDBPyConnection", NotedConnection(connection, asked)), *rest
        ),
    )
    reader = Reader(LearningSettings(database_path=site.database))
    [ask] = [each for each in READING if each.__name__ == tool]
    try:
        asyncio.run(ask(reader, **CALLS[tool]))
        if tool == "find_similar_executions":  # of a text that the database does not have
            asyncio.run(ask(reader, task_description="something that nobody has asked"))
    finally:
        reader.close()
    read = set(re.findall(r"\b(?:(?<!distinct )from|join) ([\w.]+)", " ".join(asked)))
    others = {relation for relation in read if not relation.startswith("rpt_")}
    assert "rpt_freshness" in read
    assert others == READ_BESIDE_REPORTS.get(tool, set())


def test_what_another_version_built_says_to_build_it_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = site.copy(tmp_path / "site")
    with connect(site.database) as connection:
        for view, lacking in {
            "rpt_performance": "avg_cost",
            "rpt_complexity": "avg_duration",
        }.items():
            connection.execute(f"create table {view}_before as from {view}")
            connection.execute(
                f"create or replace view {view} as select * exclude ({lacking}) from {view}_before"
            )
        connection.execute("create or replace view executions as from rpt_complexity_before")
        connection.execute("drop table rpt_complexity_before")
        connection.execute("alter table text_embeddings rename column embedding to vector")
    monkeypatch.setenv("ORB_DATABASE", str(site.database))
    with connect(site.database, read_only=True) as connection:
        reading: list[Callable[[], Any]] = [
            lambda: known_vector(connection, "split the module", "a model"),
            lambda: asyncio.run(get_execution_statistics()),
            lambda: read_reports(site.database),
            lambda: read_contents(site.database),
        ]
        for read in reading:
            with pytest.raises(NotBuiltError, match="run `orb build`"):
                read()
    with connect(site.database) as connection:
        connection.execute("drop view rpt_database_status")
        connection.execute("create view rpt_database_status as select 1 as total_executions")
    for path in (None, "learning.db", "copy.db"):
        shutil.copy(site.database, site.database.with_name("copy.db"))
        found = asyncio.run(get_database_status(path))
        assert "run `orb build`" in found["errors"][0]


@pytest.mark.slow
def test_while_another_process_writes_the_newest_backup_answers(
    site: Site, answers: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    site = site.copy(tmp_path / "site")
    with serving(site) as url:
        with held(site.database):
            found = answer(call(url, "database_status"))
            assert found["status"] == "ERROR"
            assert "in use" in found["errors"][0]
        made = make_backup(load_settings(database_path=site.database))
        with held(site.database):
            found = answer(call(url, "execution_statistics", time_range="30d"))
        assert found["from_backup"] is True
        assert found["as_of"] == f"{made.backup.time.isoformat()}Z"
        assert found["performance"] == answers["execution_statistics"]["performance"]
        assert answer(call(url, "performance_metrics"))["from_backup"] is False


def test_a_writer_gets_the_file_while_the_server_waits_for_a_question(
    site: Site, tmp_path: Path
) -> None:
    site = site.copy(tmp_path / "site")
    with serving(site) as url:
        for number in range(3):
            for tool, arguments in (("database_status", {}), ("query", {"sql": "select 1"})):
                assert answer(call(url, tool, **arguments))["from_backup"] is False
            # It may write for long before the server would give the file up by itself.
            with connect(site.database, wait_seconds=IDLE_TIMEOUT_SECONDS / 2) as connection:
                connection.execute(f"create table written_{number} as select {number} as n")
        found = answer(call(url, "query", sql="select n from written_2"))
    assert found["rows"] == [[2]]


class held:  # noqa: N801 (a context manager)
    """The database, written by a process that takes no turns, as an older dbt would."""

    def __init__(self, database: Path):
        self._database = database

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self._database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"held\n"

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def test_the_functions_for_python_give_what_the_tools_give(
    site: Site, answers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(site.database))
    status = asyncio.run(get_database_status())
    stats = asyncio.run(get_execution_statistics(time_range="30d"))
    metrics = asyncio.run(get_performance_metrics(time_range="30d"))
    quality = asyncio.run(get_data_quality_report())
    alerts = asyncio.run(get_database_alerts(success_rate_threshold=99.0))
    for tool, found, part in [
        *(("database_status", status, part) for part in ("executions", "performance", "warnings")),
        ("execution_statistics", stats, "by_model_tier"),
        ("performance_metrics", metrics, "duration"),
        ("data_quality_report", quality, "checks"),
    ]:
        as_sent = as_objects(json.loads(sent(tool, {part: found[part]}, 100_000)))
        assert as_sent[part] == answers[tool][part]
    assert "alerts" not in status
    of_status = answers["database_status"]["alerts"]
    as_sent = as_objects(json.loads(sent("database_status", {"raised": alerts["raised"]}, 100_000)))
    assert as_sent["raised"] == of_status["raised"]
    quiet = [(row["alert_name"], row["message"]) for row in alerts["others"]]
    assert quiet == [(row["alert_name"], row["message"]) for row in of_status["others"]]
    assert asyncio.run(get_storage_status())["tables"] == []
    with pytest.raises(ValueError, match="must be one of 1h, 24h, 7d, 30d, 90d"):
        asyncio.run(get_execution_statistics(time_range="2y"))  # type: ignore[arg-type]
