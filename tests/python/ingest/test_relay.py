"""The relay: each record exactly once and in order, whichever outbox and database it meets."""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from polling import until
from typer.testing import CliRunner

from orb_learning import TelemetryCapture
from orb_learning.backup.create import make_backup
from orb_learning.cli.app import app
from orb_learning.errors import DatabaseLockedError, DatabaseMissingError, LoaderBusyError
from orb_learning.feedback.submit import submit_feedback
from orb_learning.ingest import background, batches, relay
from orb_learning.ingest.background import BackgroundLoader
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.operations.load import load_outbox
from orb_learning.outbox import writer
from orb_learning.outbox.lease import hold_lease
from orb_learning.outbox.pruning import prune_segments
from orb_learning.outbox.reader import files_of
from orb_learning.outbox.segment import SUFFIX
from orb_learning.outbox.writer import Limits, Outbox
from orb_learning.record.model import COLUMNS, ExecutionRecord
from orb_learning.record.vector_codec import vector_to_text
from orb_learning.settings import load_settings
from orb_learning.store import schema as store_schema
from orb_learning.store.connection import connect, utc_now
from orb_learning.store.schema import SCHEMA_VERSION, ddl, migrate

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001
RICH = ExecutionRecord(
    timestamp=datetime(2026, 2, 28, 23, 59, 59, 123456, UTC),
    task_type="refactor",
    task_description="emoji 🦆, a NUL \x00, quotes ' \" \\ and -- drop table\n",
    repo="",
    file_count=-(2**63),
    estimated_tokens=2**63 - 1,
    model_tier="small",
    pool_type="local",
    routing_confidence=0.1,
    complexity_score=50,
    success=False,
    duration_seconds=1e-30,
    quality_score=0,
    cost_estimate=3.4e38,
    actual_cost=-0.0,
    user_accepted=True,
    embedding=[number / 384 for number in range(384)],
    metadata={"nested": {"list": [1, 2.5, None, "ü"]}, "big": 2**60},
    uploaded_at=datetime(2026, 3, 1, tzinfo=UTC),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def record(number: int) -> ExecutionRecord:
    return ExecutionRecord(task_id=uuid.UUID(int=number), file_count=number)


def put(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        assert outbox.put("execution", record(number).model_dump_json())


def loaded(database: Path) -> list[int]:
    """The numbers of the records in raw, in the order in which they were loaded."""
    return [
        row[0]
        for row in query(database, "select file_count from raw.executions order by _load_seq")
    ]


def query(database: Path, sql: str) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_record_arrives_as_it_would_if_it_were_inserted(folder: Path, database: Path) -> None:
    outbox = Outbox(folder)
    empty = ExecutionRecord()
    for one in (RICH, empty):
        assert outbox.put("execution", one.model_dump_json())
    load_once(database, folder, now=NOW)
    with connect(database) as connection:
        places = ", ".join("?" * (len(COLUMNS) + 2))
        connection.execute("create temp table direct as from raw.executions limit 0")
        for one in (RICH, empty):
            values = (*one.as_row(), 0, NOW)
            connection.execute(f"insert into direct values ({places})", values)
        for name in COLUMNS:
            sql = f'select "{name}" from {{}} order by task_id = ?'
            if name == "metadata":
                sql = f'select "{name}"::json::varchar from {{}} order by task_id = ?'
            direct = connection.execute(sql.format("direct"), [empty.task_id]).fetchall()
            by_outbox = connection.execute(sql.format("raw.executions"), [empty.task_id]).fetchall()
            if name == "metadata":
                direct, by_outbox = (
                    [json.loads(one or "null") for (one,) in rows] for rows in (direct, by_outbox)
                )
            assert by_outbox == direct, name
    assert query(database, "select distinct _loaded_at from raw.executions") == [(NOW,)]


def test_what_telemetry_records_is_loaded_without_being_checked_again(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(batches, "_checked")
    vector = RICH.embedding
    with_vector: dict[str, Any] = {"task_id": str(uuid.UUID(int=2)), "embedding": vector}
    outbox = Outbox(folder)
    capture = TelemetryCapture(outbox)
    task = {"task_id": str(uuid.UUID(int=1)), "prompt": "mend it", "actual_cost": 1}
    assert capture.store_execution_telemetry("pool-1", task, {"success": True}, None, None)
    assert capture.store_records([with_vector]) == 1
    load_once(database, folder)
    rows = query(
        database,
        "select task_id, success, embedding from raw.executions order by _load_seq",
    )
    as_floats = list(struct.unpack("384f", struct.pack("384f", *vector or [])))
    assert rows == [(uuid.UUID(int=1), True, None), (uuid.UUID(int=2), None, as_floats)]


def test_vectors_come_as_lists_and_as_text_and_bad_ones_are_dead_letters(
    folder: Path, database: Path
) -> None:
    quarter = [0.25] * 384
    text = vector_to_text(quarter)
    given = [None, quarter, text, text[:-4], "no base64", [0.25] * 383, ["x"] * 384, [1e300] * 384]
    outbox = Outbox(folder)
    for number, vector in enumerate(given):
        payload = {"task_id": str(uuid.UUID(int=number)), "embedding": vector}
        assert outbox.put("execution", json.dumps(payload))
    load_once(database, folder)
    rows = query(database, "select embedding from raw.executions order by _load_seq")
    assert rows == [(None,), (quarter,), (quarter,)]
    dead_letters = query(database, "select reason from raw.dead_letters")
    assert len(dead_letters) == len(given) - len(rows)
    assert all("embedding" in reason for (reason,) in dead_letters)


def test_records_are_loaded_once_and_in_order(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_RECORDS", 7)
    monkeypatch.setattr(relay, "MOST_SECONDS_OPEN", 0.0)
    monkeypatch.setattr(relay, "MOST_RECORDS_A_TRANSACTION", 3)
    outbox = Outbox(folder)
    put(outbox, *range(50))
    result = load_once(database, folder)
    assert result.counts["execution"] == 50
    put(outbox, 50, 51)
    assert load_once(database, folder).counts["execution"] == 2
    assert load_once(database, folder).counts["execution"] == 0
    assert loaded(database) == list(range(52))
    numbers = query(
        database, "select count(distinct _load_seq), min(_load_seq) from raw.executions"
    )
    assert numbers == [(52, 1)]


def test_large_records_are_read_a_few_at_a_time(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(folder)
    put(outbox, *range(20))
    one = len(record(0).model_dump_json())
    monkeypatch.setattr(relay, "MOST_CHARACTERS_A_TRANSACTION", 2 * one)
    sizes: list[int] = []
    load_batch = relay.load_batch

    def counted(connection: Any, items: Any, now: datetime) -> Any:
        sizes.append(len(items))
        return load_batch(connection, items, now)

    monkeypatch.setattr(relay, "load_batch", counted)
    assert load_once(database, folder).counts["execution"] == 20
    assert max(sizes) <= 3
    assert loaded(database) == list(range(20))


def test_new_older_and_copied_files_bring_nothing_twice_and_skip_nothing(
    folder: Path, database: Path, tmp_path: Path
) -> None:
    outbox = Outbox(folder)
    put(outbox, 1, 2)
    older = shutil.copytree(folder, tmp_path / "older")
    put(outbox, 3)
    outbox.close()
    load_once(database, folder)
    file = files_of(folder)[0]
    shutil.copy(file, folder / f"copy{SUFFIX}")
    load_once(database, folder)
    shutil.rmtree(folder)
    shutil.copytree(older, folder)
    load_once(database, folder)
    put(Outbox(folder), 4)
    load_once(database, folder)
    assert loaded(database) == [1, 2, 3, 4]


def test_a_copy_beside_the_file_brings_nothing_twice_in_the_same_load(
    folder: Path, database: Path
) -> None:
    outbox = Outbox(folder)
    put(outbox, 1, 2)
    outbox.close()
    shutil.copy(files_of(folder)[0], folder / f"copy{SUFFIX}")
    load_once(database, folder)
    assert loaded(database) == [1, 2]


def test_a_restored_database_gets_what_came_after_the_backup(
    folder: Path, database: Path, tmp_path: Path
) -> None:
    outbox = Outbox(folder)
    put(outbox, 1, 2)
    load_once(database, folder)
    backup = shutil.copy(database, tmp_path / "backup.db")
    put(outbox, 3, 4)
    load_once(database, folder)
    shutil.copy(backup, database)
    put(outbox, 5)
    load_once(database, folder)
    assert loaded(database) == [1, 2, 3, 4, 5]


def test_an_outbox_of_another_database_is_refused_and_the_rest_is_loaded(
    folder: Path, database: Path, tmp_path: Path
) -> None:
    outbox = Outbox(folder)
    put(outbox, 1)
    load_once(database, folder)
    put(outbox, 2)
    put(Outbox(folder), 3)
    other = tmp_path / "other.db"
    result = load_once(other, folder)
    assert result.foreign == [files_of(folder)[0].name]
    assert loaded(other) == [3]
    load_once(other, folder, adopt=True)
    assert loaded(other) == [3, 1, 2]


def test_a_version_1_database_is_migrated(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version_1 = ddl().partition("-- version 2")[0]
    with monkeypatch.context() as old:
        old.setattr(store_schema, "ddl", lambda: version_1)
        old.setattr(store_schema, "SCHEMA_VERSION", 1)
        with connect(database) as connection:
            connection.execute(
                "insert into raw.executions by name select uuid() as task_id, 7 as file_count, "
                "1 as _load_seq, current_date as _loaded_at"
            )
    put(Outbox(folder), 8)
    load_once(database, folder)
    assert loaded(database)[0] == 7
    assert sorted(loaded(database)) == [7, 8]
    versions = query(database, "select version from raw.schema_versions order by all")
    assert versions == [(1,), (SCHEMA_VERSION,)]


def test_a_version_4_databases_feedback_is_counted(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is live or in a file that was not unarchived has come, and none of it is gone."""
    with monkeypatch.context() as old:
        version_4 = ddl().partition("-- version 5")[0]
        old.setattr(store_schema, "ddl", lambda: version_4)
        old.setattr(store_schema, "SCHEMA_VERSION", 4)
        with connect(database) as connection:
            connection.execute(
                "insert into raw.feedback by name select uuid() as feedback_id, "
                "uuid() as task_id, range as _load_seq, current_date as _loaded_at from range(3)"
            )
            connection.execute(
                "insert into raw.archived_feedback_files values "
                "('a', current_date, 5, 1, 'x', now(), null), "
                "('b', current_date, 7, 1, 'x', now(), now())"
            )
    with connect(database) as connection:
        assert connection.execute("from raw.feedback_counts").fetchall() == [(8, 0)]
        connection.execute("delete from raw.feedback")
        connection.execute("delete from raw.schema_versions")
        migrate(connection)
        assert connection.execute("from raw.feedback_counts").fetchall() == [(8, 0)]


def test_a_version_5_databases_counts_become_bigint(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("file_count", "estimated_tokens")
    version_5 = ddl().partition("-- version 6")[0]
    for name in names:
        version_5 = version_5.replace(f"{name} bigint", f"{name} integer")
    with monkeypatch.context() as old:
        old.setattr(store_schema, "ddl", lambda: version_5)
        old.setattr(store_schema, "SCHEMA_VERSION", 5)
        with connect(database) as connection:
            connection.execute(
                "insert into raw.executions by name select uuid() as task_id, 7 as file_count, "
                "range as _load_seq, current_date as _loaded_at from range(3)"
            )
    # A process that is killed before the file's next checkpoint leaves the change in the log.
    code = (
        "import os, pathlib, sys; from orb_learning.store import connect\n"
        "with connect(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(database)], check=False)
    kinds = ", ".join(f"typeof(any_value({name}))" for name in names)
    assert query(database, f"select count(*), sum(file_count), {kinds} from raw.executions") == [
        (3, 21, "BIGINT", "BIGINT")
    ]


def test_a_database_keeps_its_id(database: Path) -> None:
    with connect(database):
        pass
    first = query(database, "from raw.database_id")
    with connect(database) as connection:
        connection.execute("delete from raw.schema_versions")
        migrate(connection)
    assert query(database, "from raw.database_id") == first
    assert len(first) == 1


@pytest.mark.parametrize("bad_ones", [[50], [0, 99], [10, 11, 12, 60], list(range(100))])
def test_what_duckdb_does_not_take_holds_nobody_up(
    folder: Path, database: Path, bad_ones: list[int]
) -> None:
    outbox = Outbox(folder)
    bad = [
        "garbage",
        "[]",
        '{"task_id": "x"}',
        '{"file_count": "many"}',
        '{"duration_seconds": 1e300}',
        '{"embedding": [1.0]}',
        '{"no_column": 1}',
        "null",
    ]
    for number in range(100):
        if number in bad_ones:
            assert outbox.put("execution", bad[number % len(bad)])
        else:
            put(outbox, number)
    result = load_once(database, folder)
    good = [number for number in range(100) if number not in bad_ones]
    assert loaded(database) == good
    assert result.counts["execution"] == len(good)
    assert result.counts["dead_letter"] == len(bad_ones)
    dead_letters = query(database, "select payload, reason from raw.dead_letters order by all")
    assert sorted(payload for payload, _ in dead_letters) == sorted(
        bad[one % len(bad)] for one in bad_ones
    )
    assert all(reason for _, reason in dead_letters)


def test_a_record_with_fields_left_out_is_loaded(folder: Path, database: Path) -> None:
    Outbox(folder).put("execution", json.dumps({"task_id": str(uuid.UUID(int=1)), "file_count": 3}))
    load_once(database, folder)
    assert loaded(database) == [3]


def test_an_unknown_kind_is_a_dead_letter(folder: Path, database: Path) -> None:
    Outbox(folder).put("mystery", "{}")  # type: ignore[arg-type]
    load_once(database, folder)
    assert query(database, "select kind, reason from raw.dead_letters") == [
        ("mystery", "unknown kind 'mystery'")
    ]


def partial_record(number: int, **fields: Any) -> str:
    return json.dumps({"task_id": str(uuid.UUID(int=number)), **fields})


PARTIALS = {
    "routing": partial_record(1, model_tier="small"),
    "outcome": partial_record(1, success=True),
}
CORRELATED = "select model_tier, success from raw.executions order by _load_seq"


@pytest.mark.parametrize("order", [["routing", "outcome"], ["outcome", "routing"]])
@pytest.mark.parametrize("together", [True, False])
def test_two_partial_records_become_one_in_either_order(
    folder: Path, database: Path, order: list[Any], together: bool
) -> None:
    for kind in order:
        outbox = Outbox(folder)  # another process, as far as the relay can tell
        assert outbox.put(kind, PARTIALS[kind])
        outbox.close()
        if not together:
            load_once(database, folder)
    load_once(database, folder)
    assert query(database, CORRELATED) == [("small", True)]
    assert query(database, "from raw.pending_halves") == []


def test_an_unmatched_record_is_recorded_after_the_limit(folder: Path, database: Path) -> None:
    """And completed when the other one comes."""
    outbox = Outbox(folder)
    outbox.put("routing", PARTIALS["routing"])
    options = RelayOptions(unmatched_limit=timedelta(hours=1))
    for minutes, rows in ((0, 0), (59, 0), (-600, 0), (60, 1), (120, 1)):
        load_once(database, folder, options, now=NOW + timedelta(minutes=minutes))
        assert query(database, CORRELATED) == [("small", None)] * rows
    outbox.put("outcome", PARTIALS["outcome"])
    load_once(database, folder, options, now=NOW + timedelta(hours=3))
    assert query(database, CORRELATED) == [("small", None), ("small", True)]
    assert query(database, "from raw.pending_halves") == []


def test_an_unmatched_record_waits_no_longer_at_last(folder: Path, database: Path) -> None:
    Outbox(folder).put("routing", PARTIALS["routing"])
    for days in (0, 1, 2, 31, 32):
        load_once(database, folder, now=NOW + timedelta(days=days))
    assert query(database, "from raw.pending_halves") == []
    assert query(database, CORRELATED) == [("small", None)]


def test_a_bad_partial_record_is_a_dead_letter_and_the_other_waits(
    folder: Path, database: Path
) -> None:
    outbox = Outbox(folder)
    for payload in ("x", "[]", partial_record(1, success="yes"), '{"task_id": 5}'):
        outbox.put("outcome", payload)
    outbox.put("routing", PARTIALS["routing"])
    assert load_once(database, folder).counts["dead_letter"] == 4
    outbox.put("outcome", PARTIALS["outcome"])
    load_once(database, folder)
    assert query(database, CORRELATED) == [("small", True)]


def test_two_loads_at_once_load_everything_once(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MOST_RECORDS_A_TRANSACTION", 20)
    outbox = Outbox(folder)
    put(outbox, *range(300))
    threads = [threading.Thread(target=load_once, args=[database, folder]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded(database) == list(range(300))


def test_a_load_waits_for_another_one_up_to_a_limit(folder: Path, database: Path) -> None:
    with (
        hold_lease(folder, 1),
        pytest.raises(LoaderBusyError, match="being loaded by another"),
    ):
        load_once(database, folder, wait_seconds=0.2)


def test_the_lease_of_a_killed_process_is_taken_over(folder: Path, database: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from orb_learning.outbox import hold_lease\n"
        "with hold_lease(Path(sys.argv[1]), 5): print('mine', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "mine\n"
    other.kill()
    other.communicate()
    put(Outbox(folder), 1)
    load_once(database, folder, wait_seconds=0.2)
    assert loaded(database) == [1]


@pytest.mark.parametrize("damage", ["middle", "header", "truncated", "emptied"])
def test_a_damaged_file_is_loaded_as_far_as_it_can_be_read(
    folder: Path, database: Path, damage: str
) -> None:
    outbox = Outbox(folder)
    put(outbox, *range(400))
    outbox.close()
    [file] = files_of(folder)
    content = bytearray(file.read_bytes())
    if damage == "middle":
        content[60 * 4096 : 62 * 4096] = b"\xff" * 8192
    elif damage == "header":
        content[:4096] = b"\xff" * 4096
    elif damage == "truncated":
        del content[40 * 4096 :]
    else:
        content.clear()
    file.write_bytes(content)
    put(Outbox(folder), 1000, 1001)
    result = load_once(database, folder)
    assert len(result.damaged) == 1
    assert result.damaged[0].startswith(file.name)
    rows = loaded(database)
    assert rows[-2:] == [1000, 1001]
    assert len(rows) == len(set(rows))
    if damage in ("middle", "truncated"):
        assert len(rows) > 100
    if damage == "middle":
        assert 399 in rows
    assert [path.name for path in folder.glob("*.damaged")] == [f"{file.name}.damaged"]
    put(Outbox(folder), 1002)
    assert load_once(database, folder).damaged == []
    assert loaded(database) == [*rows, 1002]


def test_a_full_transaction_that_fails_leaves_nothing_and_is_done_again(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Outbox(folder), 1, 2)

    def fail(*_: object) -> None:
        raise duckdb.IOException("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(batches, "insert_dead_letters", fail)  # after the rows, before the offset
        with pytest.raises(Exception, match="disk is full"):
            load_once(database, folder)
    assert loaded(database) == []
    load_once(database, folder)
    assert loaded(database) == [1, 2]


def test_what_the_outbox_refused_is_counted_in_the_database(folder: Path, database: Path) -> None:
    outbox = Outbox(folder)
    outbox.put("execution", "\ud800")
    put(outbox, 1)
    load_once(database, folder)
    load_once(database, folder)
    assert query(database, "select reason, refused_count from raw.refused_records") == [
        ("unencodable", 1)
    ]


def old(folder: Path, monkeypatch: pytest.MonkeyPatch, numbers: list[int], when: datetime) -> None:
    """Put records into a file of its own at another time."""
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", lambda: when.replace(tzinfo=UTC).timestamp())
        outbox = Outbox(folder)
        put(outbox, *numbers)
        outbox.close()


def test_loaded_records_stay_until_a_verified_backup_holds_them(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(folder, monkeypatch, [1, 2], NOW)
    live = Outbox(folder)
    put(live, 3)
    result = load_once(database, folder, now=NOW)
    assert len(files_of(folder)) == 2
    behind = {outbox_id: offset - 1 for outbox_id, offset in result.offsets.items()}
    for verified, left in ((behind, 2), (result.offsets, 1)):
        pruned = prune_segments(folder, verified, loaded=result.offsets, limits=Limits(), now=NOW)
        assert len(files_of(folder)) == left
        assert pruned.unverified_records == 0
    put(live, 4)
    load_once(database, folder)
    assert loaded(database) == [1, 2, 3, 4]
    live.close()
    assert len(list(folder.glob("*.lock"))) == 1


def test_records_that_are_not_loaded_are_never_pruned(folder: Path) -> None:
    outbox = Outbox(folder)
    put(outbox, 1)
    outbox.close()
    [file] = files_of(folder)
    prune_segments(
        folder, {outbox_id_of(file): 99}, loaded={}, limits=Limits(0, timedelta(0)), now=NOW
    )
    assert files_of(folder) == [file]


def outbox_id_of(file: Path) -> uuid.UUID:
    connection = sqlite3.connect(file)
    [(text,)] = connection.execute("select outbox_id from outbox").fetchall()
    connection.close()
    return uuid.UUID(text)


@pytest.mark.parametrize(
    ("limits", "left"),
    [(Limits(), 3), (Limits(age=timedelta(days=3)), 2), (Limits(size_bytes=15_000), 1)],
)
def test_a_limit_of_age_or_size_prunes_what_is_loaded_and_counts_it(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits, left: int
) -> None:
    for days in (4, 2, 0):
        old(folder, monkeypatch, [days], NOW - timedelta(days=days))
    result = load_once(database, folder, RelayOptions(limits=limits), now=NOW)
    assert len(files_of(folder)) == left
    assert result.pruned.unverified_records == 3 - left
    assert loaded(database) == [4, 2, 0]


COMMANDS = [
    *(["load"], ["forget", "--task-id", str(uuid.UUID(int=9))], ["restore", "BACKUP"]),
    *(["feedback", "list"], ["feedback", "delete", "FEEDBACK"]),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_every_command_loads_and_prunes_as_the_settings_say(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Limits of 30 days, records of ten days ago: by default they would be beyond both."""
    days = {"outbox_age_limit_days": 30, "lone_half_hours": 30 * 24}
    settings = load_settings(database_path=database, **days)
    before = utc_now() - timedelta(days=10)
    old(folder, monkeypatch, [1], before)
    outbox = Outbox(folder)
    assert outbox.put("routing", PARTIALS["routing"])
    feedback = submit_feedback(
        outbox, task_id=uuid.UUID(int=1), satisfaction="good", user_id="ann", now=before
    )
    outbox.close()
    load_outbox(settings, now=before)
    files = files_of(folder)
    given = {"FEEDBACK": str(feedback)}
    if "BACKUP" in words:
        made = make_backup(settings, now=before)
        given["BACKUP"] = str(made.backup.folder)
    environment = {f"ORB_LEARNING__{name.upper()}": str(value) for name, value in days.items()}
    said = CliRunner().invoke(
        app,
        [given.get(word, word) for word in words],
        env={"ORB_DATABASE": str(database), "ORB_USER": "ann", **environment},
    )
    assert said.exit_code == 0, said.output
    assert query(database, "select recorded_at from raw.pending_halves") == [(None,)]
    if "BACKUP" not in words:  # which holds them
        assert set(files) <= set(files_of(folder))


def count(database: Path) -> int:
    try:
        return len(loaded(database))
    except (DatabaseMissingError, duckdb.CatalogException):  # not made yet
        return 0


def test_the_background_loader_loads_after_its_interval(folder: Path, database: Path) -> None:
    loader = BackgroundLoader(database, folder, flush_interval=0.1)
    loader.start()
    put(Outbox(folder), 1)
    until(lambda: count(database) == 1)
    loader.stop()


def test_the_background_loader_loads_a_full_batch_before_its_interval(
    folder: Path, database: Path
) -> None:
    loader = BackgroundLoader(database, folder, flush_interval=3600, batch_size=3)
    loader.start()
    outbox = Outbox(folder)
    put(outbox, 1, 2)
    time.sleep(0.6)
    assert count(database) == 0
    put(outbox, 3)
    until(lambda: count(database) == 3)
    put(outbox, 4)
    loader.stop()
    assert loaded(database) == [1, 2, 3, 4]


def test_the_background_loader_catches_up_when_the_database_is_free_again(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('mine', flush=True); "
        "sys.stdin.readline(); c.close()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "mine\n"
    monkeypatch.setattr(background, "WAIT_SECONDS", 1)
    loader = BackgroundLoader(database, folder, flush_interval=0.1)
    loader.start()
    put(Outbox(folder), 1)
    until(lambda: isinstance(loader.last_error, DatabaseLockedError))
    other.communicate("\n")
    until(lambda: count(database) == 1)
    until(lambda: loader.last_error is None)
    loader.stop()


def test_a_process_that_ends_with_a_background_loader_drains_and_ends(
    folder: Path, database: Path
) -> None:
    # The interval never comes, and nobody calls stop().
    script = (
        "import sys; from pathlib import Path; from orb_learning.ingest import BackgroundLoader\n"
        "from orb_learning.outbox import Outbox; database, folder = map(Path, sys.argv[1:])\n"
        "BackgroundLoader(database, folder, flush_interval=3600).start()\n"
        """assert Outbox(folder).put("execution", '{"file_count": 7}')"""
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, database, folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert loaded(database) == [7]


def test_a_load_opens_each_complete_file_once(
    folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_RECORDS", 5)
    monkeypatch.setattr(relay, "MOST_RECORDS_A_TRANSACTION", 3)
    outbox = Outbox(folder)
    put(outbox, *range(50))
    outbox.close()
    opened: list[Path] = []
    real = relay.open_reader
    monkeypatch.setattr(relay, "open_reader", lambda path: opened.append(path) or real(path))
    known: dict[Path, tuple[uuid.UUID, int]] = {}
    load_once(database, folder, known=known)
    assert sorted(opened) == files_of(folder)
    load_once(database, folder, known=known)
    assert len(opened) == 10
    database.unlink()
    load_once(database, folder, known=known, adopt=True)
    assert sorted(loaded(database)) == list(range(50))
