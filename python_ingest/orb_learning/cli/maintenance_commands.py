"""``orb maintain``: what a schedule runs."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import err, out, print_error, reported_errors

app = typer.Typer()

BUSY_STATUS = 3

COLOURS = {"succeeded": "green", "failed": "bold red", "skipped": "yellow"}


@app.command("maintain")
def maintain_command(
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds to wait while others have the database."),
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Load, build, archive what is old, back up and prune: what a schedule runs.

    A step that fails does not stop the others, but retention needs the build,
    and pruning needs the new backup. Every step can be done again: after a run
    that failed or was killed, run it once more.

    Exit status: 0 if every step succeeded; 1 if it could not run at all; 2 for
    a wrong option; 3 if another run is at work; else the sum of what failed:
    load 4, build 8, retention 16, backup 32, prune 64.
    """
    from rich.table import Table

    from orb_learning.errors import MaintenanceBusyError
    from orb_learning.operations import maintain
    from orb_learning.settings import load_settings

    with reported_errors():
        try:
            run = maintain(load_settings(), wait_seconds=wait)
        except MaintenanceBusyError as error:
            print_error(error)
            raise typer.Exit(BUSY_STATUS) from error
    if as_json:
        steps = [
            {
                "step": result.step,
                "outcome": result.outcome,
                "started_at": result.started_at.isoformat(),
                "seconds": result.seconds,
                "message": result.message,
            }
            for result in run.steps
        ]
        told = {"run_id": str(run.run_id), "exit_status": run.exit_status, "steps": steps}
        typer.echo(json.dumps(told | {"problems": run.problems}, indent=2))
    else:
        table = Table("step", "outcome", "seconds", "message")
        table.columns[2].justify = "right"
        table.columns[3].overflow = "fold"
        for result in run.steps:
            colour = COLOURS[result.outcome]
            table.add_row(
                result.step,
                f"[{colour}]{result.outcome}[/]",
                f"{result.seconds:.1f}",
                escape(result.message or ""),
            )
        out.print(table)
        for problem in run.problems:
            err.print(f"[yellow]{escape(problem)}[/]", highlight=False, soft_wrap=True)
    raise typer.Exit(run.exit_status)
