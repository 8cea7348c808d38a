"""Storage samples: what files and tables take, once an hour, whatever the clock does."""

from __future__ import annotations

import os
import random
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crash_worker import payload_of

from orb_learning.ingest.relay import load_once
from orb_learning.operations.load import places_of
from orb_learning.outbox.writer import Outbox, folder_size
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect
from orb_learning.store.sizes import sample_sizes, size_of, table_sizes

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 (raw holds naive UTC)
BLOCK_BYTES = 262_144


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def samples(database: Path) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute("from raw.storage_samples order by all").fetchall()


def hours(database: Path) -> list[datetime]:
    return [sampled_at for sampled_at, _, name, *_ in samples(database) if name == "database"]


def put(folder: Path, count: int) -> None:
    outbox = Outbox(folder)
    payloads = [payload_of(str(uuid.uuid4()), number) for number in range(count)]
    assert outbox.put_many("execution", payloads) == count
    outbox.close()


def test_a_load_samples_the_database_and_the_outbox(database: Path, outbox: Path) -> None:
    put(outbox, 5_000)
    load_once(database, outbox, now=NOON)
    [(_, _, _, size, rows), (_, _, _, outbox_size, no_rows)] = samples(database)
    assert rows == 5_000
    assert size > 0
    # The loader itself adds its lock, and the log of the file that it reads.
    assert 0 < outbox_size <= folder_size(outbox) + 2**20
    assert no_rows is None


def test_loads_sample_once_in_an_hour_of_the_clock(database: Path, outbox: Path) -> None:
    for minutes in (0, 1, 59, 60, 61, 119.99, 121):
        load_once(database, outbox, now=NOON + timedelta(minutes=minutes))
    assert hours(database) == [NOON + timedelta(minutes=minutes) for minutes in (0, 60, 121)]


def test_a_clock_that_once_ran_ahead_or_jumps_back_stops_no_sample(
    database: Path, outbox: Path
) -> None:
    ahead = NOON + timedelta(days=300)
    for now in (ahead, NOON, NOON - timedelta(hours=1), NOON + timedelta(minutes=5), ahead):
        load_once(database, outbox, now=now)
    assert hours(database) == [NOON - timedelta(hours=1), NOON, ahead]


def test_samples_are_kept_for_400_days(database: Path, outbox: Path) -> None:
    for days in (0, 1, 400):
        load_once(database, outbox, now=NOON + timedelta(days=days))
    assert hours(database) == [NOON + timedelta(days=days) for days in (0, 1, 400)]
    load_once(database, outbox, now=NOON + timedelta(days=400, hours=1))
    assert hours(database)[0] == NOON + timedelta(days=1)


def test_a_sample_at_the_same_moment_replaces_the_one_before(database: Path, outbox: Path) -> None:
    places = {"database": database, "outbox": outbox}
    with connect(database) as connection:
        sample_sizes(connection, places, NOON, with_tables=False)
        sample_sizes(connection, places, NOON, with_tables=True)
    names = [(kind, name) for _, kind, name, *_ in samples(database)]
    assert len(names) == len(set(names)) > 10


def test_the_settings_name_the_places(tmp_path: Path) -> None:
    settings = load_settings(
        database_path=tmp_path / "data/learning.db", backup_path=tmp_path / "elsewhere"
    )
    assert places_of(settings) == {
        "database": tmp_path / "data/learning.db",
        "outbox": tmp_path / "data/outbox",
        "span_outbox": tmp_path / "data/outbox_spans",
        "archive": tmp_path / "data/archive",
        "backups": tmp_path / "elsewhere",
    }


def test_a_place_is_all_its_files_and_a_missing_one_is_nothing(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311
    total = 0
    for name in ("a", "deep/er/b", "deep/c", "d.parquet"):
        file = tmp_path / "place" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        size = chance.randrange(100_000)
        file.write_bytes(bytes(size))
        total += size
    assert size_of(tmp_path / "place") == total
    assert size_of(tmp_path / "missing") == 0
    (tmp_path / "x.db").write_bytes(bytes(300))
    (tmp_path / "x.db.wal").write_bytes(bytes(20))
    assert size_of(tmp_path / "x.db") == 320


def test_a_tables_size_is_that_of_what_was_written_into_it(database: Path) -> None:
    """Random bytes cannot be compressed, so what a table takes is known before."""
    known = {'main.odd "name".of it': 3, "main.few": 20, "main.none": 0}
    with connect(database) as connection:
        for name, megabytes in known.items():
            table = name.removeprefix("main.").replace('"', '""')
            connection.execute(f'create table "{table}" (content blob)')
            for _ in range(megabytes * 10):
                connection.execute(f'insert into "{table}" values (?)', [os.urandom(100_000)])
        columns = ", ".join(f"range * {n} as c{n}" for n in range(1, 41))  # which share blocks
        connection.execute(f"create table wide as select {columns} from range(2000)")
        connection.execute("create temp table never_in_the_file as from range(100000)")
        connection.execute("create view seen as from few")
    with connect(database) as connection:
        tables = {name: (size, rows) for name, size, rows in table_sizes(connection)}
        [(used,)] = connection.execute("select used_blocks from pragma_database_size()").fetchall()
    for name, megabytes in known.items():
        size, rows = tables[name]
        assert rows == 10 * megabytes
        if megabytes:
            assert megabytes * 1e6 <= size < megabytes * 1e6 + 2 * BLOCK_BYTES
    assert tables["main.wide"][0] <= 4 * BLOCK_BYTES
    assert "main.seen" not in tables
    assert "main.never_in_the_file" not in tables
    assert "raw.executions" in tables
    total = sum(size for size, _ in tables.values())
    assert 0.8 * used <= total / BLOCK_BYTES <= used
