"""A batch of outbox records into the raw schema, in one transaction with the outbox's positions.

The payloads go through the Appender (Arrow, where they carry vectors) and become columns in SQL,
which takes a tenth of the time that it takes to make a row of each in Python (docs/decisions).
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import duckdb
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from orb_learning.feedback import (
    ANOTHER_OF_THIS_ID,
    Feedback,
    delete_feedback,
    drop_feedback_letters,
    insert_feedback,
    parse_feedback,
)
from orb_learning.ingest.correlation import correlate
from orb_learning.outbox import OutboxRecord, as_time
from orb_learning.record import (
    STORED_COLUMNS,
    ExecutionRecord,
    VectorError,
    arrow_lists,
    pack_vector,
)
from orb_learning.store import (
    count_received,
    delete_tasks,
    drop_residual_rows,
    store_offsets,
    transaction,
)

KEEP_LONE_HALVES = timedelta(days=30)
"""For so long a half that was recorded alone still becomes one record with its late other."""


class NoRecordError(ValueError):
    """A payload that is no record."""


DATA_ERRORS = (
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.InvalidInputException,
    VectorError,
    NoRecordError,
)
"""What is raised because of a record, and not because of the disk or the file."""

_FIELDS = ", ".join(f'"{name}" {kind}' for name, kind in STORED_COLUMNS.items())
RECORD_TYPE = f"struct({_FIELDS})"
_UNKNOWN: dict[str, Any] = dict.fromkeys(STORED_COLUMNS)


class Item(NamedTuple):
    """A record and the outbox that it comes from."""

    outbox_id: uuid.UUID
    record: OutboxRecord
    reason: str | None = None
    """Why it is not taken, where that is known."""
    payload: str | None = None
    """The record as ExecutionRecord writes it, where DuckDB may not read what came."""


class DeadLetter(NamedTuple):
    """A record that is not taken, and why."""

    kind: str
    reason: str
    payload: str
    put_at: float | None


def load_batch(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime
) -> Counter[str]:
    """Load records and move their outboxes' positions, in the records' order.

    What DuckDB does not take becomes a dead letter; the rest is loaded in as many transactions
    as it takes to find it.

    Returns:
        how many of each kind were loaded, and how many became dead letters.
    """
    try:
        return _load_all(connection, items, now)
    except DATA_ERRORS:
        return _load_what_can_be(connection, [_checked(item) for item in items], now)


def _checked(item: Item) -> Item:
    """Return an execution as DuckDB reads it, or with what is wrong with it.

    ISO 8601 knows more ways to write a time than DuckDB reads, and a UUID has some, too.
    """
    if item.record.kind != "execution":
        return item
    try:
        record = ExecutionRecord.model_validate_json(item.record.payload)
    except ValueError as error:
        return item._replace(reason=describe_error(error))
    return item._replace(payload=record.model_dump_json())


def _load_what_can_be(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime
) -> Counter[str]:
    try:
        return _load_all(connection, items, now)
    except DATA_ERRORS as error:
        if len(items) == 1:
            reason = str(error).splitlines()[0]
            return _load_all(connection, [items[0]._replace(reason=reason)], now)
    half = len(items) // 2
    return _load_what_can_be(connection, items[:half], now) + _load_what_can_be(
        connection, items[half:], now
    )


def record_lone_halves(
    connection: duckdb.DuckDBPyConnection, now: datetime, limit: timedelta
) -> int:
    """Record the halves whose other has not come within the limit as what they are.

    Returns:
        how many.
    """
    rows = connection.execute(
        "select task_id, kind, payload from raw.pending_halves "
        "where recorded_at is null and loaded_at <= ? order by loaded_at, task_id",
        [now - limit],
    ).fetchall()
    with transaction(connection):
        executions = [_joined({kind: payload}) for _, kind, payload in rows]
        insert_executions(connection, executions, now)
        connection.executemany(
            "update raw.pending_halves set recorded_at = ? where task_id = ? and kind = ?",
            [(now, task_id, kind) for task_id, kind, _ in rows],
        ) if rows else None
        connection.execute(
            "delete from raw.pending_halves where recorded_at <= ?", [now - KEEP_LONE_HALVES]
        )
    return len(rows)


def insert_executions(
    connection: duckdb.DuckDBPyConnection, payloads: Sequence[str], now: datetime
) -> None:
    """Append executions to raw, in their order, in the transaction that the caller has open."""
    if not payloads:
        return
    texts, packed = zip(*map(_without_vector, payloads), strict=True)
    if any(packed):
        import pyarrow

        names = ["number", "payload", "vector"]
        columns = [range(len(texts)), texts, arrow_lists(packed)]
        batch = "batch_with_vectors"
        connection.register(batch, pyarrow.table(columns, names=names))
    else:
        batch = "batch"
        connection.execute(
            "create or replace temp table batch (number bigint, payload varchar, vector float[])"
        )
        with connection.appender("batch") as appender:
            appender.append_rows([(*numbered, None) for numbered in enumerate(texts)])
    # nextval() beside the rows would number them in the order in which threads come to them.
    connection.execute(
        f"""
        insert into raw.executions by name
        select * exclude (number, vector) replace (vector as embedding)
        from (
            select
                unnest(payload::json::{RECORD_TYPE}), vector, number,
                first + number as _load_seq, $now as _loaded_at
            from {batch}, (
                select min(nextval) as first
                from (select nextval('raw.load_seq') as nextval from range($count))
            )
        )
        order by number
        """,  # noqa: S608
        {"now": now, "count": len(payloads)},
    )
    count_received(connection, len(payloads), now)


def _without_vector(payload: str) -> tuple[str, bytes | None]:
    """Return a record with every other field, as DuckDB needs it, and its vector."""
    record = _UNKNOWN | _object(payload)
    vector = record["embedding"]
    if vector is None:
        return to_json(record).decode(), None
    return to_json(record | {"embedding": None}).decode(), pack_vector(vector)


def _load_all(
    connection: duckdb.DuckDBPyConnection,
    items: Sequence[Item],
    now: datetime,
) -> Counter[str]:
    """Load records in one transaction, those with a reason as dead letters."""
    executions: list[str] = []
    letters: list[DeadLetter] = []
    refused: list[tuple[str, int, datetime | None, datetime]] = []
    steps: list[dict[str, Any]] = []
    to_forget: list[uuid.UUID] = []
    feedback: list[tuple[OutboxRecord, Feedback]] = []
    feedback_to_delete: list[uuid.UUID] = []
    counts: Counter[str] = Counter()
    with transaction(connection):
        pending = PendingHalves(connection, (item.record for item in items), now)
        for _, record, reason, payload in items:
            try:
                if reason is not None:
                    raise ValueError(reason)
                if record.kind == "execution":
                    executions.append(payload or record.payload)
                elif record.kind in ("routing", "outcome"):
                    executions += pending.add(record)
                elif record.kind == "dead_letter":
                    letters.append(_letter_of(record))
                elif record.kind == "refused":
                    refused.append((*_refusal(record.payload), as_time(record.put_at), now))
                elif record.kind == "maintenance":
                    steps.append(_step_of(record.payload))
                elif record.kind == "forget":
                    to_forget += map(uuid.UUID, _object(record.payload)["task_ids"])
                elif record.kind == "feedback":
                    feedback.append((record, parse_feedback(record.payload)))
                elif record.kind == "delete_feedback":
                    ids = _object(record.payload)["feedback_ids"]
                    feedback_to_delete += [uuid.UUID(each) for each in ids]
                elif record.kind == "forgotten":
                    pass  # what stood here is deleted; its number stays taken
                else:
                    raise ValueError(f"unknown kind {record.kind!r}")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                letters.append(
                    DeadLetter(record.kind, describe_error(error), record.payload, record.put_at)
                )
                continue
            counts[record.kind] += record.kind != "dead_letter"
        insert_executions(connection, executions, now)
        pending.store()
        for place in insert_feedback(connection, [each for _, each in feedback], now):
            record = feedback[place][0]
            reason = ANOTHER_OF_THIS_ID
            letters.append(DeadLetter(record.kind, reason, record.payload, record.put_at))
            counts[record.kind] -= 1
        insert_letters(connection, letters, now)
        if refused:
            connection.executemany("insert into raw.refused_records values (?, ?, ?, ?)", refused)
        if steps:
            connection.executemany(
                "insert or replace into raw.maintenance_steps by name select "
                "$run_id::uuid as run_id, $step as step, $outcome as outcome, "
                "$started_at::timestamp as started_at, $ended_at::timestamp as ended_at, "
                "$message as message",
                steps,
            )
        if to_forget:
            delete_tasks(connection, to_forget, now)
        if feedback_to_delete:
            delete_feedback(connection, feedback_to_delete, now)
        if letters or pending.has_stored:
            drop_residual_rows(connection)
        if letters:
            drop_feedback_letters(connection)
        last = {item.outbox_id: item.record.number for item in items}
        store_offsets(connection, last, now)
    counts["dead_letter"] = len(letters)
    return counts


def insert_letters(
    connection: duckdb.DuckDBPyConnection, letters: Sequence[DeadLetter], now: datetime
) -> None:
    """Keep dead letters, in the transaction that the caller has open."""
    if letters:
        connection.executemany(
            "insert into raw.dead_letters (kind, reason, payload, put_at, loaded_at) "
            "values (?, ?, ?, ?, ?)",
            [(kind, why, text, as_time(put_at), now) for kind, why, text, put_at in letters],
        )


class PendingHalves:
    """The halves that wait for their other, as far as some records may need them."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        records: Iterable[OutboxRecord],
        now: datetime,
    ):
        self._connection = connection
        self._now = now
        self._halves: dict[uuid.UUID, dict[str, str]] = {}
        self._changed: set[uuid.UUID] = set()
        task_ids = [
            task_id
            for record in records
            if record.kind in ("routing", "outcome")
            and (task_id := _task_id_of(record.payload)) is not None
        ]
        if task_ids:
            rows = connection.execute(
                "select task_id, kind, payload from raw.pending_halves "
                "where task_id in (select unnest(?::uuid[]))",
                [task_ids],
            ).fetchall()
            for task_id, kind, payload in rows:
                self._halves.setdefault(task_id, {})[kind] = payload

    def add(self, record: OutboxRecord) -> list[str]:
        """Take a half; return the execution that it completes, if it does.

        Raises:
            ValueError: it is no half, or does not fit its other, which goes on waiting.
        """
        task_id = _task_id_of(record.payload)
        if task_id is None:
            raise ValueError("a half must be a JSON object with a task_id that is a UUID")
        known = self._halves.get(task_id, {}) | {record.kind: record.payload}
        execution = _joined(known)
        self._changed.add(task_id)
        if len(known) == 2:
            self._halves.pop(task_id)
            return [execution]
        self._halves[task_id] = known
        return []

    @property
    def has_stored(self) -> bool:
        """Whether any half waits that did not before, or no longer does."""
        return bool(self._changed)

    def store(self) -> None:
        """Write what waits now."""
        if not self._changed:
            return
        self._connection.execute(
            "delete from raw.pending_halves where task_id in (select unnest(?::uuid[]))",
            [list(self._changed)],
        )
        rows = [
            (task_id, kind, payload, self._now)
            for task_id in self._changed
            for kind, payload in self._halves.get(task_id, {}).items()
        ]
        if rows:
            self._connection.executemany(
                "insert into raw.pending_halves values (?, ?, ?, ?, null)", rows
            )


def _joined(known: dict[str, str]) -> str:
    objects = {kind: _object(payload) for kind, payload in known.items()}
    record = correlate(objects.get("routing"), objects.get("outcome"))
    return record.model_dump_json()


def _task_id_of(payload: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(_object(payload).get("task_id"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _object(payload: str) -> dict[str, Any]:
    try:
        value = from_json(payload)
    except ValueError as error:
        raise NoRecordError(f"it must be JSON: {error}") from error
    if not isinstance(value, dict):
        raise NoRecordError("it must be a JSON object")
    return value


def _letter_of(record: OutboxRecord) -> DeadLetter:
    """Read what a process put as a dead letter: an object of kind, reason and payload."""
    told = _object(record.payload)
    payload = told.get("payload")
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    kind, reason = str(told.get("kind", "execution")), str(told.get("reason", "unknown"))
    return DeadLetter(kind, reason, text, record.put_at)


def _step_of(payload: str) -> dict[str, Any]:
    told = _object(payload)
    return {
        name: None if told[name] is None else str(told[name])
        for name in ("run_id", "step", "outcome", "started_at", "ended_at", "message")
    }


def _refusal(payload: str) -> tuple[str, int]:
    told = _object(payload)
    return str(told.get("reason")), int(str(told.get("count")))


def describe_error(error: Exception) -> str:
    """Return an error in one line, a ValidationError by the names of the fields."""
    if not isinstance(error, ValidationError):
        return str(error)
    items = error.errors(include_url=False)
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'record'}: {item['msg']}" for item in items
    )
