"""``orb maintain``: what a schedule runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import err, out, print_error, say, tell, with_settings
from orb_learning.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Callable

    from orb_learning.operations import MaintenanceRun
    from orb_learning.settings import LearningSettings

app = typer.Typer()

BUSY_STATUS = 3
HOUR_SECONDS = 3_600.0

COLOURS = {"succeeded": "green", "failed": "bold red", "skipped": "yellow"}


@app.command("maintain")
@with_settings
def maintain_command(
    settings: LearningSettings,
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds to wait while others have the database."),
    ] = 60.0,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Stay: build core and marts as records come, and do the rest hourly."
        ),
    ] = False,
    every: Annotated[
        float, typer.Option(min=1, help="With --watch: seconds between two looks at what came.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Load, build, archive what is old, back up and prune: what a schedule runs.

    A step that fails does not stop the others, but retention needs the build,
    and pruning needs the new backup. Every step can be done again: after a run
    that failed or was killed, run it once more. A step that lasts over 2 s is
    named on standard error.

    Exit status: 0 if every step succeeded; 1 if it could not run at all; 2 for
    a wrong option; 3 if another run is at work; else the sum of what failed:
    load 4, build 8, retention 16, backup 32, prune 64, export 128. With
    --watch it ends by SIGTERM or Ctrl-C, after the step at work, with 0.
    """
    from orb_learning.errors import MaintenanceBusyError
    from orb_learning.operations import maintain

    if watch:
        _watch(settings, every, wait, _print_json if as_json else _show)
        return
    try:
        run = maintain(settings, wait_seconds=wait, tell=tell)
    except MaintenanceBusyError as error:
        print_error(error)
        raise typer.Exit(BUSY_STATUS) from error
    if as_json:
        _print_json(run)
    else:
        _show(run)
    raise typer.Exit(run.exit_status)


def _watch(
    settings: LearningSettings, every: float, wait: float, show: Callable[[MaintenanceRun], None]
) -> None:
    import signal

    from orb_learning.formats import count
    from orb_learning.operations import Watch

    watch = Watch(settings, every=every, whole_every=HOUR_SECONDS, wait_seconds=wait)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: watch.stop())

    def told(done: MaintenanceRun | int) -> None:
        if isinstance(done, int):
            say(f"core and marts have {count(done, 'row')} more", to=err)
        else:
            show(done)

    watch.run(told)


def _print_json(run: MaintenanceRun) -> None:
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
    whole = {"run_id": str(run.run_id), "exit_status": run.exit_status, "steps": steps}
    typer.echo(json.dumps(whole | {"problems": run.problems}, indent=2))


def _show(run: MaintenanceRun) -> None:
    from orb_learning.cli.tables import Table, text
    from orb_learning.operations.maintenance import LONGEST_MESSAGE

    table = Table("step", "outcome", "seconds", "message")
    table.columns[2].justify = "right"
    table.columns[3].overflow = "fold"
    for result in run.steps:
        colour = COLOURS[result.outcome]
        table.add_row(
            result.step,
            f"[{colour}]{result.outcome}[/]",
            f"{result.seconds:.1f}",
            text(result.message or "", longest=LONGEST_MESSAGE),
        )
    out.print(table)
    for problem in run.problems:
        say(f"[yellow]{escape(problem)}[/]", to=err)
