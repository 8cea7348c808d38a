"""A lake in one hand: no builder, no loader, and its catalog can be replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orb_learning.store.lake.attaching import NAME
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.dumping import put_back
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.lake.opening import close_kept, opened
from orb_learning.store.lake.postgres import open_postgres
from orb_learning.store.lake.schema import migrate_lake


@dataclass(frozen=True)
class LakeInHand:
    """A lake that nobody else builds or writes."""

    locator: Path
    door: Door

    def put_back(self, file: Path) -> None:
        """Put a dump in the catalog's place.

        Raises:
            LakeError: Postgres refuses it; the catalog is as it was.
        """
        put_back(self.locator, self.door, file)
        with self.open() as connection:
            # Files that only older snapshots had may be gone.
            connection.execute(
                f"call ducklake_expire_snapshots('{NAME}', older_than => now())"
            ).fetchall()
        with closing(open_postgres(self.locator, "orb-restore")) as postgres:
            postgres.execute("delete from public.ducklake_files_scheduled_for_deletion")

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open it to write."""
        with (
            opened(self.locator, self.door, appends=False) as connection,
            translated_lake_errors(self.locator),
        ):
            migrate_lake(connection)
            yield connection


@contextmanager
def lake_in_hand(locator: Path, *, wait_seconds: float) -> Iterator[LakeInHand]:
    """Keep builders and loaders out.

    Args:
        locator: the lake's.
        wait_seconds: for how long to wait for either.

    Raises:
        DatabaseError: others have it for too long, or Postgres is away.
    """
    close_kept()
    with ExitStack() as stack:
        door = Door(locator, wait_seconds=wait_seconds)
        stack.callback(door.close)
        door.build_alone()
        stack.enter_context(door.gate(alone=True))
        door.pass_fence()
        yield LakeInHand(locator, door)
