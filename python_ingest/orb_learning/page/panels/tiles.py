"""The tiles at the top of the page."""

from __future__ import annotations

from orb_learning.page.panel import Tile
from orb_learning.page.recording import COST, DURATION, QUALITY

TILES = [
    Tile("executions", "Executions", "total_executions", "count", "total_executions", ""),
    Tile("success", "Success rate", "success_rate", "percent", "total_executions", "",
         is_judged=True),
    Tile("cost", "Cost", "total_cost", "dollars", "cost_known_count", COST),
    Tile("cost_per_success", "Cost of a success", "cost_per_success", "dollars",
         "cost_known_success_count", COST, is_judged=True),
    Tile("duration", "Average duration", "avg_duration", "seconds", "duration_known_count",
         DURATION, is_judged=True),
    Tile("quality", "Average quality", "avg_quality", "points", "quality_known_count", QUALITY,
         is_judged=True),
]  # fmt: skip
