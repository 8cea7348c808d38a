"""Dead letters, the records that raw rejected: to look at, to replay, or to drop.

They come into ``raw.dead_letters`` in the transaction that moves the outbox's offset past them. A
replay loads the record and deletes the dead letter in one transaction, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.errors import DeadLetterError
from orb_learning.feedback import insert_feedback, parse_feedback
from orb_learning.ingest.executions import DATA_ERRORS, insert_executions
from orb_learning.ingest.partials import PARTIAL_KINDS, PendingPartials
from orb_learning.outbox import OutboxRecord
from orb_learning.record import ExecutionRecord, describe_error
from orb_learning.store import connect, schema_version_of, transaction, utc_now

COLUMNS = "dead_letter_id, kind, reason, payload, put_at"


class DeadLetter(NamedTuple):
    """A record that was rejected, as it is stored."""

    number: int
    kind: str
    reason: str
    payload: str
    put_at: datetime | None
    """When it was recorded, naive UTC."""


def read_dead_letters(database_path: Path, *, limit: int | None = None) -> list[DeadLetter]:
    """Return the dead letters, the newest first.

    Raises:
        DatabaseError: the database cannot be read.
    """
    with connect(database_path, read_only=True) as connection:
        if schema_version_of(connection) < 2:
            return []
        rows = connection.execute(
            f"select {COLUMNS} from raw.dead_letters order by dead_letter_id desc limit ?",  # noqa: S608
            [limit],
        ).fetchall()
    return [DeadLetter._make(row) for row in rows]


def read_dead_letter(database_path: Path, number: int) -> DeadLetter:
    """Return one dead letter.

    Raises:
        DeadLetterError: there is none of this number.
        DatabaseError: the database cannot be read.
    """
    with connect(database_path, read_only=True) as connection:
        if schema_version_of(connection) < 2:
            raise _missing(number)
        return _find(connection, number)


def replay_dead_letter(
    database_path: Path, number: int, *, payload: str | None = None, now: datetime | None = None
) -> None:
    """Load a dead letter's record into raw, and delete the dead letter.

    Args:
        database_path: the database.
        number: the dead letter's.
        payload: the corrected record; the one that was kept if None.
        now: the row's ``_loaded_at``, naive UTC; the present time if None.

    Raises:
        DeadLetterError: there is none of this number, or its record is rejected again, and stays.
        DatabaseError: the database cannot be written.
    """
    now = now or utc_now()
    with connect(database_path) as connection:
        dead_letter = _find(connection, number)
        text = dead_letter.payload if payload is None else payload
        try:
            with transaction(connection):
                if dead_letter.kind == "feedback":
                    refused = insert_feedback(connection, [parse_feedback(text)], now)
                    if refused:
                        raise ValueError(refused[0])
                else:
                    executions = _executions(connection, dead_letter.kind, text, now)
                    insert_executions(connection, executions, now)
                connection.execute(
                    "delete from raw.dead_letters where dead_letter_id = ?", [number]
                )
        except DATA_ERRORS as error:
            raise DeadLetterError(
                f"dead letter {number} is still not taken: {describe_error(error)}; correct it: "
                f"`orb dead-letters show {number} > record.json`, then "
                f"`orb dead-letters replay {number} --file record.json`"
            ) from error


def drop_dead_letters(database_path: Path, numbers: Sequence[int]) -> int:
    """Delete dead letters for good; returns how many there were.

    Raises:
        DeadLetterError: one of them does not exist; none is deleted.
        DatabaseError: the database cannot be written.
    """
    with connect(database_path) as connection, transaction(connection):
        for number in numbers:
            _find(connection, number)
            connection.execute("delete from raw.dead_letters where dead_letter_id = ?", [number])
    return len(numbers)


def _executions(
    connection: duckdb.DuckDBPyConnection, kind: str, payload: str, now: datetime
) -> list[str]:
    if kind == "execution":
        return [ExecutionRecord.model_validate_json(payload).model_dump_json()]
    if kind in PARTIAL_KINDS:
        record = OutboxRecord(0, kind, payload, 0)
        pending = PendingPartials(connection, [record], now)
        executions = pending.add(record)
        pending.store()
        return executions
    raise ValueError(f"its kind is {kind!r}, which is none that raw takes")


def _find(connection: duckdb.DuckDBPyConnection, number: int) -> DeadLetter:
    row = connection.execute(
        f"select {COLUMNS} from raw.dead_letters where dead_letter_id = ?",  # noqa: S608
        [number],
    ).fetchone()
    if row is None:
        raise _missing(number)
    return DeadLetter._make(row)


def _missing(number: int) -> DeadLetterError:
    return DeadLetterError(f"there is no dead letter {number}; `orb dead-letters list` shows them")
