"""A small asynchronous PoolManager: it routes by what was learned, and records what it does.

Run it: ``python examples/pool_manager.py [database]``. docs/recording.md
shows what stands between the lines "shown" and "to here".
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

from orb_learning import LearningDatabase, Router, TelemetryCapture
from orb_learning.database import connect

Task = dict[str, Any]
Result = dict[str, Any]
Decision = dict[str, Any]
Worker = Callable[[Task], Awaitable[Result]]


@dataclass
class Pool:
    """Workers of one kind; as many tasks run at once as it has slots."""

    pool_type: str
    worker: Worker
    slots: int
    tasks: int = 0
    """Those that run and those that wait."""

    def __post_init__(self) -> None:
        self.free = asyncio.Semaphore(self.slots)


class PoolManager:
    """Routes tasks to pools and runs them; a task that fails has a result that says so."""

    def __init__(
        self, pools: dict[str, Pool], router: Router, telemetry: TelemetryCapture | None = None
    ):
        self.pools = pools
        self.router = router
        self.telemetry = telemetry

    # shown
    async def route_task(self, task: Task) -> Result:
        decision: Decision = {**self.router.draw(task)}
        pool_id = self._least_loaded()
        while True:
            task = task | {"model_tier": decision["model_tier"]}
            if self.telemetry is not None:
                self.telemetry.capture_routing_decision(task["task_id"], task, decision)
            result = await self.execute_on_pool(pool_id, task, routed=True)
            tier = self.router.next(decision, result)
            if tier is None:
                return result
            first = decision.get("first_task_id", task["task_id"])
            again = {"attempt": decision["attempt"] + 1, "first_task_id": first}
            decision |= {"model_tier": tier, **again}
            task = task | {"task_id": str(uuid.uuid4())}

    # to here

    # shown
    async def execute_on_pool(self, pool_id: str, task: Task, routed: bool = False) -> Result:
        start = datetime.now(UTC)
        result = await self._run(pool_id, task)
        if self.telemetry is not None:
            end = datetime.now(UTC)
            await asyncio.sleep(0)  # the next task starts first, so the pool loses no time
            if routed:
                self.telemetry.capture_execution_outcome(
                    task["task_id"], result, start, end, pool_id=pool_id
                )
            else:
                self.telemetry.store_execution_telemetry(pool_id, task, result, start, end)
        return result

    # to here

    def _least_loaded(self) -> str:
        """Return the pool that has the least load a slot; a task stays in it."""
        return min(self.pools, key=lambda name: self.pools[name].tasks / self.pools[name].slots)

    async def _run(self, pool_id: str, task: Task) -> Result:
        pool = self.pools[pool_id]
        ran = {"pool_type": pool.pool_type}
        limit = task.get("timeout", 30.0)
        pool.tasks += 1
        try:
            async with pool.free, asyncio.timeout(limit):
                return ran | {"status": "completed", **await pool.worker(task)}
        except TimeoutError:
            return ran | {"status": "timeout", "error": f"timed out after {limit} s"}
        except Exception as error:
            return ran | {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        finally:
            pool.tasks -= 1


async def agent(task: Task) -> Result:
    """Stand in for an agent: think for a while, sometimes too long, in vain if it is small."""
    tier = task.get("model_tier", "large")
    chance = random.Random(f"{task['seed']} {tier}")  # noqa: S311 - the same fail in every run
    await asyncio.sleep(chance.uniform(0.005, 0.02))
    fate = chance.random()
    if fate < 0.1:
        await asyncio.sleep(10)
    if fate < (0.5 if tier == "small" else 0.2):
        raise ValueError("validation of the patch failed")
    return {
        "worker_id": f"agent-{chance.randrange(4)}",
        "quality_score": chance.randrange(60, 100),
        "cost": round(chance.uniform(0.001, 0.02) * (1 if tier == "small" else 5), 4),
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
            "complexity_score": number % 100,
            "timeout": 0.1,
            "seed": number,
        }
        for number in range(count)
    ]


def pools() -> dict[str, Pool]:
    """Return two pools."""
    return {"local-1": Pool("mahavishnu", agent, 8), "cloud-1": Pool("runpod", agent, 8)}


async def main(database: Path) -> None:
    """Route 50 tasks with telemetry, and print what was recorded."""
    # shown
    router = Router(database, plans=["small>large", "large"], exploration=0.5)
    async with LearningDatabase(database) as learning:
        manager = PoolManager(pools(), router, learning.telemetry)
        results = await asyncio.gather(*map(manager.route_task, tasks(50)))
    # to here
    statuses = [result["status"] for result in results]
    print({status: statuses.count(status) for status in sorted(set(statuses))})
    print(learning.telemetry.counts())
    with connect(database, read_only=True) as connection:
        found = connection.execute("""
            select
                metadata -> 'routing' ->> 'plan' as plan,
                metadata -> 'routing' ->> 'attempt' as attempt,
                model_tier,
                success,
                error_type,
                count(*) as executions,
                round(avg(actual_cost), 3) as cost,
                round(avg((metadata -> 'routing' ->> 'propensity')::double), 2) as propensity
            from raw.executions
            group by all
            order by all
        """)
        names = [name for name, *_ in found.description]
        for row in [names, *found.fetchall()]:
            print("".join(f"{value!s:<14}" for value in row))


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else f"{tempfile.mkdtemp()}/learning.db"
    asyncio.run(main(Path(given)))
