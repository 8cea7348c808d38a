"""A backup is the database and what the outbox has beyond it, as of one moment, and proved."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from orb_learning import LearningDatabase
from orb_learning.backup import create, verify
from orb_learning.backup.create import PrunePolicy, make_backup, prune_backups, remove_backups
from orb_learning.backup.manifests import (
    SUMS,
    TIME,
    Backup,
    backups_in,
    newest_copy,
    verified_offsets,
)
from orb_learning.backup.offsite import copies_of, copy_backup
from orb_learning.backup.verify import check_backup, validate_backup
from orb_learning.cli.app import app
from orb_learning.errors import (
    BackupError,
    DatabaseLockedError,
    DatabaseMissingError,
    DiskFullError,
    InvalidBackupError,
    NotADatabaseError,
)
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.pruning import PRUNE_LOG, pruned_segments
from orb_learning.outbox.reader import StillInUseError, files_of, open_reader
from orb_learning.outbox.writer import Limits, Outbox
from orb_learning.record.model import ExecutionRecord
from orb_learning.store import checksums
from orb_learning.store.checksums import table_checksums
from orb_learning.store.connection import connect, connect_still, utc_now
from orb_learning.store.reader_pool import ReaderPool

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001
POLICY = PrunePolicy(last=2, daily=0, weekly=0, monthly=0)
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def make(database: Path, tmp_path: Path, folder: Path) -> Callable[..., Backup]:
    """Make a backup of the database and the outbox of this test."""

    def one(**given: Any) -> Backup:
        return make_backup(database, tmp_path / "outbox", folder, **given).backup

    return one


def put(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        record = ExecutionRecord(task_id=uuid.UUID(int=number), file_count=number)
        assert outbox.put("execution", record.model_dump_json())


def query(database: Path, sql: str) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def change(database: Path, *statements: str) -> None:
    with connect(database) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def problems(backup: Backup) -> str:
    return "; ".join(validate_backup(backup.folder).problems)


def sign_again(backup: Backup) -> None:
    """Note the bytes of a backup's files as they are now, as whoever tampers with them would."""
    noted = json.loads((backup.folder / "manifest.json").read_text())
    for name in noted["files"]:
        sha256 = verify.sha256_of(backup.folder / name)
        noted["files"][name] = {"size_bytes": (backup.folder / name).stat().st_size} | {
            "sha256": sha256
        }
    (backup.folder / "manifest.json").write_text(json.dumps(noted))
    names = sorted([*noted["files"], "manifest.json"])
    sums = [f"{verify.sha256_of(backup.folder / name)}  {name}\n" for name in names]
    (backup.folder / SUMS).write_text("".join(sums))


def test_a_backup_has_every_row_index_constraint_sequence_view_macro_and_comment(
    small_database: Path, database: Path, make: Callable[..., Backup]
) -> None:
    shutil.copy(small_database, database)
    change(database, "select nextval('raw.load_seq') from range(1000)")
    copied = make().folder / "learning.db"
    with (
        connect(database, read_only=True) as live,
        connect_still(copied) as copy,
    ):
        tables = live.execute("select schema_name || '.' || table_name from duckdb_tables()")
        rows = [f"from {name} order by all" for (name,) in tables.fetchall()]
        for sql in (*CATALOG, *rows):
            found = live.execute(sql).fetchall()
            assert found or sql in rows, sql
            assert str(copy.execute(sql).fetchall()) == str(found), sql
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


@pytest.mark.parametrize("named", ["", "learning.db", "manifest.json"])
def test_a_backup_is_named_by_its_folder_or_a_file_in_it(
    database: Path, make: Callable[..., Backup], named: str
) -> None:
    change(database)
    backup = make()
    found = check_backup(backup.folder / named)
    assert (found.folder, found.file_count) == (backup.folder, 2)
    with pytest.raises(BackupError, match="does not exist; `orb backups` lists"):
        check_backup(backup.folder / "other.db")


def test_only_what_the_database_lacks_is_copied_of_the_outbox_also_from_the_log(
    database: Path, tmp_path: Path, outbox: Outbox, make: Callable[..., Backup]
) -> None:
    put(outbox, 1, 2)
    outbox.close()
    load_once(database, tmp_path / "outbox")
    live = Outbox(tmp_path / "outbox")
    put(live, 3, 4)
    load_once(database, tmp_path / "outbox")
    put(live, 5)
    [_, live_file] = files_of(tmp_path / "outbox")
    backup = make()
    assert live_file.with_name(f"{live_file.name}-wal").stat().st_size > 0
    [name] = backup.manifest.outbox
    assert name == live_file.name
    assert [path.name for path in (backup.folder / "outbox").iterdir()] == [name]
    put(live, 6)
    with open_reader(backup.folder / "outbox" / name) as reader:
        assert [record.number for record in reader.read(0, 10)] == [1, 2, 3]
    assert backup.manifest.outbox[name].last_number == 3
    assert backup.manifest.positions[backup.manifest.outbox[name].outbox_id] == 2


def test_a_damaged_file_of_the_outbox_is_left_out_and_named(
    database: Path, tmp_path: Path, outbox: Outbox, folder: Path
) -> None:
    change(database)
    for number in (1, 2):
        other = Outbox(tmp_path / "outbox")
        put(other, *range(number, number + 100))
        other.close()
    first, second = files_of(tmp_path / "outbox")
    with first.open("r+b") as file:
        file.truncate(100)
    with second.open("r+b") as file:  # a page of records, which SQLite copies without a look
        file.seek(5 * 4096)
        file.write(os.urandom(4096))
    put(outbox, 3)
    made = make_backup(database, tmp_path / "outbox", folder)
    assert [reason.split(":")[0] for reason in made.left_out] == [first.name, second.name]
    assert list(made.backup.manifest.outbox) == [files_of(tmp_path / "outbox")[-1].name]
    assert not problems(made.backup)


def test_a_damaged_file_that_a_process_has_is_left_out_and_named_too(
    database: Path, tmp_path: Path, outbox: Outbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "SECONDS_TO_MAKE_A_FILE", 0.05)
    change(database)
    put(outbox, *range(100))
    [path] = files_of(tmp_path / "outbox")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    with path.open("r+b") as file:
        file.write(os.urandom(100))
    made = make_backup(database, tmp_path / "outbox", folder)
    [reason] = made.left_out
    assert reason.startswith(f"{path.name}: it cannot be read, and a process has it")
    assert made.backup.manifest.outbox == {}
    assert not problems(made.backup)


def test_a_file_that_is_just_made_is_waited_for(
    database: Path, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database)
    made_after, open_now = 3, create.open_reader

    def open_later(path: Path) -> Any:
        nonlocal made_after
        made_after -= 1
        if made_after:
            raise StillInUseError(str(path))
        return open_now(path)

    outbox = Outbox(tmp_path / "outbox")
    put(outbox, 1)
    monkeypatch.setattr(create, "open_reader", open_later)
    made = make_backup(database, tmp_path / "outbox", folder)
    assert made.left_out == []
    assert len(made.backup.manifest.outbox) == 1


def test_what_a_killed_writer_left_in_the_log_of_the_database_is_in_the_backup(
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


def test_telemetry_and_readers_go_on_while_a_backup_is_made_and_a_writer_waits(
    database: Path, outbox: Outbox, make: Callable[..., Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(outbox, 1)
    load_once(database, outbox.folder)
    counted = table_checksums
    tried = []

    def meanwhile(connection: duckdb.DuckDBPyConnection) -> Any:
        if not tried:
            put(outbox, 2)
            code = f"""
from orb_learning import database
with database.connect({str(database)!r}, read_only=True, wait_seconds=5) as connection:
    assert connection.execute("select count(*) from raw.executions").fetchall() == [(1,)]
"""
            tried.append(subprocess.run([sys.executable, "-c", code]).returncode)
            with pytest.raises(DatabaseLockedError), connect(database, wait_seconds=0.1):
                pass
        return counted(connection)

    monkeypatch.setattr(checksums, "tables", meanwhile)
    backup = make()
    assert tried == [0]
    assert backup.manifest.tables["raw.executions"].rows == 1
    assert [copy.last_number for copy in backup.manifest.outbox.values()] == [2]


def test_a_backup_has_its_name_only_when_it_is_validated(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database)

    def refuse(partial: Path) -> None:
        assert (partial / "learning.db").exists()
        assert backups_in(folder) == []
        raise InvalidBackupError("not what it was")

    monkeypatch.setattr(verify, "check", refuse)
    with pytest.raises(InvalidBackupError, match="not what it was"):
        make()
    assert [path for path in folder.iterdir() if path.is_dir()] == []


def test_what_a_killed_backup_left_goes_with_the_next_one_but_not_what_a_running_one_makes(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database)
    for name in (".20260101T000000.000000Z.partial", ".20260101T000000.000000Z.deleting"):
        (folder / name).mkdir(parents=True)
        (folder / name / "learning.db").touch()
    counted = table_checksums

    def meanwhile(connection: duckdb.DuckDBPyConnection) -> Any:
        before = list(folder.glob(".*.partial"))
        for doing in (
            lambda: make(wait_seconds=0),
            lambda: prune_backups(folder, POLICY, database.parent, wait_seconds=0),
            lambda: remove_backups(folder, [], wait_seconds=0),
        ):
            with pytest.raises(BackupError, match="another process makes or prunes backups"):
                doing()
        assert list(folder.glob(".*.partial")) == before
        return counted(connection)

    monkeypatch.setattr(checksums, "tables", meanwhile)
    backup = make()
    assert [path for path in folder.iterdir() if path.is_dir()] == [backup.folder]


def test_the_newest_backup_is_the_last_one_made_even_when_the_clock_jumps_back(
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
        load_once(database, outbox.folder, verified_offsets=partial(verified_offsets, folder))
        ended = utc_now()
    time.tzset()
    [gone] = pruned_segments(outbox.folder)
    assert began <= backup.time == backup.manifest.created_at <= ended
    second = timedelta(seconds=1)  # a file system may round
    assert began - second <= backup.verified_at <= ended + second
    assert gone.last_put_at is not None
    assert gone.last_put_at <= began <= gone.trimmed_at <= ended


def test_a_database_of_an_older_schema_is_brought_up_to_date_first(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(database, "drop table raw.forgotten", "update raw.schema_versions set version = 2")
    assert "raw.forgotten" in make().manifest.tables


@pytest.fixture(scope="module")
def signed_backup(tmp_path_factory: pytest.TempPathFactory) -> Backup:
    folder = tmp_path_factory.mktemp("signed")
    outbox = Outbox(folder / "outbox")
    put(outbox, 1, 2)
    load_once(folder / "learning.db", outbox.folder)
    change(
        folder / "learning.db",
        "create table t as select 1 as a",
        "create view v as from t",
        "create macro m(x) as table select a + x from t",
    )
    return make_backup(folder / "learning.db", outbox.folder, folder / "backups").backup


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update raw.executions set file_count = 3 where file_count = 1", "rows of table raw.exec"),
        ("update raw.executions set repo = '' where file_count = 1", "rows of table raw.exec"),
        ("delete from raw.executions where file_count = 1", "raw.executions has 1 rows, not 2"),
        ("drop table raw.forgotten", "table raw.forgotten is missing"),
        ("create table raw.strange (a int)", "table raw.strange is too many"),
        ("drop view v", "missing or too many: main.v"),
        ("create or replace view v as select error(a::varchar) from t", "main.v cannot be queried"),
        ("drop table t", "main.v cannot be queried"),
        ("drop macro table m", r"missing or too many: main.m\(\)"),
        ("drop table t", r"main.m\(\) cannot be queried"),
    ],
)
def test_a_changed_copy_is_found_even_where_all_its_hashes_of_bytes_were_made_again(
    signed_backup: Backup, tmp_path: Path, statement: str, said: str
) -> None:
    backup = Backup(tmp_path / signed_backup.folder.name)
    shutil.copytree(signed_backup.folder, backup.folder)
    with duckdb.connect(backup.folder / "learning.db") as connection:
        connection.execute(statement)
    assert "learning.db is not what it was" in problems(backup)
    sign_again(backup)
    with pytest.raises(InvalidBackupError, match=said):
        check_backup(backup.folder)


def test_a_view_that_is_broken_in_the_database_too_does_not_forbid_backups(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(
        database,
        "create table t as select 1 as a",
        "create view v as from t",
        "create macro m() as table from t",
        "drop table t",
    )
    found = check_backup(make().folder)
    assert len([note for note in found.notes if "in the database either" in note]) == 2


def test_rows_are_only_counted_where_another_duckdb_made_the_backup(
    database: Path, outbox: Outbox, make: Callable[..., Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(outbox, 1)
    load_once(database, outbox.folder)
    with monkeypatch.context() as patch:
        patch.setattr(duckdb, "__version__", "1.9.9")
        backup = make()
    hashes = [{"rows": table.rows, "hash": "7"} for table in backup.manifest.tables.values()]
    noted = json.loads((backup.folder / "manifest.json").read_text())
    noted["tables"] = dict(zip(noted["tables"], hashes, strict=True))
    (backup.folder / "manifest.json").write_text(json.dumps(noted))
    sign_again(backup)
    found = check_backup(backup.folder)
    assert "not hashed: DuckDB 1.9.9 made the backup" in found.notes[0]
    noted["tables"]["raw.executions"]["rows"] = 2
    (backup.folder / "manifest.json").write_text(json.dumps(noted))
    sign_again(backup)
    assert "has 1 rows, not 2" in problems(backup)


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


# What is kept


times = st.lists(
    st.datetimes(datetime(2019, 12, 1), datetime(2021, 2, 1)),  # noqa: DTZ001
    max_size=60,
)
counts = st.integers(0, 5)


@given(
    times,
    st.builds(PrunePolicy, last=st.integers(1, 5), daily=counts, weekly=counts, monthly=counts),
)
def test_the_policy_keeps_the_last_ones_and_the_last_of_each_period(
    given_times: list[datetime], policy: PrunePolicy
) -> None:
    kept = policy.kept(given_times)
    newest_first = sorted(set(given_times), reverse=True)
    assert set(newest_first[: policy.last]) <= kept.keys() <= set(given_times)
    assert all(kept.values())
    periods: list[tuple[str, int, Callable[[datetime], object]]] = [
        ("day", policy.daily, lambda moment: moment.date()),
        ("week", policy.weekly, lambda moment: moment.isocalendar()[:2]),
        ("month", policy.monthly, lambda moment: (moment.year, moment.month)),
    ]
    for name, most, period_of in periods:
        by_policy = {moment for moment in kept if any(name in why for why in kept[moment])}
        there = sorted({period_of(moment) for moment in given_times}, reverse=True)  # type: ignore[type-var]
        assert {period_of(moment) for moment in by_policy} == set(there[:most])
        for moment in by_policy:
            in_period = [other for other in given_times if period_of(other) == period_of(moment)]
            assert moment == max(in_period)
    for moment in kept:
        assert len(kept[moment]) == len(set(kept[moment]))


@given(times, times, st.builds(PrunePolicy, st.just(3), counts, counts, counts))
def test_pruning_again_removes_nothing_and_what_goes_is_not_needed_later(
    given_times: list[datetime], later: list[datetime], policy: PrunePolicy
) -> None:
    kept = set(policy.kept(given_times))
    assert set(policy.kept(kept)) == kept
    # A backup that goes would not be kept beside newer ones either.
    newest = max(given_times, default=datetime(2019, 1, 1))  # noqa: DTZ001
    newer = [moment for moment in later if moment > newest]
    assert set(policy.kept([*given_times, *newer])) == set(policy.kept([*kept, *newer]))


def test_pruning_keeps_the_newest_valid_backup_when_the_newer_ones_are_damaged(
    database: Path, make: Callable[..., Backup], folder: Path, outbox: Outbox
) -> None:
    change(database)
    made = [make(now=NOW + timedelta(days=day)) for day in range(5)]
    for backup in made[3:]:
        with (backup.folder / "learning.db").open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff\x00\xff")
    pruned = prune_backups(folder, POLICY, outbox.folder)
    assert pruned.removed == made[:2]
    assert pruned.kept_as_valid == [made[2]]
    assert backups_in(folder) == made[2:]
    newest = make(now=NOW + timedelta(days=5))
    assert prune_backups(folder, POLICY, outbox.folder).removed == made[2:4]
    assert backups_in(folder) == [made[4], newest]


def test_pruning_removes_nothing_where_no_backup_is_valid(
    database: Path, make: Callable[..., Backup], folder: Path, outbox: Outbox
) -> None:
    change(database)
    made = [make() for _ in range(3)]
    for backup in made:
        (backup.folder / SUMS).unlink()
    assert prune_backups(folder, POLICY, outbox.folder).removed == []
    assert backups_in(folder) == made


def test_each_database_has_its_own_place_in_a_shared_folder(
    database: Path, make: Callable[..., Backup], folder: Path, outbox: Outbox, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    change(other)
    theirs = make_backup(other, tmp_path / "other", folder, now=NOW).backup
    change(database)
    ours = [make(now=NOW + timedelta(days=day)) for day in range(1, 4)]
    assert prune_backups(folder, POLICY, outbox.folder).removed == ours[:1]
    assert theirs in backups_in(folder)
    assert verified_offsets(folder, theirs.manifest.database_id) == {}


def test_a_removed_backup_is_gone_whole(
    database: Path, make: Callable[..., Backup], folder: Path
) -> None:
    change(database)
    first, second = make(), make()
    remove_backups(folder, [first])
    assert [path for path in folder.iterdir() if path.is_dir()] == [second.folder]


# What the outbox need not keep


def test_the_outbox_keeps_a_file_until_a_verified_backup_holds_it(
    database: Path, tmp_path: Path, make: Callable[..., Backup], folder: Path
) -> None:
    first = Outbox(tmp_path / "outbox")
    put(first, 1, 2)
    first.close()
    second = Outbox(tmp_path / "outbox")
    put(second, 3, 4)

    def load() -> int:
        return load_once(
            database, tmp_path / "outbox", verified_offsets=partial(verified_offsets, folder)
        ).trimmed.files

    assert load() == 0
    backup = make()
    hidden = backup.folder.rename(folder / ".hidden.partial")
    assert load() == 0
    hidden.rename(backup.folder)
    stored = (backup.folder / "learning.db").read_bytes()
    (backup.folder / "learning.db").write_bytes(stored[:-1])
    assert load() == 0, "half a backup is none"
    (backup.folder / "learning.db").write_bytes(stored)
    assert load() == 1, "a live process's file stays"
    put(second, 5)
    second.close()
    assert load() == 0, "the backup does not hold its last record"
    make()
    assert load() == 1
    assert files_of(tmp_path / "outbox") == []
    assert query(database, "select count(*) from raw.executions") == [(5,)]


def test_backups_of_another_database_let_nothing_go(
    database: Path, tmp_path: Path, outbox: Outbox, folder: Path
) -> None:
    put(outbox, 1)
    outbox.close()
    load_once(database, outbox.folder)
    other = tmp_path / "other" / "learning.db"
    other.parent.mkdir()
    shutil.copy(database, other)
    change(other, "update raw.database_id set database_id = uuid()")
    make_backup(other, tmp_path / "none", folder)
    assert (
        load_once(
            database, outbox.folder, verified_offsets=partial(verified_offsets, folder)
        ).trimmed.files
        == 0
    )


def test_what_is_trimmed_is_noted_before_it_goes_until_all_backups_hold_it(
    database: Path, tmp_path: Path, folder: Path, make: Callable[..., Backup]
) -> None:
    change(database)
    oldest = make()
    for number in (1, 2):
        outbox = Outbox(tmp_path / "outbox")
        put(outbox, number)
        outbox.close()
        load_once(database, outbox.folder)
        make()
        load_once(
            database, outbox.folder, verified_offsets=partial(verified_offsets, folder), now=NOW
        )
    noted = pruned_segments(tmp_path / "outbox")
    assert [gone.last_number for gone in noted] == [1, 1]
    assert all(gone.trimmed_at == NOW and gone.first_put_at for gone in noted)
    prune_backups(folder, PrunePolicy(9, 0, 0, 0), tmp_path / "outbox")
    assert pruned_segments(tmp_path / "outbox") == noted
    remove_backups(folder, [oldest])
    prune_backups(folder, PrunePolicy(9, 0, 0, 0), tmp_path / "outbox")
    assert pruned_segments(tmp_path / "outbox") == noted[1:]
    prune_backups(folder, PrunePolicy(1, 0, 0, 0), tmp_path / "outbox")
    assert pruned_segments(tmp_path / "outbox") == []


def test_a_line_of_the_ledger_that_a_kill_cut_short_harms_no_other(
    database: Path, tmp_path: Path
) -> None:
    limits = Limits(0, timedelta(0))
    for number in (1, 2):
        outbox = Outbox(tmp_path / "outbox")
        put(outbox, number)
        outbox.close()
        load_once(database, outbox.folder, limits=limits)
        with (outbox.folder / PRUNE_LOG).open("ab") as file:
            file.write(b'{"outbox_id": "12')
    assert len(pruned_segments(tmp_path / "outbox")) == 2


def test_a_file_whose_going_cannot_be_noted_stays(database: Path, outbox: Outbox) -> None:
    put(outbox, 1)
    outbox.close()
    (outbox.folder / PRUNE_LOG).mkdir()
    result = load_once(database, outbox.folder, limits=Limits(0, timedelta(0)))
    assert (result.trimmed.files, len(files_of(outbox.folder))) == (0, 1)


# Another place


@pytest.mark.parametrize("place", ["folder", "memory://backups"])
def test_a_backup_is_copied_to_another_place_and_read_back(
    database: Path, outbox: Outbox, make: Callable[..., Backup], tmp_path: Path, place: str
) -> None:
    import fsspec

    put(outbox, 1)
    change(database)
    place = place if "://" in place else str(tmp_path / place)
    backup = make(copy_to=place)
    files, root = fsspec.core.url_to_fs(place)
    target = f"{root}/{backup.folder.name}"
    for path in backup.folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(backup.folder).as_posix()
            assert files.cat_file(f"{target}/{name}") == path.read_bytes()
    brought_back = tmp_path / "back" / backup.folder.name
    files.get(target, str(brought_back), recursive=True)
    assert check_backup(brought_back).file_count == 3


@pytest.mark.parametrize("place", ["folder", "memory://pruned"])
def test_copies_in_another_place_are_pruned_like_backups_and_others_left_alone(
    database: Path,
    outbox: Outbox,
    make: Callable[..., Backup],
    folder: Path,
    tmp_path: Path,
    place: str,
) -> None:
    place = place if "://" in place else str(tmp_path / place)
    other = tmp_path / "other.db"
    change(other)
    make_backup(other, tmp_path / "other", tmp_path / "theirs", copy_to=place, now=NOW)
    change(database)
    made = [make(now=NOW + timedelta(days=day), copy_to=place) for day in range(1, 5)]
    [(ours, theirs)] = {
        (made[0].manifest.database_id, backup.manifest.database_id)
        for backup in backups_in(tmp_path / "theirs")
    }
    names = [backup.folder.name for backup in made]
    assert copies_of(place, ours) == names
    # The copies are judged by themselves: they can be there longer than what they were made of.
    remove_backups(folder, made[:2])
    pruned = prune_backups(folder, POLICY, outbox.folder, copies_at=place)
    assert (pruned.removed, pruned.removed_copies) == ([], names[:2])
    assert copies_of(place, ours) == names[2:]
    assert len(copies_of(place, theirs)) == 1
    assert prune_backups(folder, POLICY, outbox.folder, copies_at=place).removed_copies == []


def test_a_copy_that_is_not_the_same_when_read_back_is_refused_and_has_no_sums(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    change(database)
    memory = type(fsspec.filesystem("memory"))
    opening = memory.open

    def losing(self: Any, path: str, mode: str = "rb", **given: Any) -> Any:
        if mode == "rb" and path.endswith("manifest.json"):
            self.pipe_file(path, self.cat_file(path)[:-1])
        return opening(self, path, mode, **given)

    monkeypatch.setattr(memory, "open", losing)
    with pytest.raises(BackupError, match=r"is whole, but it was not copied .*another one"):
        make(copy_to="memory://losing")
    [backup] = backups_in(folder)
    assert not problems(backup)
    assert not fsspec.filesystem("memory").exists(f"losing/{backup.folder.name}/{SUMS}")


def test_where_fsspec_is_missing_the_backup_is_made_and_what_to_install_is_said(
    database: Path, make: Callable[..., Backup], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(BackupError, match=r"pip install 'orb-learning\[remote\]'"):
        make(copy_to="memory://x")
    assert len(backups_in(folder)) == 1
    with pytest.raises(BackupError, match="is whole, but"):
        copy_backup(backups_in(folder)[0], "no-such-protocol://x")


# Disks


def test_a_full_disk_is_said_and_loses_nothing(
    database: Path, outbox: Outbox, small_disk: Callable[[str], Path], folder: Path
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
        make_backup(database, outbox.folder, full)
    assert str(full) in str(caught.value)
    assert [path for path in full.iterdir() if path.is_dir()] == []
    assert query(database, "select count(*) from raw.executions") == [(1,)]
    backup = make_backup(database, outbox.folder, folder).backup
    assert [copy.last_number for copy in backup.manifest.outbox.values()] == [2]
    subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
    assert not problems(make_backup(database, outbox.folder, full).backup)


def test_a_disk_that_is_full_when_the_outbox_comes_is_said_too(
    database: Path, outbox: Outbox, small_disk: Callable[[str], Path]
) -> None:
    folder = small_disk("4m") / "backups"
    change(database)
    for number in range(600):
        assert outbox.put("execution", json.dumps({"task_description": "x" * 10_000, "n": number}))
    with pytest.raises(DiskFullError, match="the disk is full"):
        make_backup(database, outbox.folder, folder)
    assert backups_in(folder) == []
    assert len(files_of(outbox.folder)) == 1


def test_a_folder_that_cannot_be_written_is_said(
    database: Path,
    make: Callable[..., Backup],
    folder: Path,
    small_disk: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    change(database)
    folder.write_text("no folder")
    with pytest.raises(BackupError, match="no backup was made"):
        make()
    folder.unlink()
    backup = make()
    disk = small_disk("4m")
    read_only = disk / "backups"
    shutil.copytree(backup.folder, read_only / backup.folder.name)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(BackupError, match=r"no backup was made.*Read-only file system"):
        make_backup(database, tmp_path / "outbox", read_only)
    with pytest.raises(BackupError, match=r"not every old backup was removed.*Read-only file"):
        prune_backups(read_only, POLICY, tmp_path / "outbox")
    with pytest.raises(BackupError, match=r"not every one of these .* removed.*Read-only file"):
        remove_backups(read_only, [Backup(read_only / backup.folder.name)])
    assert not problems(Backup(read_only / backup.folder.name))
    assert query(database, "select count(*) from raw.executions") == [(0,)]


# Reading one while the database cannot be read


@pytest.mark.parametrize("state", ["taken", "damaged", "missing"])
def test_readers_fall_back_to_the_newest_backup_and_say_of_when_it_is(
    database: Path, make: Callable[..., Backup], folder: Path, state: str
) -> None:
    change(database, "create table t as select 1 as a")
    make(now=NOW)
    change(database, "insert into t values (2)")
    newest = make(now=NOW + timedelta(hours=1))
    change(database, "insert into t values (3)")
    shutil.copytree(newest.folder, folder / (NOW + timedelta(days=1)).strftime(TIME))
    (folder / (NOW + timedelta(days=1)).strftime(TIME) / "learning.db").unlink()
    pool = ReaderPool(database, wait_seconds=0.2, fallback=partial(newest_copy, folder, database))

    def read() -> int:
        [row] = asyncio.run(pool.query("select count(*) as rows from t"))
        return int(row["rows"])

    assert (read(), pool.statistics().as_of) == (3, None)
    whole = database.read_bytes()
    with ExitStack() as until_it_is_back:
        if state == "taken":
            until_it_is_back.enter_context(connect(database))
        elif state == "damaged":
            database.write_bytes(whole[:10_000])
        else:
            database.unlink()
        assert (read(), pool.statistics().as_of) == (2, newest.time)
    database.write_bytes(whole)
    assert (read(), pool.statistics().as_of) == (3, None)
    assert not problems(newest)
    pool.close()


def test_readers_do_not_fall_back_where_there_is_no_backup(database: Path, folder: Path) -> None:
    change(database)
    database.write_bytes(b"no database")
    with pytest.raises(NotADatabaseError):
        asyncio.run(
            ReaderPool(database, fallback=partial(newest_copy, folder, database)).query("select 1")
        )


# The ways in


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
    assert "1 backups removed" in done.stderr
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
