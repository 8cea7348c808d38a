"""The ``orb`` command: what the library does, from a shell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from orb_learning.errors import OrbError

app = typer.Typer(
    name="orb",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The learning database of an orchestrator of AI agents.",
)
out = Console()
err = Console(stderr=True)


@app.callback()
def main() -> None:
    """The learning database of an orchestrator of AI agents."""


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an OrbError as one message on standard error and exit with status 1."""
    try:
        yield
    except OrbError as error:
        err.print(f"[bold red]error:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
