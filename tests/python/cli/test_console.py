"""Nothing that a command prints acts on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner

from orb_learning.cli import app
from orb_learning.cli.console import err, out, print_error, say
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
