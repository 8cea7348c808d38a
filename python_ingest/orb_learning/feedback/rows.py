"""Feedback in raw: one row a feedback_id, whatever brings it again; none of what was taken back."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import duckdb
from pydantic import BaseModel, ConfigDict, Field, field_validator

from orb_learning.store import count_feedback, execution_at, mentions_any_sql

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
        return value.astimezone(UTC).replace(tzinfo=None)


ANOTHER_OF_THIS_ID = "other feedback has this feedback_id"


def parse_feedback(payload: str) -> Feedback:
    """Return feedback as it came from the outbox.

    Raises:
        ValueError: it does not fit raw's types.
    """
    return Feedback.model_validate_json(payload)


def insert_feedback(
    connection: duckdb.DuckDBPyConnection, feedback: Sequence[Feedback], now: datetime
) -> list[int]:
    """Add feedback to raw, in its order, in the transaction that the caller has open.

    What is there already, was taken back, or is of an erased task, is left out.

    Args:
        connection: a writable connection.
        feedback: the feedback.
        now: ``_loaded_at``, naive UTC.

    Returns:
        the places of those whose id stands for other feedback; they were not added.
    """
    if not feedback:
        return []
    received = f"""
        select number, unnest(fields::json::{_TYPE})
        from (
            select
                generate_subscripts($received, 1) as number,
                unnest($received::varchar[]) as fields
        )
    """  # noqa: S608
    payloads = [_of_its_task(connection, each, now).model_dump_json() for each in feedback]
    columns = ", ".join(FEEDBACK_FIELDS)
    [(new,)] = connection.execute(
        f"""
        insert into raw.feedback by name
        select {columns}, first + number as _load_seq, $now as _loaded_at
        from ({received}), (
            select min(nextval) - 1 as first
            from (select nextval('raw.load_seq') as nextval from range($count))
        )
        where feedback_id not in (select feedback_id from raw.feedback)
            and feedback_id not in (select feedback_id from raw.deleted_feedback)
            and task_id not in (select task_id from raw.forgotten)
        qualify row_number() over (partition by feedback_id order by number) = 1
        order by number
        """,  # noqa: S608
        {"received": payloads, "count": len(feedback), "now": now},
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
    return [number for (number,) in rows]


def _of_its_task(
    connection: duckdb.DuckDBPyConnection, feedback: Feedback, now: datetime
) -> Feedback:
    """Return feedback with the task_id of the execution that its id meant when it was given."""
    if feedback.external_id is None:
        return feedback
    given_at = feedback.submitted_at or now
    task_id = execution_at(connection, feedback.task_id, given_at)
    return feedback.model_copy(update={"task_id": task_id})


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
        f"insert or ignore into raw.deleted_feedback select *, $now from {wanted}",  # noqa: S608
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
