"""The smallest record: ids, times and models as an orchestrator has them.

Run it: ``python examples/smallest.py``, then ``orb build``.
"""

# shown
import asyncio

from orb_learning import LearningDatabase


async def main() -> None:
    task = {"id": "task-7", "prompt": "mend the build", "model": "claude-opus-4.5"}
    async with LearningDatabase() as learning, learning.execution(task) as run:
        run.result = {"cost": 0.02}


asyncio.run(main())
# to here
