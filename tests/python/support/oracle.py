"""What the models should hold, worked out in Python from raw, row by row.

It shares nothing with the models' SQL, so that an error that an incremental build and a full
refresh have in common is seen too.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path
from statistics import fmean
from typing import Any

import duckdb
from intervals import spread, tasks_of

from orb_learning.record.model import COLUMNS
from orb_learning.store.connection import connect

CONTROLS = {*range(32), *range(127, 160)}

Row = dict[str, Any]
Contents = dict[str, dict[tuple[Any, ...], Row]]
"""Model name → the values of its key → the row."""

KEYS = {
    "fct_executions": ["task_id"],
    "rejected_executions": ["_load_seq"],
    "int_repeated_tasks": ["_task_text_id"],
    "tier_performance_mv": ["repo", "model_tier", "task_type", "date"],
    "pool_performance_mv": ["pool_type", "repo", "hour"],
    "int_solution_days": ["date", "solution_summary", "repo", "task_type"],
    "solution_patterns_mv": ["solution_summary", "repo"],
}
MODELS = list(KEYS)
MARTS = ["tier_performance_mv", "pool_performance_mv", "solution_patterns_mv"]

RULES: dict[str, Callable[[Row], bool]] = {
    "timestamp_in_the_future": lambda row: (
        row["timestamp"] > row["_loaded_at"] + timedelta(minutes=5)
    ),
    "quality_score_out_of_range": lambda row: (
        row["quality_score"] is not None and not 0 <= row["quality_score"] <= 100
    ),
}
"""When a row breaks a rule: the rules that the tests' rows break, in the project's order."""

TIERS = {"haiku": "small", "opus": "large"}
"""Tiers of the seed's model names that the tests' rows use."""


def raw_rows(database: Path) -> list[Row]:
    with connect(database) as connection:
        return raw_rows_in(connection)


def contents(database: Path) -> Contents:
    """Read every model."""
    with connect(database) as connection:
        return contents_in(connection)


def raw_rows_in(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    return _rows(connection.execute("from raw.executions order by _load_seq"))


def contents_in(connection: duckdb.DuckDBPyConnection) -> Contents:
    found: Contents = {}
    for model, key in KEYS.items():
        rows = _rows(connection.execute(f"from {model}"))
        found[model] = _by_key(rows, key)
        assert len(found[model]) == len(rows), f"{model} has a key twice"
    return found


def expected(
    raw: list[Row],
    as_of: datetime,
    *,
    block_size: int,
    rules: dict[str, Callable[[Row], bool]] = RULES,
    tiers: dict[str, str] = TIERS,
    min_usage: int = 5,
) -> Contents:
    """Work out every model but the internal one from the rows of raw."""
    versions = [
        {
            **row,
            "model_tier": tiers.get(row["model_tier"], row["model_tier"]),
            "repo": (row["repo"] or "").strip() or "unknown",
        }
        for row in raw
    ]
    standing: dict[Any, Row] = {}
    rejected = []
    for row in sorted(versions, key=lambda row: row["_load_seq"]):
        broken = [name for name, breaks in rules.items() if breaks(row)]
        if broken:
            block = row["_load_seq"] // block_size
            rejected.append({**row, "broken_rules": broken, "_load_block": block})
        else:
            standing[row["task_id"]] = row
    valid = list(standing.values())
    loaded = [_loaded(row) for row in valid]
    models = {
        "fct_executions": loaded,
        "rejected_executions": rejected,
        "int_repeated_tasks": list(_repeated(loaded)),
        "tier_performance_mv": list(_tiers(valid, as_of)),
        "pool_performance_mv": list(_pools(valid, as_of)),
        "solution_patterns_mv": list(_patterns(valid, as_of, min_usage)),
    }
    return {model: _by_key(rows, KEYS[model]) for model, rows in models.items()}


def _loaded(row: Row) -> Row:
    return {
        **row,
        "uploaded_at": row["uploaded_at"] or row["_loaded_at"],
        "_task_text_id": text_id(row["task_description"]),
        "_solution_text_id": text_id(row["solution_summary"]),
        "_error_text_id": text_id(row["error_message"]),
        "_model": model_of(row["metadata"]),
        "_is_time_assigned": is_time_assigned(row["metadata"]),
    }


def is_time_assigned(metadata: str | None) -> bool:
    found = json.loads(metadata) if metadata else None
    assigned = found.get("timestamp_assigned") if isinstance(found, dict) else None
    return assigned is True or assigned == "true"


def model_of(metadata: str | None) -> str | None:
    found = json.loads(metadata) if metadata else None
    model = found.get("model") if isinstance(found, dict) else None
    return str(model).strip(" ") or None if model is not None else None


def text_id(text: str | None) -> int | None:
    """Return the number of a text: of its SHA-256, once its white space is one space."""
    spaced = "".join(
        " "
        if unicodedata.category(character)[0] == "Z" or ord(character) in CONTROLS
        else character
        for character in unicodedata.normalize("NFC", text or "")
    )
    normalized = " ".join(filter(None, spaced.split(" ")))
    if not normalized:
        return None
    return int(hashlib.sha256(normalized.encode()).hexdigest()[:16], 16)


def assert_equal(actual: Contents, wanted: Contents) -> None:
    """Compare the models of ``wanted``: keys, counts and integers exactly, floats within 1e-9."""
    differences = []
    for model, rows in wanted.items():
        for key in sorted(actual[model].keys() | rows.keys(), key=repr):
            here, there = actual[model].get(key), rows.get(key)
            if here is None or there is None or not _same_row(here, there):
                differences.append(f"{model} {key}:\n  is     {here}\n  wanted {there}")
    assert not differences, f"{len(differences)} rows differ\n" + "\n".join(differences[:5])


def _same_row(one: Row, other: Row) -> bool:
    return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other)


def _tiers(valid: list[Row], as_of: datetime) -> Iterable[Row]:
    oldest = _day(as_of - timedelta(days=30))
    groups = _groups(
        (row for row in valid if oldest <= row["timestamp"] <= as_of),
        lambda row: (row["repo"], row["model_tier"], row["task_type"], row["timestamp"].date()),
    )
    for key, rows in groups.items():
        durations, costs, scores = (
            _known(rows, name) for name in ("duration_seconds", "actual_cost", "quality_score")
        )
        yield {
            **dict(zip(KEYS["tier_performance_mv"], key, strict=True)),
            "total_executions": len(rows),
            "successful_count": _successes(rows),
            "avg_duration": _mean(durations),
            "avg_cost": _mean(costs),
            "avg_quality": _mean(scores),
            "p95_duration": _p95(durations),
            "duration_known_count": len(durations),
            "cost_known_count": len(costs),
            "quality_known_count": len(scores),
            **_rate(rows),
        }


def _pools(valid: list[Row], as_of: datetime) -> Iterable[Row]:
    oldest = _hour(as_of - timedelta(days=7))
    groups = _groups(
        (row for row in valid if oldest <= row["timestamp"] <= as_of),
        lambda row: (row["pool_type"], row["repo"], _hour(row["timestamp"])),
    )
    for key, rows in groups.items():
        durations, costs = (_known(rows, name) for name in ("duration_seconds", "actual_cost"))
        yield {
            **dict(zip(KEYS["pool_performance_mv"], key, strict=True)),
            "total_tasks": len(rows),
            "successful_tasks": _successes(rows),
            "avg_duration": _mean(durations),
            "avg_cost": _mean(costs),
            "success_rate": _successes(rows) / len(rows),
            "duration_known_count": len(durations),
            "cost_known_count": len(costs),
            **_rate(rows),
        }


def solutions(valid: Iterable[Row], as_of: datetime) -> dict[tuple[Any, ...], list[Row]]:
    """Group the rows that name a solution, in the patterns' window."""
    oldest = _day(as_of - timedelta(days=90))
    return _groups(
        (row for row in valid if (row["solution_summary"] or "").strip()
         and oldest <= row["timestamp"] <= as_of),
        lambda row: (row["solution_summary"], row["repo"]),
    )  # fmt: skip


def _patterns(valid: list[Row], as_of: datetime, min_usage: int) -> Iterable[Row]:
    for key, rows in solutions(valid, as_of).items():
        if len(rows) < min_usage:
            continue
        scores = _known(rows, "quality_score")
        yield {
            **dict(zip(KEYS["solution_patterns_mv"], key, strict=True)),
            "task_types": sorted({row["task_type"] for row in rows}),
            "usage_count": len(rows),
            "success_count": _successes(rows),
            "avg_quality": _mean(scores),
            "first_seen": min(row["timestamp"] for row in rows),
            "last_seen": max(row["timestamp"] for row in rows),
            "success_rate": _successes(rows) / len(rows),
            "quality_known_count": len(scores),
            "_pattern_id": int.from_bytes(md5("\0".join(key).encode()).digest()[:8], "big"),  # noqa: S324
            **_rate(rows),
        }


def _repeated(loaded: list[Row]) -> Iterable[Row]:
    runs = Counter(row["_task_text_id"] for row in loaded)
    for task, count in runs.items():
        if task is not None and count > 1:
            yield {"_task_text_id": task, "execution_count": count}


def _rate(rows: list[Row]) -> Row:
    tasks = tasks_of((text_id(row["task_description"]), row["success"]) for row in rows)
    variance, t = spread(tasks)
    return {"task_count": len(tasks), "_rate_variance": variance, "_rate_t": t}


def _rows(query: Any) -> list[Row]:
    names = [column[0] for column in query.description]
    return [dict(zip(names, values, strict=True)) for values in query.fetchall()]


def _by_key(rows: list[Row], key: list[str]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in key): row for row in rows}


def _groups(
    rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _known(rows: list[Row], name: str) -> list[float]:
    return [row[name] for row in rows if row[name] is not None]


def _successes(rows: list[Row]) -> int:
    return sum(row["success"] for row in rows)


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None


def _p95(values: list[float]) -> float | None:
    """Interpolate between the two nearest values, as percentile_cont does."""
    if not values:
        return None
    ordered = sorted(values)
    place = 0.95 * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


RAW_COLUMNS = [*COLUMNS, "_load_seq", "_loaded_at"]
