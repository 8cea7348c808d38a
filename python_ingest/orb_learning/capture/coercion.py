"""Whatever a caller hands over, made a plain value that JSON and the record can hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import isroutine
from pathlib import PurePath
from typing import Any
from uuid import UUID

from orb_learning.record import INFINITY, NOT_A_NUMBER, from_epoch

DEEPEST = 8
MOST_ITEMS = 1_000
LONGEST_REPR = 1_000

_PLAIN = frozenset({str, int, float, bool, datetime, dict, list, type(None)})


_EPOCH = re.compile(r"[0-9]{10,19}(\.[0-9]+)?")


class Unreadable:
    """Stands for a value whose reading raised; no field takes it, so it is named as invalid."""

    def __init__(self, error: BaseException):
        self._error = type(error).__name__

    def __repr__(self) -> str:
        return f"<unreadable: {self._error}>"


def known_values(source: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return what a mapping's entries or an object's attributes of some names say, but no None.

    A dict's other entries are returned, too, because leaving them out takes longer. It does not
    raise: what cannot be read is ``Unreadable``.
    """
    if source is None:
        return {}
    if type(source) is dict:
        found = {name: value for name, value in source.items() if value is not None}
    else:
        read = {name: _read(source, name) for name in names}
        found = {name: value for name, value in read.items() if value is not None}
    if not _PLAIN.issuperset(map(type, found.values())):
        for name, value in found.items():
            if type(value) not in _PLAIN:
                found[name] = coerce_scalar(value)
    return found


def _read(source: Any, name: str) -> Any:
    try:
        if isinstance(source, Mapping):
            return source.get(name)
        value = getattr(source, name, None)
        return None if isroutine(value) else value  # a method says nothing by being there
    except Exception as error:
        return Unreadable(error)


def coerce_scalar(value: Any) -> Any:
    """Return an enumeration's value, a decimal's number, the one value of numpy's; others as is."""
    try:
        if isinstance(value, Enum):
            return coerce_scalar(value.value)
        if isinstance(value, Decimal):
            return float(value)
        if type(value).__module__ == "numpy" and getattr(value, "size", None) == 1:
            return value.item()
    except Exception as error:
        return Unreadable(error)
    return value


def error_text(error: BaseException) -> str:
    """Return an exception's class and text; a TimeoutError's own text is mostly empty.

    A path of the error may hold a byte that is no UTF-8: it is told by its escape.
    """
    try:
        return str(jsonable(f"{type(error).__name__}: {error}".removesuffix(": ")))
    except Exception:
        return type(error).__name__


def parse_timestamp(value: Any, with_zone: Callable[[datetime], datetime]) -> Any:
    """Return the aware time of a datetime, an ISO text or a number since 1970; others as they are.

    What is no time is left for the record to refuse by name.

    Args:
        value: anything.
        with_zone: returns the aware time of one without a zone, or the same if it is none.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            number = value.strip()
            return (_EPOCH.fullmatch(number) and from_epoch(Decimal(number))) or value
    if isinstance(value, datetime):
        return with_zone(value) if value.tzinfo is None else value
    if isinstance(value, int | float | Decimal):
        return from_epoch(value) or value
    return value


def _forget(_: str) -> None:
    """Do nothing about what was cut."""


def jsonable(value: Any, depth: int = 0, cut: Callable[[str], None] = _forget) -> Any:
    """Return a copy that JSON can hold, of bounded depth; what JSON has no form for as text.

    Args:
        value: anything.
        depth: how deep it lies in another value.
        cut: called with what was left out: items or characters.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int) and abs(value) < 2**63:
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _word(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | PurePath):
        return jsonable(str(value))
    plain = coerce_scalar(value)
    if plain is not value and not isinstance(plain, Unreadable):
        return jsonable(plain, depth, cut)
    try:
        parts = _parts(value) if depth < DEEPEST else None
    except Exception as error:
        parts, value = None, Unreadable(error)
    if isinstance(parts, dict):
        pairs = _first(list(parts.items()), cut)
        return {key_text(key): jsonable(item, depth + 1, cut) for key, item in pairs}
    if parts is not None:
        return [jsonable(item, depth + 1, cut) for item in _first(parts, cut)]
    return _text(value, cut)


def _parts(value: Any) -> dict[Any, Any] | list[Any] | None:
    """Return what a collection or an array holds, one item more than are kept; None of others."""
    if isinstance(value, Mapping):
        return dict(value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if type(value).__module__ == "numpy" and hasattr(value, "__len__"):
        return list(value[: MOST_ITEMS + 1])
    return None


def _first(items: list[Any], cut: Callable[[str], None]) -> list[Any]:
    if len(items) > MOST_ITEMS:
        cut("items")
    return items[:MOST_ITEMS]


def _word(value: float) -> str:
    """Return the text of a number that JSON has none for, as the import writes it, too."""
    if math.isnan(value):
        return NOT_A_NUMBER
    return INFINITY if value > 0 else f"-{INFINITY}"


def as_json(value: Any) -> str:
    """Return the JSON text of any value; what JSON has no form for is in it as text."""
    return json.dumps(jsonable(value), ensure_ascii=False)


def key_text(key: Any) -> str:
    """Return the text of a mapping's key; it does not raise."""
    text = jsonable(key, DEEPEST)
    return text if isinstance(text, str) else str(text)


def _text(value: Any, cut: Callable[[str], None]) -> str:
    try:
        text = repr(coerce_scalar(value))
    except Exception as error:
        text = repr(Unreadable(error))
    if len(text) > LONGEST_REPR:
        cut("characters")
    return str(jsonable(text[:LONGEST_REPR]))
