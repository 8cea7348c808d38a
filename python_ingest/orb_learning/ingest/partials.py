"""Partial records that wait in ``raw.pending_halves`` for the one they are correlated with."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import duckdb

from orb_learning.ingest.correlation import correlate
from orb_learning.ingest.executions import DATA_ERRORS, insert_executions
from orb_learning.ingest.external_ids import as_naive, is_external
from orb_learning.ingest.payloads import parse_object, task_id_of
from orb_learning.ingest.rejected import RejectedRecord, insert_dead_letters
from orb_learning.outbox import OutboxRecord, as_time
from orb_learning.record import describe_error
from orb_learning.store import SAME_TASK_WITHIN, transaction

PARTIAL_KINDS = ("routing", "outcome")
KEEP_RECORDED = timedelta(days=30)
"""For so long a partial record that was recorded unmatched still becomes one with a late one."""


class PendingPartials:
    """The partial records that wait, as far as some records may need them.

    Args:
        connection: a writable connection, inside the transaction that loads the records.
        records: the records.
        now: ``loaded_at`` of those that wait from now on, naive UTC.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        records: Iterable[OutboxRecord],
        now: datetime,
    ):
        self._connection = connection
        self._now = now
        self._waiting: dict[uuid.UUID, dict[str, str]] = {}
        self._recorded: set[tuple[uuid.UUID, str]] = set()
        self._changed: set[uuid.UUID] = set()
        self._stored: set[uuid.UUID] = set()
        task_ids = [
            task_id
            for record in records
            if record.kind in PARTIAL_KINDS and (task_id := task_id_of(record.payload)) is not None
        ]
        if task_ids:
            rows = connection.execute(
                "select task_id, kind, payload, recorded_at from raw.pending_halves "
                "where task_id in (select unnest(?::uuid[]))",
                [task_ids],
            ).fetchall()
            for task_id, kind, payload, recorded_at in rows:
                self._waiting.setdefault(task_id, {})[kind] = payload
                self._stored.add(task_id)
                if recorded_at is not None:
                    self._recorded.add((task_id, kind))

    def add(self, record: OutboxRecord) -> list[str]:
        """Take a partial record; return the execution that it completes, if it does.

        An id that is no UUID may come again for another task. So what waits too long under it is
        recorded alone.

        Raises:
            ValueError: it is no partial record, or does not fit the one that waits for it, which
                goes on waiting.
        """
        task_id = task_id_of(record.payload)
        if task_id is None:
            raise ValueError("a partial record must be a JSON object with a UUID as task_id")
        waiting = self._waiting.get(task_id, {})
        others = self._of_another_task(task_id, record, waiting)
        kept = {kind: payload for kind, payload in waiting.items() if kind not in others}
        known = kept | {record.kind: record.payload}
        execution = _correlated(known)
        alone = [
            _correlated({kind: waiting[kind]})
            for kind in others
            if (task_id, kind) not in self._recorded
        ]
        self._changed.add(task_id)
        if len(known) == len(PARTIAL_KINDS):
            self._waiting.pop(task_id)
            return [*alone, execution]
        self._waiting[task_id] = known
        return alone

    def _of_another_task(
        self, task_id: uuid.UUID, record: OutboxRecord, waiting: dict[str, str]
    ) -> list[str]:
        """Return the kinds that wait under the same external id but are too far apart in time.

        One that waited in vain, or is of the same kind, is another task's if a day lies between.
        """
        new = parse_object(record.payload)
        if not is_external(new):
            return []
        at = as_naive(new.get("timestamp")) or as_time(record.put_at)
        return [
            kind
            for kind, payload in waiting.items()
            if (kind == record.kind or (task_id, kind) in self._recorded)
            and (then := as_naive(parse_object(payload).get("timestamp"))) is not None
            and at is not None
            and abs(at - then) > SAME_TASK_WITHIN
        ]

    @property
    def has_changed(self) -> bool:
        """Whether any waits that did not before, or no longer does."""
        return bool(self._changed)

    def store(self) -> None:
        """Write what waits now."""
        if not self._changed:
            return
        if gone := self._changed & self._stored:
            self._connection.execute(
                "delete from raw.pending_halves where task_id in (select unnest(?::uuid[]))",
                [list(gone)],
            )
        rows = [
            (task_id, kind, payload, self._now)
            for task_id in self._changed
            for kind, payload in self._waiting.get(task_id, {}).items()
        ]
        if rows:
            self._connection.executemany(
                "insert into raw.pending_halves values (?, ?, ?, ?, null)", rows
            )


def record_unmatched(
    connection: duckdb.DuckDBPyConnection, now: datetime, limit: timedelta
) -> Counter[str]:
    """Record the partial records that are unmatched after the limit as what they are.

    Returns:
        how many are ``unmatched``, and how many became a ``dead_letter`` because DuckDB rejects
        what they are.
    """
    rows = connection.execute(
        "select task_id, kind, payload from raw.pending_halves "
        "where recorded_at is null and loaded_at <= ? order by loaded_at, task_id",
        [now - limit],
    ).fetchall()
    counts = _record(connection, rows, now) if rows else Counter[str]()
    old = [now - KEEP_RECORDED]
    if connection.execute(
        "select 1 from raw.pending_halves where recorded_at <= ? limit 1", old
    ).fetchall():
        with transaction(connection):
            connection.execute("delete from raw.pending_halves where recorded_at <= ?", old)
    return counts


def _record(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[tuple[uuid.UUID, str, str]],
    now: datetime,
) -> Counter[str]:
    """Record partial records, in as many transactions as it takes to find those rejected."""
    try:
        with transaction(connection):
            executions = [_correlated({kind: payload}) for _, kind, payload in rows]
            insert_executions(connection, executions, now)
            connection.executemany(
                "update raw.pending_halves set recorded_at = ? where task_id = ? and kind = ?",
                [(now, task_id, kind) for task_id, kind, _ in rows],
            )
        return Counter(unmatched=len(rows))
    except DATA_ERRORS as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            return _record(connection, rows[:middle], now) + _record(connection, rows[middle:], now)
        [(task_id, kind, payload)] = rows
        with transaction(connection):
            rejected = RejectedRecord(kind, describe_error(error).partition("\n")[0], payload, None)
            insert_dead_letters(connection, [rejected], now)
            connection.execute(
                "delete from raw.pending_halves where task_id = ? and kind = ?", [task_id, kind]
            )
        return Counter(dead_letter=1)


def _correlated(payloads: dict[str, str]) -> str:
    """Return the record of the partial ones, by their kinds."""
    objects = {kind: parse_object(payload) for kind, payload in payloads.items()}
    return correlate(objects.get("routing"), objects.get("outcome")).model_dump_json()
