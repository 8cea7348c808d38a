"""Executions into raw.

The payloads go through the Appender and become columns in SQL (through Arrow, where they carry
vectors, or DuckDB has no Appender). That takes a tenth of the time that it takes to make a row of
each in Python (docs/decisions).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
from pydantic_core import to_json

from orb_learning.errors import MALFORMED
from orb_learning.ingest.external_ids import with_own_task_ids
from orb_learning.ingest.payloads import parse_object
from orb_learning.record import STORED_COLUMNS, arrow_lists, pack_vector
from orb_learning.store import count_received, store_of

DATA_ERRORS = (
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.InvalidInputException,
    *MALFORMED,
)
"""What is raised because of a record, and not because of the disk or the file."""

_FIELDS = ", ".join(f'"{name}" {kind}' for name, kind in STORED_COLUMNS.items())
RECORD_TYPE = f"struct({_FIELDS})"
_UNKNOWN: dict[str, Any] = dict.fromkeys(STORED_COLUMNS)


def insert_executions(
    connection: duckdb.DuckDBPyConnection, payloads: Sequence[str], now: datetime
) -> None:
    """Append executions to raw, in their order, in the transaction that the caller has open."""
    if not payloads:
        return
    payloads = with_own_task_ids(connection, payloads)
    texts, packed = zip(*map(_without_vector, payloads), strict=True)
    if any(packed) or not hasattr(connection, "appender"):
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
    connection.execute(
        f"""
        insert into raw.executions by name
        select * exclude (number, vector) replace (vector as embedding)
        from (
            select
                unnest(payload::json::{RECORD_TYPE}), vector, number,
                $first + number as _load_seq, $now as _loaded_at
            from {batch}
        )
        order by number
        """,  # noqa: S608
        {"now": now, "first": store_of(connection).reserve(connection, len(payloads))},
    )
    count_received(connection, len(payloads), now)


def _without_vector(payload: str) -> tuple[str, bytes | None]:
    """Return a record with every other field, as DuckDB needs it, and its vector."""
    record = _UNKNOWN | parse_object(payload)
    vector = record["embedding"]
    if vector is None:
        return to_json(record).decode(), None
    return to_json(record | {"embedding": None}).decode(), pack_vector(vector)
