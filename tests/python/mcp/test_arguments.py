"""Arguments that no tool has are refused by every tool, with the nearest that it has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from orb_learning.mcp.server import READING, WRITING, make_server
from orb_learning.settings import load_settings


def test_every_tool_refuses_an_argument_that_it_does_not_have(database: Path) -> None:
    server = make_server(load_settings(database_path=database))
    tools = asyncio.run(server.list_tools())
    assert len(tools) == len([*READING, *WRITING])
    for tool in tools:
        assert tool.input_schema["additionalProperties"] is False
        known = list(tool.input_schema["properties"])
        wrong = f"{known[0]}s" if known else "anything"
        nearest = f"; did you mean {known[0]}?" if known else "; the arguments are none"
        with pytest.raises(
            ToolError, match=f"'{wrong}' is no argument{nearest}".replace("?", r"\?")
        ):
            asyncio.run(server.call_tool(tool.name, {wrong: "7d"}))


def test_a_tool_refuses_a_search_of_no_days(database: Path) -> None:
    server = make_server(load_settings(database_path=database))
    asked = {"task_description": "a task", "days_back": 0}
    with pytest.raises(ToolError, match=r"days_back: .*greater than or equal to 1 \(got 0\)$"):
        asyncio.run(server.call_tool("find_similar_executions", asked))


def test_a_score_that_no_integer_of_the_database_holds_is_refused(database: Path) -> None:
    server = make_server(load_settings(database_path=database))
    asked = {"task_description": "a task", "complexity": 10**30}
    with pytest.raises(ToolError, match=r"complexity: .*less than or equal to 100"):
        asyncio.run(server.call_tool("recommend_route", asked))


def test_what_is_wrong_with_an_argument_is_said_in_one_line(database: Path) -> None:
    server = make_server(load_settings(database_path=database))
    with pytest.raises(ToolError) as refused:
        asyncio.run(server.call_tool("execution_statistics", {"by": "tiers", "time_range": "8d"}))
    assert str(refused.value) == (
        "execution_statistics: time_range: Input should be '1h', '24h', '7d', '30d' or '90d' "
        "(got '8d'); by: Input should be 'tier', 'pool', 'repository', 'task_type', 'model', "
        "'error' or 'day' (got 'tiers')"
    )
