"""``orb status``: whether the database is well, what it and the outbox hold, what to try next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orb_learning import formats
from orb_learning.cli.answers import ask, finish, show_age
from orb_learning.cli.console import out, print_error, say, with_settings
from orb_learning.cli.funnel import show_assigned_times, show_funnel
from orb_learning.cli.options import AsJson, Strict
from orb_learning.cli.tables import (
    Row,
    Table,
    coloured,
    over,
    print_json,
    printable,
    rate,
    sentence,
    text,
)
from orb_learning.errors import DatabaseError, DatabaseMissingError, NotBuiltError
from orb_learning.locator import folder_of, is_lake

if TYPE_CHECKING:
    from orb_learning.figures.status import OutboxStatus
    from orb_learning.settings import LearningSettings

app = typer.Typer()

COUNTS = {
    "all": "total",
    "last hour": "recent_1h",
    "last 24 hours": "daily",
    "last 7 days": "weekly",
}
TRY_NEXT = """Try next:
  orb alerts
  orb stats --range 90d
  python -c "import duckdb; duckdb.connect('{database}', read_only=True)\
.sql('from tier_performance_mv').show()"
  orb import FILE, then orb build"""

TRY_NEXT_ON_A_LAKE = """Try next:
  orb alerts
  orb stats --range 90d
  orb import FILE, then orb build"""


@app.command("status")
@with_settings
def status_command(
    settings: LearningSettings, as_json: AsJson = False, strict: Strict = False
) -> None:
    """Show whether the database is well, what it and the outbox hold, and what to try next.

    It warns if any alert is raised, and names it. Exit status: 0 if it is well, or
    if there are but warnings; 1 if it cannot be read or was never built; 3 for
    warnings, with --strict.
    """
    from orb_learning.figures import get_database_status

    found = ask(get_database_status())
    warns = strict and found["status"] == "WARNING"
    if as_json:
        print_json(found)
        finish(found, warns=warns)
    if found["status"] != "ERROR":
        show_status(found)
    _check_made(settings)
    # The error of a database that cannot be read is raised here.
    if not show_contents(settings):
        raise typer.Exit(1)
    for error in found["errors"]:
        print_error(DatabaseError(error))
    finish(found, warns=warns)


def _check_made(settings: LearningSettings) -> None:
    """Say that nothing was loaded yet, where records wait for it.

    Raises:
        DatabaseMissingError: there is no database, but an outbox.
    """
    from orb_learning.ingest import pending_records

    path = settings.database_path
    if is_lake(path) or path.exists():
        return
    waiting = sum(pending_records(folder, {})[0] for folder in settings.outbox_folders)
    if waiting:
        raise DatabaseMissingError(
            f"{printable(path)} does not exist yet; {formats.count(waiting, 'record')} in the "
            f"outbox: run `orb load`, then `orb build`"
        )


def show_status(found: Row) -> None:
    """Print the status, its warnings, and the executions of late."""
    show_age(found)
    out.print(f"status: {coloured(found['status'])}", highlight=False)
    if found["raised_alerts"]:
        say(f"  [yellow]alerts raised: {sentence(', '.join(found['raised_alerts']))}[/]")
    for warning in found["warnings"]:
        say(f"  [yellow]{text(warning)}[/]")
    show_funnel(found["record_funnel"])
    executions, day = found["executions"], found["performance"]
    table = Table("executions", "", title="what came of late")
    table.columns[1].justify = "right"
    for name, key in COUNTS.items():
        table.add_row(name, formats.number(executions[key]))
    table.add_section()
    table.add_row("success rate, 24 hours", rate(day, "daily_success_rate"))
    least = found["least_samples"]
    time = over("avg_duration_seconds", "duration_known_count", least, formats.duration)
    table.add_row("mean time, 24 hours", time(day))
    quality = over("avg_quality_score", "quality_known_count", least)
    table.add_row("mean quality, 24 hours", quality(day))
    out.print(table)
    show_assigned_times({**executions, "total_executions": executions["total"]})


def show_contents(settings: LearningSettings) -> bool:
    """Print what is in the database and in the outbox; return whether it was built."""
    from orb_learning.figures import WAIT_SECONDS, read_contents, read_outbox_status
    from orb_learning.filesystem import is_open_to_others
    from orb_learning.store import database_bytes

    path = settings.database_path
    try:
        contents = read_contents(path, wait_seconds=WAIT_SECONDS)
    except NotBuiltError:
        contents = None
    outbox = read_outbox_status(path, settings.outbox_folder, wait_seconds=WAIT_SECONDS)
    show_size(path, database_bytes(path))
    folder = folder_of(path)
    if folder.is_dir() and is_open_to_others(folder):
        say(
            f"  [yellow]every account of this machine can look into {printable(folder)}, and "
            f"the prompts in it: run `chmod 700`, or `chmod 2770` for a group that shares it[/]"
        )
    if contents is not None:
        table = Table("relation", "rows")
        table.columns[1].justify = "right"
        for name, rows in contents.relations.items():
            table.add_row(text(name), formats.number(rows))
        table.add_section()
        for key, value in contents.facts.items():
            table.add_row(key, text(value or "none"))
        out.print(table)
    _show_outbox("outbox", outbox, outbox.facts())
    if settings.span_outbox_folder.is_dir():
        spans = read_outbox_status(path, settings.span_outbox_folder, wait_seconds=WAIT_SECONDS)
        _show_outbox("outbox of spans", spans, spans.waiting())
    if contents is not None and contents.unknown_models:
        say(
            "models of unknown tier; to tell it, add the line to seeds/model_tiers.csv "
            "(`orb init` copies the project here, if there is none):"
        )
        for model in contents.unknown_models:
            say(
                f"  {formats.count(model['total_executions'], 'execution')}: "
                f"{text(model['seed_line'])}"
            )
    if contents is not None:
        hints = TRY_NEXT_ON_A_LAKE if is_lake(path) else TRY_NEXT
        for line in hints.splitlines():
            say(line.format(database=printable(path)))
    else:
        waiting = formats.count(outbox.loaded, "loaded row")
        say(f"Nothing has been built yet, or by another version; {waiting}: run `orb build`.")
    return contents is not None


def _show_outbox(name: str, outbox: OutboxStatus, facts: dict[str, str]) -> None:
    show_size(outbox.folder, outbox.size_bytes)
    table = Table(name, "")
    table.columns[1].justify = "right"
    for key, value in facts.items():
        table.add_row(key, text(value))
    out.print(table)


def show_size(path: Path, size_bytes: int) -> None:
    """Print a file or a folder and its size."""
    say(f"{printable(path)} ({size_bytes / 1e6:.1f} MB)")
