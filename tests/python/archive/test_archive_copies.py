"""The archive in another place: each file once, as it is, and without what was erased."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from histories import NOON, History, task_id

from orb_learning.archive import retention
from orb_learning.archive.files import check_archive, copy_archive
from orb_learning.archive.retention import archive_and_retain
from orb_learning.errors import BackupError
from orb_learning.operations import erasure
from orb_learning.operations.erasure import erase
from orb_learning.settings import LearningSettings, load_settings


@pytest.fixture
def settings(history: History, tmp_path: Path) -> LearningSettings:
    """Of a database with three archived days, and another place for its files."""
    settings = load_settings(
        database_path=history.database, backup_copy_to=str(tmp_path / "elsewhere")
    )
    arguments = {"days_to_keep": 30, "archive_path": str(settings.archive_folder)}
    history.project.operate(
        history.database, "archive_and_retain", arguments, as_of=NOON.isoformat()
    )
    return settings


def folder_elsewhere(settings: LearningSettings) -> Path:
    [folder] = Path(str(settings.backup_copy_to)).glob("archive/*")
    return folder


def assert_copied(settings: LearningSettings) -> None:
    here = {path.name: path.read_bytes() for path in settings.archive_folder.iterdir()}
    folder = folder_elsewhere(settings)
    there = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    assert there == here != {}
    subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=folder, check=True)
    assert len((folder / "SHA256SUMS").read_text().splitlines()) == len(here)


def test_each_file_is_copied_once_and_is_what_was_archived(settings: LearningSettings) -> None:
    copy_archive(settings)
    assert_copied(settings)
    times = {path: path.stat().st_mtime_ns for path in folder_elsewhere(settings).iterdir()}
    copy_archive(settings)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    # What is lost here stays there.
    max(settings.archive_folder.iterdir()).unlink()
    copy_archive(settings)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_changed_file_is_named_and_the_others_are_copied(
    settings: LearningSettings,
) -> None:
    first, second, third = sorted(settings.archive_folder.iterdir())
    contents = {path: path.read_bytes() for path in (first, second)}
    first.write_bytes(contents[first][:-1] + b"?")
    second.unlink()
    with pytest.raises(BackupError, match=f"{first.name}, read back, is .*{second.name}"):
        copy_archive(settings)
    sums = (folder_elsewhere(settings) / "SHA256SUMS").read_text()
    assert [line.split()[1] for line in sums.splitlines()] == [third.name]
    for path, content in contents.items():
        path.write_bytes(content)
    copy_archive(settings)
    assert_copied(settings)


def test_an_erased_task_is_in_no_copy_any_more(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_archive(settings)
    before = {path.name: path.read_bytes() for path in folder_elsewhere(settings).iterdir()}
    monkeypatch.setattr(erasure, "run_dbt", lambda *_, **__: "")
    done = erase(settings, task_ids=[task_id(5)], now=NOON)
    assert done.archived_count == 1
    assert_copied(settings)
    after = {path.name: path.read_bytes() for path in folder_elsewhere(settings).iterdir()}
    assert len([name for name in before if after[name] != before[name]]) == 2  # and the sums


def test_retention_copies_what_it_archived_and_a_dry_run_nothing(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = '{"archived_count": 0, "deleted_count": 0, "days_cleaned": 0}'
    monkeypatch.setattr(retention, "run_dbt", lambda *_, **__: said)
    archive_and_retain(settings, dry_run=True)
    assert not Path(str(settings.backup_copy_to)).exists()
    archive_and_retain(settings)
    assert_copied(settings)


def test_a_file_that_the_database_does_not_know_is_named(settings: LearningSettings) -> None:
    assert list(check_archive(settings)) == []
    for name in ("executions_archive_20010101.parquet", "feedback_archive_20010101.parquet"):
        (settings.archive_folder / name).touch()
    problems = list(check_archive(settings))
    assert len(problems) == 2
    assert all("_archive_20010101.parquet is not known to the database" in one for one in problems)
