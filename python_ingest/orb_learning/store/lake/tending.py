"""What keeps a lake small: files are merged, snapshots expire, what nobody needs is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.store.lake.attaching import NAME
from orb_learning.store.lake.catalog import LakeFiles, hold_files
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.lake.opening import opened
from orb_learning.store.lake.postgres import open_postgres, translated_postgres_errors

SNAPSHOTS_KEPT = timedelta(days=1)
"""A reader may still be at work with one, and a person may ask what was an hour ago."""
FILES_KEPT = timedelta(days=1)
"""From when nothing in the catalog has a file: a load under way has not committed its own yet."""
MERGED_AT_ONCE = 1_000
"""Files of a table; the rest is the next run's, because each takes memory."""


class Merged(NamedTuple):
    """What merging did."""

    before: int
    """Files that are gone."""
    after: int
    """Files in their place."""


class Cleaned(NamedTuple):
    """What cleaning did."""

    snapshots: int
    files: int


def merge_files(locator: Path, *, wait_seconds: float, rewrites_all: bool = False) -> Merged:
    """Merge small files, and write those anew of whose rows most were deleted.

    Others append meanwhile.

    Args:
        locator: the lake's.
        wait_seconds: for how long to wait for who builds.
        rewrites_all: whether to write every file anew that has a deleted row.

    Raises:
        DatabaseError: others build for too long, or Postgres or the data is away.
    """
    merging = [
        f"rewrite_data_files('{NAME}'{', delete_threshold => 0.0' if rewrites_all else ''})",
        f"merge_adjacent_files('{NAME}', max_compacted_files => {MERGED_AT_ONCE})",
    ]
    with _tended(locator, wait_seconds) as connection:
        done = [
            row[-2:]  # how many files it took, and made
            for call in merging
            for row in connection.execute(f"call ducklake_{call}").fetchall()
        ]
    return Merged(sum(before for before, _ in done), sum(after for _, after in done))


def clean_up(locator: Path, backups: Iterable[LakeFiles], *, wait_seconds: float) -> Cleaned:
    """Expire old snapshots, and delete the files that neither the lake nor a backup needs.

    Args:
        locator: the lake's.
        backups: the files of each backup that is kept.
        wait_seconds: for how long to wait for who builds.

    Raises:
        DatabaseError: others build for too long, or Postgres or the data is away.
    """
    paths = {path for backup in backups for path in backup.files}
    with _tended(locator, wait_seconds) as connection:
        snapshots = _older_than(connection, "expire_snapshots", SNAPSHOTS_KEPT)
        with (
            closing(open_postgres(locator, "orb-hold")) as postgres,
            translated_postgres_errors(locator),
        ):
            hold_files(postgres, paths)
        files = _older_than(connection, "cleanup_old_files", FILES_KEPT)
        files += _older_than(connection, "delete_orphaned_files", FILES_KEPT)
    return Cleaned(snapshots, files)


def _older_than(connection: duckdb.DuckDBPyConnection, function: str, age: timedelta) -> int:
    return len(
        connection.execute(
            f"call ducklake_{function}('{NAME}', "
            f"older_than => now() - interval '{int(age.total_seconds())} seconds')"
        ).fetchall()
    )


@contextmanager
def _tended(locator: Path, wait_seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """Keep builders out, who delete from the files that are merged; others append."""
    with ExitStack() as stack:
        door = Door(locator, wait_seconds=wait_seconds)
        stack.callback(door.close)
        door.build_alone()
        door.pass_fence()
        connection = stack.enter_context(opened(locator, door, appends=True))
        stack.enter_context(translated_lake_errors(locator))
        yield connection
