"""Ids that are no UUIDs and come again: which execution of such an id a record is of.

Counters that begin at 1 with every run are common, so an id alone does not name a task for ever.
Another description that starts more than a day from every execution of the id is another task,
with a UUID of its own.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from orb_learning.store.protocol import store_of
from orb_learning.store.rows import append_rows

SAME_TASK_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class ExternalRecord:
    """A record whose id was no UUID."""

    task_id: uuid.UUID
    """The UUID of its id."""
    started_at: datetime | None
    """Naive UTC."""
    description: str | None


@dataclass
class _Known:
    task_id: uuid.UUID
    started_at: datetime | None
    description_hash: str | None


def tell_executions_apart(
    connection: duckdb.DuckDBPyConnection, records: Sequence[ExternalRecord]
) -> list[uuid.UUID]:
    """Return the task_id that each record is of, and remember it, in the open transaction.

    It is the record's own, or, where that is another task's,
    ``uuid5(task_id, <start in ISO format>)``.

    Args:
        connection: a writable connection.
        records: the records, in the order in which they came.
    """
    if not records:
        return []
    wanted = list({record.task_id for record in records})
    known: dict[uuid.UUID, list[_Known]] = {}
    rows = connection.execute(
        "select external_task_id, task_id, started_at, description_hash from raw.external_ids "
        "where external_task_id in (select unnest(?::uuid[])) order by started_at",
        [wanted],
    ).fetchall()
    for external, *entry in rows:
        known.setdefault(external, []).append(_Known(*entry))
    changed: dict[uuid.UUID, tuple[uuid.UUID, _Known]] = {}
    found = []
    for record in records:
        execution = _execution_of(record, known.setdefault(record.task_id, []))
        found.append(execution.task_id)
        changed[execution.task_id] = (record.task_id, execution)
    _remember(connection, changed.values())
    return found


def _remember(
    connection: duckdb.DuckDBPyConnection, changed: Iterable[tuple[uuid.UUID, _Known]]
) -> None:
    connection.execute(
        "create or replace temp table changed_external_ids as from raw.external_ids limit 0"
    )
    append_rows(
        connection,
        "changed_external_ids",
        [
            (str(entry.task_id), str(external), entry.started_at, entry.description_hash)
            for external, entry in changed
        ],
    )
    store_of(connection).replace_rows(
        connection, "raw.external_ids", ["task_id"], "select * from changed_external_ids", {}
    )


def tasks_named(
    connection: duckdb.DuckDBPyConnection,
    names: Mapping[uuid.UUID, str],
    relation: str = "raw.executions",
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Return the tasks that ids may name which are no UUIDs; one each, unless it is ambiguous.

    A task of the own scope has the id before any other. Else the id names those that other systems
    have recorded by it. What nobody has recorded yet is the own scope's.

    Args:
        connection: any connection.
        names: the ids, by their UUIDs in the own scope.
        relation: the SQL of the executions of other systems.
    """
    unknown = names.keys() - known_tasks(connection, names.keys())
    others: dict[str, list[uuid.UUID]] = {}
    if unknown:
        rows = connection.execute(
            "select distinct versions.metadata ->> '$.external_id' as name, "  # noqa: S608
            "coalesce(known.external_task_id, versions.task_id) as task_id "
            f"from {relation} as versions left join raw.external_ids as known using (task_id) "
            "where name in (select unnest(?::varchar[])) order by task_id",
            [[names[own] for own in unknown]],
        ).fetchall()
        for name, task_id in rows:
            others.setdefault(name, []).append(task_id)
    return {own: others.get(name, [own]) for own, name in names.items()}


def known_tasks(
    connection: duckdb.DuckDBPyConnection, task_ids: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """Return which of some UUIDs of ids are those of tasks that came, or were erased."""
    rows = connection.execute(
        """
        select distinct task_id
        from (
            select external_task_id as task_id from raw.external_ids
            union all select task_id from raw.executions
            union all select task_id from raw.pending_halves
            union all select task_id from raw.forgotten
        )
        where task_id in (select unnest(?::uuid[]))
        """,
        [list(task_ids)],
    ).fetchall()
    return {task_id for (task_id,) in rows}


def execution_at(
    connection: duckdb.DuckDBPyConnection, task_id: uuid.UUID, at: datetime
) -> uuid.UUID:
    """Return the last execution of an id that had started by a time; the id's own UUID if none.

    Args:
        connection: any connection.
        task_id: the UUID of an id that is none.
        at: naive UTC.
    """
    row = connection.execute(
        "select task_id from raw.external_ids where external_task_id = ? "
        "and started_at <= ? order by started_at desc limit 1",
        [task_id, at],
    ).fetchone()
    return row[0] if row else task_id


def executions_of(
    connection: duckdb.DuckDBPyConnection, task_ids: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """Return every execution of some tasks: their own ids, and those of ids that came again."""
    rows = connection.execute(
        "select task_id from raw.external_ids where external_task_id in (select unnest(?::uuid[]))",
        [list(task_ids)],
    ).fetchall()
    return set(task_ids) | {task_id for (task_id,) in rows}


def _execution_of(record: ExternalRecord, entries: list[_Known]) -> _Known:
    described = _hash(record.description)
    same = [entry for entry in entries if entry.description_hash == described]
    near = [entry for entry in entries if _is_near(record.started_at, entry.started_at)]
    matching = (same if described is not None else near) or near
    if matching:
        entry = matching[-1]
        entry.description_hash = described or entry.description_hash
        entry.started_at = record.started_at or entry.started_at
        return entry
    task_id = record.task_id
    if entries and record.started_at is not None:
        task_id = uuid.uuid5(task_id, record.started_at.isoformat())
    entries.append(_Known(task_id, record.started_at, described))
    return entries[-1]


def _is_near(one: datetime | None, other: datetime | None) -> bool:
    return one is None or other is None or abs(one - other) <= SAME_TASK_WITHIN


def _hash(description: str | None) -> str | None:
    if description is None:
        return None
    return hashlib.sha256(description.encode("utf-8", "replace")).hexdigest()[:16]
