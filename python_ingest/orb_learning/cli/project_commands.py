"""``orb build``, ``init`` and ``copy-from``: the models built and copied, a database copied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orb_learning.cli.building import Building
from orb_learning.cli.console import say, telling, with_settings
from orb_learning.cli.options import Wait

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer()


@app.command("build", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@with_settings
def build_command(
    settings: LearningSettings,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DBT OPTIONS]...", help="What dbt takes, such as --select."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show all that dbt says, and not only what is wrong.")
    ] = False,
) -> None:
    """Build and test every model, by dbt.

    Errors and warnings are shown whole, then what was built and the file that has
    the rest.

    The project is the one that ORB_LEARNING__PROJECT_PATH names, else the present folder's,
    else the one that came with this package.
    """
    from orb_learning.dbt import show_dbt

    arguments = ("build", *(options or ()))
    if verbose:
        raise typer.Exit(show_dbt(settings, *arguments))
    with Building() as building:
        status = show_dbt(settings, *arguments, hear=building.hear)
    raise typer.Exit(status)


@app.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(help="Where to; the present folder if none.")] = Path(),
) -> None:
    """Copy the dbt project into a folder, to edit its models."""
    from orb_learning.cli.console import reported_errors
    from orb_learning.dbt import copy_project

    with reported_errors():
        copy_project(folder)
    say(f"The project is in {folder}; `orb build` in it builds what is there.")


@app.command("copy-from")
@with_settings
@telling("copying and comparing …")
def copy_from_command(
    settings: LearningSettings,
    source: Annotated[
        Path, typer.Argument(metavar="DATABASE", help="A file, or a lake's locator.")
    ],
    wait: Wait = 60.0,
) -> None:
    """Copy all raw rows of a file into this lake, or of a lake into this file; then `orb build`.

    The database that ORB_DATABASE names must have no rows yet. Every table is compared before
    anything is committed. It needs the lake's environment.
    """
    from orb_learning.formats import count
    from orb_learning.store import copy_raw

    copied = copy_raw(source, settings.database_path, wait_seconds=wait)
    rows = sum(table.rows for table in copied.values())
    say(
        f"{count(rows, 'row')} of {count(len(copied), 'table')} copied, counted and hashed the "
        f"same on both sides; run `orb build`, and record only here from now on"
    )
