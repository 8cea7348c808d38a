"""Call models by LiteLLM's router, whose groups a learned strategy picks; print what was picked."""

import asyncio
import json
import sys

import litellm

from orb_learning import Router
from orb_learning.litellm_logger import LearningLogger
from orb_learning.routing.litellm_strategy import LearnedStrategy

ASKED = [{"role": "user", "content": "fix the basket"}]
FAILS = "litellm.InternalServerError"


def deployment(group: str, answer: str) -> dict[str, object]:
    params = {"model": "gpt-4o", "api_key": "x", "mock_response": answer}
    return {"model_name": group, "litellm_params": params}


async def ask(router: litellm.Router, model: str, **about: object) -> dict[str, object]:
    metadata = dict(about)
    answer = await router.acompletion(model=model, messages=ASKED, metadata=metadata)
    return {
        "answer": answer.choices[0].message.content,
        "routing": metadata.get("routing"),
    }


async def main(database: str) -> None:
    small = {"small": FAILS, "large": "of large", "auto": "of auto", "other": "of other"}
    router = litellm.Router(
        model_list=[deployment(group, answer) for group, answer in small.items()],
        num_retries=2,
        retry_after=0,
    )
    litellm.callbacks = [LearningLogger()]
    learned = Router(database, plans=["small>large", "large"], seed=1)
    router.register_plugin(LearnedStrategy(router, learned))
    found = {
        "learned": await ask(router, "auto", repo="shop", task_type="fix", complexity_score=10),
        "unknown": await ask(router, "auto", repo="another", task_type="fix"),
        "other": await ask(router, "other", repo="shop"),
    }
    await asyncio.sleep(1)  # LiteLLM logs what succeeded in tasks that nobody can wait for
    sys.stdout.write(f"{json.dumps(found)}\n")


asyncio.run(main(sys.argv[1]))
