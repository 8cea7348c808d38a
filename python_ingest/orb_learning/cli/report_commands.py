"""``orb report``: the page that shows what was learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orb_learning.cli.console import out, reported_errors

app = typer.Typer()


@app.command("report")
def report_command(
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
    from orb_learning.settings import load_settings

    with reported_errors():
        database = load_settings().database_path
        file = output or database.with_name("report.html")
        size = write_page(database, file, wait_seconds=wait)
    out.print(f"{file}: {size / 1e6:.1f} MB; open it in a browser", highlight=False, soft_wrap=True)
