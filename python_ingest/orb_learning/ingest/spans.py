"""Spans into raw.spans, and a new version of the execution of each trace that they touch.

Which spans a trace has decides its execution, not when and in what batches they came. A span that
came before is not taken again, so a retry changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb

from orb_learning.mappings import (
    derive_executions,
    finish_rows,
    map_records,
    named_mapping,
    read_payloads,
)
from orb_learning.record import STORED_COLUMNS
from orb_learning.store import count_received, identifier, store_of

LATE = "late_span"
"""Why a span is refused whose trace has an execution, and no spans any more."""
TOO_MANY = "span_of_a_large_trace"
"""Why a span is refused whose trace has ``MOST_SPANS_A_TRACE`` already."""
MOST_SPANS_A_TRACE = 100_000
"""A trace is worked out anew, from all of its spans, at each load that brings one: in 0.4 s with so
many, in 10 s and with 2 GB with a million (measured 2026-11-28)."""

_COLUMNS = (
    "trace_id, span_id, parent_span_id, name, started_at, ended_at, status_code, status_message, "
    "service_name, attributes"
)


IS_SPAN = "trace_id is not null and span_id <> '' and started_at is not null"


class LoadedSpans(NamedTuple):
    """What came of some spans."""

    spans: int
    """New ones."""
    late: int
    """Ones that were refused, because the spans of their traces are gone."""
    too_many: int = 0
    """Ones that were refused, because their traces have as many as there may be."""
    versions: int = 0
    """Executions that got a new version."""


def load_span_payloads(
    connection: duckdb.DuckDBPyConnection, payloads: Sequence[str], now: datetime
) -> LoadedSpans:
    """Load requests of OTLP in JSON, in the transaction that the caller has open."""
    if not payloads:
        return LoadedSpans(0, 0)
    read_payloads(connection, payloads)
    map_records(connection, named_mapping("otlp"))
    loaded = insert_spans(connection, now, refuse_late=True)
    if not loaded.spans:
        return loaded
    derive_executions(connection)
    return loaded._replace(versions=_insert_versions(connection, now))


def insert_spans(
    connection: duckdb.DuckDBPyConnection, now: datetime, *, refuse_late: bool
) -> LoadedSpans:
    """Append the spans in the temporary table ``mapped`` that are new.

    The view ``spans`` has all spans of the traces that they touch afterwards.

    Args:
        connection: a writable connection, inside a transaction.
        now: their ``_loaded_at``, naive UTC.
        refuse_late: whether to refuse those whose trace has an execution and no spans any more.
    """
    connection.execute(
        f"""
        create or replace temp table new_spans as
        select {_COLUMNS}
        from mapped
        where
            {IS_SPAN}
            and trace_id not in (select task_id from raw.forgotten)
        except
        select {_COLUMNS} from raw.spans where trace_id in (select trace_id from mapped)
        """  # noqa: S608
    )
    late = _refuse(connection, _LATE_SPANS, LATE, now) if refuse_late else 0
    too_many = _refuse(connection, _SPANS_BEYOND, TOO_MANY, now)
    [(count,)] = connection.execute(
        f"insert into raw.spans select {_COLUMNS}, ? from new_spans",  # noqa: S608
        [now],
    ).fetchall()
    connection.execute(
        """
        create or replace temp view spans as
        select * from raw.spans where trace_id in (select trace_id from new_spans)
        """
    )
    return LoadedSpans(int(count), late, too_many)


_LATE_SPANS = """
    trace_id in (
        select task_id from raw.executions where task_id in (select trace_id from new_spans)
    )
    and trace_id not in (
        select trace_id from raw.spans where trace_id in (select trace_id from new_spans)
    )
"""
_SPANS_BEYOND = f"""
    rowid in (
        select rowid
        from (
            select
                new_spans.rowid,
                coalesce(kept.spans, 0) + row_number() over (
                    partition by trace_id order by started_at, span_id
                ) as place
            from new_spans
            left join (
                select trace_id, count(*) as spans
                from raw.spans
                where trace_id in (select trace_id from new_spans)
                group by trace_id
            ) as kept using (trace_id)
        )
        where place > {MOST_SPANS_A_TRACE}
    )
"""  # noqa: S608


def _refuse(
    connection: duckdb.DuckDBPyConnection, condition: str, reason: str, now: datetime
) -> int:
    """Take the new spans that hold a condition out, and note how many; returns that."""
    [(count,)] = connection.execute(f"delete from new_spans where {condition}").fetchall()  # noqa: S608
    if count:
        connection.execute(
            "insert into raw.refused_records values (?, ?, null, ?)", [reason, count, now]
        )
    return int(count)


def drop_old_spans(connection: duckdb.DuckDBPyConnection, now: datetime, age: timedelta) -> int:
    """Delete the spans of traces of which none came for so long; returns how many.

    Args:
        connection: a writable connection.
        now: naive UTC.
        age: how long a trace's spans are kept after the last came.
    """
    [(count,)] = connection.execute(
        """
        delete from raw.spans
        where trace_id in (
            select trace_id from raw.spans group by trace_id having max(_loaded_at) < ?
        )
        """,
        [now - age],
    ).fetchall()
    return int(count)


def _insert_versions(connection: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Append the executions in ``mapped`` to raw; returns how many."""
    columns = finish_rows(connection)
    values = ", ".join(
        f"try_cast({identifier(name)} as {STORED_COLUMNS[name]}) as {identifier(name)}"
        for name in columns
    )
    [(row_count,)] = connection.execute("select count(*) from mapped_rows").fetchall()
    if not row_count:
        return 0
    [(count,)] = connection.execute(
        f"""
        insert into raw.executions by name
        select {values}, $first + row_number - 1 as _load_seq, $now as _loaded_at
        from mapped_rows
        order by row_number
        """,  # noqa: S608
        {"now": now, "first": store_of(connection).reserve(connection, row_count)},
    ).fetchall()
    return count_received(connection, int(count), now)
