"""Ctrl-C ends every command with one line and the status that shells expect."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

ORB = [sys.executable, "-c", "from orb_learning.cli import app; app()"]


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors.splitlines()


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*ORB, *arguments],
        env={**os.environ, "ORB_DATABASE": str(tmp_path / "learning.db")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whatever runs in a shell's background ignores it, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_an_import_is_interrupted_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    with file.open("w") as written:
        written.write("task_id,timestamp,success,task_type\n")
        for number in range(300_000):
            written.write(f"{uuid.UUID(int=number)},2026-03-01T00:00:00Z,true,test\n")
    process = start(tmp_path, "import", str(file))
    while not (tmp_path / "learning.db").exists():  # it is at work
        assert process.poll() is None
    assert ended(process) == (130, ["interrupted; what was not committed is as it was"])


@pytest.mark.parametrize("initialized", [True, False])
def test_the_server_ends_while_it_waits_for_its_client(tmp_path: Path, initialized: bool) -> None:
    process = start(tmp_path, "mcp")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(
        '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": '
        '"2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}\n'
    )
    process.stdin.flush()
    assert "serverInfo" in process.stdout.readline()
    if initialized:
        process.stdin.write('{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        process.stdin.flush()
    assert ended(process) == (130, ["interrupted"])
