"""The panels of the page by section: what each shows, drawn how, and the alert that judges it.

The thresholds are those of the seed ``alert_thresholds``, and nowhere else.
"""

from __future__ import annotations

from orb_learning.page.panel import Panel
from orb_learning.page.panels import (
    activity,
    alerts,
    cost,
    database,
    errors,
    quality,
    routing,
    speed,
    success,
)
from orb_learning.page.panels.tiles import TILES

SECTIONS: dict[str, list[Panel]] = {
    "Success": success.PANELS,
    "Routing": routing.PANELS,
    "Errors": errors.PANELS,
    "Cost": cost.PANELS,
    "Speed and resources": speed.PANELS,
    "Tasks and quality": quality.PANELS,
    "Activity": activity.PANELS,
    "Alerts": alerts.PANELS,
    "The database": database.PANELS,
}
"""Every panel, in the order of the page."""

__all__ = ["SECTIONS", "TILES"]
