"""``query``: one SELECT of an agent's own."""

from __future__ import annotations

from typing import Annotated

from mcp.server.auth.middleware.auth_context import get_access_token
from pydantic import Field

from orb_learning.mcp.query_processes import QueryProcesses
from orb_learning.mcp.query_result import QueryResult
from orb_learning.mcp.sql_guard import LONGEST_SQL


async def query(
    processes: QueryProcesses,
    sql: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_SQL,
            description="Exactly one SELECT in DuckDB's SQL, without parameters.",
        ),
    ],
) -> QueryResult:
    """Run one SELECT of your own, read only, over the relations of this database.

    describe_data lists them and says what their columns mean. `executions_flat` has one row an
    execution: timestamp, task_description, task_type, repo, model_tier, model, pool_type, success,
    error_type, duration_seconds, actual_cost, quality_score and others. The rpt_ views have ready
    figures with intervals and sample sizes.
    Times are naive UTC, floats have four digits that count (cast to varchar for all). Rows,
    characters, time and memory are limited: aggregate in SQL.
    """
    token = get_access_token()
    answer = await processes.run(sql, client=token.client_id if token else "")
    return QueryResult.model_validate_json(answer)
