"""The ``orb`` command: what the library does, from a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from orb_learning.cli import (
    backup_commands,
    feedback_commands,
    figure_commands,
    maintenance_commands,
    mcp_commands,
    report_commands,
    retention_commands,
    search_commands,
)
from orb_learning.cli.console import err, out, print_error, reported_errors
from orb_learning.errors import DeadLetterError, OrbError

app = typer.Typer(
    name="orb",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The learning database of an orchestrator of AI agents.",
)
dead_letters_app = typer.Typer(
    no_args_is_help=True, help="The records that the database did not take, with their reasons."
)
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(figure_commands.app)
app.add_typer(search_commands.app)
app.add_typer(retention_commands.app)
app.add_typer(backup_commands.app)
app.add_typer(maintenance_commands.app)
app.add_typer(mcp_commands.app)
app.add_typer(feedback_commands.app, name="feedback")
app.add_typer(report_commands.app)


@app.callback()
def main() -> None:
    """The learning database of an orchestrator of AI agents."""


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
    from orb_learning.ingest import import_file
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
            print_error(error)
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
    from orb_learning.ingest import load_sample
    from orb_learning.settings import load_settings

    with reported_errors():
        path = database or load_settings().database_path
        load = load_sample(path, file=file, if_empty=if_empty)
    if load.skipped_because:
        out.print(f"Nothing to do: {load.skipped_because}.", soft_wrap=True)
        return
    out.print(
        f"{load.rows:,} trials of Terminal-Bench are in {path}, replayed over the last 90 days: "
        "their times are assigned. The sample has no solutions, so the solution patterns stay "
        "empty.",
        soft_wrap=True,
    )


@app.command("load")
def load_command(
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Load files that feed another database, too, from the start."),
    ] = False,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait while others have the database or the outbox.")
    ] = 60.0,
) -> None:
    """Load the outbox into the database: each record exactly once."""
    from orb_learning.operations import load_outbox
    from orb_learning.settings import load_settings

    with reported_errors():
        settings = load_settings()
        result = load_outbox(settings, wait_seconds=wait, adopt=adopt)
    counts = result.counts
    out.print(
        f"{counts['execution']:,} executions, {counts['routing']:,} routing decisions and "
        f"{counts['outcome']:,} outcomes loaded; {counts['lone_half']:,} halves recorded alone",
        highlight=False,
        soft_wrap=True,
    )
    if counts["dead_letter"]:
        out.print(
            f"[bold red]{counts['dead_letter']:,} DEAD LETTERS[/]: see orb dead-letters list",
            highlight=False,
        )
    if result.trimmed.unverified_records:
        out.print(
            f"[bold red]{result.trimmed.unverified_records:,} loaded records left the outbox that "
            f"no verified backup holds[/]: it reached its limit of size or age",
            highlight=False,
            soft_wrap=True,
        )
    for damage in result.damaged:
        print_error(OrbError(f"damaged, loaded as far as it can be read: {damage}"))
    for name in result.foreign:
        print_error(
            OrbError(
                f"{settings.outbox_folder / name} feeds another database and was left alone; "
                f"`orb load --adopt` loads it into this one, from its beginning"
            )
        )
    if result.damaged or result.foreign:
        raise typer.Exit(1)


@dead_letters_app.command("list")
def list_dead_letters(
    limit: Annotated[int, typer.Option(min=1, help="The most to show.")] = 50,
) -> None:
    """List the records that were not taken, the newest first."""
    from rich.table import Table

    from orb_learning.ingest import read_letters
    from orb_learning.settings import load_settings

    with reported_errors():
        letters = read_letters(load_settings().database_path, limit=limit)
    table = Table("id", "kind", "put at (UTC)", "reason")
    for letter in letters:
        reason = letter.reason.replace("\n", " ")
        when = str(letter.put_at or "unknown")
        table.add_row(str(letter.number), escape(letter.kind), when, escape(reason))
    out.print(table if letters else "There are no dead letters.")


@dead_letters_app.command("show")
def show_dead_letter(
    number: Annotated[int, typer.Argument(metavar="ID", help="From the list.")],
) -> None:
    """Show a dead letter: its reason, and the record as it came."""
    from orb_learning.ingest import read_letter
    from orb_learning.settings import load_settings

    with reported_errors():
        letter = read_letter(load_settings().database_path, number)
    # The record alone is on standard output, for a file to correct and replay.
    err.print(f"{escape(letter.kind)}, {escape(letter.reason)}", highlight=False, soft_wrap=True)
    typer.echo(letter.payload)


@dead_letters_app.command("replay")
def replay_dead_letters(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="ID...", help="From the list.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="The corrected record as JSON, instead of the kept one.")
    ] = None,
) -> None:
    """Load dead letters into raw; those that are still not taken stay."""
    from orb_learning.ingest import replay_letter
    from orb_learning.settings import load_settings

    failed = False
    with reported_errors():
        database = load_settings().database_path
        chosen = _chosen(database, numbers, everything)
        if file is not None and len(chosen) != 1:
            raise OrbError("--file corrects one dead letter: name exactly one id")
        payload = None if file is None else _text_of(file)
        for number in chosen:
            try:
                replay_letter(database, number, payload=payload)
                out.print(f"dead letter {number}: loaded", highlight=False)
            except DeadLetterError as error:
                print_error(error)
                failed = True
    if failed:
        raise typer.Exit(1)


@dead_letters_app.command("drop")
def drop_dead_letters(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="ID...", help="From the list.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Delete dead letters for good."""
    from orb_learning.ingest import drop_letter
    from orb_learning.settings import load_settings

    with reported_errors():
        database = load_settings().database_path
        dropped = drop_letter(database, _chosen(database, numbers, everything))
    out.print(f"{dropped:,} dead letters dropped", highlight=False)


def _chosen(database: Path, numbers: list[int] | None, everything: bool) -> list[int]:
    from orb_learning.ingest import read_letters

    if everything == bool(numbers):
        raise OrbError("name the ids of dead letters, or --all")
    if numbers:
        return numbers
    return [letter.number for letter in read_letters(database)]


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OrbError(f"{file} cannot be read: {error}") from error
