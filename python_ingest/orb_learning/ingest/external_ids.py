"""Executions whose ids were no UUIDs, each with the task_id of the execution that it is of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import duckdb

from orb_learning.ingest.payloads import parse_object, parse_uuid
from orb_learning.record import EXTERNAL_ID, MADE_OF_IDS, OWN_EXTERNAL_ID, to_utc
from orb_learning.store import ExternalRecord, tell_executions_apart

REUSED = "external_id_reused"
"""The key of metadata that is true where another task had the id before."""
_MARK = f'"{EXTERNAL_ID}"'


def with_own_task_ids(
    connection: duckdb.DuckDBPyConnection, payloads: Sequence[str]
) -> Sequence[str]:
    """Return executions with the task_ids of their own, in the transaction that is open."""
    places = [place for place, payload in enumerate(payloads) if names_external_id(payload)]
    if not places:
        return payloads
    objects = {place: parse_object(payloads[place]) for place in places}
    records = {
        place: ExternalRecord(
            parse_uuid(record.get("task_id")), as_naive(record.get("timestamp")), _described(record)
        )
        for place, record in objects.items()
        if is_external(record)
    }
    found = tell_executions_apart(connection, list(records.values()))
    own = list(payloads)
    for (place, record), task_id in zip(records.items(), found, strict=True):
        if task_id != record.task_id:
            metadata = objects[place]["metadata"] | {REUSED: True}
            changed = objects[place] | {"task_id": str(task_id), "metadata": metadata}
            own[place] = json.dumps(changed, ensure_ascii=False)
    return own


def names_external_id(payload: str) -> bool:
    """Whether a record may be of an id that was no UUID."""
    return _MARK in payload


def is_external(record: dict[str, object]) -> bool:
    """Return whether a record's id was no UUID.

    A record by a UUID may have an external_id of its own; what is made of an id has version 5, and
    of a caller's UUID of that version metadata says it.
    """
    metadata = record.get("metadata")
    return (
        isinstance(metadata, dict)
        and EXTERNAL_ID in metadata
        and OWN_EXTERNAL_ID not in metadata
        and parse_uuid(record.get("task_id")).version == MADE_OF_IDS
    )


def as_naive(time: object) -> datetime | None:
    """Return a record's time as naive UTC; None where it has none that can be read."""
    try:
        parsed = datetime.fromisoformat(str(time))
        return to_utc(parsed).replace(tzinfo=None) if parsed.tzinfo else parsed
    except ValueError:
        return None


def _described(record: dict[str, object]) -> str | None:
    description = record.get("task_description")
    return description if isinstance(description, str) else None
