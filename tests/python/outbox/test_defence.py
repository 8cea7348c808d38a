"""A file in the outbox's folder may be anybody's: it neither hangs the relay nor runs anything."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from orb_learning.ingest.relay import load_once
from orb_learning.outbox import defence
from orb_learning.outbox.defence import open_defensively
from orb_learning.outbox.segment import TABLES
from orb_learning.outbox.writer import Outbox

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
