"""Dead letters: kept with their reason, shown, loaded after all, dropped."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from commands import orb

from orb_learning.errors import DeadLetterError
from orb_learning.ingest.dead_letters import (
    drop_dead_letters,
    read_dead_letter,
    read_dead_letters,
    replay_dead_letter,
)
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.store.connection import connect, utc_now

GOOD = str(uuid.UUID(int=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def filled(database: Path, folder: Path) -> Path:
    """A database with three dead letters: a cut JSON, a bad field, and one from a process."""
    outbox = Outbox(folder)
    outbox.put("execution", '{"task_id": ')
    outbox.put("execution", json.dumps({"task_id": GOOD, "file_count": "many"}))
    given = {"kind": "execution", "reason": "it was rejected", "payload": {"task_id": GOOD}}
    outbox.put("dead_letter", json.dumps(given))
    outbox.close()
    load_once(database, folder)
    return database


def executions(database: Path) -> list[tuple[object, ...]]:
    with connect(database, read_only=True) as connection:
        return connection.execute(
            "select task_id::varchar, file_count from raw.executions"
        ).fetchall()


def test_half_a_record_that_duckdb_rejects_holds_up_no_other(database: Path, folder: Path) -> None:
    """Its cost is no FLOAT; it waits first, as its outcome may still come."""
    outbox = Outbox(folder)
    for number in range(1, 8):
        cost = 1e117 if number == 5 else 0.5
        given = {"task_id": str(uuid.UUID(int=number)), "cost_estimate": cost}
        outbox.put("routing", json.dumps(given))
    outbox.close()
    now = utc_now()
    assert load_once(database, folder, now=now).counts["unmatched"] == 0
    counts = load_once(database, folder, now=now + timedelta(days=2)).counts
    assert (counts["unmatched"], counts["dead_letter"]) == (6, 1)
    assert len(executions(database)) == 6
    [letter] = read_dead_letters(database)
    assert (letter.kind, json.loads(letter.payload)["cost_estimate"]) == ("routing", 1e117)
    assert "Failed to cast" in letter.reason
    assert load_once(database, folder, now=now + timedelta(days=4)).counts.total() == 0


def test_a_dead_letter_says_what_was_wrong_with_which_field(filled: Path) -> None:
    given, bad, cut = read_dead_letters(filled)
    assert (given.kind, given.reason) == ("execution", "it was rejected")
    assert json.loads(given.payload) == {"task_id": GOOD}
    assert bad.reason == "file_count: Input should be a valid integer"
    assert json.loads(bad.payload)["file_count"] == "many"
    assert cut.reason.startswith("record: Invalid JSON")
    assert all(each.put_at is not None for each in (given, bad, cut))
    assert read_dead_letter(filled, bad.number) == bad
    assert [each.number for each in read_dead_letters(filled, limit=1)] == [given.number]


def test_a_replay_loads_the_record_once_and_deletes_the_dead_letter(
    filled: Path,
) -> None:
    replay_dead_letter(filled, 3)
    assert executions(filled) == [(GOOD, None)]
    with pytest.raises(DeadLetterError, match="there is no dead letter 3"):
        replay_dead_letter(filled, 3)
    assert executions(filled) == [(GOOD, None)]


def test_what_is_still_not_taken_stays(filled: Path) -> None:
    with pytest.raises(DeadLetterError, match=r"still not taken: file_count.*--file"):
        replay_dead_letter(filled, 2)
    for payload in ('{"duration_seconds": 1e300}', "null", '{"embedding": [1.0]}'):
        with pytest.raises(DeadLetterError, match="still not taken"):
            replay_dead_letter(filled, 2, payload=payload)
    assert len(read_dead_letters(filled)) == 3
    assert executions(filled) == []


def test_a_corrected_record_is_taken(filled: Path) -> None:
    replay_dead_letter(filled, 2, payload=json.dumps({"task_id": GOOD, "file_count": 5}))
    assert executions(filled) == [(GOOD, 5)]
    assert [each.number for each in read_dead_letters(filled)] == [3, 1]


def test_a_partial_record_is_replayed_as_one(database: Path, folder: Path) -> None:
    outbox = Outbox(folder)
    outbox.put("outcome", "{}")
    outbox.put("routing", json.dumps({"task_id": GOOD, "model_tier": "small"}))
    load_once(database, folder)
    replay_dead_letter(database, 1, payload=json.dumps({"task_id": GOOD, "file_count": 5}))
    assert executions(database) == [(GOOD, 5)]
    assert read_dead_letters(database) == []


def test_a_drop_is_for_good_and_for_all_or_none(filled: Path, folder: Path) -> None:
    with pytest.raises(DeadLetterError, match="no dead letter 9"):
        drop_dead_letters(filled, [1, 9])
    assert len(read_dead_letters(filled)) == 3
    assert drop_dead_letters(filled, [1, 2]) == 2
    load_once(filled, folder)
    assert [each.number for each in read_dead_letters(filled)] == [3]


def test_the_commands_do_the_same(filled: Path, tmp_path: Path) -> None:
    listed = orb(filled, "dead-letters", "list").stdout
    assert "it was rejected" in listed
    assert "file_count: Input should be a valid integer" in listed
    shown = orb(filled, "dead-letters", "show", "2")
    corrected = tmp_path / "record.json"
    corrected.write_text(json.dumps(json.loads(shown.stdout) | {"file_count": 5}))
    assert orb(filled, "dead-letters", "replay", "2", "--file", str(corrected)).returncode == 0
    everything = orb(filled, "dead-letters", "replay", "--all")
    assert everything.returncode == 1
    assert "dead letter 3: loaded" in everything.stdout
    assert everything.stderr.startswith("error: dead letter 1 is still not taken")
    assert orb(filled, "dead-letters", "drop", "--all").stdout == "1 dead letters dropped\n"
    assert "no dead letters" in orb(filled, "dead-letters", "list").stdout
    assert executions(filled) == [(GOOD, 5), (GOOD, None)]


@pytest.mark.parametrize(
    "words",
    [["show", "9"], ["replay"], ["replay", "1", "--all"], ["replay", "1", "--file", "none.json"]],
)
def test_a_wrong_use_is_an_error_that_says_so(filled: Path, words: list[str]) -> None:
    ended = orb(filled, "dead-letters", *words)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr


def test_orb_load_says_what_it_did_and_status_shows_the_outbox(
    database: Path, folder: Path
) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "\ud800")
    outbox.put("execution", json.dumps({"task_id": GOOD}))
    outbox.put("execution", "x")
    first = orb(database, "load")
    assert first.returncode == 0
    assert "1 execution" in first.stdout
    assert "1 DEAD LETTERS" in first.stdout
    outbox.put("execution", json.dumps({"task_id": GOOD}))
    status = orb(database, "status").stdout
    cells = [line.split("│") for line in status.splitlines() if line.count("│") == 3]
    shown = {name.strip(): value.strip() for _, name, value, _ in cells}
    assert shown["pending"] == "1"
    assert shown["oldest pending"].startswith("20")
    assert shown["dead letters"] == "1"
    assert shown["refused"] == "1 unencodable"
    assert shown["last load"].startswith("20")
    other = orb(database.with_name("other.db"), "load")
    assert other.returncode == 1
    assert "feeds another database" in other.stderr
    assert "--adopt" in other.stderr
    assert orb(database.with_name("other.db"), "load", "--adopt").returncode == 0
