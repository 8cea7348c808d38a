"""``orb build`` and ``init``: the models, built where there is no checkout, and copied to edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orb_learning.cli.building import Building
from orb_learning.cli.console import say, with_settings

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
