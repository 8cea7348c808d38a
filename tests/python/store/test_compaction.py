"""Space is given back without a moment in which the database could be lost."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orb_learning.archive import retention
from orb_learning.archive.retention import archive_and_retain
from orb_learning.errors import DatabaseError, DatabaseLockedError, DiskFullError
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import compaction
from orb_learning.store.checksums import TableChecksum, table_checksums
from orb_learning.store.connection import connect


@pytest.fixture
def settings(database: Path) -> LearningSettings:
    """Of a database of which more than half is free."""
    with connect(database) as connection:
        connection.execute(
            "create table noise as select range as n, random() as r from range(300_000);"
            "checkpoint; delete from noise where n >= 1000; checkpoint"
        )
    return load_settings(database_path=database)


def rows_in(database: Path) -> dict[str, TableChecksum]:
    with connect(database, read_only=True) as connection:
        return table_checksums(connection)


def leftovers(database: Path) -> list[str]:
    return [path.name for path in database.parent.iterdir() if "compacting" in path.name]


def free_bytes_and_share(database: Path) -> tuple[int, float]:
    with connect(database, read_only=True) as connection:
        [(size, total, free)] = connection.execute(
            "select block_size, total_blocks, free_blocks from pragma_database_size() "
            "where database_name = current_database()"
        ).fetchall()
    return size * free, free / total


class Connection:
    """A connection of DuckDB that can be told to leave something undone."""

    def __init__(self, *arguments: Any, without: str, **named: Any):
        self._connection = duckdb.connect(*arguments, **named)
        self._connection.execute("pragma disable_checkpoint_on_shutdown")
        self._without = without

    def execute(self, statement: str) -> Any:
        if statement != self._without:
            return self._connection.execute(statement)
        return None

    def close(self) -> None:
        self._connection.close()


class Spoilt:
    """The module duckdb, whose connections write no checkpoint by themselves."""

    Error = duckdb.Error

    def __init__(self, without: str = ""):
        self.connect = partial(Connection, without=without)


def test_what_is_in_the_copys_log_is_in_the_file_before_it_is_compared(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_in(settings.database_path)
    monkeypatch.setattr(compaction, "duckdb", Spoilt())
    compaction.compact(settings.database_path)
    monkeypatch.undo()
    assert rows_in(settings.database_path) == before
    assert leftovers(settings.database_path) == []


def test_a_copy_with_a_log_is_refused(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = settings.database_path.read_bytes()
    monkeypatch.setattr(compaction, "duckdb", Spoilt(without="checkpoint compacted"))
    with pytest.raises(DatabaseError, match=r"compacting\.wal and not in the copy"):
        compaction.compact(settings.database_path)
    assert settings.database_path.read_bytes() == content
    assert leftovers(settings.database_path) == []


def test_a_copy_that_holds_other_rows_is_refused(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = settings.database_path.read_bytes()
    connect_without_lock = compaction.connect_without_lock

    def spoil(file: Path) -> Any:
        with duckdb.connect(file) as connection:
            connection.execute("update noise set r = r + 1 where n = 7")
        return connect_without_lock(file)

    monkeypatch.setattr(compaction, "connect_without_lock", spoil)
    with pytest.raises(DatabaseError, match=r"other rows than it in main\.noise"):
        compaction.compact(settings.database_path)
    assert settings.database_path.read_bytes() == content
    assert leftovers(settings.database_path) == []


def test_leftovers_of_a_killed_run_go_and_the_new_file_has_the_olds_mode(
    settings: LearningSettings,
) -> None:
    before = rows_in(settings.database_path)
    settings.database_path.chmod(0o600)
    for name in (".learning.db.compacting", ".learning.db.compacting.wal"):
        (settings.database_path.parent / name).write_bytes(b"half of something")
    compaction.compact(settings.database_path)
    assert settings.database_path.stat().st_mode & 0o777 == 0o600
    assert rows_in(settings.database_path) == before
    assert leftovers(settings.database_path) == []


def test_a_disk_that_fills_meanwhile_leaves_the_file_or_a_whole_new_one(
    settings: LearningSettings, small_disk: Callable[[str], Path], tell: Callable[..., None]
) -> None:
    before = rows_in(settings.database_path)
    size = settings.database_path.stat().st_size
    room = 2**20
    disk = small_disk(str(size + room))
    database, filler = disk / "learning.db", disk / "filler"
    ends: Counter[str] = Counter()
    for filled in range(0, room, 2**16):
        shutil.copy(settings.database_path, database)
        filler.write_bytes(bytes(max(0, room - filled - 2**16)))
        try:
            compaction.compact(database)
            ends["done"] += 1
        except DiskFullError as error:
            ends[str(error).split(": ")[1].split(",")[0]] += 1
        filler.unlink()
        assert rows_in(database) == before
        assert leftovers(database) == []
    assert ends.keys() == {"done", "the disk is full"}
    assert min(ends.values()) > 3
    tell(f"compacting with more and more room: {dict(ends)}, the rows are the same each time")


def test_a_folder_that_cannot_be_written_is_said(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = settings.database_path.read_bytes()

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(DatabaseError, match="was not made smaller, its rows are as they were"):
        compaction.compact(settings.database_path)
    assert settings.database_path.read_bytes() == content


def retain(settings: LearningSettings, monkeypatch: pytest.MonkeyPatch, **given: Any) -> int:
    """Run retention where nothing is old; returns the bytes that it gave back."""
    nothing = {"archived_count": 0, "deleted_count": 0, "days_cleaned": 0, "feedback_count": 0}
    monkeypatch.setattr(retention, "run_dbt", lambda *_, **__: json.dumps(nothing))
    return archive_and_retain(settings, **given).reclaimed_bytes


def test_retention_gives_space_back_from_the_limits_on_and_not_below_them(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    least, share = free_bytes_and_share(settings.database_path)
    assert share > 0.3
    assert retain(settings, monkeypatch) == 0  # free blocks of 64 MB are as far as it goes
    monkeypatch.setattr(compaction, "LEAST_FREE_BYTES", least + 1)
    assert retain(settings, monkeypatch) == 0
    monkeypatch.setattr(compaction, "LEAST_FREE_BYTES", least)
    monkeypatch.setattr(compaction, "LEAST_FREE_SHARE", share * 1.001)
    assert retain(settings, monkeypatch) == 0
    monkeypatch.setattr(compaction, "LEAST_FREE_SHARE", share)
    assert retain(settings, monkeypatch, dry_run=True) == 0
    size = settings.database_path.stat().st_size
    reclaimed = retain(settings, monkeypatch)
    assert size - settings.database_path.stat().st_size == reclaimed > 0
    assert retain(settings, monkeypatch) == 0


def test_space_that_others_kept_in_use_is_given_back_by_the_next_retention(
    settings: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "LEAST_FREE_BYTES", 0)
    compact = compaction.compact

    def find_it_taken(*_: Any) -> None:
        raise DatabaseLockedError("others have it")

    monkeypatch.setattr(retention, "compact", find_it_taken)
    assert retain(settings, monkeypatch) == 0
    monkeypatch.setattr(retention, "compact", compact)
    assert retain(settings, monkeypatch) > 0
