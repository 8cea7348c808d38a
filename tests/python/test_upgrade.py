"""What an older version left on disk works under this one, and nothing of it is lost."""

from __future__ import annotations

import json
import tarfile
from datetime import date, datetime
from pathlib import Path

import pytest
from building import REPOSITORY, DbtProject

from orb_learning.archive.files import check_archive
from orb_learning.archive.restore_days import unarchive
from orb_learning.backup.manifests import backups_in
from orb_learning.backup.verify import validate_backup
from orb_learning.operations.load import load_outbox
from orb_learning.operations.restore import restore_backup
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

OLDER = REPOSITORY / "tests/data/older/87f30a4.tar.gz"
"""Made by tests/data/older/make.py: database, outbox, archive and backup."""
MADE_AT = datetime(2026, 11, 27, 4)  # noqa: DTZ001
"""When that was, naive UTC: a day later, decisions no longer wait for their outcome."""
Ids = dict[str, list[str]]


@pytest.fixture
def older(tmp_path: Path) -> LearningSettings:
    with tarfile.open(OLDER) as archive:
        archive.extractall(tmp_path, filter="data")
    return load_settings(
        database_path=tmp_path / "data/learning.db", project_path=REPOSITORY, retention_days=90
    )


@pytest.fixture
def expected(older: LearningSettings) -> Ids:
    content: Ids = json.loads((older.database_path.parents[1] / "expected.json").read_text())
    return content


def ids(settings: LearningSettings, source: str) -> list[str]:
    """The ids of tasks, each as often as it is there."""
    with connect(settings.database_path, read_only=True) as connection:
        rows = connection.execute(f"select task_id::varchar from {source} order by 1").fetchall()
    return [task_id for (task_id,) in rows]


def build(project: DbtProject, settings: LearningSettings) -> None:
    project.run(settings.database_path, command="seed")
    project.run(settings.database_path)


@pytest.mark.slow
def test_an_older_database_and_outbox_give_every_execution_once(
    older: LearningSettings, expected: Ids, project: DbtProject
) -> None:
    loaded = load_outbox(older, now=MADE_AT)
    assert (loaded.counts["execution"], loaded.damaged, loaded.foreign) == (6, [], [])
    build(project, older)
    assert ids(older, "executions") == sorted([*expected["live"], *expected["waiting"]])
    assert ids(older, "rejected_executions") == expected["rejected"]
    assert ids(older, "raw.pending_halves") == sorted(expected["decided"])
    assert ids(older, "raw.feedback") == expected["with_feedback"]
    with connect(older.database_path, read_only=True) as connection:
        unreadable = connection.execute("select count(*) from raw.unreadable_rows").fetchall()
        counted = connection.execute("select sum(feedback_count) from rpt_feedback").fetchall()
    assert unreadable == [(1,)]
    assert counted[0][0] > 0
    build(project, older)  # which finds nothing new
    assert ids(older, "executions") == sorted([*expected["live"], *expected["waiting"]])


def test_an_older_archive_is_whole_and_comes_back(older: LearningSettings, expected: Ids) -> None:
    load_outbox(older, now=MADE_AT)
    assert list(check_archive(older)) == []
    back = unarchive(older, date(2025, 3, 1), date(2025, 3, 3))
    assert back.version_count == len(expected["archived"])
    everything = [
        task for name in ("archived", "live", "rejected", "waiting") for task in expected[name]
    ]
    assert ids(older, "raw.executions") == sorted(everything)


@pytest.mark.slow
def test_an_older_backup_is_valid_and_restores(older: LearningSettings, expected: Ids) -> None:
    (backup,) = backups_in(older.backup_folder)
    validation = validate_backup(backup.folder)
    assert validation.problems == []
    with connect(older.database_path) as connection:
        connection.execute("delete from raw.executions")
    restore_backup(older, backup.folder, now=MADE_AT)
    kept = [task for name in ("live", "rejected", "waiting") for task in expected[name]]
    assert ids(older, "raw.executions") == sorted(kept)
    assert ids(older, "executions") == sorted(expected["live"])  # until it is built
