"""What a panel and a tile are: data, from which the page and its charts are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

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
    caption: str = ""
    """What it shows, in a sentence: {most} and {least} name the rows with the most and the least of
    what is drawn, {most_is} and {least_is} are those figures, {most_at} and {least_at} the times,
    {count} says how many rows there are; or {sentence}, which the first row has."""
    missing: str = ""
    """What is not recorded where it has no rows, and how to."""
    note: str = ""
    wide: bool = False
    judged_by: str = ""
    """The alert whose thresholds judge the figure that is drawn."""
    is_filtered: bool = True
    """Whether the filters by repository, tier and pool apply to it."""
    opens: bool = False
    """Whether a bar, cell or row of it leads to its executions."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the page's script needs to know of it."""
        chart = None
        if self.draw:
            # Tests draw every chart; checking each part against the schema takes a second.
            with debug_mode(False):
                chart = self.draw(self.columns).to_dict(validate=False)
            del chart["config"]  # the page's own look
        return {
            "name": self.name,
            "title": self.title,
            "report": self.report,
            "each": self.each,
            "drawn": self.drawn
            or next(column.figure for column in self.columns if column.form != "text"),
            "caption": self.caption,
            "missing": self.missing,
            "isFiltered": self.is_filtered,
            "judgedBy": self.judged_by,
            "opens": self.opens,
            "columns": [asdict(column) for column in self.columns],
            "chart": chart,
        }


@dataclass(frozen=True)
class Tile:
    """A figure of the chosen time range, beside that of the range before."""

    name: str
    title: str
    figure: str
    form: str
    known: str
    """The column that counts the executions which the figure is over."""
    missing: str
    """What is not recorded where it is unknown, and how to."""
    is_judged: bool = False
    """Whether the report of changes says if it is better or worse, or only how it grew."""
