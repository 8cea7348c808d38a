"""A password in a setting is in nothing that anybody is shown."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orb_learning.cli import app
from orb_learning.errors import SettingsError
from orb_learning.settings import ENV_PREFIX, LearningSettings, load_settings
from orb_learning.store.connection import connect

PASSWORD = "hunter2hunter2"  # noqa: S105
TOKEN = "5ecret5ecret"  # noqa: S105
URL = f"no-such-protocol://ada:{PASSWORD}@host/backups?token={TOKEN}"
COMMANDS = ["status", "backup", "backups --prune", "maintain", "storage", "report"]


def test_a_traceback_of_a_bad_setting_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """An orchestrator's own process shows the errors behind ours."""
    monkeypatch.setenv(f"{ENV_PREFIX}BACKUP_PATH", URL)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    shown = "".join(traceback.format_exception(caught.value))
    assert "must be a path" in shown
    assert PASSWORD not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    "database",
    [f"md:db?motherduck_token={TOKEN}", f"postgres:dbname=x password={TOKEN}", f"s3:/a:{TOKEN}@b"],
)
def test_a_database_that_an_extension_would_open_is_refused_unseen(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORB_DATABASE", database)
    said = [CliRunner().invoke(app, command) for command in (["status"], ["load"], ["build"])]
    assert [outcome.exit_code for outcome in said] == [1, 1, 1]
    assert all("must be a path" in outcome.output for outcome in said)
    assert TOKEN not in "".join(outcome.output for outcome in said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", list(LearningSettings.model_fields))
def test_a_password_in_any_setting_is_shown_nowhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    database = tmp_path / "data/learning.db"
    database.parent.mkdir()
    with connect(database):
        pass
    monkeypatch.setenv("ORB_DATABASE", str(database))
    # Without a project `maintain` says so, and goes on to the places.
    monkeypatch.setenv(f"{ENV_PREFIX}PROJECT_PATH", str(tmp_path))
    variable = "ORB_DATABASE" if name == "database_path" else f"{ENV_PREFIX}{name.upper()}"
    monkeypatch.setenv(variable, URL)
    # Commands that only differ in what they do with a place run where it is one.
    commands = COMMANDS if name == "backup_copy_to" else COMMANDS[:2]
    said = [CliRunner().invoke(app, command.split()).output for command in commands]
    assert all(said), said
    everything = [*said, caplog.text]
    if name == "backup_copy_to":
        everything.append(repr(load_settings()))
        everything += [
            path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()
        ]
        assert "no-such-protocol://host/backups" in said[1]
    for text in everything:
        assert PASSWORD not in text
        assert TOKEN not in text
