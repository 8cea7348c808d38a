"""Real clients: what they send becomes executions, and none that was acknowledged is missing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY
from clients import client_python, inherited, run_client
from ports import free_port

from orb_learning.ingest import import_file
from orb_learning.operations import load_outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import connect, rows_as_dicts

SECONDS_TO_START = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture
def learning(tmp_path: Path) -> LearningSettings:
    return load_settings(database_path=tmp_path / "learning.db")


PROXY = """
model_list:
  - model_name: big
    litellm_params: {model: gpt-4o, api_key: x, mock_response: litellm.InternalServerError}
  - model_name: small
    litellm_params: {model: gpt-4o-mini, api_key: x, mock_response: "yes"}
router_settings: {fallbacks: [{big: [small]}], num_retries: 0}
"""
PROXY_KEY = "sk-of-the-tests-alone-0123456789abcdef"
ASKED = {"model": "big", "messages": [{"role": "user", "content": "fix the basket"}]}


class Collector:
    """``orb collect`` in a process."""

    def __init__(self, learning: LearningSettings):
        self.port = free_port()
        self.environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_SERVICE_NAME": "shop",
        }
        self._database = learning.database_path
        self.start()

    def start(self) -> None:
        command = "from orb_learning.cli import app; app()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, "collect", "--port", str(self.port)],
            env=os.environ | {"ORB_DATABASE": str(self._database)},
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the collector did not start")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(60)


@pytest.fixture
def collector(learning: LearningSettings) -> Iterator[Collector]:
    started = Collector(learning)
    yield started
    if started.process.poll() is None:
        started.end()


def executions(learning: LearningSettings) -> list[dict[str, Any]]:
    """Load what is committed; returns the newest version of each task, what is unknown left out."""
    load_outbox(learning)
    with connect(learning.database_path, read_only=True) as connection:
        rows = rows_as_dicts(
            connection.execute(
                "select * exclude (_load_seq, _loaded_at) from raw.executions "
                "qualify row_number() over (partition by task_id order by _load_seq desc) = 1 "
                'order by "timestamp"'
            )
        )
    known = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [row | {"metadata": json.loads(row["metadata"])} for row in known]


def shown(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Return what a row says under some names; names that are no columns are metadata's."""
    return tuple((row["metadata"] | row).get(name) for name in names)


def test_a_killed_collector_has_what_it_acknowledged_once(
    collector: Collector, learning: LearningSettings
) -> None:
    run_client("otel", collector.environment, "50", "1000")
    collector.end(signal.SIGKILL)
    assert len(executions(learning)) == 50
    collector.start()
    run_client("otel", collector.environment, "10", "1000")
    collector.end(signal.SIGKILL)
    found = executions(learning)
    assert len(found) == 60
    names = ("task_type", "repo", "pool_type", "success", "model", "input_tokens", "spans")
    assert {shown(row, *names) for row in found} == {
        ("helper", "shop", "openai", True, "gpt-4o", 10, 2)
    }
    assert {row["task_description"] for row in found} == {"invoke_agent helper"}


def test_the_sdk_sends_a_thousand_spans_a_second(
    collector: Collector, learning: LearningSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """For ten seconds; what the SDK's own queue drops never reached the collector."""
    report = json.loads(run_client("otel", collector.environment, "5000", "1000"))
    collector.end()
    with capsys.disabled():
        sys.stdout.write(
            f"{report['exported']:,} of 10,000 spans were sent in {report['seconds']:.1f} s; the "
            f"SDK's queue dropped {report['dropped']}\n"
        )
    assert report["failed"] == 0
    assert report["exported"] + report["dropped"] == 10_000
    assert report["exported"] > 9_000
    assert sum(row["metadata"]["spans"] for row in executions(learning)) == report["exported"]


def test_an_agent_of_pydantic_ai_is_an_execution(
    collector: Collector, learning: LearningSettings
) -> None:
    run_client("pydantic_ai", collector.environment)
    fixed, refused = executions(learning)
    names = ("task_type", "task_description", "repo", "success", "solution_summary", "tool_calls")
    assert shown(fixed, *names) == ("fixer", "fix the basket", "shop", True, "Fixed.", 1)
    assert shown(fixed, "model", "llm_calls", "spans") == ("test", 2, 4)
    assert fixed["metadata"]["input_tokens"] > 0
    assert shown(refused, *names) == ("fixer", "fix the till", "shop", False, None, 1)
    assert shown(refused, "tool_errors", "llm_calls") == (1, 1)
    assert (refused["error_type"], refused["metadata"]["error_type"]) == ("timeout", "TimeoutError")


def test_openais_client_under_openinference_is_recorded(
    collector: Collector, learning: LearningSettings
) -> None:
    run_client("openai", collector.environment)
    answered, unknown = executions(learning)
    names = ("task_type", "task_description", "pool_type", "success", "model", "cost_from")
    assert shown(answered, *names) == (
        ("llm", "fix it with gpt-4o", "openai", True, "gpt-4o-2024-08-06", "prices")
    )
    assert answered["actual_cost"] == pytest.approx(1000 * 2.5e-06 + 100 * 1e-05)
    assert shown(unknown, *names) == ("llm", "fix it with gpt-9", "openai", False, "gpt-9", None)
    assert (unknown["error_type"], unknown["metadata"]["error_type"]) == (
        ("validation", "openai.NotFoundError")
    )


def test_litellm_records_successes_failures_retries_and_fallbacks(
    learning: LearningSettings, tmp_path: Path
) -> None:
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONPATH": str(REPOSITORY / "python_ingest"),  # without DuckDB: it is not installed
        "ORB_DATABASE": str(learning.database_path),
        "ORB_LEARNING__REDACT_SECRETS": "true",
    }
    assert "'kept': 11" in run_client("litellm", environment)
    found = executions(learning)
    plain, streamed, unpriced, late, failed, again, instead, *next_request, synchronous = found
    assert {row["task_description"] for row in found} == {"fix the basket, [redacted]"}
    asked = ("task_type", "repo", "pool_type", "success", "model", "input_tokens")
    assert shown(plain, *asked) == ("acompletion", "shop", "openai", True, "gpt-4o", 10)
    assert shown(synchronous, *asked) == ("completion", None, "openai", True, "gpt-4o", 10)
    assert plain["actual_cost"] == pytest.approx(10 * 2.5e-06 + 20 * 1e-05)
    assert streamed["success"]
    assert "actual_cost" not in unpriced
    names = ("success", "error_type", "model", "model_group", "retries", "fallbacks")
    assert shown(late, *names)[:3] == (False, "timeout", "gpt-4o")
    assert shown(failed, *names) == (False, "crash", "gpt-4o", "big", 0, 0)
    assert shown(again, *names) == (False, "crash", "gpt-4o", "big", 1, 0)
    assert failed["metadata"]["error_type"] == "InternalServerError"
    assert failed["metadata"]["error_code"] == "500"
    assert shown(instead, *names) == (True, None, "gpt-4o-mini", "small", 0, 1)
    assert instead["metadata"]["fallback_from"] == "big"
    assert len({row["metadata"]["session_id"] for row in (failed, again, instead)}) == 1
    for tries in ((failed, again, instead), tuple(next_request)):
        first = str(tries[0]["task_id"])
        assert [row["metadata"].get("routing") for row in tries] == [
            None,
            {"attempt": 2, "first_task_id": first},
            {"attempt": 3, "first_task_id": first},
        ]

    # The proxy's log of the same call is a version of the same task.
    log = tmp_path / "spend.jsonl"
    spent = {"request_id": plain["metadata"]["external_id"], "call_type": "acompletion"}
    log.write_text(json.dumps(spent | {"spend": 0.5, "startTime": str(plain["timestamp"])}))
    import_file(learning.database_path, log)
    imported = executions(learning)
    assert len(imported) == len(found)
    assert imported[0]["task_id"] == plain["task_id"]
    assert imported[0]["actual_cost"] == 0.5


def test_litellms_proxy_records_by_the_line_that_the_documents_show(
    learning: LearningSettings, tmp_path: Path
) -> None:
    document = (REPOSITORY / "docs/importing.md").read_text()
    (shown_config,) = re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)
    (tmp_path / "config.yaml").write_text(PROXY + shown_config)
    port = free_port()
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": PROXY_KEY,
        "PYTHONPATH": str(REPOSITORY / "python_ingest"),
        "ORB_DATABASE": str(learning.database_path),
    }
    command = client_python("proxy_requirements.txt").with_name("litellm")
    with (tmp_path / "log").open("w") as log:
        proxy = subprocess.Popen(
            [command, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)],
            cwd=tmp_path,
            env=inherited() | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            assert ask_proxy(proxy, port)["choices"][0]["message"]["content"] == "yes"
            deadline = time.monotonic() + SECONDS_TO_START
            while len(found := executions(learning)) < 2 and time.monotonic() < deadline:
                time.sleep(0.2)  # it logs what succeeded after it has answered
        finally:
            proxy.terminate()
            proxy.wait(60)
    failed, instead = found
    names = ("success", "model_group", "fallbacks", "routing")
    assert shown(failed, *names) == (False, "big", 0, None)
    joined = {"attempt": 2, "first_task_id": str(failed["task_id"])}
    assert shown(instead, *names) == (True, "small", 1, joined)


def ask_proxy(proxy: subprocess.Popen[bytes], port: int) -> dict[str, Any]:
    """Ask once it serves."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(ASKED).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {PROXY_KEY}"},
    )
    deadline = time.monotonic() + 2 * SECONDS_TO_START
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return dict(json.load(response))
        except urllib.error.URLError:
            if proxy.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
