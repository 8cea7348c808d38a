"""How far each outbox has been loaded: the offset is the last sequence number that is in raw."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

import duckdb

from orb_learning.store.protocol import store_of


def stored_offsets(connection: duckdb.DuckDBPyConnection) -> dict[uuid.UUID, int]:
    """Return the offset of each outbox."""
    return store_of(connection).stored_offsets(connection)


def store_offsets(
    connection: duckdb.DuckDBPyConnection, offsets: Mapping[uuid.UUID, int], now: datetime
) -> None:
    """Move the offsets of outboxes, in the transaction that loaded their records.

    Args:
        connection: a writable connection, inside that transaction.
        offsets: the new offset of each outbox.
        now: ``loaded_at``, naive UTC.
    """
    store_of(connection).store_offsets(connection, offsets, now)
