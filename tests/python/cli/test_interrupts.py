"""Ctrl-C ends every command with one line and the status that shells expect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from orb_learning import settings
from orb_learning.cli import app

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
    server = json.loads(process.stdout.readline())["result"]["serverInfo"]
    assert server["version"] == version("orb-learning")
    if initialized:
        process.stdin.write('{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        process.stdin.flush()
    assert ended(process) == (130, ["interrupted"])


GIVEN = {"delete": str(uuid.UUID(int=1)), "unarchive": "2026-03-01"}
"""What stands for an argument or an option of a command; elsewhere a number."""


def commands(group: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield each command with what it cannot do without."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
            continue
        words: list[str] = []
        for one in filter(lambda one: one.required, command.params):
            words += one.opts[:1] if one.param_type_name == "option" else []
            words.append(GIVEN.get(name, "1"))
        yield (*names, name, *words)


WITHOUT_SETTINGS = {"init", "mappings"}
"""Commands that are done at once."""
ALL = [words for words in commands(typer.main.get_command(app)) if words[0] not in WITHOUT_SETTINGS]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_is_interrupted_in_one_line(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    # Each begins by it; whatever a command does later is within the same block.
    monkeypatch.setattr(settings, "check_variables", interrupted)
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stdout) == (130, "")
    assert len(done.stderr.splitlines()) == 1
