"""Nothing that a command prints acts on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from building import REPOSITORY
from typer.testing import CliRunner

from orb_learning.cli import app
from orb_learning.cli.console import err, out, print_error, reported_errors, say
from orb_learning.cli.tables import Table
from orb_learning.errors import OrbError

EVIL = "name\x1b]0;title\x07\x1b[31mred\x1b[2J\u202eend\r\x9b1m"


def test_no_escape_sequence_of_a_value_reaches_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table(EVIL, title=EVIL)
    table.add_row(EVIL)
    out.print(table)
    out.print(EVIL)
    err.print(EVIL, highlight=False)
    say(f"[bold red]{EVIL}[/]")
    print_error(OrbError(EVIL))
    for printed in capsys.readouterr():
        assert "title" in printed
        assert all(one.isprintable() or one == "\n" for one in printed)


def test_no_file_name_acts_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / f"{EVIL.replace('/', '')}.csv"
    file.write_text(f"task_id,{EVIL}\n1,2\n")
    monkeypatch.setenv("ORB_DATABASE", str(tmp_path / "learning.db"))
    result = CliRunner().invoke(app, ["import", str(file)])
    assert result.output
    assert all(one.isprintable() or one == "\n" for one in result.output)


@pytest.mark.parametrize(
    "words", [f"import --{EVIL}", f"recommend|{EVIL}", EVIL, f"--{EVIL}", f"stats|--range|{EVIL}"]
)
def test_no_error_of_use_acts_on_the_terminal(words: str) -> None:
    """A pattern of the shell makes an option of a stranger's file name."""
    arguments = words.split("|") if "|" in words else words.split(" ")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "title" in result.output
    assert all(one.isprintable() or one == "\n" for one in result.output)


def test_a_cell_and_a_message_of_many_lines_are_one(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "first\nsecond\r\n\n  third\u2028fourth"
    table = Table("what", "why")
    table.add_row(lines, "one")
    out.print(table)
    rows = [line for line in capsys.readouterr().out.splitlines() if "first" in line]
    assert len(rows) == 1
    assert "first second third fourth" in rows[0]
    print_error(OrbError(lines))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_error_of_a_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a\nb").mkdir()
    with pytest.raises(typer.Exit) as ended, reported_errors():
        (tmp_path / "a\nb").read_text()
    said = capsys.readouterr().err
    assert (ended.value.exit_code, said.count("\n")) == (1, 1)
    assert "Is a directory" in said


def test_commands_make_no_other_tables() -> None:
    commands = REPOSITORY / "python_ingest/orb_learning/cli"
    found = {
        file.name
        for file in commands.glob("*.py")
        if "rich" in (text := file.read_text())
        and ("rich.table import" in text or "rich import table" in text)
    }
    assert found == {"tables.py"}
