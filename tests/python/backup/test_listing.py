"""The commands make, list, validate and prune backups."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from backup_cases import put
from typer.testing import CliRunner

from orb_learning.backup.manifests import (
    backups_in,
)
from orb_learning.cli.app import app
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox


def test_the_commands_make_list_validate_and_prune(
    database: Path, outbox: Outbox, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    monkeypatch.setenv("ORB_LEARNING__BACKUP_KEEP_LAST", "2")
    for period in ("DAILY", "WEEKLY", "MONTHLY"):
        monkeypatch.setenv(f"ORB_LEARNING__BACKUP_KEEP_{period}", "0")
    run = CliRunner().invoke
    put(outbox, 1)
    load_once(database, outbox.folder)
    assert "`orb backup` makes one" in run(app, ["backups"]).stderr
    for _ in range(3):
        done = run(app, ["backup"])
        assert done.exit_code == 0, done.output
        assert "validated" in done.stdout
    shown = run(app, ["backups"]).stdout
    assert (shown.count("last"), shown.count("nothing")) == (2, 1)
    done = run(app, ["backups", "--prune", "--json"])
    assert "1 backup removed" in done.stderr
    listed = json.loads(done.stdout)
    assert [row["kept_by"] for row in listed] == [["last"], ["last"]]
    assert [Path(row["folder"]) for row in listed] == [
        backup.folder for backup in reversed(backups_in(folder))
    ]
    newest = backups_in(folder)[-1].folder
    done = run(app, ["validate-backup", str(newest)])
    assert done.exit_code == 0
    assert "is what it was: 2 files" in done.stdout
    with (newest / "learning.db").open("ab") as file:
        file.write(b"\0")
    done = run(app, ["validate-backup", str(newest / "manifest.json")])
    assert done.exit_code == 1
    assert "learning.db is not what it was" in done.stderr
    assert "DAMAGED" in run(app, ["backups"]).stdout
    done = run(app, ["backup", "--to", str(tmp_path / "elsewhere")])
    assert len(backups_in(tmp_path / "elsewhere")) == 1
