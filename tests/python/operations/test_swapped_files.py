"""Who exchanges a file for a link while it is written, harms no file behind the link.

The exchange happens at the moment that harms most, which a swapper in a loop meets by chance.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import duckdb
import pyarrow.parquet
import pytest
from crash_worker import payload_of
from damaged_files import damage_pages
from restore_cases import Place, erase_tasks

from orb_learning.archive import (
    EXECUTIONS,
    check_archive,
    restore_days,
    rewrite,
    rewrite_archive,
    unarchive,
)
from orb_learning.dbt.archive_functions import prepare_file, prepare_folder, publish_file
from orb_learning.errors import ArchiveError, OutboxError, RestoreError
from orb_learning.filesystem import sha256_of
from orb_learning.operations import erase, export, load_shipped, restored_copy, shipped
from orb_learning.outbox import Outbox, reader, ship
from orb_learning.page import writing
from orb_learning.store import connect

MINE = b"another's file" * 10_000


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "victim"
    file.write_bytes(MINE)
    file.chmod(0o600)
    yield file
    assert file.read_bytes() == MINE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def swap(file: Path, victim: Path) -> None:
    file.unlink(missing_ok=True)
    file.symlink_to(victim)


def before(function: Callable[..., Any], swapped: Callable[..., object]) -> Callable[..., Any]:
    """Return a function before which something is exchanged."""

    def done(*given: Any, **named: Any) -> Any:
        swapped(*given)
        return function(*given, **named)

    return done


def after(function: Callable[..., Any], swapped: Callable[..., object]) -> Callable[..., Any]:
    """Return a function after which something is exchanged."""

    def done(*given: Any, **named: Any) -> Any:
        result = function(*given, **named)
        swapped(*given)
        return result

    return done


def test_a_segment_is_brought_back_through_no_link(
    place: Place, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(1)
    place.load()
    place.put(2)
    backup = place.back_up()
    for segment in place.outbox_folder.glob("*.sqlite"):
        segment.unlink()
    opened = after(
        restored_copy.open_private,
        lambda file, _: swap(file, victim) if file.suffix == ".restoring" else None,
    )
    monkeypatch.setattr(restored_copy, "open_private", opened)
    with suppress(RestoreError):
        place.restore(backup)


def test_a_restore_works_in_no_folder_of_another(place: Place, tmp_path: Path) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    mine = elsewhere / place.database.name
    mine.write_bytes(MINE)
    (place.folder / f".{place.database.name}.restoring").symlink_to(elsewhere)
    place.restore(backup)
    assert mine.read_bytes() == MINE
    assert place.numbers() == [1]


def test_a_cut_segment_is_lengthened_through_no_link(
    place: Place, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(*range(1, 200))
    [segment] = place.outbox_folder.glob("*.sqlite")
    with sqlite3.connect(segment) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    os.truncate(segment, segment.stat().st_size // 2)

    class Opened:
        """`os`, of which a call after the file was looked at finds another one."""

        def __getattr__(self, name: str) -> Any:
            found = getattr(os, name)
            if name in ("truncate", "ftruncate"):
                swap(segment, victim)
            return found

    monkeypatch.setattr(reader, "os", Opened())
    with suppress(OutboxError, reader.DamagedFileError), reader.open_reader(segment):
        pass
    assert segment.is_symlink()


def test_an_archived_file_is_written_again_through_no_link(
    place: Place, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(1, 2)
    place.load()
    folder = place.settings.archive_folder
    folder.mkdir()
    with connect(place.database) as connection:
        file = folder / "executions_archive_20260101.parquet"
        columns = ", ".join(EXECUTIONS.columns)
        connection.execute(f"copy (select {columns} from raw.executions) to '{file}'")
        connection.execute(
            "insert into raw.forgotten by name select ? as task_id, now()::timestamp as "
            "forgotten_at, 1 as version_count",
            [uuid.UUID(int=1)],
        )
        monkeypatch.setattr(
            rewrite, "open_private", after(rewrite.open_private, lambda one, _: swap(one, victim))
        )
        with suppress(ArchiveError):
            rewrite_archive(connection, folder)


def test_the_page_opens_no_private_file_to_others(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "read_reports", lambda *_, **__: {})
    monkeypatch.setattr(writing, "render", lambda _: "page")
    monkeypatch.setattr(writing, "NamedTemporaryFile", lambda **given: _Named(given, victim))
    writing.write_page(tmp_path / "learning.db", tmp_path / "page.html")


class _Named:
    """A temporary file in whose place a link is put once it is closed."""

    def __init__(self, given: dict[str, Any], victim: Path):
        self._file = NamedTemporaryFile(**given)  # noqa: SIM115
        self._victim = victim

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _Named:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        swap(Path(self._file.name), self._victim)


def test_an_export_is_worked_out_in_no_folder_of_another(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is exchanged for another's, who would read the copy of the database there."""
    place.put(1)
    place.load()
    place.change("create table executions as select 1 as a")
    theirs, out = tmp_path / "theirs", tmp_path / "out"
    theirs.mkdir()
    (out / ".copy.duckdb.export-1").mkdir(parents=True)  # of a run that was killed
    (out / ".copy.duckdb.export-2").symlink_to(theirs)
    copy_file = export._copy_file

    def exchanged(*given: Any) -> None:
        [work] = out.glob(".copy.duckdb.export-*")
        work.rename(out / "moved")
        work.symlink_to(theirs)
        copy_file(*given)

    monkeypatch.setattr(export, "_copy_file", exchanged)
    export.export_for_reading(place.database, out / "copy.duckdb")
    assert list(theirs.iterdir()) == []
    with duckdb.connect(out / "copy.duckdb", read_only=True) as copy:
        assert copy.execute("select a from executions").fetchall() == [(1,)]


@pytest.mark.parametrize("kind", ["another schema", "junk", "a pipe", "a link"])
def test_a_strangers_file_in_the_archive_is_named_and_nothing_is_done(
    place: Place, kind: str
) -> None:
    place.put(1)
    place.load()
    folder = place.settings.archive_folder
    folder.mkdir()
    file = folder / "executions_archive_20200101.parquet"
    if kind == "another schema":
        duckdb.sql(f"copy (select 'x' as task_id) to '{file}' (format parquet)")
    elif kind == "junk":
        file.write_bytes(b"junk" * 100)
    elif kind == "a pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(ArchiveError, match=file.name):
        erase_tasks(place, 1)
    assert place.numbers() == [1]


@pytest.mark.parametrize("kind", ["a pipe", "a link"])
def test_an_archived_file_that_is_none_any_more_is_named_and_nobody_waits(
    place: Place, kind: str
) -> None:
    place.put(1)
    place.load()
    name = "executions_archive_20200101.parquet"
    place.change(
        "insert into raw.archived_files by name select "
        f"'{name}' as file_name, date '2020-01-01' as archived_day, 1 as version_count, "
        "0 as size_bytes, 'x' as file_sha256, timestamp '2026-01-01' as archived_at"
    )
    place.settings.archive_folder.mkdir()
    file = place.settings.archive_folder / name
    os.mkfifo(file) if kind == "a pipe" else file.symlink_to("/dev/zero")
    with pytest.raises(ArchiveError, match="is not a regular file"):
        unarchive(place.settings, date(2020, 1, 1), date(2020, 1, 1))
    [said] = check_archive(place.settings)
    assert name in said


def test_what_is_brought_back_is_what_was_checked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file took the name between the two, and its rows came into raw."""
    place.put(1)
    place.load()
    place.settings.archive_folder.mkdir()
    file = place.settings.archive_folder / "executions_archive_20200101.parquet"
    with connect(place.settings.database_path) as connection:
        connection.execute(f"copy raw.executions to '{file}' (format parquet)")
        connection.execute(
            "insert into raw.archived_files by name select ? as file_name, date '2020-01-01' as "
            "archived_day, 1 as version_count, 0 as size_bytes, ? as file_sha256, "
            "timestamp '2026-01-01' as archived_at",
            [file.name, sha256_of(file)],
        )
        connection.execute("delete from raw.executions")
        other = file.with_name("other")
        connection.execute(
            f"copy (select * replace ('theirs' as repo) from '{file}') "
            f"to '{other}' (format parquet)"
        )
    bring_back = restore_days._bring_back
    monkeypatch.setattr(
        restore_days, "_bring_back", before(bring_back, lambda *_: other.replace(file))
    )
    assert unarchive(place.settings, date(2020, 1, 1), date(2020, 1, 1)).version_count == 1
    with connect(place.settings.database_path, read_only=True) as connection:
        query = "select count(*) from raw.executions where repo = 'theirs'"
        assert connection.execute(query).fetchall() == [(0,)]


def test_retention_writes_an_archived_file_through_no_link(tmp_path: Path, victim: Path) -> None:
    partial = tmp_path / ".executions_archive_20260101.partial"
    opened = prepare_file(str(partial))
    swap(partial, victim)
    duckdb.sql(f"copy (select 1 as a) to '{opened}' (format parquet, use_tmp_file false)")
    with pytest.raises(FileExistsError, match="was exchanged for another"):
        publish_file(str(partial), "executions_archive_20260101.parquet")
    prepare_file(str(partial))
    assert publish_file(str(partial), "executions_archive_20260101.parquet")


@pytest.mark.parametrize("where", ["outbox", "backup"])
@pytest.mark.parametrize("kind", ["a pipe", "a link"])
def test_an_erasure_waits_for_no_pipe_among_the_copies_and_names_it(
    place: Place, where: str, kind: str
) -> None:
    place.put(1)
    place.load()
    backup = place.back_up().folder
    place.put(2)
    place.load()
    strange = backup / "outbox/1-1.sqlite"
    if where == "outbox":
        strange = place.outbox_folder / "1-1.sqlite.damaged"
    strange.parent.mkdir(exist_ok=True)
    os.mkfifo(strange) if kind == "a pipe" else strange.symlink_to("/dev/zero")
    found = erase(place.settings, task_ids=[uuid.UUID(int=2)])
    assert found.still_in == [backup if where == "backup" else strange]


def test_an_archived_file_that_cannot_be_read_is_named_before_anything_is_erased(
    place: Place,
) -> None:
    place.put(1)
    place.load()
    folder = place.settings.archive_folder
    folder.mkdir()
    file = folder / "executions_archive_20200101.parquet"
    with connect(place.database, read_only=True) as connection:
        connection.execute(
            f"copy (from raw.executions) to '{file}' (format parquet, compression zstd)"
        )
    damage_pages(file)
    with pytest.raises(ArchiveError, match="cannot be read, so nothing was deleted"):
        erase_tasks(place, 1)
    assert place.numbers() == [1]


def test_the_copy_of_a_segment_is_brought_through_no_link(
    place: Place, tmp_path: Path, victim: Path
) -> None:
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    outbox = Outbox(elsewhere)
    assert outbox.put("execution", payload_of(str(uuid.UUID(int=7)), 7))
    outbox.close()
    ship(elsewhere, str(there), wait_seconds=1)
    [copy] = there.iterdir()
    stem = copy.name.partition("~")[0]
    folder = shipped.folder_of_place(place.settings, str(there))
    folder.mkdir(parents=True)
    swap(folder / f".{stem}.partial", victim)
    pipe = there / copy.name.replace(stem, "00000000000000001-1")
    os.mkfifo(pipe)
    umask = os.umask(0)
    try:
        load_shipped(place.settings, str(there), wait_seconds=1)
    finally:
        os.umask(umask)
    assert place.numbers() == [7]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_signs_of_a_pattern_in_an_archived_files_name_are_itself(place: Place) -> None:
    """Taken for a pattern, the name would be that of the other file."""
    place.put(1, 2)
    place.load()
    folder = place.settings.archive_folder
    folder.mkdir()
    files = [folder / f"executions_archive_{name}.parquet" for name in ("[0-9]", "5")]
    with connect(place.database) as connection:
        for number, file in enumerate(files, start=1):
            connection.execute(
                f"copy (from raw.executions where task_id = '{uuid.UUID(int=number)}') "
                f"to '{file}' (format parquet)"
            )
        connection.execute("delete from raw.executions")
    other = files[1].read_bytes()
    erase_tasks(place, 1)
    assert files[1].read_bytes() == other
    rows = [pyarrow.parquet.ParquetFile(file).metadata.num_rows for file in files]
    assert rows == [0, 1]


@pytest.mark.parametrize("name", ["a[b]", "a*", "a?"])
def test_retention_writes_into_no_folder_that_is_taken_for_a_pattern(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "ab").mkdir()
    with pytest.raises(ValueError, match="may not contain"):
        prepare_folder(str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == ["ab"]


def test_an_erasure_takes_the_archives_folder_for_its_name(place: Place) -> None:
    """A folder of a pattern may have been the archive's: it is read, and no other is."""
    place.put(1, 2)
    place.load()
    folders = [place.folder / name for name in ("[ab]", "a")]
    with connect(place.database) as connection:
        for number, folder in enumerate(folders, start=1):
            folder.mkdir()
            connection.execute(
                f"copy (from raw.executions where task_id = '{uuid.UUID(int=number)}') "
                f"to '{folder}/executions_archive_20260101.parquet' (format parquet)"
            )
        connection.execute("delete from raw.executions")
    other = (folders[1] / "executions_archive_20260101.parquet").read_bytes()
    settings = place.settings.model_copy(update={"archive_path": folders[0]})
    erase(settings, task_ids=[uuid.UUID(int=1)])
    archived = pyarrow.parquet.ParquetFile(folders[0] / "executions_archive_20260101.parquet")
    assert archived.metadata.num_rows == 0
    assert (folders[1] / "executions_archive_20260101.parquet").read_bytes() == other
