"""Feedback in raw: one row a feedback_id, whatever brings it again; none of what was taken back."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

import duckdb
from pydantic import BaseModel, ConfigDict, Field, field_validator

from orb_learning.record import is_uuid_sql, task_uuid_sql, to_utc
from orb_learning.store import (
    count_feedback,
    execution_at,
    known_tasks,
    mentions_any_sql,
    store_of,
    tasks_named,
)

FEEDBACK_FIELDS = {
    "feedback_id": "uuid",
    "task_id": "uuid",
    "submitted_at": "timestamp",
    "satisfaction": "varchar",
    "issue_type": "varchar",
    "comment": "varchar",
    "visibility": "varchar",
    "user_id": "varchar",
}
"""The columns that feedback comes with, and their types."""
_TYPE = f"struct({', '.join(f'{name} {kind}' for name, kind in FEEDBACK_FIELDS.items())})"


class Feedback(BaseModel):
    """Feedback that fits raw's types; whether it keeps the rules is staging's to say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    feedback_id: uuid.UUID
    task_id: uuid.UUID
    submitted_at: datetime | None = None
    satisfaction: str | None = None
    issue_type: str | None = None
    comment: str | None = None
    visibility: str | None = None
    user_id: str | None = None
    external_id: str | None = Field(None, exclude=True)
    """The task's id as it was given, where that is no UUID."""

    @field_validator("submitted_at")
    @classmethod
    def _in_naive_utc(cls, value: datetime | None) -> datetime | None:
        if value is None or value.tzinfo is None:
            return value
        return to_utc(value).replace(tzinfo=None)


ANOTHER_OF_THIS_ID = "other feedback has this feedback_id"
SEVERAL_TASKS = "its task_id names tasks of several systems; give the UUID of one"
"""It names no task: who reads the reasons of dead letters may not see what is private."""


def parse_feedback(payload: str) -> Feedback:
    """Return feedback as it came from the outbox.

    Raises:
        ValueError: it does not fit raw's types.
    """
    return Feedback.model_validate_json(payload)


def insert_feedback(
    connection: duckdb.DuckDBPyConnection, feedback: Sequence[Feedback], now: datetime
) -> dict[int, str]:
    """Add feedback to raw, in its order, in the transaction that the caller has open.

    What is there already, was taken back, or is of an erased task, is left out.

    Args:
        connection: a writable connection.
        feedback: the feedback.
        now: ``_loaded_at``, naive UTC.

    Returns:
        the places of those that were not added because their id stands for other feedback, or
        their task's id for several tasks, and why.
    """
    own = _of_their_tasks(connection, feedback, now)
    refused = dict.fromkeys(set(range(len(feedback))) - own.keys(), SEVERAL_TASKS)
    if not own:
        return refused
    received = f"""
        select number, unnest(fields::json::{_TYPE})
        from (
            select
                generate_subscripts($received, 1) as number,
                unnest($received::varchar[]) as fields
        )
    """  # noqa: S608
    payloads = [each.model_dump_json() for each in own.values()]
    first = store_of(connection).reserve(connection, len(feedback))
    columns = ", ".join(FEEDBACK_FIELDS)
    [(new,)] = connection.execute(
        f"""
        insert into raw.feedback by name
        select {columns}, $first + number - 1 as _load_seq, $now as _loaded_at
        from ({received})
        where feedback_id not in (select feedback_id from raw.feedback)
            and feedback_id not in (select feedback_id from raw.deleted_feedback)
            and task_id not in (select task_id from raw.forgotten)
        qualify row_number() over (partition by feedback_id order by number) = 1
        order by number
        """,  # noqa: S608
        {"received": payloads, "first": first, "now": now},
    ).fetchall()
    count_feedback(connection, received=new)
    rows = connection.execute(
        f"""
        select number - 1
        from ({received}) as received
        inner join raw.feedback as known using (feedback_id)
        where ({", ".join(f"received.{name}" for name in FEEDBACK_FIELDS)})
            is distinct from ({", ".join(f"known.{name}" for name in FEEDBACK_FIELDS)})
        order by number
        """,  # noqa: S608
        {"received": payloads},
    ).fetchall()
    places = list(own)
    return refused | {places[number]: ANOTHER_OF_THIS_ID for (number,) in rows}


def _of_their_tasks(
    connection: duckdb.DuckDBPyConnection, feedback: Sequence[Feedback], now: datetime
) -> dict[int, Feedback]:
    """Return feedback with the task_ids of the executions that were meant when it was given.

    By its place; what may be of several tasks is left out.
    """
    names = {each.task_id: each.external_id for each in feedback if each.external_id is not None}
    named = tasks_named(connection, names) if names else {}
    found = {}
    for place, each in enumerate(feedback):
        if each.external_id is None:
            found[place] = each
        elif len(tasks := named[each.task_id]) == 1:
            task_id = execution_at(connection, tasks[0], each.submitted_at or now)
            found[place] = each.model_copy(update={"task_id": task_id})
    return found


def find_waiting_executions(
    connection: duckdb.DuckDBPyConnection, id_scope: str, first_load_seq: int
) -> None:
    """Move feedback to the executions that other systems recorded later by the id it was given by.

    In the transaction that the caller has open. Feedback that waits has the UUID of its id in the
    own scope; an own task of the id keeps it.

    Args:
        connection: a writable connection.
        id_scope: the own scope, ``learning.id_scope``.
        first_load_seq: the load number of the first execution that came.
    """
    rows = connection.execute(
        f"""
        with waiting as (
            select distinct task_id from raw.feedback
            where task_id not in (select task_id from raw.executions)
        ),
        named as (
            select distinct
                versions.metadata ->> '$.external_id' as external_id,
                coalesce(known.external_task_id, versions.task_id) as found_task_id
            from raw.executions as versions
            left join raw.external_ids as known using (task_id)
            where versions._load_seq >= $first and external_id is not null
                and exists (from waiting)
        )
        select task_id, list(found_task_id)
        from (select *, {task_uuid_sql("external_id", "$scope")} as task_id from named)
        where trim(external_id, ' ') <> '' and not {is_uuid_sql("external_id")}
            and task_id in (select task_id from waiting)
        group by task_id
        """,  # noqa: S608
        {"first": first_load_seq, "scope": id_scope},
    ).fetchall()
    found = {own: tasks[0] for own, tasks in rows if len(tasks) == 1}
    if not found:
        return
    for own in found.keys() - known_tasks(connection, found.keys()):
        said = connection.execute(
            "select feedback_id, coalesce(submitted_at, _loaded_at) from raw.feedback "
            "where task_id = ?",
            [own],
        ).fetchall()
        for feedback_id, at in said:
            connection.execute(
                "update raw.feedback set task_id = ? where feedback_id = ?",
                [execution_at(connection, found[own], at), feedback_id],
            )


def delete_feedback(
    connection: duckdb.DuckDBPyConnection, feedback_ids: Collection[uuid.UUID], now: datetime
) -> None:
    """Delete feedback and its dead letters and note its ids, in the transaction that is open."""
    wanted = "(select unnest($ids::uuid[]))"
    ids = list(map(str, feedback_ids))
    [(count,)] = connection.execute(
        f"delete from raw.feedback where feedback_id in {wanted}",  # noqa: S608
        {"ids": ids},
    ).fetchall()
    count_feedback(connection, removed=count)
    connection.execute(
        f"insert into raw.deleted_feedback select distinct feedback_id, $now "  # noqa: S608
        f"from {wanted} as wanted (feedback_id) "
        "where feedback_id not in (select feedback_id from raw.deleted_feedback)",
        {"ids": ids, "now": now},
    )
    drop_dead_letters_of_feedback(connection)


def drop_dead_letters_of_feedback(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the dead letters that name feedback which was taken back."""
    taken_back = "(select list(feedback_id::varchar) from raw.deleted_feedback)"
    connection.execute(
        "delete from raw.dead_letters "  # noqa: S608
        f"where {mentions_any_sql('payload', taken_back)}"
    )
