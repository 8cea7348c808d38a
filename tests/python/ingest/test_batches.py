"""What a record may be is said by ExecutionRecord, also where DuckDB reads less."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from orb_learning.ingest.batches import Item, load_batch
from orb_learning.outbox.reader import OutboxRecord
from orb_learning.store.connection import connect

NOW = datetime(2026, 3, 31, 12)  # noqa: DTZ001 (raw holds naive UTC)
TASK_ID = uuid.UUID(int=1)


@pytest.mark.parametrize(
    "written",
    [
        {"timestamp": "20260301T120000Z"},
        {"timestamp": "2026-03-01T12:00:00,0Z"},
        {"timestamp": "2026-03-01T12:00:00Z", "task_id": TASK_ID.urn},
    ],
)
def test_a_record_that_duckdb_cannot_read_as_it_is_written_is_loaded(
    database: Path, written: dict[str, str]
) -> None:
    payload = json.dumps({"task_id": str(TASK_ID), **written})
    item = Item(uuid.uuid4(), OutboxRecord(1, "execution", payload, 0.0))
    with connect(database) as connection:
        counts = load_batch(connection, [item], NOW)
        rows = connection.execute("select task_id, timestamp from raw.executions").fetchall()
    assert (counts["execution"], counts["dead_letter"]) == (1, 0)
    assert rows == [(TASK_ID, datetime(2026, 3, 1, 12))]  # noqa: DTZ001
