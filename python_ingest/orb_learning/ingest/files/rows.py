"""From any file's rows to ``raw.executions`` and ``raw.unreadable_rows``, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from orb_learning.ingest.files.casts import define_value_macros
from orb_learning.ingest.files.external_rows import with_rows_told_apart
from orb_learning.ingest.files.identity import (
    BY_CONTENT,
    BY_FILE_AND_ROW,
    content_id,
    number_equal_rows,
    row_uuid,
)
from orb_learning.ingest.files.plan import HELPERS, LOAD, Source, has_any_ids, plan
from orb_learning.record import is_uuid_sql
from orb_learning.store import identifier, store_of

NO_NUMBER = 2**62
"""Beyond every load number: the first one of no rows."""


class Load(NamedTuple):
    """The file that rows belong to, and how they go in."""

    sha256: str
    file: Path
    now: datetime
    """The rows' ``_loaded_at``, naive UTC."""
    ids_by_row: bool = False
    """Whether rows without an id keep that of an older version: by the file's hash and the row."""
    only_unreadable_ones: bool = False
    """Whether only rows go in that could not be read before: those of ``file_unreadable``."""
    id_scope: str = ""
    """Of ids that are no UUIDs."""


class Stored(NamedTuple):
    """How many rows went into raw.executions, and how many into raw.unreadable_rows."""

    loaded: int
    unreadable: int
    first_number: int
    """The first of the load numbers that were taken for them; beyond all others, if none was."""


def store(
    connection: duckdb.DuckDBPyConnection, source: Source, load: Load, rows_before: int
) -> Stored:
    """Load a source's rows, in the transaction that the caller has open.

    Args:
        connection: a writable connection, with the macros of ``define_macros``.
        source: the rows.
        load: what they belong to.
        rows_before: the last row number of the batch before; 0 for the first.
    """
    given: dict[str, Any] = {
        "sha256": load.sha256,
        "file": str(load.file),
        "now": load.now,
        # The load number of the file's row 0, so that numbers follow the rows.
        "first": _reserve(connection, source.last_row_number - rows_before) - rows_before,
    }
    relation, values, reason = plan(source, load.id_scope)
    selected = ", ".join(f"{value} as {identifier(name)}" for name, value in values.items())
    rows = (
        f"select _row, {reason or 'null::varchar'} as _reason, "  # noqa: S608
        f"case when {reason or 'null'} is not null then _content end as _content, {selected} "
        f"from {relation}"
    )
    bound = given | source.parameters
    if not source.has_ids:
        connection.execute(
            f"create or replace temp table file_values as {_identified(rows, values)}", bound
        )
        number_equal_rows(connection)
        own = row_uuid(BY_FILE_AND_ROW if load.ids_by_row else BY_CONTENT)
        rows = (
            f"select file_values.* replace (coalesce(task_id, {own}) as task_id) "  # noqa: S608
            f"from file_values left join file_ordinals using (_row), {LOAD}"
        )
        bound = given
    if has_any_ids(source) and _has_external_ids(connection, source):
        rows = with_rows_told_apart(connection, rows, values, bound)
    row_count = source.last_row_number - rows_before
    return _insert(connection, load, rows, list(values), bound, row_count)


def _has_external_ids(connection: duckdb.DuckDBPyConnection, source: Source) -> bool:
    """Return whether an id may be no UUID; most files have none, and are read once less."""
    query = (
        f"select 1 from {source.relation} "  # noqa: S608
        f"where not {is_uuid_sql('task_id::varchar')} limit 1"
    )
    return connection.execute(query, source.parameters).fetchone() is not None


def _insert(
    connection: duckdb.DuckDBPyConnection,
    load: Load,
    rows: str,
    names: list[str],
    bound: dict[str, Any],
    row_count: int,
) -> Stored:
    wanted = "_row in (select row_number from file_unreadable)"
    condition = f"and {wanted}" if load.only_unreadable_ones else ""
    columns = ", ".join(identifier(name) for name in names if name not in HELPERS)
    loaded = _count(
        connection.execute(
            f"""
            insert into raw.executions by name
            select {columns}, load.first + _row - 1 as _load_seq, load.now as _loaded_at
            from ({rows}) as rows, {LOAD}
            where _reason is null {condition}
            """,  # noqa: S608
            bound,
        )
    )
    if loaded == row_count:  # all that there can be, so the rows need not be read again
        return Stored(loaded, 0, bound["first"])
    unreadable = _count(
        connection.execute(
            f"""
            insert into raw.unreadable_rows
            select load.sha256, load.file, _row, _reason, _content, load.now
            from ({rows}) as rows, {LOAD}
            where _reason is not null {condition}
            """,  # noqa: S608
            bound,
        )
    )
    return Stored(loaded, unreadable, bound["first"])


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0


def _reserve(connection: duckdb.DuckDBPyConnection, count: int) -> int:
    """Take ``count`` load numbers and return the first, ``NO_NUMBER`` for none."""
    return store_of(connection).reserve(connection, count) if count else NO_NUMBER


def define_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define what the SQL of these modules calls."""
    define_value_macros(connection)
    connection.execute(files(__package__).joinpath("import_metadata.sql").read_text("utf-8"))


def _identified(rows: str, names: Collection[str]) -> str:
    """Return the rows with the identity of each that has no task_id and can be read."""
    columns = [name for name in names if name not in ("task_id", "metadata", *HELPERS)]
    identity = content_id(columns, "_said" if "_said" in names else None)
    return (
        f"select *, case when _reason is null and task_id is null then {identity} end "  # noqa: S608
        f"as identity from ({rows}) as rows"
    )


def has_ids(connection: duckdb.DuckDBPyConnection, relation: str, columns: Collection[str]) -> bool:
    """Return whether each readable row of a relation of texts has a task_id."""
    if "task_id" not in columns:
        return False
    query = (
        f"select 1 from {relation} "  # noqa: S608
        f"where problem is null and import_token(task_id::varchar) is null limit 1"
    )
    return connection.execute(query).fetchone() is None
