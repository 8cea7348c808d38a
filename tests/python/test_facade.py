"""``import orb_learning`` is light, and offers what it names."""

from __future__ import annotations

import importlib
import subprocess
import sys

import orb_learning

HEAVY = {"dbt", "torch", "pandas", "numpy", "mcp", "duckdb", "pydantic", "typer", "rich", "sqlite3"}


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert loaded_after("import orb_learning") & HEAVY == set()


def test_recording_needs_neither_duckdb_nor_dbt() -> None:
    loaded = loaded_after("from orb_learning import ExecutionRecord, Outbox, TelemetryCapture")
    assert loaded & {"dbt", "torch", "pandas", "numpy", "mcp", "duckdb", "typer", "rich"} == set()


def test_every_name_is_there_and_sorted() -> None:
    assert orb_learning.__all__ == sorted(orb_learning.__all__)
    assert set(orb_learning.__all__) == set(orb_learning._MODULES)
    for name in orb_learning.__all__:
        module = importlib.import_module(f"orb_learning.{orb_learning._MODULES[name]}")
        assert getattr(orb_learning, name) is getattr(module, name)
        assert name in dir(orb_learning)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(orb_learning, "find_similar_executions")


def test_windows_is_refused_in_one_line() -> None:
    code = "import sys; sys.platform = 'win32'; import orb_learning"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1].startswith("ImportError: orb-learning runs on Linux; ")
