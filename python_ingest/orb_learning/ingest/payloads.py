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
        return uuid.UUID(parse_object(payload).get("task_id"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
