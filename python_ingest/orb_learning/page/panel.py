"""What a panel and a tile are: data, from which the page and its charts are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt

from orb_learning.page.columns import Column

Draw = Callable[[list[Column]], alt.TopLevelMixin]
"""Makes a chart whose tooltip has these columns."""


@dataclass(frozen=True)
class Panel:
    """A panel: its chart, and its numbers as a table."""

    name: str
    title: str
    report: str
    """Whose rows it shows, by its name in ``reports.QUERIES``."""
    columns: list[Column]
    draw: Draw | None = None
    """Makes its chart; None where the table is enough."""
    drawn: str = ""
    """The figure that the chart draws; the first that is a number if empty."""
    each: str = ""
    """The filter of which it shows every value, or only the chosen one."""
    note: str = ""
    wide: bool = False
    judged_by: str = ""
    """The alert whose thresholds judge the figure that is drawn."""
    is_filtered: bool = True
    """Whether the filters by repository, tier and pool apply to it."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the page's script needs to know of it."""
        chart = None
        if self.draw:
            chart = self.draw(self.columns).to_dict()
            del chart["config"]  # the page's own look
        return {
            "name": self.name,
            "report": self.report,
            "each": self.each,
            "drawn": self.drawn
            or next(column.figure for column in self.columns if column.form != "text"),
            "isFiltered": self.is_filtered,
            "judgedBy": self.judged_by,
            "columns": [asdict(column) for column in self.columns],
            "chart": chart,
        }


@dataclass(frozen=True)
class Tile:
    """A figure of the last 24 hours, or of the chosen time range, with the colour of its alert."""

    name: str
    title: str
    figure: str
    form: str
    known: str
    """The column that counts the executions which the figure is over."""
    time_range: str
    """The range that it is of; empty for the chosen one."""
    alert: str = ""
    """The alert whose state is its word and its colour; none if empty."""
