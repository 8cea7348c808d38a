"""LiteLLM's router by what was learned: ``router.register_plugin(LearnedStrategy(router))``."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from orb_learning.routing.router import Router

ROUTED = "orb_learning_routed"
"""The key of a request's metadata that says of which request the decision there is."""


class LearnedStrategy:
    """Picks the model group of a call by a ``Router``; a group's name is that of its tier.

    A call of the group ``routed`` has its plan drawn once. Its first try is of the plan's first
    tier, and where that fails, LiteLLM's next try is of the next one. The call's ``metadata`` say
    what the task is: ``repo``, ``task_type`` and ``complexity_score``. They get ``routing``, the
    decision as ``capture_routing_decision`` takes it, with the attempt. Calls of other groups, and
    of tiers that have no group, stay with the group that was asked for. A deployment of a group is
    taken at random. It imports nothing of LiteLLM.

    Args:
        litellm_router: the ``litellm.Router`` whose deployments are picked from.
        router: draws the plans; one beside the default database if None.
        routed: the group whose calls are routed; it must be one of the router's groups.
    """

    def __init__(self, litellm_router: Any, router: Router | None = None, routed: str = "auto"):
        self._litellm_router = litellm_router
        self._router = router or Router()
        self._routed = routed

    async def async_get_available_deployment(
        self,
        model: str,
        messages: Any = None,
        input: Any = None,  # noqa: A002 (LiteLLM's name)
        specific_deployment: bool | None = False,
        request_kwargs: Any = None,
    ) -> Any:
        """Return the deployment that an asynchronous call goes to."""
        return self.get_available_deployment(
            model, messages, input, specific_deployment, request_kwargs
        )

    def get_available_deployment(
        self,
        model: str,
        messages: Any = None,  # noqa: ARG002 (LiteLLM gives it)
        input: Any = None,  # noqa: A002, ARG002 (so do these)
        specific_deployment: bool | None = False,  # noqa: ARG002
        request_kwargs: Any = None,
    ) -> Any:
        """Return the deployment that a call goes to: an element of the router's model list."""
        asked = self._deployments(model)
        if model != self._routed:
            return random.choice(asked)  # noqa: S311 - no secret is drawn
        request = {} if request_kwargs is None else request_kwargs
        metadata = request.setdefault("metadata", {})
        trace_id = request.get("litellm_trace_id")
        # A caller may give the metadata of one request to the next.
        is_later = metadata.get(ROUTED) == [trace_id]
        decision = self._decision(metadata if is_later else {**metadata, "routing": None})
        metadata |= {"routing": decision, ROUTED: [trace_id]}
        return random.choice(self._deployments(decision["model_tier"]) or asked)  # noqa: S311

    def _decision(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Draw the plan of a call, or take the next tier of the plan that was drawn."""
        earlier = metadata.get("routing")
        if not isinstance(earlier, Mapping) or "attempt" not in earlier:
            return {**self._router.draw(dict(metadata))}
        following = self._router.next(earlier, {"success": False})
        again = dict(earlier) | {"attempt": earlier["attempt"] + 1}
        return again if following is None else again | {"model_tier": following}

    def _deployments(self, group: str) -> list[Any]:
        return [one for one in self._litellm_router.model_list if one["model_name"] == group]
