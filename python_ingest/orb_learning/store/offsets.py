"""How far each outbox has been loaded: the offset is the last sequence number that is in raw."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

import duckdb


def stored_offsets(connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
    """Return the offset of each outbox."""
    return dict(
        connection.execute("select outbox_id, position from raw.outbox_positions").fetchall()
    )


def store_offsets(
    connection: duckdb.DuckDBPyConnection, offsets: Mapping[uuid.UUID, int], now: datetime
) -> None:
    """Move the offsets of outboxes, in the transaction that loaded their records.

    Args:
        connection: a writable connection, inside that transaction.
        offsets: the new offset of each outbox.
        now: ``loaded_at``, naive UTC.
    """
    connection.executemany(
        "insert or replace into raw.outbox_positions values (?, ?, ?)",
        [(outbox_id, offset, now) for outbox_id, offset in offsets.items()],
    )
