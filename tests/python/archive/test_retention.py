"""Retention, and the way back: what leaves the database is in files, whole, and comes back."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import stat
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from building import REPOSITORY, BuildError
from damaged_files import damage_pages
from dbt.adapters.duckdb.environments import local
from histories import NOON, ORDINARY, TOO_LATE, History, days_ago, insert_many, task_id
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from oracle import raw_rows
from typer.testing import CliRunner

from orb_learning.archive.files import (
    EXECUTIONS,
    FEEDBACK,
    ArchivedFile,
    archived_files,
    check_archive,
    check_archived_file,
)
from orb_learning.archive.restore_days import release_holds, unarchive
from orb_learning.archive.rewrite import rewrite_archive
from orb_learning.cli.app import app
from orb_learning.dbt import archive_functions as dbt_archive_functions
from orb_learning.dbt.archive_functions import publish_file
from orb_learning.errors import ArchiveError
from orb_learning.feedback.rows import FEEDBACK_FIELDS, Feedback, insert_feedback
from orb_learning.feedback.submit import order_deletion
from orb_learning.ingest.files import import_file
from orb_learning.learning_database import LearningDatabase
from orb_learning.operations.load import load_outbox
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import compaction
from orb_learning.store.connection import connect

CORRUPTIONS = int(os.environ.get("ORB_CORRUPTIONS", "300"))
Versions = dict[int, str]
"""Versions of executions, and feedback, by their load number."""


@pytest.fixture
def history(history: History) -> History:
    """With feedback on old and young executions, and on none."""
    return with_feedback(history)


def with_feedback(history: History) -> History:
    give(history, (5, 1), (5, 20), (6, 50), (0, 60), (99, 40), (98, 1))
    return history


def give(history: History, *tasks_and_days: tuple[int, int]) -> None:
    """Load feedback on tasks, each given so many days ago."""
    with connect(history.database) as connection:
        for task, days in tasks_and_days:
            [(number,)] = connection.execute("select nextval('raw.load_seq')").fetchall()
            said = Feedback(
                feedback_id=UUID(int=number),
                task_id=task_id(task),
                submitted_at=days_ago(days),
                satisfaction="good",
                visibility="private",
                user_id="ann",
            )
            insert_feedback(connection, [said], NOON)


FILE_NAMES = "select file_name from raw.archived_files"


def settings_of(history: History) -> LearningSettings:
    return load_settings(database_path=history.database)


def retain(history: History, days: Any = 30, **arguments: Any) -> None:
    archive = str(settings_of(history).archive_folder)
    given_arguments = {"days_to_keep": days, "archive_path": archive, **arguments}
    variables = {"as_of": history.as_of.isoformat(), **history.variables}
    history.project.operate(history.database, "archive_and_retain", given_arguments, **variables)


def live(history: History) -> Versions:
    rows = raw_rows(history.database)
    with connect(history.database, read_only=True) as connection:
        rows += rows_of(connection.execute("from raw.feedback"))
    found = {row["_load_seq"]: str(sorted(row.items())) for row in rows}
    assert len(found) == len(rows)
    return found


def rows_of(relation: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in relation.description or []]
    return [dict(zip(names, values, strict=True)) for values in relation.fetchall()]


def archived(history: History, folder: Path | None = None) -> Versions:
    """What the files hold that the database counts as archived."""
    folder = folder or settings_of(history).archive_folder
    found: Versions = {}
    with connect(history.database, read_only=True) as connection:
        for file in all_files(connection):
            if file.unarchived_at is None:
                relation = connection.execute(
                    "from read_parquet(?)", [str(folder / file.file_name)]
                )
                for row in rows_of(relation):
                    assert row["_load_seq"] not in found
                    found[row["_load_seq"]] = str(sorted(row.items()))
    return found


def all_files(connection: duckdb.DuckDBPyConnection) -> list[ArchivedFile]:
    kinds = (EXECUTIONS, FEEDBACK)
    return [file for kind in kinds for file in archived_files(connection, kind)]


def held_days(history: History) -> set[date]:
    return {row[0] for row in query(history, "select held_day from raw.held_days")}


def query(history: History, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connect(history.database, read_only=True) as connection:
        return connection.execute(statement, parameters).fetchall()


def days_of_tasks(history: History) -> dict[Any, date]:
    """Each live task's day: its valid version's, else its newest one's."""
    days: dict[Any, date] = {}
    valid = dict(query(history, "select task_id, timestamp from fct_executions"))
    for row in raw_rows(history.database):
        moment = row["timestamp"]
        if moment is None or moment > row["_loaded_at"] + timedelta(minutes=5):
            moment = row["_loaded_at"]
        days[row["task_id"]] = valid.get(row["task_id"], moment).date()
    return days


def assert_nothing_lost(history: History, every: Versions) -> None:
    here, there = live(history), archived(history)
    assert not here.keys() & there.keys()
    assert here | there == every
    assert_balanced(history)


def assert_balanced(history: History) -> None:
    for report in ("rpt_retention", "rpt_feedback_retention"):
        parts = query(history, f"select part, is_complete from {report}")
        assert all(is_complete for _, is_complete in parts), (report, parts)


def test_old_days_are_in_files_and_no_longer_in_the_database(history: History) -> None:
    every = live(history)
    retain(history, 30)
    assert_nothing_lost(history, every)
    names = [
        row[0] for row in query(history, "select file_name from raw.archived_files order by 1")
    ]
    # 90, 40 and 31 days ago; the last moment of the day before the oldest kept one is among them.
    expected = [
        days_ago(days).strftime("executions_archive_%Y%m%d.parquet") for days in (90, 40, 31)
    ]
    assert names == expected
    of_feedback = [days_ago(40).strftime("feedback_archive_%Y%m%d.parquet")]
    folder = settings_of(history).archive_folder
    assert sorted(path.name for path in folder.iterdir()) == expected + of_feedback
    gone = {task_id(task) for task in (5, 6, 7, 8, 9, 10, 13)}
    for table in ("raw.executions", "fct_executions", "rejected_executions"):
        left = {row[0] for row in query(history, f"select task_id from {table}")}
        assert not left & gone
    history.build()
    history.assert_equal_to_full_refresh()


def test_no_file_is_written_through_a_link_and_all_are_private(
    history: History, tmp_path: Path
) -> None:
    """DuckDB writes through tmp_NAME where NAME is there, and by the umask."""
    victim = tmp_path / "victim"
    victim.write_text("another's")
    settings = settings_of(history)
    folder = settings.archive_folder
    folder.mkdir()
    days = [days_ago(days).strftime("%Y%m%d") for days in (90, 40, 31)]
    links = [f".executions_archive_{day}.partial" for day in days]

    def put_links(*, are_there: bool) -> None:
        for name in links:
            for put in (folder / name, folder / f"tmp_{name}"):
                put.unlink(missing_ok=True)
                put.symlink_to(victim)
            if are_there:
                (folder / name).unlink()
                (folder / name).touch()

    umask = os.umask(0)
    try:
        put_links(are_there=True)
        retain(history, 30)
        Outbox(settings.outbox_folder).put("forget", json.dumps({"task_ids": [str(task_id(5))]}))
        load_outbox(settings, now=NOON)
        put_links(are_there=False)
        with connect(history.database) as connection:
            assert rewrite_archive(connection, folder) > 0
    finally:
        os.umask(umask)
    assert victim.read_text() == "another's"
    files = list(folder.glob("*.parquet"))
    assert len(files) == 4
    for file in files:
        assert not file.is_symlink()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_zstd_parquet_with_the_raw_columns(history: History) -> None:
    retain(history, 30)
    file = next(settings_of(history).archive_folder.glob("executions_archive_*"))
    with duckdb.connect() as connection:
        columns = connection.execute("select name from parquet_schema(?)", [str(file)]).fetchall()
        codecs = connection.execute(
            "select distinct compression from parquet_metadata(?)", [str(file)]
        ).fetchall()
    raw = query(
        history,
        "select column_name from duckdb_columns() where table_name = 'executions' "
        "and schema_name = 'raw' order by column_index",
    )
    nested = {"list", "element", "array"}
    assert [name for name in columns[1:] if name[0] not in nested] == raw
    assert codecs == [("ZSTD",)]


def test_every_version_of_a_task_goes_with_its_valid_one(history: History) -> None:
    history.insert(40, timestamp=days_ago(50), repo="old")
    history.insert(40, timestamp=days_ago(51), repo="older")
    history.insert(40, timestamp=days_ago(1), quality_score=101)  # rejected, and newer
    history.insert(41, timestamp=days_ago(50))
    history.insert(41, timestamp=days_ago(1))  # moved to a young day: both stay
    history.build()
    every = live(history)
    retain(history, 30)
    assert_nothing_lost(history, every)
    left = [row[0] for row in query(history, "select task_id from raw.executions")]
    assert task_id(40) not in left
    assert left.count(task_id(41)) == 2
    with duckdb.connect() as connection:
        file = settings_of(history).archive_folder / days_ago(51).strftime(
            "executions_archive_%Y%m%d.parquet"
        )
        versions = connection.execute(
            "select count(*) from read_parquet(?) where task_id = ?", [str(file), task_id(40)]
        ).fetchall()
    assert versions == [(3,)]


def test_a_rejected_task_without_a_time_goes_by_the_day_of_its_load(history: History) -> None:
    history.insert(50, timestamp=None)
    history.insert(51, timestamp=TOO_LATE)
    history.insert(52, timestamp=datetime.max)  # noqa: DTZ901
    every = live(history)
    retain(history, 30)
    assert {task_id(50), task_id(51), task_id(52)} <= days_of_tasks(history).keys()
    history.wait(days=40)
    retain(history, 30)
    assert_nothing_lost(history, every)
    assert not {task_id(50), task_id(51), task_id(52)} & days_of_tasks(history).keys()


def test_the_limit_is_whole_utc_days(history: History) -> None:
    history.insert(60, timestamp=days_ago(30))
    history.insert(61, timestamp=days_ago(30) - timedelta(microseconds=1))
    history.build()
    retain(history, 30)
    left = days_of_tasks(history)
    assert task_id(60) in left
    assert task_id(61) not in left


@pytest.mark.parametrize("days", [6, 366, 0, -1, "30", 7.5, True])
def test_another_number_of_days_is_refused(days: Any, history: History) -> None:
    every = live(history)
    with pytest.raises(BuildError, match=r"from 7 to 365"):
        retain(history, days)
    assert live(history) == every


def test_a_dry_run_changes_nothing(history: History) -> None:
    every = live(history)
    retain(history, 30, dry_run=True)
    assert live(history) == every
    assert not settings_of(history).archive_folder.exists()


def test_run_again_it_changes_nothing(history: History) -> None:
    retain(history, 30)
    folder = settings_of(history).archive_folder
    files = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    records = query(history, "from raw.archived_files")
    here = live(history)
    retain(history, 30)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == files
    assert query(history, "from raw.archived_files") == records
    assert live(history) == here


def test_late_rows_of_an_archived_day_get_a_further_file(history: History) -> None:
    retain(history, 30)
    for task in (70, 71):
        history.insert(task, timestamp=days_ago(40))
        retain(history, 30)
    stem = days_ago(40).strftime("executions_archive_%Y%m%d")
    folder = settings_of(history).archive_folder
    assert {path.name for path in folder.glob(f"{stem}*")} == {
        f"{stem}.parquet",
        f"{stem}_2.parquet",
        f"{stem}_3.parquet",
    }


def test_an_unarchived_day_is_what_it_was_and_is_held(history: History) -> None:
    every = live(history)
    before = query(history, "from fct_executions order by all")
    retain(history, 30)
    days = days_ago(40).date(), days_ago(30).date()
    assert unarchive(settings_of(history), *days).version_count == 6
    assert held_days(history) == {days_ago(40).date(), days_ago(31).date()}
    retain(history, 30)
    assert_nothing_lost(history, every)
    assert len(archived(history)) == 1
    assert unarchive(settings_of(history), *days).version_count == 0
    unarchive(settings_of(history), days_ago(90).date(), days_ago(90).date())
    assert live(history) == every
    history.build()
    assert query(history, "from fct_executions order by all") == before
    assert release_holds(settings_of(history)) == sorted(days_ago(n).date() for n in (90, 40, 31))
    files = sorted(settings_of(history).archive_folder.iterdir())
    retain(history, 30)
    assert_nothing_lost(history, every)
    assert sorted(settings_of(history).archive_folder.iterdir()) == files


def test_a_released_day_that_is_still_there_is_held_when_asked_for_again(
    history: History,
) -> None:
    retain(history, 30)
    days = days_ago(40).date(), days_ago(40).date()
    unarchive(settings_of(history), *days)
    here = live(history)
    assert release_holds(settings_of(history)) == [days[0]]
    assert unarchive(settings_of(history), *days).version_count == 0
    assert held_days(history) == {days[0]}
    retain(history, 30)
    assert live(history) == here


UNUSED_VECTORS = (
    "select text from text_embeddings where text_id not in (select text_id from int_texts)"
)


def test_vectors_of_gone_texts_go_also_where_a_run_was_killed_before(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task, days in ((90, 50), (91, 1), (92, 50)):
        history.insert(task, timestamp=days_ago(days), task_description=f"text {min(task, 91)}")
    history.run()
    with connect(history.database) as connection:
        connection.execute(
            "insert into text_embeddings by name select distinct text_id, text, hash(text) // 2 "
            "as text_number, sha256(text) as text_sha256, 'none' as model, now() as embedded_at, "
            "'a test' as skipped_because from int_texts"
        )
    execute = local.DuckDBCursorWrapper.execute

    def end_before_the_vectors(cursor: Any, statement: str, bindings: Any = None) -> Any:
        if "delete from" in statement and "text_embeddings" in statement:
            raise RuntimeError("the machine is off")
        return execute(cursor, statement, bindings)

    monkeypatch.setattr(local.DuckDBCursorWrapper, "execute", end_before_the_vectors)
    with pytest.raises(BuildError, match="the machine is off"):
        retain(history, 30)
    monkeypatch.undo()
    assert ("text 90",) in query(history, UNUSED_VECTORS)
    retain(history, 30)
    assert query(history, UNUSED_VECTORS) == []
    left = query(history, "select text from text_embeddings")
    assert ("text 91",) in left
    assert sorted(left) == sorted(query(history, "select distinct text from int_texts"))


def test_an_erased_task_that_is_still_in_a_file_does_not_come_back(history: History) -> None:
    """Its order is loaded, but the archive is not rewritten yet. What came twice is there once.

    Each is known to be gone, and rewriting the archive later does not count it again.
    """
    retain(history, 30)
    settings = settings_of(history)
    files = f"'{settings.archive_folder}/feedback_*.parquet'"
    fields = ", ".join(FEEDBACK_FIELDS)
    in_files = dict(
        query(history, f"select task_id, struct_pack({fields}) from {files} order by _load_seq")
    )
    outbox = Outbox(settings.outbox_folder)
    outbox.put("forget", json.dumps({"task_ids": [str(task_id(5))]}))
    order_deletion(outbox, [in_files[task_id(99)]["feedback_id"]])
    again = Feedback(**in_files[task_id(6)])
    outbox.put("feedback", again.model_dump_json())
    outbox.close()
    load_outbox(settings, now=NOON)
    assert_balanced(history)
    unarchive(settings, days_ago(40).date(), days_ago(40).date())
    left = query(
        history, "select task_id from raw.executions union select task_id from raw.feedback"
    )
    assert not {(task_id(5),), (task_id(99),)} & set(left)
    of_task_6 = f"select count(*) from raw.feedback where task_id = '{task_id(6)}'"
    assert query(history, of_task_6) == [(1,)]
    assert_balanced(history)
    with connect(history.database) as connection:
        rewrite_archive(connection, settings.archive_folder)
    assert_balanced(history)
    release_holds(settings)
    retain(history, 30)
    assert_balanced(history)


def test_a_changed_file_does_not_come_back(history: History) -> None:
    retain(history, 30)
    here = live(history)
    file = min(settings_of(history).archive_folder.iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArchiveError, match="is not what was archived"):
        unarchive(settings_of(history), date.min, date.max)
    assert live(history) == here
    assert not held_days(history)
    [problem] = check_archive(settings_of(history))
    assert file.name in problem
    file.unlink()
    [problem] = check_archive(settings_of(history))
    assert "No such file" in problem


@pytest.mark.parametrize(
    ("column", "table", "said"),
    [
        ("repo", "executions", "1 of 1 versions"),
        ("user_id", "feedback", "4 of 4 of people's feedback"),
    ],
)
def test_a_file_that_differs_from_the_table_deletes_nothing(
    history: History, monkeypatch: pytest.MonkeyPatch, column: str, table: str, said: str
) -> None:
    """What the disk gives back is not what was written: a row of the file is another one."""
    every = live(history)
    execute = local.DuckDBCursorWrapper.execute

    def spoil(cursor: Any, statement: str, bindings: Any = None) -> Any:
        other = f"copy (select * replace ({column} || ' ' as {column})"
        if table in statement:
            statement = statement.replace("copy (select *", other)
        return execute(cursor, statement, bindings)

    monkeypatch.setattr(local.DuckDBCursorWrapper, "execute", spoil)
    with pytest.raises(BuildError, match=f"read back, differs from the table in {said}"):
        retain(history, 30)
    assert_nothing_lost(history, every)
    # The days before the one that differs are done.
    done = [(days_ago(90).date(),)] if table == "feedback" else []
    assert query(history, "select archived_day from raw.archived_files") == done
    assert not list(settings_of(history).archive_folder.glob(f"{table}_*.parquet"))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_ended_beside_a_file_is_gone_on_with(
    moment: str, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends before the file has its name, or after that, before the day is deleted."""
    every = live(history)
    publish = publish_file

    def fail(file: str, name: str) -> bool:
        if moment == "after":
            publish(file, name)
        raise OSError("the machine is off")

    fail.__name__ = "publish_file"
    monkeypatch.setattr(dbt_archive_functions, "publish_file", fail)
    with pytest.raises(BuildError, match="the machine is off"):
        retain(history, 30)
    assert live(history) == every
    monkeypatch.undo()
    history.insert(80, timestamp=days_ago(90))  # comes meanwhile
    every = live(history)
    retain(history, 30)
    assert_nothing_lost(history, every)
    stem = days_ago(90).strftime("executions_archive_%Y%m%d")
    parts = sorted(path.name for path in settings_of(history).archive_folder.glob(f".{stem}*"))
    assert parts == []
    whole = sorted(path.name for path in settings_of(history).archive_folder.glob(f"{stem}*"))
    assert whole == [f"{stem}.parquet", f"{stem}_2.parquet"][: 1 if moment == "before" else 2]


@pytest.mark.parametrize(
    "kind",
    ["a pipe", "a link", "a folder", "junk", "another schema", "no rows", "bad pages", "a bomb"],
)
def test_a_strange_file_in_the_archive_holds_no_retention_up(kind: str, history: History) -> None:
    every = live(history)
    folder = settings_of(history).archive_folder
    folder.mkdir()
    stem = days_ago(90).strftime("executions_archive_%Y%m%d")
    strange = folder / f"{stem}.parquet"
    if kind == "a pipe":
        os.mkfifo(strange)
    elif kind == "a link":
        strange.symlink_to("/dev/zero")
    elif kind == "a folder":
        strange.mkdir()
    elif kind == "junk":
        strange.write_bytes(b"junk" * 1_000)
    elif kind == "another schema":
        duckdb.sql(f"copy (select 'x' as _load_seq) to '{strange}' (format parquet)")
    else:
        copy_strangely(history, strange, kind)
    retain(history, 30)
    assert_nothing_lost(history, every)
    assert (folder / f"{stem}_2.parquet").exists()
    assert strange.name not in [name for (name,) in query(history, FILE_NAMES)]


def copy_strangely(history: History, file: Path, kind: str) -> None:
    """Write a file with every column of raw.executions, which is none of the archive."""
    with connect(history.database, read_only=True) as connection:
        if kind == "a bomb":  # 12 GB of text in a few MB
            changed = "replace (repeat('x', 400000000) as repo) from raw.executions limit 30"
        else:
            changed = "from raw.executions limit 3000"
        rows = f"select * {changed}" + (" offset 1000000" if kind == "no rows" else "")
        connection.execute(f"copy ({rows}) to '{file}' (format parquet, row_group_size 2048)")
    if kind == "bad pages":
        damage_pages(file)


def test_every_corruption_of_an_archived_file_is_found(history: History) -> None:
    retain(history, 7)
    chance = random.Random(7)  # noqa: S311 (the same ones each time)
    folder = settings_of(history).archive_folder
    with connect(history.database, read_only=True) as connection:
        files = all_files(connection)
    assert {file.file_name.partition("_")[0] for file in files} == {"executions", "feedback"}
    contents = {file: (folder / file.file_name).read_bytes() for file in files}
    for number in range(CORRUPTIONS):
        file = chance.choice(files)
        path, content = folder / file.file_name, bytearray(contents[file])
        match number % 3:
            case 0:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            case 1:
                del content[chance.randrange(len(content)) :]
            case 2:
                content[:] = contents[chance.choice([other for other in files if other != file])]
        path.write_bytes(content)
        with pytest.raises(ArchiveError, match="is not what was archived"):
            check_archived_file(folder, file)
        path.write_bytes(contents[file])
        check_archived_file(folder, file)


def test_what_a_full_disk_does_not_take_is_not_deleted(
    history: History, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("400k")
    with connect(history.database) as connection:
        connection.execute(
            "update raw.executions set task_description = (select string_agg(uuid()::varchar, '') "
            "from range(20000))"
        )
    every = live(history)
    with pytest.raises(BuildError, match=r"No space left|not enough space"):
        retain(history, 30, archive_path=str(disk))
    here, there = live(history), archived(history, disk)  # there was room for one day
    assert not here.keys() & there.keys()
    assert here | there == every
    assert len(there) < 7


def test_a_folder_that_cannot_be_made_deletes_nothing(history: History, tmp_path: Path) -> None:
    every = live(history)
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="Not a directory"):
        retain(history, 30, archive_path=str(tmp_path / "file" / "archive"))
    with pytest.raises(BuildError, match=r"may not contain \*, \? or \["):
        retain(history, 30, archive_path=str(tmp_path / "archive*"))
    assert live(history) == every


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize(
    "as_of", ["2026-03-08T06:59:00", "2026-03-08T23:30:00", "2026-04-04T14:30:00"]
)
def test_the_days_are_utc_days_in_every_zone(
    zone: str, as_of: str, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Around the hours in which clocks there are put forward or back."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        history.as_of = datetime.fromisoformat(as_of)
        first_kept = history.as_of.date() - timedelta(days=10)
        midnight = datetime.combine(first_kept, datetime.min.time())
        history.insert_each(
            {200 + n: {"timestamp": midnight + timedelta(hours=n)} for n in range(-30, 30)}
        )
        retain(history, 10)
        left = {task.int for task in days_of_tasks(history)}
        assert {task - 200 for task in left if 170 <= task < 230} == set(range(30))
    finally:
        monkeypatch.undo()
        time.tzset()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 30), st.integers(0, 100)),
        st.tuples(st.just("reject"), st.integers(0, 30), st.integers(0, 100)),
        st.tuples(st.just("retain"), st.sampled_from([7, 30, 90])),
        st.tuples(st.just("unarchive"), st.integers(0, 100), st.integers(0, 60)),
        st.tuples(st.just("say"), st.integers(0, 30), st.integers(0, 100)),
        st.tuples(st.just("release")),
        st.tuples(st.just("wait"), st.integers(-2, 20)),
        st.tuples(st.just("build")),
    ),
    min_size=3,
    max_size=8,
)


@pytest.mark.slow
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_whatever_happens_live_and_archived_are_all_that_came(
    steps: list[tuple[Any, ...]], history: History, small_database: Path
) -> None:
    shutil.copy(small_database, history.database)
    shutil.rmtree(settings_of(history).archive_folder, ignore_errors=True)
    history = with_feedback(History(history.project, history.database))
    every = live(history)
    for step in [*steps, ("retain", 30), ("build",)]:
        event(step[0])
        act(history, *step)
        every |= live(history)
        assert_nothing_lost(history, every)
    limit = history.as_of.date() - timedelta(days=30)
    old = {task: day for task, day in days_of_tasks(history).items() if day < limit}
    assert set(old.values()) <= held_days(history)
    assert not list(check_archive(settings_of(history)))


def import_old_rows(history: History, folder: Path, name: str, *tasks: int) -> None:
    """Import a file of executions of 400 days ago, as of this moment of the history."""
    file = folder / name
    rows = [
        {**ORDINARY, "task_id": str(task_id(task)), "timestamp": f"{days_ago(400)}Z"}
        for task in tasks
    ]
    file.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    import_file(history.database, file, now=history.as_of)


def test_days_in_the_wrong_order_are_refused_and_empty_ones_say_so(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(history.database))
    refused = CliRunner().invoke(app, ["unarchive", "--from", "2026-02-02", "--to", "2026-02-01"])
    assert refused.exit_code == 1
    assert "did you mean --from 2026-02-01 --to 2026-02-02?" in refused.output
    said = orb("unarchive", "--from", "2026-02-01", "--to", "2026-02-01")
    assert said == "Nothing is archived of these days: nothing came back.\n"
    assert orb("check-archive") == "Nothing is archived: 0 files.\n"


def test_imported_history_stays_until_somebody_confirms_it(
    history: History, tmp_path: Path
) -> None:
    import_old_rows(history, tmp_path, "old.jsonl", 700, 701)
    history.insert(710, timestamp=days_ago(400))  # recorded, and loaded late: nobody imported it
    give(history, (700, 1))
    history.run()
    retain(history)
    numbers = "select _load_seq from raw.executions where task_id in ? order by 1"
    kept, late = [task_id(700), task_id(701)], [task_id(710)]
    assert len(query(history, numbers, [kept])) == 2
    assert query(history, numbers, [late]) == []
    feedback = query(history, "from raw.feedback where task_id = ?", [kept[0]])
    assert len(feedback) == 1  # it stays with its execution

    every = live(history)
    retain(history, take_imported=True)
    assert query(history, numbers, [kept]) == []
    # What comes back is not imported anew, but a later file of the same day is.
    unarchive(settings_of(history), days_ago(400).date(), days_ago(400).date())
    release_holds(settings_of(history))
    history.wait(days=1)
    import_old_rows(history, tmp_path, "more.jsonl", 702)
    retain(history)
    assert query(history, numbers, [kept]) == []
    assert len(query(history, numbers, [[task_id(702)]])) == 1
    assert every.keys() - live(history).keys() == set(archived(history)) & every.keys()


@pytest.mark.slow
def test_a_dry_run_needs_no_build_and_says_what_would_stay(
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "old.csv"
    file.write_text("task_id,timestamp\n" + f"{task_id(1)},2020-01-01T00:00:00Z\n")
    import_file(database, file)
    with connect(database) as connection:
        insert_many(connection, [{"task_id": task_id(2), "timestamp": "2020-01-02"}])
    monkeypatch.setenv("ORB_DATABASE", str(database))
    monkeypatch.setenv("ORB_LEARNING__PROJECT_PATH", str(REPOSITORY))
    said = orb("retention", "--dry-run")
    assert "1 version of 1 day would go" in said
    assert "1 version of 1 day stay, which were imported" in said
    assert str(file) in said.replace("\n", "")
    assert "`orb retention --yes` archives them" in said
    assert "2 versions of 2 days would go" in orb("retention", "--dry-run", "--yes")
    monkeypatch.setenv("ORB_LEARNING__RETENTION_TAKES_IMPORTED", "true")
    assert "2 versions of 2 days would go" in orb("retention", "--dry-run")


def act(history: History, what: str, *values: int) -> None:
    actions: dict[str, Callable[..., Any]] = {
        "insert": lambda task, days: history.insert(task, timestamp=days_ago(days)),
        "reject": lambda task, days: history.insert(task, timestamp=days_ago(days), repo=""),
        "say": lambda task, days: give(history, (task, days)),
        "retain": lambda days: retain(history, days),
        "unarchive": lambda first, count: unarchive(
            settings_of(history), days_ago(first + count).date(), days_ago(first).date()
        ),
        "release": lambda: release_holds(settings_of(history)),
        "wait": lambda days: history.wait(days=days),
        "build": history.build,
    }
    actions[what](*values)


@pytest.mark.slow
def test_the_library_and_the_command_run_the_macro(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(history.database) as connection:
        connection.execute("update raw.executions set timestamp = timestamp - interval 10 year")
    every = live(history)
    learning = LearningDatabase(history.database, project_path=REPOSITORY)
    result = asyncio.run(learning.cleanup_old_executions(days_to_keep=365))
    [(gone,)] = query(history, "select sum(version_count)::int from raw.archived_files")
    days = len(query(history, "from raw.archived_files"))
    assert result == {"archived_count": gone, "deleted_count": gone, "days_cleaned": days}
    assert gone > 10
    assert_nothing_lost(history, every)

    monkeypatch.setenv("ORB_DATABASE", str(history.database))
    monkeypatch.setenv("ORB_LEARNING__PROJECT_PATH", str(REPOSITORY))
    monkeypatch.setattr(compaction, "LEAST_FREE_BYTES", 0)
    monkeypatch.setattr(compaction, "LEAST_FREE_SHARE", 0)
    assert f"{gone} versions and 4 of people's feedback are in raw again" in orb(
        "unarchive", "--from", "1990-01-01", "--to", "2100-01-01"
    )
    assert live(history) == every
    said = orb("retention", "--days", "365", "--release")
    assert f"{days} days released" in said
    folder = settings_of(history).archive_folder
    assert f"{gone} versions of {days} days and 4 of people's feedback are in {folder} now" in said
    assert "MB shorter" in said
    assert_nothing_lost(history, every)
    refused = CliRunner().invoke(app, ["retention", "--days", "3"])
    assert refused.exit_code == 1
    assert "from 7 to 365" in refused.output


def orb(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output
