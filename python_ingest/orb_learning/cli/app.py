"""The ``orb`` command: what the library does, from a shell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from orb_learning.cli import (
    backup_commands,
    change_commands,
    collector_commands,
    dead_letter_commands,
    execution_commands,
    feedback_commands,
    load_commands,
    maintenance_commands,
    mcp_commands,
    monitoring_commands,
    project_commands,
    report_commands,
    retention_commands,
    routing_commands,
    search_commands,
    statistics_commands,
    status_commands,
)
from orb_learning.filesystem import narrow_umask, without_controls

PANELS = {
    "Record": [
        "load",
        "collect",
        "ship",
        "import",
        "mappings",
        "sample",
        "feedback",
        "dead-letters",
    ],
    "Look": [
        "changes",
        "status",
        "alerts",
        "executions",
        "stats",
        "metrics",
        "quality",
        "report",
        "serve",
        "export",
    ],
    "Learn": ["similar", "solutions", "route", "recommend", "policies", "index", "mcp"],
    "Maintain": [
        "maintain",
        "build",
        "init",
        "storage",
        "backup",
        "backups",
        "validate-backup",
        "retention",
        "check-archive",
        "forget",
    ],
    "Restore": ["restore", "unarchive", "copy-from"],
}
"""The groups of ``orb --help``, and the commands in each, in the order in which they are shown."""

DATABASE = "--database"
DATABASE_VARIABLE = "ORB_DATABASE"

PANEL_OF = {name: panel for panel, names in PANELS.items() for name in names}


@contextmanager
def _plain_messages() -> Iterator[None]:
    """Make errors of use printable: an argument may be a stranger's file name."""
    try:
        yield
    except TyperException as error:
        error.message = without_controls(error.message)
        raise


def _database_first(arguments: list[str]) -> list[str]:
    """Put ``--database FILE`` before the command, so that it may stand behind it, too."""
    for place, word in enumerate(arguments):
        if word == "--":
            break
        if word == DATABASE or word.startswith(f"{DATABASE}="):
            end = place + (2 if word == DATABASE else 1)
            if end > len(arguments):
                return [DATABASE]  # which says that it needs a value
            return arguments[place:end] + arguments[:place] + arguments[end:]
    return arguments


class InPanels(TyperGroup):
    """The commands in the order of their panels; what is wrong of their use acts on no terminal."""

    def make_context(self, info_name: Any, args: list[str], *rest: Any, **options: Any) -> Any:
        """Read the options before the command, and the database wherever it is named."""
        with _plain_messages():
            return super().make_context(info_name, _database_first(args), *rest, **options)

    def invoke(self, ctx: Any) -> Any:
        """Read a command's options and call it."""
        with _plain_messages():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return sorted(super().list_commands(ctx), key=list(PANEL_OF).index)


class OwnProcess(typer.Typer):
    """The command as a process of its own, which a call starts; a test's runner makes no call."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the command; what it makes is private, but what it makes to be shown."""
        narrow_umask()
        return super().__call__(*arguments, **options)


app = OwnProcess(
    name="orb",
    cls=InPanels,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The learning database of an orchestrator of AI agents.",
)
for commands in (
    load_commands,
    status_commands,
    change_commands,
    statistics_commands,
    execution_commands,
    monitoring_commands,
    search_commands,
    routing_commands,
    retention_commands,
    backup_commands,
    maintenance_commands,
    project_commands,
    mcp_commands,
    collector_commands,
    report_commands,
):
    for command in commands.app.registered_commands:
        command.rich_help_panel = PANEL_OF[str(command.name)]
    app.add_typer(commands.app)
for name, group in {
    "dead-letters": dead_letter_commands.app,
    "feedback": feedback_commands.app,
}.items():
    app.add_typer(group, name=name, rich_help_panel=PANEL_OF[name])


def show_version(wanted: bool) -> None:
    """Print the version and stop, if it is wanted."""
    if wanted:
        typer.echo(f"orb-learning {version('orb-learning')}")
        raise typer.Exit


def use_database(ctx: typer.Context, file: Path | None) -> Path | None:
    """Let the command, and the dbt that it starts, find this database."""
    if file is not None:
        before = os.environ.get(DATABASE_VARIABLE)
        os.environ[DATABASE_VARIABLE] = str(file)

        def restore() -> None:
            os.environ.pop(DATABASE_VARIABLE)
            if before is not None:
                os.environ[DATABASE_VARIABLE] = before

        ctx.call_on_close(restore)
    return file


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
    database: Annotated[
        Path | None,
        typer.Option(
            DATABASE,
            metavar="FILE",
            callback=use_database,
            help="The database, before or after the command; else ORB_DATABASE, else "
            "data/learning.db.",
        ),
    ] = None,
) -> None:
    """The learning database of an orchestrator of AI agents."""
