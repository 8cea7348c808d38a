"""The commands of ``orb`` about what leaves the database, and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import out, print_error, say, telling, with_settings
from orb_learning.errors import OrbError
from orb_learning.formats import count

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer()

DAY = ["%Y-%m-%d"]


@app.command("retention")
@with_settings
@telling("archiving …")
def retention_command(
    settings: LearningSettings,
    days: Annotated[
        int | None,
        typer.Option(help="Days to keep, 7 to 365; the setting retention_days if left out."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Take the days again that were unarchived, too.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Take what was older than the limit when it was imported, too."),
    ] = False,
) -> None:
    """Archive whole days older than the limit as Parquet files, and delete them."""
    from orb_learning.archive import archive_and_retain, release_holds

    if release and not dry_run:
        released = release_holds(settings)
        out.print(f"{count(len(released), 'day')} released", highlight=False)
    result = archive_and_retain(
        settings, days_to_keep=days, dry_run=dry_run, take_imported=True if yes else None
    )
    if not result.archived_count and not result.feedback_count and not result.kept_count:
        say(f"Nothing is older than the limit{result.what_was_reclaimed}.")
        return
    where = "would go" if dry_run else f"are in {escape(str(settings.archive_folder))} now"
    say(f"{result.what_went} {where}{result.what_was_reclaimed}")
    if result.kept_count:
        say(f"[yellow]{escape(result.what_was_kept)}[/]")


@app.command("unarchive")
@with_settings
@telling("bringing days back …")
def unarchive_command(
    settings: LearningSettings,
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="The first UTC day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY, help="The last UTC day.")],
) -> None:
    """Bring archived days back, and hold them until `orb retention --release`."""
    from orb_learning.archive import unarchive

    back = unarchive(settings, first.date(), last.date())
    if not back.version_count and not back.feedback_count:
        say("Nothing is archived of these days: nothing came back.")
        return
    say(
        f"{count(back.version_count, 'version')} and {back.feedback_count:,} of people's feedback "
        "are in raw again; run `orb build`"
    )


@app.command("check-archive")
@with_settings
@telling("reading the archive …")
def check_archive_command(settings: LearningSettings) -> None:
    """Verify that every archived file is what was archived."""
    from orb_learning.archive import check_archive, read_index
    from orb_learning.store import connect

    problems = list(check_archive(settings))
    if problems:
        for problem in problems:
            print_error(OrbError(problem))
        raise typer.Exit(1)
    with connect(settings.database_path, read_only=True) as connection:
        files = read_index(connection).files
    said = "Every archived file is what was archived" if files else "Nothing is archived"
    out.print(f"{said}: {count(len(files), 'file')}.", highlight=False)


@app.command("forget")
@with_settings
@telling("erasing, and building anew …")
def forget_command(
    settings: LearningSettings,
    task_ids: Annotated[
        list[str] | None,
        typer.Option("--task-id", help="A task, by its UUID or its own id; may be given again."),
    ] = None,
    repo: Annotated[str | None, typer.Option(help="All tasks of a repository.")] = None,
    in_backups: Annotated[
        bool,
        typer.Option(
            "--backups", help="Delete the backups that hold them, too, after a new verified one."
        ),
    ] = False,
) -> None:
    """Delete tasks for good: from the database, the archive, the outbox, and what was refused."""
    from orb_learning.operations import erase

    if bool(task_ids) == (repo is not None):
        raise OrbError("name either tasks, by --task-id, or a repository, by --repo")
    result = erase(settings, task_ids=task_ids or (), repo=repo, in_backups=in_backups)
    say(
        f"{count(result.task_count, 'task')} forgotten: {count(result.version_count, 'version')} "
        f"in the database, {result.archived_count:,} in the archive, "
        f"{count(result.outbox_count, 'record')} in the outbox"
    )
    if not result.task_count:
        say(f"[yellow]nothing names {escape(repr(repo))}: is it spelt as in the records?[/]")
    for file in result.removed_files:
        anew = "report" if file.suffix == ".html" else "export"
        say(f"{escape(str(file))} is deleted; `orb {anew}` writes it anew")
    for file in result.exports:
        say(f"[bold red]still in[/] {escape(str(file))}; delete it, or what it holds of them")
    if result.snapshots_until is not None:
        say(
            f"[bold red]still in[/] the lake's older snapshots until {result.snapshots_until}, "
            f"when `orb maintain` deletes their files"
        )
    for copy in result.still_in:
        until = f" until {result.expires[copy]}" if copy in result.expires else ""
        say(
            f"[bold red]still in[/] {escape(str(copy))}{until}; "
            f"--backups deletes it after a new backup"
        )
    if result.out_of_reach:
        files = ", ".join(map(str, result.out_of_reach))
        raise OrbError(
            f"it may still be in {files}: an archived file that is not there, or a backup "
            "whose manifest cannot be read; bring them back, or delete them, and forget again"
        )
