"""``orb`` starts quickly, and every command has its settings and reports its errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rights import bound_by_modes
from typer.testing import CliRunner

from orb_learning.cli.app import PANEL_OF, PANELS, _database_first, app

HEAVY = {"dbt", "duckdb", "mcp", "numpy", "pydantic", "sqlite3", "torch"}


def test_help_imports_nothing_heavy() -> None:
    code = """
import sys
from orb_learning.cli import app
try:
    app(["--help"])
except SystemExit:
    print(*sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "dead-letters" in ran.stdout
    assert HEAVY & set(ran.stdout.splitlines()[-1].split()) == set()


def test_help_shows_the_commands_in_groups() -> None:
    said = CliRunner().invoke(app, ["--help"], terminal_width=80).output
    panels = re.findall(r"─ (\w+) ─", said)
    assert panels == ["Options", *PANELS]
    named = re.findall(r"│ ([a-z-]+) ", said)
    assert named[-len(PANEL_OF) :] == [name for names in PANELS.values() for name in names]


@pytest.mark.parametrize("command", ["status", "load", "backups", "dead-letters list", "report"])
def test_a_wrong_setting_is_one_line_that_names_it(
    command: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    monkeypatch.setenv("ORB_LEARNING__RETENTION_DAYS", "3")
    outcome = CliRunner().invoke(app, command.split())
    assert outcome.exit_code == 1
    assert outcome.output.startswith("error: learning.retention_days = '3'")
    assert outcome.output.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--database", "FILE", "status"],
        ["status", "--database", "FILE"],
        ["status", "--json", "--database=FILE"],
        ["dead-letters", "list", "--database", "FILE"],
        ["check-archive", "--database", "FILE"],
    ],
)
def test_the_database_may_be_named_before_and_after_a_command(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes before ORB_DATABASE, which is as it was afterwards."""
    monkeypatch.setenv("ORB_DATABASE", "elsewhere.db")
    file = tmp_path / "mine.db"
    outcome = CliRunner().invoke(app, [word.replace("FILE", str(file)) for word in words])
    assert outcome.exit_code == 1
    assert f"{file} does not exist" in outcome.output
    assert os.environ["ORB_DATABASE"] == "elsewhere.db"


def test_a_database_that_is_named_is_made_and_built(tmp_path: Path) -> None:
    file = tmp_path / "data" / "mine.db"
    assert CliRunner().invoke(app, ["sample", "--database", str(file)]).exit_code == 0
    assert file.stat().st_size > 100_000
    outcome = CliRunner().invoke(app, ["status", "--database", str(file), "--json"])
    assert json.loads(outcome.output)["database"]["path"] == str(file)


def test_words_behind_two_dashes_name_no_database() -> None:
    assert _database_first(["similar", "--", "--database", "x"])[0] == "similar"
    outcome = CliRunner().invoke(app, ["status", "--database"])
    assert outcome.exit_code == 2
    assert "'--database' requires an argument" in outcome.output


def test_the_shell_completes_commands_and_options() -> None:
    asked = {"_ORB_COMPLETE": "complete_bash", "COMP_WORDS": "orb stat", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", "from orb_learning.cli import app; app(prog_name='orb')"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.split() == ["status", "stats"]


@pytest.mark.parametrize("command", ["similar", "solutions"])
def test_a_search_of_no_days_is_refused(command: str) -> None:
    outcome = CliRunner().invoke(app, [command, "a task", "--days", "0"])
    assert outcome.exit_code == 2
    assert "'--days': Input should be greater than or equal to 1" in outcome.output


@pytest.mark.parametrize(
    "words", [["similar"], ["route"], ["policies", "--repo"], ["executions", "--task"]]
)
def test_an_argument_that_is_no_utf8_is_refused_by_name(words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "a\udcffb"])
    assert done.exit_code == 2
    assert r"is not UTF-8: a\xffb" in done.stderr


@pytest.mark.parametrize("words", [["mappings"], ["--help"]])
def test_output_into_a_full_disk_is_one_line(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "orb_learning", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False
        )
    said = "error: the disk is full; free some space and run it again\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_what_may_not_be_opened_is_one_line_and_the_rest_is_done(tmp_path: Path) -> None:
    for name, mode in (("good.jsonl", 0o644), ("secret.jsonl", 0o000)):
        (tmp_path / name).write_text(f'{{"repo": "{name}"}}\n')
        (tmp_path / name).chmod(mode)

    def load(*names: str) -> subprocess.CompletedProcess[str]:
        command = bound_by_modes(sys.executable, "-m", "orb_learning", "import", *names)
        environment = {**os.environ, "ORB_DATABASE": "learning.db"}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = load("secret.jsonl", "good.jsonl")
    assert (done.returncode, done.stdout.splitlines()[0][:22]) == (1, "good.jsonl: 1 row load")
    assert re.fullmatch("error: .*secret.jsonl.*\n", done.stderr)
    (tmp_path / "learning.db").chmod(0o444)
    done = load("--again", "good.jsonl")
    assert done.returncode == 1
    assert re.fullmatch("error: .*learning.db cannot be .*Permission denied.*\n", done.stderr)


MAKES_A_DATABASE = {"build", "import", "load", "maintain", "sample", "collect", "mcp", "serve"}
ARGUMENTS = {
    "copy-from": ["nowhere"],
    "dead-letters": ["list"],
    "export": ["copy.duckdb"],
    "feedback": ["list"],
    "forget": ["--repo", "x"],
    "restore": ["nowhere"],
    "route": ["a text"],
    "ship": ["nowhere"],
    "similar": ["a text"],
    "solutions": ["a text"],
    "unarchive": ["--from", "2026-01-01", "--to", "2026-01-02"],
    "validate-backup": ["nowhere"],
}


@pytest.mark.parametrize("command", sorted(set(PANEL_OF) - MAKES_A_DATABASE - {"init"}))
def test_a_wrong_path_gets_nothing_beside_it(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORB_DATABASE", str(tmp_path / "wrong.db"))
    said = CliRunner().invoke(app, [command, *ARGUMENTS.get(command, [])])
    assert said.exit_code in (0, 1), said.output
    assert isinstance(said.exception, SystemExit | None)
    assert list(tmp_path.iterdir()) == []
