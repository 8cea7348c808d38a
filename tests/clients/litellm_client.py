"""Call models by LiteLLM with answers made up, and record the calls by the logger."""

import asyncio
from contextlib import suppress

import litellm

from orb_learning.litellm_logger import LearningLogger

ASKED = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": [{"type": "text", "text": "fix the basket, sk-" + "a1" * 20}]},
]
BIG = {"model": "gpt-4o", "api_key": "x", "mock_response": "litellm.InternalServerError"}
SMALL = {"model": "gpt-4o-mini", "api_key": "x", "mock_response": "yes"}
logger = LearningLogger()
litellm.callbacks = [logger]


async def main() -> None:
    await litellm.acompletion(
        model="gpt-4o", messages=ASKED, mock_response="Fixed.", metadata={"repo": "shop"}
    )
    streamed = await litellm.acompletion(
        model="gpt-4o", messages=ASKED, mock_response="Fixed.", stream=True
    )
    async for _ in streamed:
        pass
    await litellm.acompletion(model="openai/unpriced", messages=ASKED, mock_response="Fixed.")
    with suppress(litellm.Timeout):
        await litellm.acompletion(model="gpt-4o", messages=ASKED, mock_timeout=True, timeout=0.1)
    router = litellm.Router(
        model_list=[
            {"model_name": "big", "litellm_params": BIG},
            {"model_name": "small", "litellm_params": SMALL},
        ],
        fallbacks=[{"big": ["small"]}],
        num_retries=1,
        retry_after=0,
    )
    shared = {"repo": "shop"}
    for _ in range(2):  # as a caller may, who keeps its metadata
        await router.acompletion(model="big", messages=ASKED, metadata=shared)
    await asyncio.sleep(1)  # LiteLLM logs what succeeded in tasks that nobody can wait for


asyncio.run(main())
litellm.completion(model="gpt-4o", messages=ASKED, mock_response="Fixed.")
litellm.utils.executor.shutdown(wait=True)
logger.close()
print(logger.telemetry.counts())
