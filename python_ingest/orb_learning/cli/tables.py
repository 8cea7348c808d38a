"""What the commands' tables and JSON have in common; nothing of it acts on a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

LONGEST_CELL = 300

Row = Mapping[str, Any]
Cell = Callable[[Row], str]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def printable(value: Any) -> str:
    """Return a text as it is, without what acts on a terminal or on rich."""
    return escape(_without_controls(value))


def text(value: Any) -> str:
    """Return a text for a table: on one line and cut; a dash where it is unknown."""
    shown = "-" if value is None else " ".join(_without_controls(value).split())
    return escape(shown if len(shown) <= LONGEST_CELL else f"{shown[:LONGEST_CELL]}…")


def _without_controls(value: Any) -> str:
    return "".join(one if one.isprintable() else " " for one in str(value))


def number(key: str, form: str = ",.1f", unit: str = "") -> Cell:
    """Return what shows a number of a row; a dash where it is unknown."""

    def cell(row: Row) -> str:
        value = row[key]
        return "-" if value is None else f"{'-' if value < 0 else ''}{unit}{abs(value):{form}}"

    return cell


def rate(row: Row, name: str = "success_rate") -> str:
    """Return a rate with its interval; dim, with a question mark, over too few rows to act on."""
    if row[name] is None:
        return "-"
    low, high = row[f"{name}_lower"], row[f"{name}_upper"]
    shown = f"{row[name]:.1%} ({low:.0%}-{high:.0%})"
    return shown if row["has_enough_samples"] else f"[dim]{shown}?[/]"


def print_json(found: Any) -> None:
    """Print JSON, in ASCII; times with Z, for they are UTC."""

    def as_text(value: Any) -> str:
        return f"{value.isoformat()}Z" if isinstance(value, datetime) else str(value)

    typer.echo(json.dumps(found, default=as_text, indent=2))
