"""``orb dead-letters``: the records that the database did not take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import err, out, print_error, say, with_settings
from orb_learning.errors import DeadLetterError, OrbError

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer(
    no_args_is_help=True, help="The records that the database did not take, with their reasons."
)

Ids = Annotated[list[int] | None, typer.Argument(metavar="ID...", help="From the list.")]
Everything = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command("list")
@with_settings
def list_command(
    settings: LearningSettings,
    limit: Annotated[int, typer.Option(min=1, help="The most to show.")] = 50,
) -> None:
    """List the records that were not taken, the newest first."""
    from orb_learning.cli.tables import Table, text
    from orb_learning.ingest import read_dead_letters

    letters = read_dead_letters(settings.database_path, limit=limit)
    table = Table("id", "kind", "put at (UTC)", "reason")
    for letter in letters:
        when = str(letter.put_at or "unknown")
        table.add_row(str(letter.number), text(letter.kind), when, text(letter.reason))
    out.print(table if letters else "There are no dead letters.")


@app.command("show")
@with_settings
def show_command(
    settings: LearningSettings,
    number: Annotated[int, typer.Argument(metavar="ID", help="From the list.")],
) -> None:
    """Show a dead letter: its reason, and the record as it came."""
    from orb_learning.ingest import read_dead_letter

    letter = read_dead_letter(settings.database_path, number)
    # The record alone is on standard output, for a file to correct and replay.
    say(f"{escape(letter.kind)}, {escape(letter.reason)}", to=err)
    typer.echo(letter.payload)


@app.command("replay")
@with_settings
def replay_command(
    settings: LearningSettings,
    numbers: Ids = None,
    everything: Everything = False,
    file: Annotated[
        Path | None, typer.Option(help="The corrected record as JSON, instead of the kept one.")
    ] = None,
) -> None:
    """Load dead letters into raw; those that are still not taken stay."""
    from orb_learning.ingest import replay_dead_letter

    database = settings.database_path
    chosen = _chosen(database, numbers, everything)
    if file is not None and len(chosen) != 1:
        raise OrbError("--file corrects one dead letter: name exactly one id")
    payload = None if file is None else _text_of(file)
    failed = False
    for number in chosen:
        try:
            replay_dead_letter(database, number, payload=payload)
            out.print(f"dead letter {number}: loaded", highlight=False)
        except DeadLetterError as error:
            print_error(error)
            failed = True
    if failed:
        raise typer.Exit(1)


@app.command("drop")
@with_settings
def drop_command(
    settings: LearningSettings, numbers: Ids = None, everything: Everything = False
) -> None:
    """Delete dead letters for good."""
    from orb_learning.ingest import drop_dead_letters

    database = settings.database_path
    dropped = drop_dead_letters(database, _chosen(database, numbers, everything))
    out.print(f"{dropped:,} dead letters dropped", highlight=False)


def _chosen(database: Path, numbers: list[int] | None, everything: bool) -> list[int]:
    from orb_learning.ingest import read_dead_letters

    if everything == bool(numbers):
        raise OrbError("name the ids of dead letters, or --all")
    if numbers:
        return numbers
    return [letter.number for letter in read_dead_letters(database)]


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OrbError(f"{file} cannot be read: {error}") from error
