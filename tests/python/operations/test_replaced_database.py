"""What the replaced database knows outlives it, and nobody has it meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from restore_cases import Place, erase_tasks

from orb_learning.errors import (
    DatabaseLockedError,
)
from orb_learning.ingest.files import import_file
from orb_learning.outbox.reader import files_of
from orb_learning.store.connection import connect


def test_files_imported_after_the_backup_are_named(place: Place, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text('{"repo": "a"}')
    second.write_text('{"repo": "b"}')
    import_file(place.database, first)
    backup = place.back_up()
    import_file(place.database, first, again=True)
    import_file(place.database, second)
    assert place.restore(backup).to_import_again == [str(first), str(second)]


def test_a_database_that_somebody_has_is_not_restored(place: Place) -> None:
    place.put(1)
    place.load()
    backup = place.back_up()
    state = place.database.stat()
    with connect(place.database, read_only=True), pytest.raises(DatabaseLockedError):
        place.restore(backup, wait_seconds=0.1)
    # One that takes no lock.
    code = f"""
import duckdb, sys
connection = duckdb.connect({str(place.database)!r}, read_only=True)
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(DatabaseLockedError):
            place.restore(backup, wait_seconds=0.1)
        other.communicate()
    assert place.database.stat() == state


def tombstones_in(place: Place) -> list[int]:
    rows = place.query("select task_id from raw.forgotten order by all")
    return [task_id.int for (task_id,) in rows]


def test_tasks_that_were_erased_since_the_backup_do_not_come_back(place: Place) -> None:
    place.put(1, 2, 3)
    place.load()
    place.put(4)
    backup = place.back_up()
    erase_tasks(place, 2, 4)
    [when] = place.query("select distinct forgotten_at from raw.forgotten")
    for file in files_of(place.outbox_folder):  # the order to erase, too
        file.unlink()
    place.restore(backup)
    assert place.numbers() == [1, 3]
    assert tombstones_in(place) == [2, 4]
    assert place.query("select distinct forgotten_at from raw.forgotten") == [when]
    assert place.query(
        "select sum(version_count) from (select version_count from raw.loaded_counts "
        "union all select -version_count from raw.forgotten)"
    ) == [(2,)]


def test_erased_tasks_stay_erased_where_the_present_database_is_lost(
    place: Place,
) -> None:
    place.put(1, 2, 3)
    place.load()
    backup = place.back_up()
    erase_tasks(place, 2)
    place.back_up()
    place.load()
    assert files_of(place.outbox_folder) == []
    erase_tasks(place, 3)
    place.database.unlink()
    place.restore(backup)
    assert place.numbers() == [1]
    assert tombstones_in(place) == [2, 3]
