"""Spans and their outbox, where something is erased, backed up, restored and measured."""

from __future__ import annotations

import json
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from traces import agent_run, chat, request_json

from orb_learning.backup import make_backup, prune_backups, remove_backups
from orb_learning.operations import erase, load_outbox, restore_backup
from orb_learning.operations.maintenance_steps import MaintenanceSteps
from orb_learning.outbox import Outbox, files_of, folder_size, pruned_segments
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import connect

SECRET = "the basket of 4711"  # noqa: S105 (no password, but a text)
NOW = datetime.fromisoformat("2026-11-26T12:00:00")
ERASED, STAYS = uuid.UUID(int=7), uuid.UUID(int=8)


@pytest.fixture
def settings(tmp_path: Path) -> LearningSettings:
    settings = load_settings(database_path=tmp_path / "learning.db")
    load_outbox(settings, now=NOW)  # makes the database
    return settings


def collected(settings: LearningSettings, *payloads: str) -> None:
    outbox = Outbox(settings.span_outbox_folder)
    assert outbox.put_many("spans", payloads) == len(payloads)
    outbox.close()


def tasks(settings: LearningSettings) -> set[uuid.UUID]:
    with connect(settings.database_path, read_only=True) as connection:
        found = connection.execute(
            "select task_id from raw.executions union select trace_id from raw.spans"
        ).fetchall()
    return {task for (task,) in found}


def test_an_erased_trace_is_in_no_file_and_no_backup(settings: LearningSettings) -> None:
    mine = [
        one | {"name": SECRET} if one["name"] == "span 1" else one for one in agent_run(ERASED.int)
    ]
    collected(settings, request_json(mine), request_json([chat(STAYS.int, 1)]))
    before = make_backup(settings, now=NOW).backup.folder
    assert SECRET.encode() in b"".join(path.read_bytes() for path in before.rglob("*.sqlite"))
    result = erase(settings, task_ids=[ERASED], in_backups=True, now=NOW + timedelta(hours=1))
    assert (result.version_count, result.still_in) == (1, [])
    assert not before.exists()
    assert tasks(settings) == {STAYS}
    kept = [path for path in settings.database_path.parent.rglob("*") if path.is_file()]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []


def test_a_backup_that_holds_spans_of_an_erased_trace_is_named(settings: LearningSettings) -> None:
    collected(settings, request_json([chat(ERASED.int, 1)]))
    load_outbox(settings, now=NOW)
    with connect(settings.database_path) as connection:
        connection.execute("delete from raw.executions")
    folder = make_backup(settings, now=NOW).backup.folder
    result = erase(settings, task_ids=[ERASED], now=NOW + timedelta(hours=1))
    assert result.still_in == [folder]


def test_a_restored_backup_has_the_spans_that_waited(settings: LearningSettings) -> None:
    collected(settings, request_json([chat(STAYS.int, 1)]))
    backup = make_backup(settings, now=NOW).backup
    shutil.rmtree(settings.span_outbox_folder)
    restored = restore_backup(settings, backup.folder, now=NOW + timedelta(hours=1))
    assert (tasks(settings), restored.missing) == ({STAYS}, None)


def test_a_restore_loads_the_spans_that_came_after_its_backup(settings: LearningSettings) -> None:
    collected(settings, request_json([chat(ERASED.int, 1)]))
    load_outbox(settings, now=NOW)
    backup = make_backup(settings, now=NOW).backup
    collected(settings, request_json([chat(STAYS.int, 1)]))
    load_outbox(settings, now=NOW)
    restored = restore_backup(settings, backup.folder, now=NOW + timedelta(hours=1))
    assert (tasks(settings), restored.missing) == ({ERASED, STAYS}, None)
    assert restored.outbox_files == []
    assert restored.loaded is not None
    assert restored.loaded.counts["trace"] == 1


def test_no_backup_holds_up_a_flood_and_the_restore_says_what_is_lost(tmp_path: Path) -> None:
    settings = load_settings(database_path=tmp_path / "learning.db", span_outbox_size_limit_mb=1)
    load_outbox(settings, now=NOW)
    backup = make_backup(settings, now=NOW).backup
    texts = {"gen_ai__prompt": "x" * 7_000}
    for _ in range(6):
        collected(settings, *[request_json([chat(n, 1, **texts)]) for n in range(1, 15)])
    result = load_outbox(settings, now=NOW)
    assert result.counts["trace"] == 14
    assert result.pruned.unverified_records == 28
    assert folder_size(settings.span_outbox_folder) <= 2**19
    restored = restore_backup(settings, backup.folder, now=NOW + timedelta(hours=1))
    assert restored.missing is not None
    assert restored.missing.count == 28


def test_spans_go_with_a_backup_or_their_age_and_leave_a_note(settings: LearningSettings) -> None:
    def left(now: datetime) -> int:
        load_outbox(settings, now=now)
        return len(files_of(settings.span_outbox_folder))

    old = make_backup(settings, now=NOW).backup
    collected(settings, request_json([chat(STAYS.int, 1)]))
    assert left(NOW) == 1
    make_backup(settings, now=NOW + timedelta(hours=1))
    assert left(NOW) == 0
    assert len(pruned_segments(settings.span_outbox_folder)) == 1
    remove_backups(settings.backup_folder, [old])
    prune_backups(settings)
    assert pruned_segments(settings.span_outbox_folder) == []
    collected(settings, request_json([chat(ERASED.int, 1)]))
    assert left(datetime.now(UTC).replace(tzinfo=None)) == 1
    assert left(datetime.now(UTC).replace(tzinfo=None) + timedelta(days=7, minutes=1)) == 0


def test_an_erased_trace_is_not_in_spans_that_wait_for_a_backup(settings: LearningSettings) -> None:
    collected(settings, request_json([chat(ERASED.int, 1)]), request_json([chat(STAYS.int, 1)]))
    backup = make_backup(settings, now=NOW - timedelta(days=1)).backup
    load_outbox(settings, now=NOW)
    assert erase(settings, task_ids=[ERASED], now=NOW).outbox_count == 1
    [segment] = files_of(settings.span_outbox_folder)
    content = b"".join(path.read_bytes() for path in segment.parent.glob(f"{segment.name}*"))
    assert f"{ERASED.int:032x}".encode() not in content
    assert f"{STAYS.int:032x}".encode() in content
    restore_backup(settings, backup.folder, now=NOW + timedelta(hours=1))
    assert tasks(settings) == {STAYS}


def test_what_is_no_json_is_a_dead_letter(settings: LearningSettings) -> None:
    collected(settings, "{", json.dumps({"resourceSpans": 7}), request_json([chat(STAYS.int, 1)]))
    counts = load_outbox(settings, now=NOW).counts
    assert (counts["dead_letter"], counts["trace"]) == (1, 1)


def test_maintenance_deletes_spans_after_their_days(settings: LearningSettings) -> None:
    collected(settings, request_json([chat(STAYS.int, 1)]))
    load_outbox(settings, now=NOW)
    steps = MaintenanceSteps(settings, 5, lambda: NOW + timedelta(days=8), 0)
    assert steps.drop_spans() == 1
    assert steps.drop_spans() == 0
