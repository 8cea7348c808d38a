"""The tiles at the top of the page."""

from __future__ import annotations

from orb_learning.page.panel import Tile

TILES = [
    Tile("executions_24h", "Executions, 24 h", "total_executions", "count", "total_executions",
         "24h"),
    Tile("success_24h", "Success rate, 24 h", "success_rate", "percent", "total_executions",
         "24h", "daily_success_rate"),
    Tile("quality_24h", "Average quality, 24 h", "avg_quality", "points", "quality_known_count",
         "24h", "daily_quality"),
    Tile("cost_24h", "Cost, 24 h", "total_cost", "dollars", "cost_known_count",
         "24h", "daily_cost"),
    Tile("confidence", "Routing confidence", "avg_routing_confidence", "percent",
         "routing_confidence_known_count", ""),
    Tile("p95", "Duration, 95th percentile", "p95_duration", "seconds", "duration_known_count",
         ""),
]  # fmt: skip
