"""What every command of ``orb`` prints with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from orb_learning.errors import OrbError

out = Console()
err = Console(stderr=True)


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an OrbError as one message on standard error and exit with status 1."""
    try:
        yield
    except OrbError as error:
        print_error(error)
        raise typer.Exit(1) from error


def print_error(error: OrbError) -> None:
    """Print an error on standard error, on one line."""
    err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
