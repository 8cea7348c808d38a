"""``orb collect``: a receiver of OpenTelemetry's traces over HTTP."""

from orb_learning.collector.server import make_app, serve

__all__ = ["make_app", "serve"]
