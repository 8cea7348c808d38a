"""What an orchestrator routes by: plans drawn by the chances that a build published."""

from orb_learning.routing.router import Router

__all__ = ["Router"]
