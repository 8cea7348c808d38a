"""A backup is the database and what the outbox has beyond it, as of one moment, and proved."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from backup_cases import NOW, change, changed, problems, put, query

from orb_learning import LearningDatabase
from orb_learning.backup import create
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import (
    SUMS,
    Backup,
    backups_in,
    verified_offsets,
)
from orb_learning.backup.snapshot import copy_database
from orb_learning.errors import (
    DatabaseLockedError,
    DatabaseMissingError,
    DiskFullError,
    InvalidBackupError,
)
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.outbox.pruning import pruned_segments
from orb_learning.outbox.reader import files_of
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings
from orb_learning.store.checksums import table_checksums
from orb_learning.store.connection import connect, connect_without_lock, utc_now

CATALOG = [
    "select table_name, sql, comment from duckdb_tables() order by all",
    "select view_name, sql, comment from duckdb_views() where not internal order by all",
    "select table_name, index_name, sql, is_unique from duckdb_indexes() order by all",
    "select table_name, constraint_type, constraint_text from duckdb_constraints() order by all",
    "select table_name, column_name, data_type, column_default, is_nullable, comment "
    "from duckdb_columns() where not internal order by all",
    "select sequence_name, last_value from duckdb_sequences() order by all",
    "select function_name, parameters, macro_definition "
    "from duckdb_functions() where not internal order by all",
]


def text_of(rows: list[Any]) -> str:
    """Rows as text; the columns of an EXCLUDE are a set, which DuckDB prints in any order."""
    return re.sub(
        r"EXCLUDE \(([^()]*)\)",
        lambda found: f"EXCLUDE ({', '.join(sorted(found[1].split(', ')))})",
        str(rows),
    )


def test_a_backup_has_everything_that_the_database_has(
    small_database: Path, database: Path, make: Callable[..., Backup]
) -> None:
    shutil.copy(small_database, database)
    change(database, "select nextval('raw.load_seq') from range(1000)")
    copied = make().folder / "learning.db"
    with (
        connect(database, read_only=True) as live,
        connect_without_lock(copied) as copy,
    ):
        tables = live.execute("select schema_name || '.' || table_name from duckdb_tables()")
        rows = [f"from {name} order by all" for (name,) in tables.fetchall()]
        for sql in (*CATALOG, *rows):
            found = live.execute(sql).fetchall()
            assert found or sql in rows, sql
            assert text_of(copy.execute(sql).fetchall()) == text_of(found), sql
    shutil.copy(copied, database)
    with connect(database) as connection:
        again = "insert into fct_executions from fct_executions limit 1"
        with pytest.raises(duckdb.ConstraintException, match="Duplicate key"):
            connection.execute(again)
        assert connection.execute("select nextval('raw.load_seq')").fetchone() > (1000,)


def test_sha256sum_itself_finds_the_backup_whole(
    database: Path, outbox: Outbox, make: Callable[..., Backup]
) -> None:
    put(outbox, 1)
    change(database)
    said = subprocess.run(
        ["sha256sum", "--check", "--strict", SUMS],
        cwd=make().folder,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert [line.endswith(": OK") for line in said.stdout.splitlines()] == [True] * 3


def test_what_a_killed_writer_left_in_the_log_is_in_the_backup(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(database, "create table t as select 1 as a")
    code = f"""
import duckdb, os
connection = duckdb.connect({str(database)!r})
connection.execute("insert into t values (2)")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    log = database.with_name("learning.db.wal").read_bytes()
    backup = make()
    assert backup.manifest.tables["main.t"].rows == 2
    assert database.with_name("learning.db.wal").read_bytes() == log


def test_only_writers_wait_and_only_while_the_file_is_copied(
    database: Path, outbox: Outbox, make: Callable[..., Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(outbox, 1)
    load_once(database, outbox.folder)
    copied, counted = copy_database, table_checksums
    tried = []

    def copying(path: Path, file: Path) -> None:
        put(outbox, 2)
        code = f"""
from orb_learning.store import connect
with connect({str(database)!r}, read_only=True, wait_seconds=5) as connection:
    assert connection.execute("select count(*) from raw.executions").fetchall() == [(1,)]
"""
        tried.append(subprocess.run([sys.executable, "-c", code]).returncode)
        with pytest.raises(DatabaseLockedError), connect(database, wait_seconds=0.1):
            pass
        copied(path, file)

    def reading(connection: duckdb.DuckDBPyConnection) -> Any:
        assert load_once(database, outbox.folder, wait_seconds=0).counts["execution"] == 1
        put(outbox, 3)
        return counted(connection)

    monkeypatch.setattr(create, "copy_database", copying)
    monkeypatch.setattr(create, "table_checksums", reading)
    backup = make()
    assert tried == [0]
    assert backup.manifest.tables["raw.executions"].rows == 1
    assert [copy.last_number for copy in backup.manifest.outbox.values()] == [2]
    assert not problems(backup)


def test_readers_of_this_process_keep_their_lock_while_the_file_is_copied(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(database)
    code = f"import duckdb; duckdb.connect({str(database)!r})"
    with connect(database, read_only=True):
        make()
        writer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "Conflicting lock" in writer.stderr


def test_a_damaged_copy_is_no_backup(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database, "create table t as select uuid()::varchar as a from range(100000)")
    copied = copy_database

    def damage(path: Path, file: Path) -> None:
        copied(path, file)
        assert backups_in(folder) == []
        with file.open("r+b") as written:
            written.seek(file.stat().st_size // 2)
            written.write(b"damaged" * 100)

    monkeypatch.setattr(create, "copy_database", damage)
    with pytest.raises(InvalidBackupError, match=r"the copied database cannot be read: .*hecksum"):
        make()
    assert [path for path in folder.iterdir() if path.is_dir()] == []


def test_the_last_backup_made_is_the_newest_when_the_clock_jumps_back(
    database: Path, make: Callable[..., Backup], folder: Path
) -> None:
    change(database)
    first = make(now=NOW)
    second = make(now=NOW - timedelta(days=400))
    third = make(now=NOW)
    assert backups_in(folder) == [first, second, third]
    assert not any(map(problems, (first, second, third)))
    assert make(now=NOW + timedelta(days=1)).time == NOW + timedelta(days=1)


def test_times_are_utc_in_whatever_zone_the_machine_is(
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(outbox, 1)
    outbox.close()
    load_once(database, outbox.folder)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        began = utc_now()
        backup = make()
        options = RelayOptions(verified_offsets=partial(verified_offsets, folder))
        load_once(database, outbox.folder, options)
        ended = utc_now()
    time.tzset()
    [segment] = pruned_segments(outbox.folder)
    assert began <= backup.time == backup.manifest.created_at <= ended
    second = timedelta(seconds=1)  # a file system may round
    assert began - second <= backup.verified_at <= ended + second
    assert segment.last_put_at is not None
    assert segment.last_put_at <= began <= segment.trimmed_at <= ended


def test_a_database_of_an_older_schema_is_brought_up_to_date_first(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(database, "drop table raw.forgotten", "update raw.schema_versions set version = 2")
    assert "raw.forgotten" in make().manifest.tables


def test_odd_names_of_tables_and_columns_are_copied_and_hashed(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(
        database,
        'create table "odd ""table" ("a b" int, "row" int, t int)',
        """insert into "odd ""table" values (1, 2, 3)""",
        'create schema "odd schema"',
        'create view "odd schema"."odd \'view" as from main."odd ""table"',
    )
    backup = make()
    assert backup.manifest.tables['main.odd "table'].rows == 1
    assert not problems(backup)


def test_a_missing_database_is_not_made_by_its_backup(
    database: Path, make: Callable[..., Backup], folder: Path
) -> None:
    with pytest.raises(DatabaseMissingError):
        make()
    assert not database.exists()
    assert backups_in(folder) == []


def test_a_full_disk_is_named_and_loses_nothing(
    settings: LearningSettings,
    database: Path,
    outbox: Outbox,
    small_disk: Callable[[str], Path],
) -> None:
    disk = small_disk("4m")
    put(outbox, 1)
    load_once(database, outbox.folder)
    put(outbox, 2)
    change(
        database,
        "create table big as select uuid()::varchar || uuid()::varchar as a from range(100000)",
    )
    full = disk / "backups"
    with pytest.raises(DiskFullError, match="the disk is full") as caught:
        make_backup(changed(settings, backup_path=full))
    assert str(full) in str(caught.value)
    assert [path for path in full.iterdir() if path.is_dir()] == []
    assert query(database, "select count(*) from raw.executions") == [(1,)]
    backup = make_backup(settings).backup
    assert [copy.last_number for copy in backup.manifest.outbox.values()] == [2]
    subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
    assert not problems(make_backup(changed(settings, backup_path=full)).backup)


def test_a_disk_that_fills_up_with_the_outbox_is_named(
    settings: LearningSettings, database: Path, outbox: Outbox, small_disk: Callable[[str], Path]
) -> None:
    folder = small_disk("4m") / "backups"
    change(database)
    for number in range(600):
        assert outbox.put("execution", json.dumps({"task_description": "x" * 10_000, "n": number}))
    with pytest.raises(DiskFullError, match="the disk is full"):
        make_backup(changed(settings, backup_path=folder))
    assert backups_in(folder) == []
    assert len(files_of(outbox.folder)) == 1


def test_the_learning_database_makes_and_validates_backups(tmp_path: Path) -> None:
    async def use() -> tuple[Path, dict[str, Any], dict[str, Any]]:
        async with LearningDatabase(tmp_path / "learning.db") as learning:
            await learning.store_execution({"task_type": "bugfix"})
            await asyncio.to_thread(learning._loader.load, 30)
            backup = await learning.backup_database(tmp_path / "elsewhere")
            await learning.backup_database()
            sound = await learning.validate_backup(backup)
            (backup / SUMS).unlink()
            return backup, sound, await learning.validate_backup(backup)

    backup, sound, damaged = asyncio.run(use())
    assert backup.parent == tmp_path / "elsewhere"
    assert len(backups_in(tmp_path / "backups")) == 1
    assert sound["is_valid"]
    assert sound["row_count"] > 1
    assert not damaged["is_valid"]
    assert "SHA256SUMS cannot be read" in damaged["problems"][0]
