"""The page as it is served: to this machine's browsers alone, always as the database is."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from building import STEM
from playwright.sync_api import expect, sync_playwright
from ports import free_port
from serving import ORB
from starlette.testclient import TestClient

from orb_learning.page.reports import read_reports
from orb_learning.page.serving import make_app
from orb_learning.settings import LearningSettings
from orb_learning.store.connection import connect

HERE = "http://127.0.0.1"


@pytest.fixture
def database(small_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(small_database, tmp_path / f"{STEM}.db"))


@pytest.fixture
def client(database: Path) -> Iterator[TestClient]:
    with TestClient(make_app(LearningSettings(database_path=database)), base_url=HERE) as client:
        yield client


def rows(answer: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(answer, row, strict=True)) for row in zip(*answer.values(), strict=True)]


@contextmanager
def served(database: Path) -> Iterator[str]:
    """`orb serve` as a process; yields its address."""
    port = free_port()
    process = subprocess.Popen(
        [*ORB, "serve", "--port", str(port)],
        env={**os.environ, "ORB_DATABASE": str(database)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith(f"{HERE}:{port}/; stop it with Ctrl-C"), said
        yield f"{HERE}:{port}/"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.mark.slow
def test_it_gives_out_the_reports_of_the_file(client: TestClient, database: Path) -> None:
    given = client.get("/reports").json()
    expected = json.loads(json.dumps(read_reports(database, outbox=database.parent / "outbox")))
    assert given.keys() == expected.keys()
    for name in ("figures", "changes", "executions", "tile_changes"):
        assert given[name] == expected[name], name


def test_new_figures_come_without_a_new_file(client: TestClient, database: Path) -> None:
    before = (client.get("/version").json(), client.get("/reports").json())
    assert client.get("/version").json() == before[0]
    with connect(database) as connection:  # a writer gets it while it is served
        connection.execute("update alert_thresholds set threshold = threshold + 1")
    after = (client.get("/version").json(), client.get("/reports").json())
    assert after[0] != before[0]
    assert after[1]["thresholds"] != before[1]["thresholds"]


def test_a_bar_leads_to_all_of_its_executions(client: TestClient, database: Path) -> None:
    with connect(database, read_only=True) as connection:
        found = connection.execute(
            "select e.task_id::varchar from rpt_page_executions e, rpt_page_age a "
            "where timestamp >= a.as_of - interval 90 day and model_tier_place = 1 "
            "order by timestamp desc, task_id limit 100"
        ).fetchall()
    query = {"time_range": "90d", "model_tier_place": 1}
    given = rows(client.get("/executions", params=query).json()["executions"])
    assert [row["task_id"] for row in given] == [task for (task,) in found]
    assert given
    answer = client.get("/executions", params={**query, "success": "false"})
    failed = rows(answer.json()["executions"])
    assert {row["task_id"] for row in failed} == {
        row["task_id"] for row in given if not row["success"]
    }
    task = next(row["text_id"] for row in given if row["text_id"])
    of_task = rows(client.get("/executions", params={"text_id": task}).json()["executions"])
    assert {row["text_id"] for row in of_task} == {task}


@pytest.mark.parametrize(
    "query",
    ["repo_place=x", "start=-1", f"end={2**70}", "time_range=1%27%20or%20true", "text_id=1.5"],
)
def test_a_parameter_is_a_value_or_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/executions?{query}")
    assert answer.status_code == 400
    assert re.fullmatch(r"\w+: .*\(got .*\)", answer.json()["error"])


def test_sql_in_a_parameter_is_a_text(client: TestClient) -> None:
    answer = client.get("/executions", params={"error_type": "x' or true; drop table t; --"})
    assert answer.status_code == 200
    assert answer.json()["executions"]["task_id"] == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0"])  # noqa: S104
def test_only_requests_to_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/reports", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("path", ["/reports", "/executions", "/version", "/like?text_id=1"])
def test_pages_of_elsewhere_get_nothing(client: TestClient, path: str) -> None:
    for site in ("cross-site", "same-site"):
        assert client.get(path, headers={"sec-fetch-site": site}).status_code == 403
    assert client.get(path, headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert client.post(path).status_code == 405


def test_its_page_may_ask_nobody_else(client: TestClient) -> None:
    answer = client.get("/")
    text = html.unescape(answer.text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src 'none'; connect-src 'self'; " in policy[1]
    assert "unsafe" not in policy[1]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_no_database_is_said(tmp_path: Path) -> None:
    app = make_app(LearningSettings(database_path=tmp_path / f"{STEM}.db"))
    with TestClient(app, base_url=HERE) as client:
        answer = client.get("/reports")
    assert answer.status_code == 503
    assert str(tmp_path / f"{STEM}.db") in answer.json()["error"]


@pytest.mark.slow
def test_a_browser_sees_it_and_its_drill_downs(database: Path, browser_file: str) -> None:
    before = database.stat()
    with served(database) as address, sync_playwright() as playwright:
        with pytest.raises(HTTPError):
            urlopen(Request(address, headers={"Host": "evil.example"}))  # noqa: S310
        browser = playwright.chromium.launch(executable_path=browser_file, args=["--no-sandbox"])
        page = browser.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}#range=90d&open=success,errors")
        page.wait_for_selector("body[data-drawn]", timeout=60_000)
        page.locator("#panel-success_by_tier summary").click()
        page.locator("#panel-success_by_tier tbody button").first.click()
        expect(page.locator("#executions-said")).to_contain_text("The newest")
        assert "orb serve" not in page.locator("#executions-said").inner_text()
        assert page.locator("#executions-rows tbody tr").count() >= 1
        assert wrong == []
        browser.close()
    assert database.stat().st_mtime_ns == before.st_mtime_ns
