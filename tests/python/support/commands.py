"""`orb` in the test's own process: a process of its own takes a second to begin."""

from __future__ import annotations

import subprocess
import traceback
from pathlib import Path

from typer.testing import CliRunner

from orb_learning.cli import app
from orb_learning.cli.console import err, out


def orb(database: Path, *words: str, width: int = 200) -> subprocess.CompletedProcess[str]:
    """Run a command on a database, in a terminal of a width, as subprocess.run would.

    What it raises but an exit is a traceback for its users, so it fails the test.
    """
    before = out.width
    out.width = err.width = width
    try:
        ended = CliRunner().invoke(app, words, env={"ORB_DATABASE": str(database)})
    finally:
        out.width = err.width = before
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise AssertionError("".join(traceback.format_exception(ended.exception)))
    return subprocess.CompletedProcess(words, ended.exit_code, ended.stdout, ended.stderr)
