"""Tables and JSON of the commands; nothing in them acts on a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import typer
from rich import table as rich_table
from rich.console import RenderableType
from rich.markup import escape

from orb_learning import formats
from orb_learning.cli.console import out
from orb_learning.filesystem import without_controls

LONGEST_CELL = 300
LONGEST_SENTENCE = 4_000
"""Of ours: what it names is cut already."""

Row = Mapping[str, Any]
Cell = Callable[[Row], str]
Columns = dict[str, Cell]
"""The cells of a row by their headers; the first column is text, the others are numbers."""

COLOURS = {
    "OK": "green",
    "ok": "green",
    "WARNING": "yellow",
    "warning": "yellow",
    "ERROR": "bold red",
    "critical": "bold red",
}


class Table(rich_table.Table):
    """A table of commands: whatever a cell says is on one line, which a terminal may wrap."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; the ends of lines in its texts become spaces."""
        super().add_row(*map(_on_one_line, cells), **options)


def _on_one_line(cell: RenderableType | None) -> RenderableType | None:
    return " ".join(without_controls(cell).split()) if isinstance(cell, str) else cell


def show_table(
    title: str, columns: Columns, rows: Iterable[Row], *, is_first_whole: bool = False
) -> None:
    """Print rows as a table, or that there are none.

    Args:
        title: of the table.
        columns: its cells.
        rows: what they show.
        is_first_whole: whether the first column, of short names of ours, is never folded.
    """
    table = Table(title=title)
    for index, header in enumerate(columns):
        table.add_column(
            header,
            justify="right" if index else "left",
            overflow="fold",
            no_wrap=is_first_whole and not index,
        )
    for row in rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    out.print(table if table.rows else f"{title}: none", highlight=False)


def printable(value: Any) -> str:
    """Return a text as it is, without what acts on a terminal or on rich."""
    return escape(without_controls(str(value)))


def text(value: Any, longest: int = LONGEST_CELL) -> str:
    """Return a text for a table: on one line and cut; a dash where it is unknown."""
    shown = "-" if value is None else " ".join(without_controls(str(value)).split())
    return escape(shown if len(shown) <= longest else f"{shown[:longest]}…")


def sentence(value: str) -> str:
    """Return a sentence of a model, whole."""
    return text(value, LONGEST_SENTENCE)


def text_of(key: str) -> Cell:
    """Return the cell of a text."""
    return lambda row: text(row[key])


def figure(key: str, show: Callable[[Any], str] = formats.number) -> Cell:
    """Return the cell of a figure, as one of ``formats`` shows it."""
    return lambda row: show(row[key])


def over(
    key: str, known: str, least: int | None, show: Callable[[Any], str] = formats.number
) -> Cell:
    """Return the cell of a mean, a cost or a percentile, and of how many executions it is known.

    It is dim, with a question mark, over too few to act on.

    Args:
        key: the figure.
        known: the figure that counts the executions which it is over.
        least: so many are enough.
        show: one of ``formats``.
    """

    def cell(row: Row) -> str:
        if row[key] is None:
            return formats.UNKNOWN
        shown = f"{show(row[key])} of {formats.number(row[known])}"
        is_enough = row[known] >= (least or 0) and row.get("has_enough_samples", True)
        return shown if is_enough else f"[dim]{shown}?[/]"

    return cell


def megabytes(key: str) -> Cell:
    """Return the cell of a number of bytes, in MB."""
    return lambda row: formats.number(None if row[key] is None else row[key] / 1e6)


def rate(row: Row, name: str = "success_rate") -> str:
    """Return a rate with its interval; dim, with a question mark, over too few rows to act on."""
    if row[name] is None:
        return "-"
    bounds = formats.interval(row[f"{name}_lower"], row[f"{name}_upper"])
    shown = f"{formats.rate(row[name])} ({bounds})"
    return shown if row["has_enough_samples"] else f"[dim]{shown}?[/]"


def coloured(word: str) -> str:
    """Return a status or a severity in its colour."""
    return f"[{COLOURS[word]}]{word}[/]" if word in COLOURS else word


def print_json(value: Any) -> None:
    """Print JSON, in ASCII; times end with Z, because they are UTC."""

    def as_text(value: Any) -> str:
        return f"{value.isoformat()}Z" if isinstance(value, datetime) else str(value)

    typer.echo(json.dumps(value, default=as_text, indent=2))
