"""Real clients: what they send becomes executions, and none that was acknowledged is missing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orb_learning.operations import load_outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import connect

REPOSITORY = Path(__file__).parents[3]
CLIENTS = REPOSITORY / "tests/clients"
ENVIRONMENTS = Path(os.environ.get("ORB_CLIENTS", REPOSITORY / "target/clients"))
SECONDS_TO_START = 60.0

pytestmark = pytest.mark.slow


def run_client(name: str, environment: dict[str, str], *arguments: str) -> str:
    """Run a client in its environment, which is made if there is none; returns what it wrote."""
    folder = ENVIRONMENTS / name
    python = folder / "bin/python"
    inherited = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    if not python.exists():
        venv.create(folder, with_pip=True)
        listed = ["-r", str(CLIENTS / f"{name}.txt")]
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", *listed], check=True, env=inherited
        )
    ended = subprocess.run(
        [str(python), str(CLIENTS / f"{name}_client.py"), *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


@pytest.fixture
def learning(tmp_path: Path) -> LearningSettings:
    return load_settings(database_path=tmp_path / "learning.db")


class Collector:
    """``orb collect`` in a process."""

    def __init__(self, learning: LearningSettings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
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


def executions(learning: LearningSettings) -> list[tuple[Any, ...]]:
    load_outbox(learning)
    with connect(learning.database_path, read_only=True) as connection:
        return connection.execute(
            "select task_type, task_description, repo, pool_type, success, error_type, "
            "metadata ->> '$.model', (metadata ->> '$.input_tokens')::integer, actual_cost > 0, "
            "solution_summary from raw.executions "
            "qualify row_number() over (partition by task_id order by _load_seq desc) = 1 "
            'order by "timestamp"'
        ).fetchall()


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
    told = ("helper", "invoke_agent helper", "shop", "openai", True, None, "gpt-4o", 10, True, None)
    assert set(found) == {told}
