"""The ``orb`` command: what the library does, from a shell."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from orb_learning.cli import (
    backup_commands,
    dead_letter_commands,
    feedback_commands,
    load_commands,
    maintenance_commands,
    mcp_commands,
    monitoring_commands,
    project_commands,
    report_commands,
    retention_commands,
    search_commands,
    statistics_commands,
    status_commands,
)

app = typer.Typer(
    name="orb",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The learning database of an orchestrator of AI agents.",
)
app.add_typer(load_commands.app)
app.add_typer(project_commands.app)
app.add_typer(dead_letter_commands.app, name="dead-letters")
app.add_typer(status_commands.app)
app.add_typer(statistics_commands.app)
app.add_typer(monitoring_commands.app)
app.add_typer(search_commands.app)
app.add_typer(retention_commands.app)
app.add_typer(backup_commands.app)
app.add_typer(maintenance_commands.app)
app.add_typer(mcp_commands.app)
app.add_typer(feedback_commands.app, name="feedback")
app.add_typer(report_commands.app)


def show_version(wanted: bool) -> None:
    """Print the version and stop, if it is wanted."""
    if wanted:
        typer.echo(f"orb-learning {version('orb-learning')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The learning database of an orchestrator of AI agents."""
