"""Readers of a database that cannot be read get the newest whole backup."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from backup_cases import NOW, change, problems

from orb_learning.backup.manifests import (
    TIME,
    Backup,
    newest_copy,
)
from orb_learning.errors import (
    NotADatabaseError,
)
from orb_learning.store.connection import connect
from orb_learning.store.reader_pool import ReaderPool


@pytest.mark.parametrize("state", ["taken", "damaged", "missing"])
def test_readers_fall_back_to_the_newest_backup_and_tell_its_time(
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
