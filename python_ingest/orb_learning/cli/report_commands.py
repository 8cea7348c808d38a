"""``orb report``: the page that shows what was learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orb_learning.cli.console import say, with_settings

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer()


@app.command("report")
@with_settings
def report_command(
    settings: LearningSettings,
    output: Annotated[
        Path | None,
        typer.Option(help="The HTML file; report.html beside the database if left out."),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait while another process has the database.")
    ] = 30.0,
) -> None:
    """Write the page: every report as charts in one HTML file, which needs no network."""
    from orb_learning.page import write_page

    database = settings.database_path
    file = output or database.with_name("report.html")
    size = write_page(database, file, outbox=settings.outbox_folder, wait_seconds=wait)
    say(f"{file}: {size / 1e6:.1f} MB; open it in a browser")
