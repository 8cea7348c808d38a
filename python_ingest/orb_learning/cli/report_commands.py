"""``orb report``, ``orb serve``, ``orb export``: what was learned, for people and other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import end_process, err, say, telling, with_settings
from orb_learning.errors import PageError
from orb_learning.formats import count
from orb_learning.locator import folder_of

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer()

Wait = Annotated[
    float, typer.Option(min=0, help="Seconds to wait while another process has the database.")
]


@app.command("report")
@with_settings
@telling("writing the page …")
def report_command(
    settings: LearningSettings,
    output: Annotated[
        Path | None,
        typer.Option(help="The HTML file; report.html beside the database if left out."),
    ] = None,
    wait: Wait = 30.0,
) -> None:
    """Write the page: every report as charts in one HTML file, which needs no network."""
    from orb_learning.page import write_page

    database = settings.database_path
    file = output or folder_of(database) / "report.html"
    size = write_page(database, file, outbox=settings.outbox_folder, wait_seconds=wait)
    say(f"{file}: {size / 1e6:.1f} MB; open it in a browser")


@app.command("serve")
@with_settings
def serve_command(
    settings: LearningSettings,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port on 127.0.0.1.")] = 8766,
) -> None:
    """Serve the page to browsers of this machine, always as the database is; read only.

    It shows new executions once they are built, without a new file, and a bar
    leads to all of its executions. Ctrl-C ends it.
    """
    try:
        from orb_learning.page.serving import serve_page
    except ImportError as error:
        raise PageError(
            f"the page needs `pip install 'orb-learning[page]'`: {error.name} is missing"
        ) from error
    serve_page(
        settings,
        port=port,
        ready=lambda url: err.print(f"{url}; stop it with Ctrl-C", highlight=False),
    )
    end_process(0)


@app.command("export")
@with_settings
@telling("copying what others may read …")
def export_command(
    settings: LearningSettings,
    output: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A .db or .duckdb file, or else a folder of Parquet files, one a relation.",
            show_default=False,
        ),
    ],
    wait: Wait = 30.0,
) -> None:
    """Write a copy for other tools: public relations and reports as tables.

    Tools that bundle DuckDB 1.4 or later open the file, without a setting and
    without waiting for who records. Nothing private is in it. An earlier export
    is replaced in one step. The setting `export_path` lets `orb maintain` do it.
    """
    from orb_learning.operations import export_for_reading

    done = export_for_reading(settings.database_path, output, wait_seconds=wait)
    say(
        f"{escape(str(done.output))}: {count(done.row_count, 'row')} in {done.relation_count} "
        f"relations, {done.size_bytes / 1e6:.1f} MB"
    )
