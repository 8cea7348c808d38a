"""Whose records a file has, where they say it beyond doubt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.mappings.catalog import SystemMapping, known_mappings
from orb_learning.mappings.source import first_records

RECORDS_LOOKED_AT = 20


def detect_mapping(connection: duckdb.DuckDBPyConnection, file: Path) -> SystemMapping | None:
    """Return the mapping whose signature the first records have, if it is only one.

    A signature is the list of paths in the mapping's line ``known by``.
    """
    try:
        rows = first_records(connection, file, RECORDS_LOOKED_AT)
    except (duckdb.InternalException, duckdb.FatalException):
        raise  # nothing else can be asked of this connection
    except duckdb.Error:
        return None  # whoever reads the file says what is wrong with it
    records = [parsed for (text,) in rows if isinstance(parsed := _parsed(text), dict)]
    found = [
        mapping
        for mapping in known_mappings().values()
        if any(_has_all(records, paths) for paths in mapping.signatures)
    ]
    return found[0] if len(found) == 1 else None


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def _has_all(records: Iterable[dict[str, Any]], paths: list[str]) -> bool:
    return any(all(_has(record, path) for path in paths) for record in records)


def _has(record: dict[str, Any], path: str) -> bool:
    path, _, wanted = path.partition("=")
    value: Any = record
    for key in [path.strip('"')] if path.startswith('"') else path.split("."):
        if isinstance(value, list):  # of an API's answer that was saved
            value = value[0] if value else None
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return not wanted or value == wanted
