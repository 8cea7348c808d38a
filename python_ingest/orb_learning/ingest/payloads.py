"""The payloads of outbox records: JSON objects."""

from __future__ import annotations

import uuid
from typing import Any

from pydantic_core import from_json


class NoRecordError(ValueError):
    """A payload that is no record."""


def parse_object(payload: str) -> dict[str, Any]:
    """Return the object of a payload.

    Raises:
        NoRecordError: it is not JSON, or no object.
    """
    try:
        value = from_json(payload)
    except ValueError as error:
        raise NoRecordError(f"it must be JSON: {error}") from error
    if not isinstance(value, dict):
        raise NoRecordError("it must be a JSON object")
    return value


def task_id_of(payload: str) -> uuid.UUID | None:
    """Return the task that a payload names; None where it names none."""
    try:
        return parse_uuid(parse_object(payload).get("task_id"))
    except (ValueError, RecursionError):
        return None


def parse_uuid(value: object) -> uuid.UUID:
    """Return the UUID that a text is.

    Raises:
        NoRecordError: it is none.
    """
    try:
        return uuid.UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise NoRecordError(f"{value!r:.50} is no UUID") from None


def parse_uuids(payload: str, name: str) -> list[uuid.UUID]:
    """Return the UUIDs in a list of a payload.

    Raises:
        NoRecordError: there is no such list, or something in it is no UUID.
    """
    found = parse_object(payload).get(name)
    if not isinstance(found, list):
        raise NoRecordError(f"{name} must be a list of UUIDs")
    return [parse_uuid(one) for one in found]
