"""A password in a setting is in nothing that anybody is shown."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orb_learning.cli import app
from orb_learning.errors import DatabaseError, SettingsError
from orb_learning.locator import data_place
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


WORDS = [
    f"host=db dbname=lake password={PASSWORD}",
    f"host=db dbname=lake PASSWORD = '{PASSWORD}'",
    f"host=db dbname=lake sslpassword={PASSWORD}",
    f"host=db dbname=lake oauth_client_secret={PASSWORD}",
]


@pytest.mark.parametrize(
    "database",
    [
        *WORDS,
        *(f"ducklake:postgres:{words}" for words in WORDS),
        f"ducklake:{WORDS[0]}",
        f"ducklake:postgres:postgresql://ada:{PASSWORD}@host/lake",
        f"ducklake:postgres:ada:{PASSWORD}@host/lake=1",
    ],
)
def test_a_password_among_the_words_of_a_lake_is_shown_nowhere(
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without its scheme, the words would be taken for a file's name."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ORB_DATABASE", "data/learning.db")
    run = CliRunner().invoke
    commands = ["status", "load", "backup", "report", "maintain"]
    said = [run(app, ["copy-from", database]), run(app, ["status", "--database", database])]
    monkeypatch.setenv("ORB_DATABASE", database)
    said += [run(app, command.split()) for command in commands]
    assert all(outcome.exit_code for outcome in said)
    everything = [outcome.output for outcome in said] + [caplog.text]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    everything += [path.read_bytes().decode("latin-1") for path in files]
    everything += [str(path) for path in files]
    assert all(PASSWORD not in text for text in everything)


@pytest.mark.parametrize(
    "data",
    [
        f"s3://ada:{PASSWORD}@bucket/lake",
        f"s3://bucket/lake?s3_secret_access_key={PASSWORD}",
        f"az://lake;AccountKey={PASSWORD}",
        f"s3:/ada:{PASSWORD}@bucket",
        f"md:lake?motherduck_token={PASSWORD}",
    ],
)
def test_a_place_of_a_lakes_data_with_a_secret_is_refused_unseen(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckLake would keep it in its catalog, and name it in errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORB_LAKE_DATA", data)
    with pytest.raises(DatabaseError, match="ORB_LAKE_DATA must be") as refused:
        data_place()
    assert PASSWORD not in str(refused.value)
    said = CliRunner().invoke(app, ["build"])
    assert (said.exit_code, PASSWORD in said.output) == (1, False)
    assert "ORB_LAKE_DATA must be" in said.output


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
