"""Records that raw rejects: each becomes a dead letter with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb


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
        connection.executemany(
            "insert into raw.dead_letters (kind, reason, payload, put_at, loaded_at) "
            "values (?, ?, ?, ?, ?)",
            [(*record, now) for record in rejected],
        )
