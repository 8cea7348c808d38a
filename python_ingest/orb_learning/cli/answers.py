"""How the commands that show figures ask for them, print them, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import typer

from orb_learning import formats
from orb_learning.cli.console import out, print_error, reported_errors
from orb_learning.cli.options import WRONG_STATUS
from orb_learning.cli.tables import Row, print_json
from orb_learning.errors import DatabaseError


def ask(figure: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Return what a function of ``figures.database_tools`` does; an OrbError ends the command."""
    with reported_errors():
        return asyncio.run(figure)


def answer(
    found: Row, show: Callable[[Row], None], *, as_json: bool, warns: bool = False
) -> NoReturn:
    """Print figures as JSON or as tables, and end the command.

    Args:
        found: the figures.
        show: prints the tables, below the age of the figures.
        as_json: whether to print JSON.
        warns: whether something is wrong.
    """
    if as_json:
        print_json(found)
    else:
        show_age(found)
        show(found)
    finish(found, warns=warns)


def finish(found: Row, *, warns: bool = False) -> NoReturn:
    """End the command with the exit status that says whether something is wrong."""
    if found.get("status") == "ERROR":
        raise typer.Exit(1)
    if found["from_backup"]:
        print_error(
            DatabaseError(
                f"the database cannot be read; these figures are of its newest backup, "
                f"{found['as_of']} UTC. `orb status` says why"
            )
        )
        raise typer.Exit(1)
    raise typer.Exit(WRONG_STATUS if warns else 0)


def show_age(found: Row) -> None:
    """Print when the figures were read, and when they were built."""
    read, built = formats.time(found["as_of"]), formats.time(found["built_at"])
    out.print(f"as of {read} UTC, built {built} UTC", highlight=False)
