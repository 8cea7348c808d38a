"""Calls of LiteLLM without a network: answered, timed out, and one that falls back in a router."""

import asyncio
from contextlib import suppress

import litellm
from litellm import Router

from orb_learning.litellm_logger import OrbLogger

litellm.callbacks = [OrbLogger()]
MESSAGES = [{"role": "user", "content": "two and two?"}]
TIMEOUT = litellm.exceptions.Timeout("slow", "gpt-4o", "openai")
LIMIT = litellm.exceptions.RateLimitError("no more", "openai", "gpt-4o")


async def main() -> None:
    """Make the calls, and wait until LiteLLM's thread has logged them."""
    await litellm.acompletion(model="gpt-4o", messages=MESSAGES, mock_response="four")
    with suppress(litellm.exceptions.Timeout):
        await litellm.acompletion(model="gpt-4o", messages=MESSAGES, mock_response=TIMEOUT)
    router = Router(
        model_list=[
            {
                "model_name": "big",
                "litellm_params": {"model": "gpt-4o", "api_key": "x", "mock_response": LIMIT},
            },
            {
                "model_name": "small",
                "litellm_params": {"model": "gpt-4o-mini", "api_key": "x", "mock_response": "4"},
            },
        ],
        fallbacks=[{"big": ["small"]}],
        num_retries=1,
        retry_after=0,
    )
    await router.acompletion(model="big", messages=MESSAGES)
    await asyncio.sleep(3)


asyncio.run(main())
