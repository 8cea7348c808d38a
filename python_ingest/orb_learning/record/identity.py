"""The task's id: a UUID stays, any other id becomes one, the same whenever it comes again."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""RFC 9562's namespace of URLs."""
EXTERNAL_ID = "external_id"
"""The key of metadata that keeps an id which is no UUID."""
OWN_EXTERNAL_ID = "external_id_is_own"
"""The key that is true where that one is the caller's, beside a UUID like those made of ids."""
GIVEN_EXTERNAL_ID = "given_external_id"
"""The key of metadata that keeps a caller's own ``external_id`` beside an id which is no UUID."""
MADE_OF_IDS = 5
"""The version of UUIDs that are made of other ids; a caller's may have it, too."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
UUID_SPELLING = rf"(urn:uuid:)?{_UUID}|\{{{_UUID}\}}|[0-9a-f]{{32}}"
"""The usual spellings of a UUID, as a regular expression without regard to case."""
is_canonical_uuid = re.compile(_UUID).fullmatch
_is_uuid = re.compile(UUID_SPELLING, re.IGNORECASE).fullmatch


def task_uuid(task_id: Any, scope: str = "") -> uuid.UUID:
    """Return the UUID of a task's id.

    A UUID in any usual spelling is itself. Any other id becomes
    ``uuid5(NAMESPACE, "orb-learning:<scope>:<id>")``; 7 and "7" are one id.

    Args:
        task_id: a UUID, a text or a whole number.
        scope: keeps the ids of two orchestrators apart.

    Raises:
        ValueError: it is none of these, or an empty text.
    """
    return identify(task_id, scope)[0]


def identify(task_id: Any, scope: str = "") -> tuple[uuid.UUID, str | None]:
    """Return the UUID of a task's id as ``task_uuid`` does, and the id itself where it is none.

    Raises:
        ValueError: as of ``task_uuid``.
    """
    if isinstance(task_id, uuid.UUID):
        return task_id, None
    text = _text_of(task_id)
    if _is_uuid(text):
        return uuid.UUID(text), None
    return uuid.uuid5(NAMESPACE, f"orb-learning:{scope}:{text}"), text


def _text_of(task_id: Any) -> str:
    """Return an id as text.

    Raises:
        ValueError: it is no text and no whole number, or an empty text.
    """
    if isinstance(task_id, float) and task_id.is_integer():
        task_id = int(task_id)
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        return str(int(task_id))
    text = task_id.strip(" ") if isinstance(task_id, str) else ""
    if not text:
        given = "an empty text" if isinstance(task_id, str) else type(task_id).__name__
        raise ValueError(f"task_id: a UUID, a text or a whole number is needed, not {given}")
    text.encode()  # a lone surrogate has no UTF-8 form; UnicodeEncodeError is a ValueError
    return str(text)


def with_task_uuid(values: Mapping[str, Any], scope: str = "") -> dict[str, Any]:
    """Return a record's fields with the UUID of its task_id; another id goes to metadata.

    Metadata says of a UUID that looks like a made one whether its ``external_id`` is the caller's,
    and keeps a caller's beside another id. Fields without a task_id are returned as they are.

    Raises:
        ValueError: the task_id is none.
    """
    identified = dict(values)
    given = identified.get("task_id")
    if given is None:
        return identified
    found, external_id = identify(given, scope)
    identified["task_id"] = str(found)
    own = identified.get("metadata")
    if external_id is not None:
        if own is None or isinstance(own, Mapping):  # the record refuses anything else
            given_one = (own or {}).get(EXTERNAL_ID, external_id)
            kept = {} if given_one == external_id else {GIVEN_EXTERNAL_ID: given_one}
            identified["metadata"] = {**(own or {}), **kept, EXTERNAL_ID: external_id}
    elif found.version == MADE_OF_IDS and isinstance(own, Mapping) and EXTERNAL_ID in own:
        identified["metadata"] = {**own, OWN_EXTERNAL_ID: True}
    return identified


def task_uuid_sql(text: str, scope: str) -> str:
    """Return the SQL of ``task_uuid`` of a text that is not blank, and a scope, both SQL."""
    name = f"encode('orb-learning:' || {scope} || ':' || trim({text}, ' '))"
    digest = f"sha1(unhex('{NAMESPACE.hex}') || {name})"
    variant = f"substr('89ab', 1 + (('0x' || substr({digest}, 17, 1))::integer & 3), 1)"
    made = (
        f"(substr({digest}, 1, 12) || '5' || substr({digest}, 14, 3) || {variant} "
        f"|| substr({digest}, 18, 15))::uuid"
    )
    return (
        f"case when {is_uuid_sql(text)} "
        f"then regexp_replace(lower(trim({text}, ' ')), 'urn:uuid:|[^0-9a-f]', '', 'g')::uuid "
        f"else {made} end"
    )


def is_uuid_sql(text: str) -> str:
    """Return the SQL of whether a text is a UUID in a usual spelling."""
    return f"regexp_full_match(trim({text}, ' '), '(?i:{UUID_SPELLING})')"
