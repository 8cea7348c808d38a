"""The database file: every way in which it cannot be used has an error that says what to do."""

from __future__ import annotations

import sqlite3
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from orb_learning.errors import (
    DatabaseError,
    DatabaseLockedError,
    DatabaseMissingError,
    DiskFullError,
    NewerDatabaseError,
    NotADatabaseError,
)
from orb_learning.ingest.files import import_file, importer
from orb_learning.store import connection as db
from orb_learning.store import sealing
from orb_learning.store.paths import check_path
from orb_learning.store.schema import SCHEMA_VERSION

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.readline()
connection.close()
"""


@contextmanager
def held(database: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    """Have another process keep the database open, until a line is written to it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            if process.poll() is None:
                process.communicate("\n")


def make(database: Path) -> Path:
    with db.connect(database):
        pass
    return database


def count(database: Path) -> int:
    with db.connect(database, read_only=True) as connection:
        row = connection.execute("select count(*) from raw.executions").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("mine", "theirs"), [("write", "write"), ("write", "read"), ("read", "write")]
)
def test_a_database_that_another_process_has_is_locked_with_its_name(
    database: Path, mine: str, theirs: str
) -> None:
    make(database)
    with (
        held(database, theirs),
        pytest.raises(DatabaseLockedError, match="in use by another process") as caught,
        db.connect(database, read_only=mine == "read", wait_seconds=0.2),
    ):
        pass
    assert str(database) in str(caught.value)


def test_readers_do_not_lock_each_other_out(database: Path) -> None:
    make(database)
    with held(database, "read"):
        assert count(database) == 0


def test_a_locked_database_is_waited_for(database: Path) -> None:
    make(database)
    with held(database, "write") as process:
        assert process.stdin is not None
        # The other process closes while this one is waiting.
        subprocess.Popen(["sleep", "0.5"]).wait()
        process.stdin.write("\n")
        process.stdin.flush()
        begin = time.monotonic()
        with db.connect(database, wait_seconds=30):
            pass
        assert time.monotonic() - begin < 10


def test_an_import_into_a_locked_database_can_be_repeated(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(database)
    file = tmp_path / "x.jsonl"
    file.write_text('{"repo": "r"}')
    connect = db.connect
    monkeypatch.setattr(importer, "connect", lambda path: connect(path, wait_seconds=0.2))
    with held(database, "write"), pytest.raises(DatabaseLockedError):
        import_file(database, file)
    assert import_file(database, file).row_count == 1


def test_a_missing_database_is_not_made_by_a_reader(database: Path) -> None:
    with (
        pytest.raises(DatabaseMissingError, match="`orb sample` or `orb import` makes it"),
        db.connect(database, read_only=True),
    ):
        pass
    assert list(database.parent.iterdir()) == []


def test_a_newer_schema_is_refused_with_both_versions(database: Path) -> None:
    with db.connect(database) as connection:
        connection.execute(
            "insert into raw.schema_versions values (?, now())", [SCHEMA_VERSION + 1]
        )
    message = rf"version {SCHEMA_VERSION + 1} .* up to {SCHEMA_VERSION}; update orb-learning"
    for read_only in (True, False):
        with (
            pytest.raises(NewerDatabaseError, match=message),
            db.connect(database, read_only=read_only),
        ):
            pass


def checksum(data: bytes) -> int:
    """Return DuckDB's checksum of a block."""
    found = 5381
    for (word,) in struct.iter_unpack("<Q", data):
        found ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return found


def test_a_file_of_a_newer_duckdb_is_refused(database: Path) -> None:
    make(database)
    data = bytearray(database.read_bytes())
    assert data[:8] == struct.pack("<Q", checksum(data[8:4096]))
    # The main header: a checksum, the letters DUCK, then the storage version.
    assert data[8:12] == b"DUCK"
    data[12:20] = struct.pack("<Q", 9_999)
    data[:8] = struct.pack("<Q", checksum(data[8:4096]))
    database.write_bytes(data)
    with (
        pytest.raises(NewerDatabaseError, match="update duckdb") as caught,
        db.connect(database),
    ):
        pass
    assert str(database) in str(caught.value)


def text_file(file: Path) -> None:
    file.write_text("repo,file_count\n" * 2_000)


def short_file(file: Path) -> None:
    file.write_text("x")


def sqlite_file(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("create table executions (repo text)")
    connection.commit()
    connection.close()


def half_a_database(file: Path) -> None:
    with db.connect(file) as connection:
        connection.execute("create table filler as select uuid() as x from range(100000)")
    file.write_bytes(file.read_bytes()[:6_000])


def damaged_database(file: Path) -> None:
    make(file)
    data = bytearray(file.read_bytes())
    data[100:200] = bytes(range(100))
    file.write_bytes(data)


@pytest.mark.parametrize(
    "spoil",
    [text_file, short_file, half_a_database, sqlite_file, damaged_database],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_database_is_refused_and_stays_as_it_is(
    database: Path, spoil: Callable[[Path], None], read_only: bool
) -> None:
    spoil(database)
    before = database.read_bytes()
    with (
        pytest.raises(NotADatabaseError, match="not a DuckDB database, or is damaged") as caught,
        db.connect(database, read_only=read_only),
    ):
        pass
    assert str(database) in str(caught.value)
    assert database.read_bytes() == before


@pytest.mark.parametrize("spoil", [text_file, short_file, sqlite_file])
def test_nothing_is_left_beside_a_file_that_is_no_database(
    database: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(database)
    for read_only in (True, False):
        with pytest.raises(NotADatabaseError), db.connect(database, read_only=read_only):
            pass
    assert list(database.parent.iterdir()) == [database]


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(DatabaseError, match="is a directory; name"),
        db.connect(tmp_path),
    ):
        pass


def test_the_databases_folder_is_made_with_it(tmp_path: Path) -> None:
    with db.connect(tmp_path / "data" / "learning.db"):
        pass
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_in_two_missing_folders_is_refused(tmp_path: Path, read_only: bool) -> None:
    message = "does not exist" if read_only else "no is not a directory; create it"
    with (
        pytest.raises(DatabaseError, match=message),
        db.connect(tmp_path / "no" / "data" / "learning.db", read_only=read_only),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["raw.db", "RAW.duckdb", "main.db", "temp.db", "system.db"])
def test_a_stem_that_makes_names_ambiguous_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(DatabaseError, match="give it another name"),
        db.connect(tmp_path / name),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["o'brien.db", 'the "best".db'])
def test_a_name_that_dbt_cannot_quote_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(DatabaseError, match="may not have a quote"),
        db.connect(tmp_path / name),
    ):
        pass
    assert not (tmp_path / name).exists()


def test_connections_are_in_utc_whatever_the_machine_is_in(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(database)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        for read_only in (True, False):
            with db.connect(database, read_only=read_only) as connection:
                row = connection.execute("select current_setting('TimeZone')").fetchone()
                assert row == ("UTC",)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("memory_mb", [None, 500])
def test_no_progress_bar_mixes_with_a_commands_output(
    database: Path, memory_mb: int | None
) -> None:
    """DuckDB draws one where Python runs no file, as in `python -c` and at its prompt."""
    make(database)
    code = (
        "import sys, duckdb; from pathlib import Path; from orb_learning.store import connect\n"
        "shows = \"select current_setting('enable_progress_bar')\"\n"
        "print(duckdb.connect().execute(shows).fetchall())\n"
        f"with connect(Path(sys.argv[1]), read_only=True, sandbox_memory_mb={memory_mb}) as own:\n"
        "    print(own.execute(shows).fetchall())\n"
    )
    command = [sys.executable, "-c", code, str(database)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["[(True,)]", "[(False,)]"]


def test_sums_of_a_join_with_nothing_are_right(database: Path) -> None:
    def sums(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
        connection.execute("""
            create temp table amounts as select range % 31 as id, range % 7 as n from range(8000);
            create temp table nothing (id bigint, kind varchar)
        """)
        return connection.execute(
            "select amounts.id, sum(n)::bigint as total from amounts "
            "left join nothing on amounts.id = nothing.id and nothing.kind = 'any' "
            "group by amounts.id order by amounts.id"
        ).fetchall()[:1]

    make(database)
    with duckdb.connect() as bare:
        assert sums(bare) != [(0, 777)], "DuckDB is mended: no optimizer need be disabled"
    for read_only in (True, False):
        with db.connect(database, read_only=read_only) as connection:
            assert sums(connection) == [(0, 777)]


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_a_full_disk_loads_nothing_and_leaves_the_database_whole(
    small_disk: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    disk = small_disk("4m")
    database = disk / "learning.db"
    first = tmp_path / "first.jsonl"
    first.write_text('{"repo": "r"}')
    import_file(database, first)
    big = tmp_path / name
    duckdb.execute(
        "copy (select uuid()::varchar as repo, uuid()::varchar || uuid()::varchar as task_type "
        f"from range(60000)) to '{big}'"
    ).fetchall()

    with pytest.raises(DiskFullError, match="free some space and run it again") as caught:
        import_file(database, big)
    assert str(database) in str(caught.value)
    assert count(database) == 1

    # Free space, and the same file goes in: nothing of the failed try is left in its way.
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
    assert import_file(database, big).row_count == 60_000
    assert count(database) == 60_001


def test_checking_a_path_leaves_the_locks_of_this_process_alone(database: Path) -> None:
    with db.connect(database):
        check_path(database, must_exist=True)
        other = subprocess.run(
            [sys.executable, "-c", f"import duckdb; duckdb.connect({str(database)!r})"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "lock on file" in other.stderr


def test_a_strangers_file_reaches_nothing_but_itself_and_the_scratch(tmp_path: Path) -> None:
    folder, scratch, secret = tmp_path / "theirs", tmp_path / "scratch", tmp_path / "secret.txt"
    folder.mkdir()
    scratch.mkdir()
    secret.write_text("what only its owner may read")
    file = folder / "theirs.db"
    with duckdb.connect(file) as connection:
        connection.execute(f"create view steals as from read_text('{secret}')")
        connection.execute("create view honest as select 1 as a")
    with db.connect_without_lock(file, scratch=scratch) as connection:
        copied = scratch / "copied.parquet"
        connection.execute(f"copy (from honest) to '{copied}' (format parquet)")
        for refused in [
            "from steals",
            f"from '{secret}'",
            f"copy (from honest) to '{tmp_path / 'x.csv'}'",
            f"attach '{tmp_path / 'x.db'}'",
            "set enable_external_access = true",
            "install httpfs",
        ]:
            with pytest.raises(duckdb.Error):
                connection.execute(refused).fetchall()
    assert duckdb.sql(f"from '{copied}'").fetchall() == [(1,)]
    assert [path.name for path in folder.iterdir()] == ["theirs.db"]


def test_a_strangers_file_that_never_ends_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LONGEST_SEALED_SECONDS", 0.2)
    file = tmp_path / "theirs.db"
    with duckdb.connect(file) as connection:
        connection.execute(
            "create view endless as select count(*) from range(1000000000) as a, "
            "range(1000000000) as b where (a.range * b.range) % 7 = 3"
        )
    with (
        pytest.raises(DatabaseError, match="took longer than"),
        db.connect_without_lock(file) as connection,
    ):
        connection.execute("from endless").fetchall()
