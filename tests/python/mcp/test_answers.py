"""What an agent is sent fits its context, whatever the database holds, and loses no count."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from mcp.server import MCPServer
from serving import as_objects

from orb_learning.errors import QueryRefusedError
from orb_learning.mcp.answers import sent
from orb_learning.mcp.server import READING, make_server
from orb_learning.settings import load_settings

MOST = load_settings().mcp_answer_characters
LISTED = asyncio.run(MCPServer.list_tools(make_server(load_settings())))
SCHEMAS = {tool.name: tool.output_schema or {} for tool in LISTED}
TYPED = [tool.__name__ for tool in READING if tool.__name__ != "query"]


TIME = "2026-03-31T12:30:00.123456Z"
IS_TIME = re.compile(r".*(_at|_on|_of|timestamp|hour|date|bucket_start)").fullmatch
"""The names of times; the schema of one in UTC does not tell it from a text."""


def result_of(schema: dict[str, Any], whole: dict[str, Any], items: int, text: str) -> Any:
    """The longest result of a schema: so many items, fewer in lists of theirs, and one text."""
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        schema = next(choice for choice in schema["anyOf"] if choice.get("type") != "null")
        return result_of(schema, whole, items, text)
    kind = schema.get("type")
    if kind == "object":
        fields = schema["properties"].items()
        return {
            name: result_of(field, whole, items, TIME if IS_TIME(name) else text)
            for name, field in fields
        }
    if kind == "array":
        return [result_of(schema["items"], whole, items // 30, text)] * items
    if kind == "string":
        return (schema.get("enum") or [text])[0]
    return {"integer": 123_456_789, "number": 0.123456789, "boolean": False}[str(kind)]


@pytest.mark.parametrize("tool", TYPED)
@pytest.mark.parametrize("text", ["web", "ö" * 2_000], ids=["short", "long"])
def test_no_answer_is_longer_than_may_be_whatever_there_is(tool: str, text: str) -> None:
    schema = SCHEMAS[tool]
    lists = [name for name, field in schema["properties"].items() if field.get("type") == "array"]
    answer = sent(tool, result_of(schema, schema, 900, text), MOST)
    found = as_objects(json.loads(answer))
    assert len(answer) <= MOST
    assert (found["is_cut"], found["rest"] != "") == (True, True)
    assert all(len(found[name]) >= 1 for name in lists)
    if text == "web":
        assert len(answer) > 0.8 * MOST  # no more is left out than must be


@pytest.mark.parametrize("tool", TYPED)
def test_an_answer_without_rows_says_why(tool: str) -> None:
    schema = SCHEMAS[tool]
    answer = json.loads(sent(tool, result_of(schema, schema, 0, "web"), MOST))
    assert ("empty" in answer) == ("rows" in schema["properties"])
    assert "empty" not in sent(tool, result_of(schema, schema, 30, "web"), MOST)


def test_a_list_of_objects_is_a_table_with_its_lists_inside() -> None:
    tiers = [{"model_tier": "small", "runs": 3}, {"model_tier": "large", "runs": None}]
    rows = [
        {"name": "a", "unknown": None, "by_tier": tiers, "latest": {"repo": "web", "cost": None}},
        {"name": "b", "unknown": None, "by_tier": [], "latest": {"repo": None, "cost": 0.5}},
    ]
    found = json.loads(sent("t", {"rows": rows, "none": [], "null": None}, MOST))
    assert found == {
        "rows": {
            "columns": ["name", {"by_tier": ["model_tier", "runs"]}, "latest.repo", "latest.cost"],
            "rows": [["a", [["small", 3], ["large", None]], "web", None], ["b", [], None, 0.5]],
        },
        "none": [],
        "is_cut": False,
    }


def test_the_seeds_keys_stay_where_they_are_unknown() -> None:
    performance = {"daily_success_rate": None, "daily_success_rate_lower": None}
    found = json.loads(sent("database_status", {"performance": performance}, MOST))
    assert found["performance"] == {"daily_success_rate": None}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("rate", 0.123456, "0.1235"),
        ("rate", 1.0, "1"),
        ("rate", -0.000012345678, "-0.00001235"),
        ("avg_duration", 54321.77, "54322"),
        ("epoch", 1774958400.25, "1774958400"),
        ("runs", 123456789, "123456789"),
        ("total_cost", 682.1349, "682.13"),
        ("avg_cost", 0.000123456, "0.0001235"),
        ("usd_per_30_days", -12345.678, "-12345.68"),
        ("cost", 0.0, "0"),
        ("huge", 1e300, "1e+300"),
        ("seconds", float("inf"), "null"),
    ],
)
def test_numbers_keep_what_counts(name: str, value: float, shown: str) -> None:
    result = {"columns": [name], "rows": [[value]], "row_count": 1, "is_cut": False}
    assert f'"rows":[[{shown}]]' in sent("query", result, MOST)


def test_the_newest_of_a_series_is_sent_first() -> None:
    series = [{"bucket_start": day, "total_executions": day} for day in range(1_000)]
    found = as_objects(
        json.loads(sent("execution_statistics", {"time_series": series, "time_range": "90d"}, MOST))
    )
    assert [row["bucket_start"] for row in found["time_series"][:2]] == [999, 998]
    assert "time_range = '90d'" in found["rest"]


def test_a_query_is_cut_by_rows_and_never_inside_a_value() -> None:
    rows = [["x" * 1_000, [0.5] * 400], ["y", []]] * 20
    result = {"columns": ["text", "vector"], "rows": rows, "row_count": 40, "is_cut": False}
    found = json.loads(sent("query", result, MOST))
    assert found["rows"] == rows[: found["row_count"]]
    assert 4 <= found["row_count"] < 40
    assert found["is_cut"] is True
    assert "offset" in found["rest"]
    wide = {"columns": ["name"] * 5_000, "rows": [], "row_count": 0, "is_cut": False}
    with pytest.raises(QueryRefusedError, match="select fewer"):
        sent("query", wide, MOST)
