"""A folder that cannot be written: every command says which, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from building import REPOSITORY
from crash_worker import payload_of
from typer.testing import CliRunner

from orb_learning.backup.create import make_backup
from orb_learning.cli.app import app
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import load_settings
from orb_learning.store.checksums import table_checksums
from orb_learning.store.connection import connect

TASK = str(uuid.UUID(int=1))
COMMANDS = [
    ["load"],
    ["forget", "--task-id", TASK],
    ["feedback", "list"],
    ["retention"],
    ["retention", "--release"],
    ["unarchive", "--from", "2026-01-01", "--to", "2026-01-31"],
    ["backup"],
    ["backups", "--prune"],
    ["restore", "BACKUP"],
    ["maintain", "--wait", "0"],
    ["sample"],
]


@pytest.mark.slow
def test_every_command_says_that_a_folder_cannot_be_written(
    empty_database: Path, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small_disk("60m") / "data"
    data.mkdir()
    database = data / "learning.db"
    shutil.copy(empty_database, database)
    outbox = Outbox(data / "outbox")
    outbox.put("execution", payload_of(TASK, 1))
    outbox.close()
    load_once(database, outbox.folder)
    backup = make_backup(load_settings(database_path=database)).backup
    with connect(database, read_only=True) as connection:
        before = table_checksums(connection)
    monkeypatch.setenv("ORB_DATABASE", str(database))
    monkeypatch.setenv("ORB_LEARNING__PROJECT_PATH", str(REPOSITORY))
    monkeypatch.setenv("ORB_USER", "ann")
    subprocess.run(["mount", "-o", "remount,ro", data.parent], check=True)
    unclear = []
    for command in COMMANDS:
        words = [str(backup.folder) if word == "BACKUP" else word for word in command]
        done = CliRunner().invoke(app, words)
        is_said = str(data) in done.output and "Read-only file system" in done.output
        if not (isinstance(done.exception, SystemExit) and done.exit_code == 1 and is_said):
            unclear.append((command, done.exception, done.output))
    assert unclear == []
    with connect(database, read_only=True) as connection:
        assert table_checksums(connection) == before


def test_an_archive_that_cannot_be_cleaned_is_said(
    database: Path, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = small_disk("4m")
    outbox = Outbox(database.parent / "outbox")
    outbox.put("execution", payload_of(TASK, 1))
    outbox.close()
    load_once(database, outbox.folder)
    file = archive / "executions_archive_20260101.parquet"
    with connect(database) as connection:
        connection.execute(f"copy raw.executions to '{file}'")
    subprocess.run(["mount", "-o", "remount,ro", archive], check=True)
    monkeypatch.setenv("ORB_DATABASE", str(database))
    monkeypatch.setenv("ORB_LEARNING__ARCHIVE_PATH", str(archive))
    done = CliRunner().invoke(app, ["forget", "--task-id", TASK])
    assert isinstance(done.exception, SystemExit), done.exception
    assert f"{archive} cannot be written, so what its files hold is not all" in done.output
    subprocess.run(["mount", "-o", "remount,rw", archive], check=True)
    done = CliRunner().invoke(app, ["forget", "--task-id", TASK])
    assert done.exit_code == 0, done.output
    assert "1 in the archive" in done.output
