"""A small asynchronous PoolManager: pools of workers that run tasks, each execution recorded.

Run it: ``python examples/pool_manager.py [database]``. The README shows what stands between the
lines "in the README" and "to here".
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orb_learning import LearningDatabase, TelemetryCapture
from orb_learning.database import connect

Task = dict[str, Any]
Result = dict[str, Any]
Worker = Callable[[Task], Awaitable[Result]]


@dataclass
class Pool:
    """Workers of one kind; as many tasks run at once as it has places."""

    pool_type: str
    worker: Worker
    places: int
    tasks: int = 0
    """Those that run and those that wait."""

    def __post_init__(self) -> None:
        self.free = asyncio.Semaphore(self.places)


class PoolManager:
    """Runs tasks on pools; a task that fails has a result that says so."""

    def __init__(self, pools: dict[str, Pool], telemetry: TelemetryCapture | None = None):
        self.pools = pools
        self.telemetry = telemetry

    async def route_task(self, task: Task) -> Result:
        """Run a task on the pool that has the least to do for its places."""
        load = {name: pool.tasks / pool.places for name, pool in self.pools.items()}
        return await self.execute_on_pool(min(load, key=lambda name: load[name]), task)

    # in the README
    async def execute_on_pool(self, pool_id: str, task: Task) -> Result:
        start = datetime.now(UTC)
        result = await self._run(pool_id, task)
        if self.telemetry is not None:
            known = {**task, "pool_type": self.pools[pool_id].pool_type}
            end = datetime.now(UTC)
            self.telemetry.store_execution_telemetry(pool_id, known, result, start, end)
        return result

    # to here

    async def _run(self, pool_id: str, task: Task) -> Result:
        pool = self.pools[pool_id]
        limit = task.get("timeout", 30.0)
        pool.tasks += 1
        try:
            async with pool.free, asyncio.timeout(limit):
                return {"status": "completed", **await pool.worker(task)}
        except TimeoutError:
            return {"status": "timeout", "error": f"timed out after {limit} s"}
        except Exception as error:
            return {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        finally:
            pool.tasks -= 1


async def agent(task: Task) -> Result:
    """Stand in for an agent: think for a while, sometimes too long, sometimes in vain."""
    chance = random.Random(task["seed"])  # noqa: S311 - the same tasks fail in every run
    await asyncio.sleep(chance.uniform(0.005, 0.02))
    fate = chance.random()
    if fate < 0.1:
        raise ValueError("validation of the patch failed")
    if fate < 0.2:
        await asyncio.sleep(10)
    return {
        "worker_id": f"agent-{chance.randrange(4)}",
        "quality_score": chance.randrange(60, 100),
        "cost": round(chance.uniform(0.001, 0.02), 4),
        "output": "a patch",
    }


def tasks(count: int) -> list[Task]:
    """Return tasks as an orchestrator would get them."""
    types = ["bugfix", "refactor", "test", "docs"]
    return [
        {
            "task_id": str(uuid.uuid4()),
            "type": types[number % len(types)],
            "prompt": f"{types[number % len(types)]} number {number}",
            "repo": f"repo-{number % 3}",
            "model_tier": "small" if number % 2 else "medium",
            "timeout": 0.1,
            "seed": number,
        }
        for number in range(count)
    ]


def pools() -> dict[str, Pool]:
    """Return two pools."""
    return {"local-1": Pool("mahavishnu", agent, 8), "cloud-1": Pool("runpod", agent, 8)}


async def main(database: Path) -> None:
    """Run 50 tasks with telemetry, and print what was recorded."""
    # in the README
    async with LearningDatabase(database) as learning:
        manager = PoolManager(pools(), telemetry=learning.telemetry)
        results = await asyncio.gather(*map(manager.route_task, tasks(50)))
    # to here
    statuses = [result["status"] for result in results]
    print({status: statuses.count(status) for status in sorted(set(statuses))})
    print(learning.telemetry.counts())
    with connect(database, read_only=True) as connection:
        rows = connection.execute("""
            select pool_type, success, error_type, count(*), round(avg(duration_seconds), 3)
            from raw.executions
            group by all
            order by all
        """).fetchall()
    for row in [("pool_type", "success", "error_type", "executions", "avg_duration"), *rows]:
        print("".join(f"{value!s:<14}" for value in row))


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else f"{tempfile.mkdtemp()}/learning.db"
    asyncio.run(main(Path(given)))
