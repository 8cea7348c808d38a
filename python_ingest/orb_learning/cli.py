"""The ``orb`` command: what the library does, from a shell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

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
        _print_error(error)
        raise typer.Exit(1) from error


def _print_error(error: OrbError) -> None:
    err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


@app.command("import")
def import_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Parquet, CSV, JSON lines (the last two gzipped, too), or a DuckDB database with "
            "a table named executions.",
        ),
    ],
    again: Annotated[
        bool, typer.Option("--again", help="Load files that were loaded before, too.")
    ] = False,
    naive_is_utc: Annotated[
        bool, typer.Option("--naive-is-utc", help="Take times without a time zone as UTC.")
    ] = False,
) -> None:
    """Load files of executions into the database, each whole or not at all."""
    from orb_learning.importing import import_file
    from orb_learning.settings import load_settings

    failed = False
    with reported_errors():
        database = load_settings().database_path
    for file in files:
        try:
            result = import_file(
                database, file, again=again, naive_is_utc=naive_is_utc, show_progress=True
            )
        except OrbError as error:
            _print_error(error)
            failed = True
            continue
        if result.already_known:
            said = "loaded before, skipped; --again loads it once more"
        else:
            said = f"{result.row_count:,} rows loaded"
        if result.unreadable_count:
            said += (
                f", [bold red]{result.unreadable_count:,} UNREADABLE[/], kept aside: "
                f"see raw.unreadable_rows where file_sha256 = '{result.sha256}'"
            )
        out.print(f"{escape(str(file))}: {said}", highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


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
    from orb_learning import generating

    with reported_errors():
        end = generating.start_of_day() if until is None else _moment(until)
        generating.generate(file, rows=rows, days=days, seed=seed, until=end)
    out.print(
        f"{rows:,} rows over {days:g} days until {end.isoformat()} are in {file}", soft_wrap=True
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise OrbError(f"{text!r} is not a time in ISO form, like 2026-04-01T00:00:00Z") from error


@app.command("sample")
def sample_command(
    file: Annotated[
        Path, typer.Option(help="The CSV of the trials, from the present folder.")
    ] = Path("data/sample/terminal_bench_trials.csv"),
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Load only if the database has no execution yet.")
    ] = False,
    database: Annotated[
        Path | None, typer.Option(help="The database file, instead of the settings' one.")
    ] = None,
) -> None:
    """Load 6,199 real trials of coding agents, replayed over the last 90 days."""
    from orb_learning import sample
    from orb_learning.settings import load_settings

    with reported_errors():
        path = database or load_settings().database_path
        load = sample.load(path, file=file, if_empty=if_empty)
    if load.skipped_because:
        out.print(f"Nothing to do: {load.skipped_because}.", soft_wrap=True)
        return
    out.print(
        f"{load.rows:,} trials of Terminal-Bench are in {path}, replayed over the last 90 days: "
        "their times are assigned. The sample has no solutions, so solution_patterns_mv stays "
        "empty.",
        soft_wrap=True,
    )


@app.command("status")
def status_command() -> None:
    """Show what is in the database, and what to try next."""
    from rich.table import Table

    from orb_learning.settings import load_settings
    from orb_learning.status import read_status

    with reported_errors():
        status = read_status(load_settings().database_path)
    table = Table("relation", "rows", title=f"{status.database} ({status.size_bytes / 1e6:.1f} MB)")
    table.columns[1].justify = "right"
    for name, rows in status.relations.items():
        table.add_row(name, f"{rows:,}")
    table.add_section()
    for key, value in status.facts.items():
        table.add_row(key, value or "none")
    out.print(table)
    if not status.facts:
        out.print("Nothing has been built yet: run `dbt build`.")
        return
    out.print(
        "Try next:\n"
        f"  python -c \"import duckdb; duckdb.connect('{status.database}', read_only=True)"
        ".sql('from tier_performance_mv').show()\"\n"
        "  orb import FILE, then dbt build",
        highlight=False,
        soft_wrap=True,
    )
