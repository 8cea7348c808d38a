"""A stranger's file beside the database does not end an erasure; what is not read is named."""

from __future__ import annotations

import gzip
import os
import shutil
import time
import uuid
from pathlib import Path

import duckdb
import pytest
from backup_cases import sign_again
from restore_cases import Place

from orb_learning.errors import DatabaseError
from orb_learning.operations import erase, exported_files
from orb_learning.operations.exported_files import ErasedContent
from orb_learning.operations.mentions import ErasureTarget
from orb_learning.store import Limits, contents

TASK = uuid.UUID(int=1)
TEXT = "what only its author may read"
CONTENT = ErasedContent(ErasureTarget(frozenset([TASK]), "api"), (TEXT,))


def made(folder: Path, what: str) -> Path:
    if what == "unpacks to gigabytes":
        file = folder / "a.jsonl.gz"
        with gzip.open(file, "wb", 1) as opened:
            for _ in range(200):
                opened.write(bytes(2**20))
    elif what == "is larger than the memory":
        file = folder / "a.json"
        file.touch()
        os.truncate(file, 2**36)
    else:
        file = folder / "a.parquet"
        value = "repeat('x', 400000000) as a from range(4)"
        duckdb.sql(f"copy (select {value}) to '{file}' (format parquet, row_group_size 2048)")
    return file


@pytest.mark.parametrize(
    "what",
    ["unpacks to gigabytes", "is larger than the memory", "has values of gigabytes"],
)
def test_a_file_that_cannot_be_searched_is_named(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_files, "limits_of", lambda _: Limits(20.0, 2**30))
    file = made(tmp_path, what)
    began = time.monotonic()
    assert CONTENT.is_in(file)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("name", ["a.json", "a.csv.gz", "a.parquet", "a.db"])
def test_a_pipe_that_took_a_files_name_is_not_waited_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_files, "limits_of", lambda _: Limits(60.0, 2**30))
    os.mkfifo(tmp_path / name)
    began = time.monotonic()
    assert CONTENT.is_in(tmp_path / name)
    assert time.monotonic() - began < 30


def test_a_pipe_that_took_a_databases_name_is_named_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LEAST_SECONDS", 60.0)
    os.mkfifo(tmp_path / "a.db")
    with pytest.raises(DatabaseError, match=r"a\.db cannot be opened: it is not a regular file"):
        contents.contents_of(tmp_path / "a.db")


def test_the_log_beside_a_database_is_searched_with_it(tmp_path: Path) -> None:
    used = tmp_path / "used.db"
    with duckdb.connect(used) as connection:
        connection.execute("create table t (text varchar)")
        connection.execute("checkpoint")
        connection.execute("insert into t values (?)", [TEXT])
        for ending in ("", ".wal"):
            shutil.copy(f"{used}{ending}", tmp_path / f"a.db{ending}")
    assert CONTENT.is_in(tmp_path / "a.db")


KILLS = "(repeat('[', 100000) || repeat(']', 100000))::json::variant::varchar"
NEVER_STOPS = "levenshtein(repeat('a', 3000000), repeat('b', 3000000))::varchar"


@pytest.mark.parametrize("where", ["a backup", "a database that a restore kept"])
@pytest.mark.parametrize("sql", [KILLS, NEVER_STOPS])
def test_what_a_copy_runs_ends_no_erasure_and_the_copy_is_named(
    where: str, sql: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LEAST_SECONDS", 4.0)
    place.put(1)
    place.load()
    backup = place.back_up()
    copy = backup.folder / backup.manifest.database_file
    if where != "a backup":
        copy = place.folder / "learning.before-restore-20260101T000000.000000Z.db"
        shutil.copy(backup.folder / backup.manifest.database_file, copy)
    with duckdb.connect(copy) as connection:
        connection.execute("alter table raw.pending_halves rename to kept")
        connection.execute(
            "create view raw.pending_halves as select uuid() as task_id, 'outcome' as kind, "
            f"{sql} as payload, now()::timestamp as loaded_at, null::timestamp as recorded_at"
        )
    sign_again(backup)
    place.put(2)
    place.load()
    found = erase(place.settings, task_ids=[uuid.UUID(int=2)])
    assert found.still_in == [backup.folder if where == "a backup" else copy]
    assert place.numbers() == [1]


@pytest.mark.parametrize("ending", ["json", "csv.gz"])
@pytest.mark.parametrize("found", [str(TASK), TEXT, " api,", ""])
def test_what_stands_across_two_blocks_is_found(
    ending: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_files, "BLOCK_BYTES", 2_000)
    file = tmp_path / f"a.{ending}"
    for before in range(1_980, 2_001, 4):
        text = ("x" * before + found + "x" * 5_000).encode()
        file.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
        assert CONTENT.is_in(file) is bool(found)


@pytest.mark.parametrize("ending", ["parquet", "db"])
@pytest.mark.parametrize("text", [TEXT, f"task {TASK}", "in api, too", "another text"])
def test_rows_are_searched_by_another_process(ending: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    with duckdb.connect(file if ending == "db" else ":memory:") as connection:
        connection.execute("create table t as select [?] as texts, 'api2' as repo", [text])
        if ending == "parquet":
            connection.execute(f"copy t to '{file}'")
    assert CONTENT.is_in(file) is (text != "another text")
