"""A batch of outbox records into the raw schema, in one transaction with the outboxes' offsets."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from orb_learning.errors import MALFORMED
from orb_learning.feedback import (
    Feedback,
    delete_feedback,
    drop_dead_letters_of_feedback,
    insert_feedback,
    parse_feedback,
)
from orb_learning.ingest.executions import DATA_ERRORS, insert_executions
from orb_learning.ingest.external_ids import names_external_id
from orb_learning.ingest.partials import PendingPartials
from orb_learning.ingest.payloads import parse_object, parse_uuids
from orb_learning.ingest.rejected import RejectedRecord, insert_dead_letters
from orb_learning.ingest.spans import LATE, TOO_MANY, load_span_payloads
from orb_learning.outbox import OutboxRecord, as_time
from orb_learning.record import ExecutionRecord, describe_error
from orb_learning.store import (
    delete_tasks,
    drop_residual_rows,
    has_tombstones,
    store_of,
    store_offsets,
    stored_offsets,
    transaction,
)

APPENDED = ("execution", "refused", "dead_letter", "forgotten")
"""The kinds of which nothing is looked up that others may change."""


class Item(NamedTuple):
    """A record and the outbox that it comes from."""

    outbox_id: uuid.UUID
    record: OutboxRecord
    reason: str | None = None
    """Why it is rejected, where that is known."""
    payload: str | None = None
    """The record as ExecutionRecord writes it, where DuckDB may not read what came."""


def load_batch(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime
) -> Counter[str]:
    """Load records and move their outboxes' offsets, in the records' order.

    What DuckDB rejects becomes a dead letter; the rest is loaded in as many transactions as it
    takes to find it.

    Returns:
        how many of each kind were loaded, and how many became dead letters.
    """
    if store_of(connection).drain(connection, {item.outbox_id for item in items}):
        loaded = stored_offsets(connection)  # by who had them before
        items = [
            item for item in items if item.record.sequence_number > loaded.get(item.outbox_id, 0)
        ]
    try:
        return _load_all(connection, items, now)
    except DATA_ERRORS:
        return _load_by_halves(connection, [_checked(item) for item in items], now)


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


def _load_by_halves(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime
) -> Counter[str]:
    try:
        return _load_all(connection, items, now)
    except DATA_ERRORS as error:
        if len(items) == 1:
            reason = str(error).partition("\n")[0]
            return _load_all(connection, [items[0]._replace(reason=reason)], now)
    middle = len(items) // 2
    return _load_by_halves(connection, items[:middle], now) + _load_by_halves(
        connection, items[middle:], now
    )


def _load_all(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime
) -> Counter[str]:
    """Load records in one transaction, those with a reason as dead letters."""
    try:
        return _load_in_one(connection, items, now, alone=any(map(_looks_up, items)))
    except _NotAloneError:
        return _load_in_one(connection, items, now, alone=True)


def _load_in_one(
    connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime, *, alone: bool
) -> Counter[str]:
    with transaction(connection, alone=alone):
        if not alone and has_tombstones(connection):
            raise _NotAloneError
        batch = _Batch(connection, items, now)
        batch.store()
        last = {item.outbox_id: item.record.sequence_number for item in items}
        if last:
            store_offsets(connection, last, now)
    return batch.counts


class _NotAloneError(Exception):
    """Tasks were erased, so what is appended has to be looked through, too."""


def _looks_up(item: Item) -> bool:
    """Whether more is done for a record than to append: looked up, replaced or deleted."""
    return item.record.kind not in APPENDED or names_external_id(item.record.payload)


class _Batch:
    """The records of one transaction, by what is to be done with them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, items: Sequence[Item], now: datetime):
        self.counts: Counter[str] = Counter()
        self._connection = connection
        self._now = now
        self._executions: list[str] = []
        self._partials = PendingPartials(connection, (item.record for item in items), now)
        self._feedback: list[tuple[OutboxRecord, Feedback]] = []
        self._feedback_to_delete: list[uuid.UUID] = []
        self._tasks_to_delete: list[uuid.UUID] = []
        self._refusals: list[tuple[str, int, datetime | None, datetime]] = []
        self._steps: list[dict[str, Any]] = []
        self._spans: list[str] = []
        self._rejected: list[RejectedRecord] = []
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        kind = item.record.kind
        try:
            if item.reason is not None:
                raise ValueError(item.reason)
            if kind not in _ADDED_BY_KIND:
                raise ValueError(f"unknown kind {kind!r}")
            _ADDED_BY_KIND[kind](self, item)
        except MALFORMED as error:
            self._reject(item.record, describe_error(error))
        else:
            self.counts[kind] += 1

    def store(self) -> None:
        """Write everything, in the transaction that is open, and complete ``counts``."""
        connection, now = self._connection, self._now
        insert_executions(connection, self._executions, now)
        self._partials.store()
        refused = insert_feedback(connection, [each for _, each in self._feedback], now)
        for place, reason in refused.items():
            record, _ = self._feedback[place]
            self._reject(record, reason)
            self.counts[record.kind] -= 1
        spans = load_span_payloads(connection, self._spans, now)
        self.counts.update({"span": spans.spans, "trace": spans.versions})
        self.counts.update({LATE: spans.late, TOO_MANY: spans.too_many})
        insert_dead_letters(connection, self._rejected, now)
        self._store_reports()
        if self._tasks_to_delete:
            delete_tasks(connection, self._tasks_to_delete, now)
        if self._feedback_to_delete:
            delete_feedback(connection, self._feedback_to_delete, now)
        if self._rejected or self._partials.has_changed:
            drop_residual_rows(connection)
        if self._rejected:
            drop_dead_letters_of_feedback(connection)
        self.counts["dead_letter"] = len(self._rejected)

    def _store_reports(self) -> None:
        """Write what processes report of themselves."""
        if self._refusals:
            self._connection.executemany(
                "insert into raw.refused_records values (?, ?, ?, ?)", self._refusals
            )
        if self._steps:
            for step in self._steps:
                store_of(self._connection).replace_rows(
                    self._connection,
                    "raw.maintenance_steps",
                    ["run_id", "step"],
                    "select $run_id::uuid as run_id, $step as step, $outcome as outcome, "
                    "$started_at::timestamp as started_at, $ended_at::timestamp as ended_at, "
                    "$message as message",
                    step,
                )

    def _reject(self, record: OutboxRecord, reason: str) -> None:
        put_at = as_time(record.put_at)
        self._rejected.append(RejectedRecord(record.kind, reason, record.payload, put_at))

    def add_execution(self, item: Item) -> None:
        """Take the JSON of a record."""
        self._executions.append(item.payload or item.record.payload)

    def add_partial(self, item: Item) -> None:
        """Take a routing decision or an outcome."""
        self._executions += self._partials.add(item.record)

    def add_dead_letter(self, item: Item) -> None:
        """Take what a process put as a dead letter: an object of kind, reason and payload."""
        values = parse_object(item.record.payload)
        payload = values.get("payload")
        self._rejected.append(
            RejectedRecord(
                kind=str(values.get("kind", "execution")),
                reason=str(values.get("reason", "unknown")),
                payload=payload
                if isinstance(payload, str)
                else json.dumps(payload, ensure_ascii=False),
                put_at=as_time(item.record.put_at),
            )
        )

    def add_refusal(self, item: Item) -> None:
        """Take how many records an outbox refused, and why."""
        values = parse_object(item.record.payload)
        reason, count = str(values.get("reason")), int(str(values.get("count")))
        self._refusals.append((reason, count, as_time(item.record.put_at), self._now))

    def add_step(self, item: Item) -> None:
        """Take a step of the maintenance."""
        values = parse_object(item.record.payload)
        names = ("run_id", "step", "outcome", "started_at", "ended_at", "message")
        self._steps.append(
            {name: None if values[name] is None else str(values[name]) for name in names}
        )

    def add_spans(self, item: Item) -> None:
        """Take a request of OTLP in JSON."""
        parse_object(item.record.payload)
        self._spans.append(item.record.payload)

    def add_erasure(self, item: Item) -> None:
        """Take the ids of tasks to delete."""
        self._tasks_to_delete += parse_uuids(item.record.payload, "task_ids")

    def add_feedback(self, item: Item) -> None:
        """Take feedback."""
        self._feedback.append((item.record, parse_feedback(item.record.payload)))

    def add_feedback_deletion(self, item: Item) -> None:
        """Take the ids of feedback to delete."""
        self._feedback_to_delete += parse_uuids(item.record.payload, "feedback_ids")

    def skip(self, item: Item) -> None:
        """Leave out what was erased; its sequence number stays taken."""


_ADDED_BY_KIND: dict[str, Callable[[_Batch, Item], None]] = {
    "execution": _Batch.add_execution,
    "routing": _Batch.add_partial,
    "outcome": _Batch.add_partial,
    "dead_letter": _Batch.add_dead_letter,
    "refused": _Batch.add_refusal,
    "maintenance": _Batch.add_step,
    "forget": _Batch.add_erasure,
    "spans": _Batch.add_spans,
    "feedback": _Batch.add_feedback,
    "delete_feedback": _Batch.add_feedback_deletion,
    "forgotten": _Batch.skip,
}
"""What takes the records of each kind."""
