"""A file in the outbox's folder may be anybody's: it neither hangs the relay nor runs anything."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from commands import orb
from polling import until

from orb_learning.backup import snapshot
from orb_learning.errors import DeadLetterError
from orb_learning.ingest import BackgroundLoader, relay
from orb_learning.ingest.dead_letters import read_dead_letters, replay_dead_letter
from orb_learning.ingest.relay import load_once, pending_records
from orb_learning.outbox import defence, files_of, pruning
from orb_learning.outbox.defence import open_defensively
from orb_learning.outbox.pruning import PRUNE_LOG, PrunedSegment, pruned_segments
from orb_learning.outbox.segment import TABLES
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import load_settings
from orb_learning.store import connect, stored_offsets

OUTBOX = f"insert into outbox values ('{uuid.UUID(int=1)}', null, 0)"
IDENTITY, RECORDS = TABLES["outbox"], TABLES["records"]
ENDLESS = (
    "with recursive n(i) as (select 1 union all select i + 1 from n) "
    "select i as id, 'execution' as kind, '{}' as payload, 0.0 as put_at from n where i < 0"
)
STRANGE = {
    "an endless view": [IDENTITY, OUTBOX, f"create view records as {ENDLESS}"],
    "an endless outbox": [f"create view outbox as {ENDLESS}", RECORDS],
    "a trigger": [
        IDENTITY, OUTBOX, RECORDS,
        "create trigger t after update on outbox begin delete from records; end",
    ],
    "a virtual table": [
        IDENTITY, OUTBOX, "create virtual table records using fts5(id, kind, payload, put_at)"
    ],
    "a generated column": [
        IDENTITY, OUTBOX,
        "create table records (id integer primary key, kind text, put_at real, "
        "payload text as (hex(zeroblob(1000000))))",
    ],
    "a check": [
        IDENTITY.replace("real not null", "real check (length(hex(zeroblob(9))) > 0)"), OUTBOX,
        RECORDS,
    ],
    "numbers that are texts": [
        IDENTITY, OUTBOX, RECORDS.replace("integer primary key", "text"),
        "insert into records values ('endless', 'execution', '{}', 0)",
    ],
    "another table": [IDENTITY, OUTBOX, RECORDS, "create table more (a)"],
}  # fmt: skip


def made(file: Path, statements: list[str]) -> Path:
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return file


@pytest.mark.parametrize("what", STRANGE)
def test_a_strange_segment_is_set_aside_and_the_rest_loaded(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    strange = made(folder / "00000000000000001-1.sqlite", STRANGE[what])
    outbox = Outbox(folder)
    assert outbox.put("execution", "{}")
    outbox.close()
    result = load_once(tmp_path / "learning.db", folder)
    [said] = result.damaged
    assert said.startswith(strange.name)
    assert not strange.exists()
    assert result.counts["execution"] == 1 or sum(result.counts.values()) == 1


def test_values_of_other_types_and_a_linked_lock_hold_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    records = [
        "(1, 'execution', x'00ff', 'nan')", "(2, x'41', 'x', 1)", "(3, 'execution', 7, 1e999)"
    ]  # fmt: skip
    of_any_type = [IDENTITY, OUTBOX, RECORDS, *(f"insert into records values {r}" for r in records)]
    made(folder / "00000000000000001-1.sqlite", of_any_type)
    linked = made(folder / "00000000000000002-1.sqlite", [IDENTITY, RECORDS])
    victim = tmp_path / "victim"
    victim.write_text("another's")
    linked.with_name(f"{linked.name}.lock").symlink_to(victim)
    outbox = Outbox(folder)
    assert outbox.put("execution", "{}")
    outbox.close()
    database = tmp_path / "learning.db"
    counts = load_once(database, folder).counts
    assert (counts["dead_letter"], counts["execution"]) == (3, 1)
    assert load_once(database, folder).counts.total() == 0
    assert victim.read_text() == "another's"


def test_reading_a_segment_is_bounded_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defence, "LONGEST_READING_SECONDS", 0.1)
    file = made(tmp_path / "1.sqlite", [IDENTITY, OUTBOX, RECORDS])
    with (
        closing(open_defensively(file, "mode=ro")) as connection,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
    ):
        connection.execute(ENDLESS).fetchall()


def test_a_link_in_the_outbox_is_no_segment(tmp_path: Path) -> None:
    other = made(tmp_path / "theirs.sqlite", [IDENTITY, OUTBOX, RECORDS])
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "1-1.sqlite").symlink_to(other)
    before = other.read_bytes()
    assert load_once(tmp_path / "learning.db", folder).damaged == []
    assert other.read_bytes() == before
    with pytest.raises(OSError, match="is a link"):
        open_defensively(folder / "1-1.sqlite", "mode=ro")


def test_a_pipe_in_the_outbox_is_no_segment(tmp_path: Path) -> None:
    """To open it would wait for ever, with the loader's lock."""
    folder = tmp_path / "outbox"
    outbox = Outbox(folder)
    assert outbox.put("execution", "{}")
    outbox.close()
    pipe = folder / "00000000000000001-1.sqlite"
    os.mkfifo(pipe)
    (folder / "00000000000000002-1.sqlite").mkdir()
    result = load_once(tmp_path / "learning.db", folder)
    assert result.damaged == []
    assert sum(result.counts.values()) == 1
    with pytest.raises(OSError, match="is not a regular file"):
        open_defensively(pipe, "mode=ro")


BEFORE_TIME, AFTER_TIME = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
FEEDBACK = {"feedback_id": str(uuid.UUID(int=1)), "task_id": str(uuid.UUID(int=2))}
EXTERNAL = {"timestamp": "2026-01-01T00:00:00Z", "metadata": {"external_id": "a"}}
POISON = {
    "feedback before time": ("feedback", FEEDBACK | {"submitted_at": BEFORE_TIME}),
    "feedback after time": ("feedback", FEEDBACK | {"submitted_at": AFTER_TIME}),
    "an erasure of a number": ("forget", {"task_ids": [5]}),
    "an erasure of an object": ("forget", {"task_ids": [{}]}),
    "an erasure of letters": ("forget", {"task_ids": "abc"}),
    "a deletion of a list": ("delete_feedback", {"feedback_ids": [["a"]]}),
    "a task that is a number": ("execution", EXTERNAL | {"task_id": 5}),
    "a task that is a list": ("execution", EXTERNAL | {"task_id": ["a"]}),
    "a task that is no UUID": ("execution", EXTERNAL | {"task_id": "a"}),
    "a decision before time": (
        "routing", EXTERNAL | {"task_id": str(uuid.UUID(int=3)), "timestamp": BEFORE_TIME}
    ),
    "more refusals than a number holds": ("refused", {"reason": "a", "count": 10**30}),
    "a step at no time": (
        "maintenance",
        dict.fromkeys(["run_id", "step", "outcome", "started_at", "ended_at", "message"], "x"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", POISON)
def test_a_record_that_nobody_can_mean_is_a_dead_letter_and_the_rest_is_loaded(
    what: str, tmp_path: Path
) -> None:
    kind, payload = POISON[what]
    outbox = Outbox(tmp_path / "outbox")
    assert outbox.put("execution", "{}")
    assert outbox.put(kind, json.dumps(payload))
    assert outbox.put("execution", "{}")
    outbox.close()
    database = tmp_path / "learning.db"
    counts = load_once(database, tmp_path / "outbox").counts
    assert (counts["execution"], counts["dead_letter"]) == (2, 1)
    [letter] = read_dead_letters(database)
    assert letter.reason
    with pytest.raises(DeadLetterError):
        replay_dead_letter(database, letter.number)


def test_an_execution_before_time_or_without_an_id_holds_nobody_up(tmp_path: Path) -> None:
    task = {"task_id": str(uuid.UUID(int=3))}
    outbox = Outbox(tmp_path / "outbox")
    for one in (
        task | {"timestamp": BEFORE_TIME},
        task | EXTERNAL | {"timestamp": AFTER_TIME},
        EXTERNAL,
    ):
        assert outbox.put("execution", json.dumps(one))
    outbox.close()
    assert load_once(tmp_path / "learning.db", tmp_path / "outbox").counts.total() == 3


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000, '{"outbox_id": 5}', "5", "[]",
        *(
            json.dumps(
                {"outbox_id": str(uuid.UUID(int=1)), "last_number": 1, "first_put_at": None,
                 "last_put_at": None, "trimmed_at": "2026-01-01"} | wrong
            )
            for wrong in (
                {"last_number": float("inf")}, {"last_number": [1]}, {"first_put_at": BEFORE_TIME},
                {"last_put_at": 5}, {"trimmed_at": None}, {"outbox_id": ["a"]},
            )
        ),
    ],
)  # fmt: skip
def test_a_strange_line_in_the_prune_log_is_passed_over(line: str, tmp_path: Path) -> None:
    good = PrunedSegment(uuid.UUID(int=7), 3, None, None, datetime(2026, 1, 1))  # noqa: DTZ001
    (tmp_path / PRUNE_LOG).write_text(f"{line}\n{good.to_json()}\n")
    assert pruned_segments(tmp_path) == [good]


def test_a_file_that_cannot_be_opened_holds_no_other_one_up(tmp_path: Path) -> None:
    """It ended the loader's thread, and `orb load` with a traceback."""
    settings = load_settings(database_path=tmp_path / "learning.db")
    folder = settings.outbox_folder
    outbox = Outbox(folder)
    folder.mkdir()
    (folder / "0-first.sqlite").touch()
    (folder / "0-first.sqlite.lock").mkdir()  # what opens it is told that it is a directory
    loader = BackgroundLoader(settings.database_path, folder, batch_size=1, flush_interval=0.6)
    loader.start()
    try:
        time.sleep(0.5)  # it looks each quarter of a second how much waits
        assert outbox.put("forget", json.dumps({"task_ids": [str(uuid.uuid4())]}))
        until(lambda: loader.last_result and loader.last_result.counts["forget"], 30)
        assert loader.last_result is not None
        assert loader.last_result.counts["forget"] == 1
        assert loader.last_error is None
    finally:
        loader.stop()
        outbox.close()
    assert pending_records(folder, {})[0] == 1
    assert orb(settings.database_path, "load").returncode == 0


def test_a_file_that_is_swapped_for_a_link_is_named_and_the_others_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the list of the files and their opening; it was a traceback."""
    settings = load_settings(database_path=tmp_path / "learning.db")
    outbox = Outbox(settings.outbox_folder)
    assert outbox.put("forget", json.dumps({"task_ids": [str(uuid.uuid4())]}))
    outbox.close()
    link = settings.outbox_folder / "0-first.sqlite"
    link.symlink_to("/etc/passwd")
    for module in (relay, pruning, snapshot):
        monkeypatch.setattr(module, "files_of", lambda folder: [link, *files_of(folder)])
    said = orb(settings.database_path, "load")
    assert (said.returncode, "0-first.sqlite cannot be opened" in said.stderr) == (1, True)
    assert pending_records(settings.outbox_folder, {})[0] == 1
    with connect(settings.database_path, read_only=True) as connection:
        assert len(stored_offsets(connection)) == 1
    said = orb(settings.database_path, "backup")
    assert "0-first.sqlite cannot be opened" in said.stdout + said.stderr
