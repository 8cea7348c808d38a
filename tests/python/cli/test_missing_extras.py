"""A command without its extra ends in one line that names what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS = {
    "build": ("dbt", ["dbt"]),
    "report": ("page", ["altair"]),
    "serve": ("page", ["starlette", "uvicorn"]),
    "mcp": ("mcp", ["mcp"]),
    "mcp --transport http": ("mcp", ["mcp"]),
    "collect": ("otel", ["opentelemetry"]),
    "index": ("index", ["faiss"]),
    "similar words": ("embeddings", ["sentence_transformers"]),
    "solutions words": ("embeddings", ["sentence_transformers"]),
}
"""The extra that each command needs, and the packages of it that are away."""
RUN = """
import sys
for name in sys.argv.pop(1).split():
    sys.modules[name] = None
from orb_learning.cli import app
app()
"""


@pytest.mark.parametrize("command", NEEDS)
def test_a_command_without_its_extra_names_what_to_install(
    command: str, small_database: Path
) -> None:
    extra, away = NEEDS[command]
    outcome = subprocess.run(
        [sys.executable, "-c", RUN, " ".join(away), *command.split()],
        env=os.environ | {"ORB_DATABASE": str(small_database)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    [line] = outcome.stderr.splitlines()
    assert f"pip install 'orb-learning[{extra}]'" in line


def test_what_the_page_needs_is_said_before_a_build_is_asked_for(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", RUN, "vl_convert", "report"],
        env=os.environ | {"ORB_DATABASE": str(tmp_path / "none.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "pip install 'orb-learning[page]'" in outcome.stderr
