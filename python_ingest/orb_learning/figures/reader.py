"""How every figure is read: briefly, read only, and with the time that it is of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import duckdb
from pydantic import BaseModel

from orb_learning.backup import newest_copy
from orb_learning.errors import DatabaseError
from orb_learning.figures.results import LONGEST_TEXT, Result
from orb_learning.locator import folder_of
from orb_learning.settings import LearningSettings
from orb_learning.store import (
    PoolStatistics,
    ReaderPool,
    built_by_this_version,
    connect_without_lock,
    rows_as_dicts,
    shortened,
)

WAIT_SECONDS = 3.0
"""For so long a tool waits while another process writes; then it answers from the newest backup."""

T = TypeVar("T")
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Snapshot:
    """The database while it is open for one tool: nobody writes it meanwhile."""

    connection: duckdb.DuckDBPyConnection
    backup_time: datetime | None = None
    """When the backup was made that is read instead, naive UTC."""
    longest_text: int | None = None
    """Characters of a text that are fetched, where the reader's callers are not trusted."""

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query, by their columns' names."""
        return rows_as_dicts(self.connection.execute(sql, parameters))

    def select(self, kind: type[BaseModel], source: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the columns that a model has fields for.

        Args:
            kind: the model; its fields are columns.
            source: the rest of the query, from the relation's name on; no caller's text.
            parameters: of the query.
        """
        names = ", ".join(
            self._column(name, field.annotation) for name, field in kind.model_fields.items()
        )
        return self.rows(f"select {names} from {source}", **parameters)  # noqa: S608 (no caller's)

    def text(self, name: str) -> str:
        """Return the SQL of a column of texts, cut before they are fetched."""
        most = self.longest_text
        return name if most is None else f"{shortened(name, most)} as {name}"

    def _column(self, name: str, kind: Any) -> str:
        if kind is str or (get_origin(kind) is Union and _is_text(get_args(kind)[0])):
            return self.text(name)
        if self.longest_text and get_origin(kind) is list and _is_text(get_args(kind)[0]):
            part = shortened("part", self.longest_text)
            return f"list_transform({name}, lambda part: {part}) as {name}"
        return name

    def row(self, sql: str, **parameters: Any) -> dict[str, Any]:
        """Return the one row of a query."""
        (row,) = self.rows(sql, **parameters)
        return row

    def result(self, kind: type[R], /, **values: Any) -> R:
        """Make a result, with the fields that every result has."""
        age = self.row("select as_of, built_at, least_samples from rpt_freshness")
        if self.backup_time is not None:
            age |= {"as_of": self.backup_time, "from_backup": True}
        return kind.model_validate({**age, **values})


def _is_text(kind: Any) -> bool:
    return kind is str or get_args(kind)[:1] == (str,)


class Reader:
    """Reads one database for the tools.

    Args:
        settings: where the database and its backups are.
        size: connections that are kept while the file is open, as of ``ReaderPool``.
        sandboxed: whether queries reach nothing but the file; it holds for the whole process.
        wait_seconds: for how long to wait for whoever writes.
        idle_timeout_seconds: for how long the file stays open for the next question.
    """

    def __init__(
        self,
        settings: LearningSettings,
        *,
        size: int = 4,
        sandboxed: bool = False,
        wait_seconds: float = WAIT_SECONDS,
        idle_timeout_seconds: float = 0.0,
    ):
        self.settings = settings
        self._longest_text = LONGEST_TEXT if sandboxed else None
        self._sandbox_memory_mb = settings.mcp_memory_limit_mb if sandboxed else None
        self._pool = ReaderPool(
            settings.database_path,
            size=size,
            wait_seconds=wait_seconds,
            fallback=partial(newest_copy, settings.backup_folder, settings.database_path),
            sandbox_memory_mb=self._sandbox_memory_mb,
            idle_timeout_seconds=idle_timeout_seconds,
        )

    async def read(self, work: Callable[[Snapshot], T], *, db_path: str | None = None) -> T:
        """Call a function with the database, in a thread; what it raises is raised.

        Args:
            work: reads what it needs.
            db_path: another file in the database's folder, as a caller from outside names it.

        Raises:
            DatabaseError: the file is missing, damaged or not built, may not be read, or somebody
                writes it for too long and there is no backup.
        """
        if db_path is None or self.is_own(path := self.path_of(db_path)):
            # The file stays the one that it is as long as a connection to it is in use.
            return await self._pool.run(
                lambda connection: work(
                    Snapshot(connection, self._pool.statistics().as_of, self._longest_text)
                )
            )
        return await asyncio.to_thread(self._read_other, path, work)

    def path_of(self, db_path: str) -> Path:
        """Return the file that a caller from outside names.

        Raises:
            DatabaseError: it is not in the database's folder.
        """
        return path_inside(folder_of(self.settings.database_path), db_path)

    def is_own(self, path: Path) -> bool:
        """Return whether a file is the database of the settings."""
        return path == self.settings.database_path.resolve()

    def statistics(self) -> PoolStatistics:
        """Return how the connections of ``read`` are used."""
        return self._pool.statistics()

    def open(self) -> None:
        """Read again after ``close``."""
        self._pool.open()

    def close(self) -> None:
        """Wait for what is being read."""
        self._pool.close()

    def _read_other(self, path: Path, work: Callable[[Snapshot], T]) -> T:
        # Without the lock, which would leave files beside it: it may be in a backup.
        with (
            connect_without_lock(path, sandbox_memory_mb=self._sandbox_memory_mb) as connection,
            built_by_this_version(path.name),
        ):
            return work(Snapshot(connection, None, self._longest_text))


def path_inside(folder: Path, db_path: str) -> Path:
    """Return the database file that a caller from outside names.

    Args:
        folder: the database's folder, which the file must be in.
        db_path: relative: from the folder, or with the folder's name before it (``data/a.db``).

    Raises:
        DatabaseError: it is absolute, leads out of the folder, or cannot be a path.
    """
    refused = DatabaseError(
        f"db_path = {db_path[:200]!r} is refused: name a database file inside the folder "
        f"{folder.name}/, by a relative path without '..'"
    )
    given = Path(db_path)
    if "\0" in db_path or given.is_absolute() or ".." in given.parts or not given.parts:
        raise refused
    inside = folder.resolve()
    if len(given.parts) > 1 and given.parts[0] == inside.name:
        given = Path(*given.parts[1:])
    try:
        path = (inside / given).resolve()
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise refused from error
    if inside not in path.parents:
        raise refused
    if not is_file:
        raise DatabaseError(f"there is no database {str(given)!r} in the folder {folder.name}/")
    return path
