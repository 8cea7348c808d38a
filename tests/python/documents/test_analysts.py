"""docs/analysts.md works as it stands there, and the database describes itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from building import REPOSITORY, STEM, DbtProject, copy_of_project
from histories import NOON

from orb_learning.store.connection import connect, utc_now

PAGE = (REPOSITORY / "docs/analysts.md").read_text()
UNDESCRIBED = {
    "fct_executions": "no comments on columns: its CHECKs call functions, and DuckDB would not "
    "open the file after a kill",
    "build_state": "no model: dbt's memory of what was built",
}
"""Relations of schema main whose columns have no comment in the database, and why."""


def blocks(heading: str, language: str) -> list[str]:
    """Return the code under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found


def run(folder: Path, *words: str, time_zone: str = "Asia/Tokyo") -> str:
    environment = {name: value for name, value in os.environ.items() if name[:4] != "ORB_"}
    outcome = subprocess.run(
        words,
        cwd=folder,
        env=environment
        | {"PYTHONPATH": str(REPOSITORY / "python_ingest"), "TZ": time_zone, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def python(folder: Path, code: str, time_zone: str = "Asia/Tokyo") -> str:
    return run(folder, sys.executable, "-c", code, time_zone=time_zone)


def shell(folder: Path, commands: str) -> str:
    return run(folder, "bash", "-euo", "pipefail", "-c", commands)


@pytest.fixture(scope="module")
def place(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a project after `make build`, with executions of the last weeks."""
    folder = tmp_path_factory.mktemp("analyst")
    copy_of_project(folder)
    shutil.copy(REPOSITORY / ".sqlfluff", folder)
    for part in ("docs", "examples"):
        shutil.copytree(REPOSITORY / part, folder / part)
    (folder / "python_ingest").symlink_to(REPOSITORY / "python_ingest")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    file = folder / "data" / f"{STEM}.db"
    file.parent.mkdir()
    shutil.copy(small_database, file)
    with connect(file) as connection:
        connection.execute(
            "update fct_executions "
            "set timestamp = timestamp + ($now - $noon), _loaded_at = _loaded_at + ($now - $noon)",
            {"now": utc_now(), "noon": NOON},
        )
        # Some of the last hour, as it is in Tokyo and in Greenwich.
        connection.execute(
            "update fct_executions set timestamp = $now - interval 20 minute where task_id in "
            "(select task_id from fct_executions where timestamp <= $now "
            "order by timestamp desc limit 3)",
            {"now": utc_now()},
        )
    project.run(file, select=["path:models/reports"])
    return folder


@pytest.mark.slow
def test_the_first_designs_query_runs_in_utc_and_the_pages_own_everywhere(place: Path) -> None:
    as_written, pages_own = blocks("The query of the first design", "python")
    assert 'duckdb.connect("data/learning.db")' in as_written
    show = "\nprint(count, len(recent), success_rate.sort_values('model_tier').to_json())"
    wanted = python(place, as_written + show, "UTC")
    count, recent, tiers = wanted.split(maxsplit=2)
    assert int(count) > int(recent) >= 3
    assert len(json.loads(tiers)["model_tier"]) > 1
    for time_zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        assert python(place, pages_own + show, time_zone) == wanted
    # Which is why the page sets the time zone.
    in_tokyo = python(place, as_written + show, "Asia/Tokyo")
    assert in_tokyo.split()[1] == "0"


@pytest.mark.slow
def test_the_database_is_opened_beside_others(place: Path) -> None:
    with connect(place / "data/learning.db", read_only=True):
        for code in blocks("Open the database without blocking anybody", "python"):
            assert "small" in python(place, code)
        for heading in ("Find what was like a task", "Ask what a column means"):
            for code in blocks(heading, "python"):
                assert "│" in python(place, code)
        (commands,) = blocks("Ask what a column means", "sh")
        shell(place, commands)
    (commands,) = blocks("A copy for other tools", "sh")
    shell(place, commands)
    (reading,) = blocks("A copy for other tools", "python")
    with connect(place / "data/learning.db"):  # somebody writes
        assert "small" in python(place, reading)


@pytest.mark.slow
def test_a_report_is_added_as_the_page_says(place: Path) -> None:
    heading = "Add a report"
    section = PAGE.split(f"\n## {heading}\n")[1]
    files = re.findall(r"`(models/\S+\.(?:sql|yml))`.*?\n\n```\w+\n(.*?)```", section, re.DOTALL)
    assert len(files) == 2
    for name, text in files:
        (place / name).write_text(text)
    (described,) = blocks(heading, "jinja")
    with (place / "models/columns.md").open("a") as file:
        file.write(f"\n{described}")
    (commands,) = blocks(heading, "sh")
    said = shell(place, commands)
    assert "WARN=0 ERROR=0 SKIP=0" in said
    for test in re.findall(r"name: (rpt_slow_executions_\w+)", files[1][1]):
        assert re.search(rf"PASS .*{test}", said), test
    assert "| repo" in said
    assert "FAIL" not in said
    assert "`rpt_slow_executions`" in (place / "docs/reports.md").read_text()
    with connect(place / "data/learning.db", read_only=True) as connection:
        row = connection.execute("select sum(duration_known_count) from rpt_slow_executions")
        assert row.fetchall()[0][0] > 0


@pytest.fixture(scope="module")
def copied(place: Path) -> Path:
    """The folder with the copy for other tools."""
    (commands,) = blocks("A copy for other tools", "sh")
    shell(place, commands)
    return place


def installed(folder: Path, *packages: str) -> Path:
    """Return the programs of an environment that has packages and nothing of this project."""
    run(folder, sys.executable, "-m", "venv", "--without-pip", "tools")
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", "tools/bin/python", "install"]
    run(folder, *pip, *packages)
    return folder / "tools/bin"


@pytest.mark.soak
def test_duckdbs_shell_shows_the_copy(copied: Path, tmp_path: Path) -> None:
    programs = installed(tmp_path, "duckdb-cli==1.5.6")
    (commands,) = blocks("The copy in your tool", "sh")
    assert commands.startswith("pip install duckdb-cli\n")
    shown = run(copied, "bash", "-c", f"PATH={programs}:$PATH; {commands.split(chr(10))[1]}")
    assert "small" in shown


@pytest.mark.soak
def test_a_notebook_shows_the_copy(copied: Path, tmp_path: Path) -> None:
    programs = installed(tmp_path, "nbclient==0.11.0", "ipykernel==7.4.0", "duckdb==1.4.4")
    (reading,) = blocks("A copy for other tools", "python")
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    notebook |= {"cells": [{**cell, "source": reading}]}
    (copied / "tried.ipynb").write_text(json.dumps(notebook))
    run(copied, str(programs / "jupyter"), "execute", "--inplace", "tried.ipynb")
    outputs = json.loads((copied / "tried.ipynb").read_text())["cells"][0]["outputs"]
    assert "small" in str(outputs)


EVIDENCE = """
const connector = require("@evidence-dev/duckdb");
const [options, folder, query] = process.argv.slice(1);
connector.getRunner(JSON.parse(options), folder)
    .then((runner) => runner(query, "tiers.sql", 100))
    .then(async (result) => { for await (const rows of result.rows()) console.log(rows); });
"""


@pytest.mark.soak
def test_evidences_connector_reads_the_copy(copied: Path, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    run(tmp_path, "npm", "install", "--no-audit", "--no-fund", "@evidence-dev/duckdb@2.0.1")
    (connection,) = blocks("The copy in your tool", "yaml")
    (query,) = blocks("The copy in your tool", "sql")
    settings = yaml.safe_load(connection)
    assert settings["type"] == "duckdb"
    source = copied / "sources" / settings["name"]
    source.mkdir(parents=True)
    options = json.dumps(settings["options"])
    assert "small" in run(tmp_path, "node", "-e", EVIDENCE, options, str(source), query)


@pytest.mark.soak
@pytest.mark.parametrize("version", ["1.4.4", "1.5.5"])
def test_the_duckdb_of_drivers_reads_the_copy(version: str, copied: Path, tmp_path: Path) -> None:
    programs = installed(tmp_path, f"duckdb=={version}")
    (reading,) = blocks("A copy for other tools", "python")
    every = (
        "connection = duckdb.connect('data/copy.duckdb', read_only=True)\n"
        "for (name,) in connection.sql('select table_name from duckdb_tables()').fetchall():\n"
        "    print(name, len(connection.sql(f'from {name}').fetchall()))"
    )
    shown = run(copied, str(programs / "python"), "-c", f"{reading}\n{every}")
    assert "small" in shown
    assert "executions_flat" in shown


def rows_of(database: Path, sql: str) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_column_is_described_in_the_database_but_some_that_cannot_be(
    empty_database: Path,
) -> None:
    columns = rows_of(
        empty_database,
        "select table_name, column_name, comment from duckdb_columns() "
        "where schema_name = 'main' and not internal",
    )
    assert len(columns) > 400
    silent = {table for table, _, comment in columns if not comment}
    assert silent == UNDESCRIBED.keys()
    assert all(f"`{table}`" in PAGE for table in UNDESCRIBED)
    described = {column for table, column, _ in columns if table == "executions"}
    own = {column for table, column, _ in columns if table == "fct_executions"}
    assert {name for name in own if not name.startswith("_")} <= described


def test_every_relation_and_table_function_is_described_in_the_database(
    empty_database: Path,
) -> None:
    described = rows_of(
        empty_database,
        "select table_name, comment from duckdb_tables() where schema_name = 'main' union all "
        "select view_name, comment from duckdb_views() where schema_name = 'main' "
        "and not internal union all "
        "select distinct function_name, comment from duckdb_functions() "
        "where schema_name = 'main' and not internal",
    )
    assert {"alerts_at", "executions", "fct_executions", "model_tiers"} <= dict(described).keys()
    assert {name for name, comment in described if not comment} == {"build_state"}
