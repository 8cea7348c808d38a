"""``orb generate``: synthetic executions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orb_learning.cli.console import out, reported_errors
from orb_learning.errors import OrbError

app = typer.Typer()


@app.command("generate")
def generate_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="The file to write.")],
    rows: Annotated[int, typer.Option(help="How many rows.")],
    days: Annotated[float, typer.Option(help="Over how many days they are spread.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")],
    until: Annotated[
        str | None,
        typer.Option(
            metavar="ISO-TIME",
            help="The end of the last day, with a zone; the start of the present UTC day if left "
            "out, so that the rows stay the same for a day.",
        ),
    ] = None,
) -> None:
    """Write synthetic executions for benchmarks and tests to a Parquet file."""
    from orb_learning.ingest import generate, start_of_day

    with reported_errors():
        end = start_of_day() if until is None else _moment(until)
        generate(file, rows=rows, days=days, seed=seed, until=end)
    out.print(
        f"{rows:,} rows over {days:g} days until {end.isoformat()} are in {file}", soft_wrap=True
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise OrbError(f"{text!r} is not a time in ISO form, like 2026-04-01T00:00:00Z") from error
