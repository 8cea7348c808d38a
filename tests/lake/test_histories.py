"""The same history makes the same tables in a lake and in a file, ids bit for bit."""

from __future__ import annotations

import json
import math
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from lakes import REPOSITORY, Lake

from conftest import NEEDED

WORKER = Path(__file__).with_name("history_worker.py")
OF_A_FILE = REPOSITORY / ".venv/bin/python"
TOLERANCE = 1e-9
"""Of a float, relative: a sum in parallel has no fixed order, and each engine its own."""


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return one == other or (
            one is not None
            and other is not None
            and math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)


def rows_of(table: dict[str, Any]) -> list[list[Any]]:
    """Return rows with their values parsed, in an order that no last digit changes."""
    parsed = [
        [None if value is None else json.loads(value) for value in row] for row in table["rows"]
    ]
    return sorted(parsed, key=lambda row: str([v for v in row if not isinstance(v, float)]))


def history(python: str, folder: Path, variables: dict[str, str]) -> dict[str, Any]:
    folder.mkdir()
    command = [python, str(WORKER), str(folder)]
    environment = {**os.environ, **variables, "ORB_LEARNING__EMBEDDINGS": "off"}
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads((folder / "contents.json").read_text("utf-8"))
    return found


def test_a_lake_and_a_file_hold_the_same(lake: Lake, tmp_path: Path) -> None:
    if not OF_A_FILE.exists():
        assert not NEEDED, "no .venv: run `make test` before"
        pytest.skip("THE LAKE IS NOT COMPARED: there is no .venv of the file's engine")
    places = {name: str(tmp_path / name) for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH")}
    file = {**places, "ORB_DATABASE": str(tmp_path / "learning.db"), "ORB_LAKE_DATA": ""}
    of_lakes_engine = str(REPOSITORY / ".venv-lake/bin/python")
    with ThreadPoolExecutor() as pool:
        both = (
            pool.submit(history, str(OF_A_FILE), tmp_path / "of_file", file),
            pool.submit(history, of_lakes_engine, tmp_path / "of_lake", lake.variables),
        )
        of_file, of_lake = (one.result() for one in both)
    assert of_lake.keys() == of_file.keys()
    for name, table in of_file.items():
        assert of_lake[name]["columns"] == table["columns"], name
        one, other = rows_of(table), rows_of(of_lake[name])
        assert len(one) == len(other), name
        for row_of_file, row_of_lake in zip(one, other, strict=True):
            assert same(row_of_file, row_of_lake), (name, row_of_file, row_of_lake)
    assert len(of_file["main.solution_patterns_mv"]["rows"]) > 5
    assert len(of_file["main.fct_executions"]["rows"]) > 400
