"""Records that raw rejects: each becomes a dead letter with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb

from orb_learning.store import store_of


class RejectedRecord(NamedTuple):
    """A record that becomes a dead letter."""

    kind: str
    reason: str
    payload: str
    put_at: datetime | None
    """When it was recorded, naive UTC."""


def insert_dead_letters(
    connection: duckdb.DuckDBPyConnection, rejected: Sequence[RejectedRecord], now: datetime
) -> None:
    """Keep rejected records, in the transaction that the caller has open."""
    if rejected:
        first = store_of(connection).reserve_dead_letters(connection, len(rejected))
        connection.executemany(
            "insert into raw.dead_letters "
            "(dead_letter_id, kind, reason, payload, put_at, loaded_at) values (?, ?, ?, ?, ?, ?)",
            [(number, *record, now) for number, record in enumerate(rejected, first)],
        )
