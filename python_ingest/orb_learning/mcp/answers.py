"""What an agent is sent of a tool's result, small enough for its context.

Callers in Python get the result as it is. Here it becomes JSON without spaces, lists of objects
become tables, and what is longer than an answer may be is cut.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import Any

from pydantic_core import to_json

from orb_learning.errors import QueryRefusedError

Row = dict[str, Any]

SHORT_TEXT = 300
"""Characters of a text in an answer that would be too long with whole ones."""

NEWEST_LAST = "time_series"
"""A list in the order of time, of which the newest part is sent first."""

MONEY = re.compile(r"cost|usd|dollar|savings")
"""In the name of a figure that is money."""

SEEDS_KEYS = {
    *("size_mb", "schema_version", "total", "recent_1h", "daily", "weekly", "daily_success_rate"),
    *("avg_duration_seconds", "avg_quality_score", "avg_seconds", "p50_seconds", "p95_seconds"),
    *("p99_seconds", "total_cost", "avg_cost", "avg_savings", "avg_memory_mb", "p95_memory_mb"),
}
"""Keys that callers of the first monitoring tools rely on: they stay where they are null."""

REST = {
    "database_status": (
        "Ask query: `from rpt_alerts order by is_raised desc, alert_name`, "
        "`from rpt_storage_tables order by size_bytes desc`, `from rpt_record_funnel`."
    ),
    "what_to_change": "Ask query: `from rpt_what_to_change order by place`.",
    "execution_statistics": (
        "Ask by one thing; or query of one table: `from rpt_time_series where time_range = "
        "'{time_range}' order by bucket_start desc`; so, too, `from rpt_success_by_tier`, "
        "`from rpt_pools`, `from rpt_repositories`, `from rpt_task_types`, "
        "`from rpt_success_by_model`, `from rpt_top_errors`, `from rpt_like_for_like`."
    ),
    "performance_metrics": (
        "Ask query: `from rpt_durations_by_tier where time_range = '{time_range}'`."
    ),
    "data_quality_report": (
        "Ask query: `from rpt_data_quality order by failing_count desc`, "
        "`from rpt_unknown_values where time_range = '30d'`."
    ),
    "find_similar_executions": (
        "Ask with a smaller limit or a repo; or query for the executions of one text: "
        "`from executions where task_description = '…' order by timestamp desc limit 20`."
    ),
    "find_solutions": (
        "Ask with a smaller limit or a repo; or query: `select solution_summary, usage_count from "
        " solution_patterns_mv order by usage_count desc limit 20`."
    ),
    "list_executions": (
        "Ask with a greater limit, for a day, or by more of the other arguments; or query "
        "executions_flat with the same conditions, order, limit and an offset."
    ),
    "recommend_route": "Ask query: `from rpt_routing_recommendations order by repo`.",
    "policy_values": "Ask with a repo; or query: `from rpt_policy_values order by utility desc`.",
    "describe_data": "Ask query: `show tables`, `describe executions`.",
    "query": (
        "Aggregate, filter or select fewer columns; or page: `… order by … limit 50 offset 50`."
    ),
}
"""How to get what an answer of a tool leaves out."""

_FUNNEL = "`from rpt_record_funnel` by query says what became of what was recorded"
_NAMES = "by query, `select repo, count(*) from executions group by all` names what there is"
EMPTY = {
    "what_to_change": f"The data name no change, or nothing was built: {_FUNNEL}.",
    "find_similar_executions": (
        "No text with a vector is in the days and the repo asked for. Ask with greater days_back "
        "or without repo, or list_executions with a word of the task."
    ),
    "find_solutions": (
        "Nothing like it was solved in 90 days. Ask without repo, or find_similar_executions what "
        "became of tasks like it."
    ),
    "execution_statistics": f"Nothing of it in that time. Ask for a longer one; {_FUNNEL}.",
    "list_executions": f"No execution is all of it. Ask with fewer arguments; {_NAMES}.",
    "recommend_route": f"No decision of such a task was recorded. Ask with less; {_FUNNEL}.",
    "policy_values": f"No decision was recorded there. Ask without repo; {_FUNNEL}.",
}
"""Why an answer of a tool has no rows, and what comes nearest."""


def sent(tool: str, result: Row, most_characters: int) -> str:
    """Return a result as an agent is sent it.

    A list of objects is a table, ``{"columns": […], "rows": [[…]]}``. An object in a row has
    columns with a point (``latest.repo``); a list in a row has its own columns in the header
    (``{"by_tier": ["model_tier", …]}``). A column and a key that are unknown are left out. Numbers
    have four digits that count, whole parts all of theirs, money at least its cents.

    Args:
        tool: its name.
        result: what it gave, as JSON has it.
        most_characters: of the text; from the end, rows are left out, and long texts are cut. Then
            ``is_cut`` is true, and ``rest`` says how to get the rest. Without a row, ``empty`` says
            why.

    Raises:
        QueryRefusedError: it is too long without a single row.
    """
    shape = _query_result if tool == "query" else _typed_result
    rest = REST.get(tool, "").format(time_range=result.get("time_range"))

    def text(part: _Part, *, is_cut: bool) -> str:
        end = {"is_cut": True, "rest": rest} if is_cut else {"is_cut": False}
        if tool in EMPTY and not result.get("rows", True):
            end["empty"] = EMPTY[tool]
        return to_json({**shape(result, part), **end}).decode()

    whole = text(_Part(most_characters), is_cut=bool(result.get("is_cut")))
    if len(whole) <= most_characters:
        return whole
    # A row takes more than one character, so more rows than characters never fit.
    fewer = range(min(_longest_list(result), most_characters) + 1)
    too_many = bisect_left(
        fewer,
        True,
        key=lambda rows: len(text(_Part(rows, SHORT_TEXT), is_cut=True)) > most_characters,
    )
    if too_many == 0:
        raise QueryRefusedError(
            f"the columns' names alone have more than {most_characters:,} characters; select fewer"
        )
    return text(_Part(too_many - 1, SHORT_TEXT), is_cut=True)


@dataclass(frozen=True)
class _Part:
    """How many rows of each list, and characters of each text, are sent."""

    rows: int
    characters: int | None = None


def _query_result(result: Row, part: _Part) -> Row:
    """Cut whole rows only: a query says itself how much of a text it wants."""
    names = result["columns"]
    rows = [
        [rounded(value, name) for name, value in zip(names, row, strict=True)]
        for row in result["rows"][: part.rows]
    ]
    return {**result, "rows": rows, "row_count": len(rows)}


def _typed_result(result: Row, part: _Part) -> Row:
    series = result.get(NEWEST_LAST)
    shown: Row = _shown({**result, NEWEST_LAST: series and series[::-1]}, "", part)
    return shown


def _shown(value: Any, name: str, part: _Part) -> Any:
    if isinstance(value, str):
        return _shortened(value, part.characters)
    if isinstance(value, dict):
        return {
            key: _shown(inner, key, part)
            for key, inner in value.items()
            if inner is not None or key in SEEDS_KEYS
        }
    if _is_table(value):
        columns, rows = _table(value[: part.rows], part)
        return {"columns": columns, "rows": rows}
    if isinstance(value, list):
        return [_shown(inner, name, part) for inner in value[: part.rows]]
    return rounded(value, name)


def _table(objects: list[Row], part: _Part) -> tuple[list[Any], list[list[Any]]]:
    """Return the columns of objects, and their values in that order."""
    flat = [_flat(row) for row in objects]
    columns: list[Any] = []
    values: list[list[Any]] = []
    for name in dict.fromkeys(name for row in flat for name in row):
        column = [row.get(name) for row in flat]
        if any(map(_is_table, column)):
            lists = [(inner or [])[: part.rows] for inner in column]
            header, cells = _table([row for inner in lists for row in inner], part)
            left = iter(cells)
            columns.append({name: header})
            values.append([[next(left) for _ in inner] for inner in lists])
        elif any(value is not None for value in column) or name in SEEDS_KEYS:
            columns.append(name)
            values.append([_shown(value, name, part) for value in column])
    return columns, [list(row) for row in zip(*values, strict=True)]


def _flat(row: Row) -> Row:
    found: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": part for inner, part in _flat(value).items()}
        else:
            found[name] = value
    return found


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _longest_list(value: Any) -> int:
    if isinstance(value, dict):
        return max(map(_longest_list, value.values()), default=0)
    if isinstance(value, list):
        return max(len(value), max(map(_longest_list, value), default=0))
    return 0


def _shortened(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[:most]}…"


def rounded(value: Any, name: str = "") -> Any:
    """Return a value with its numbers as they are sent.

    Args:
        value: as JSON has it.
        name: of the figure, which says whether it is money.
    """
    if isinstance(value, list):
        return [rounded(part, name) for part in value]
    if isinstance(value, dict):
        return {key: rounded(part, key) for key, part in value.items()}
    if not isinstance(value, float):
        return value
    if not isfinite(value):
        return None
    size = abs(value)
    if not 0 < size < 1e15:
        return value if size else 0
    short = round(value, max(2 if MONEY.search(name) else 0, 3 - floor(log10(size))))
    return int(short) if short.is_integer() else short
