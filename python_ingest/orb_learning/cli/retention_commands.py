"""The commands of ``orb`` about what leaves the database, and what comes back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import out, reported_errors
from orb_learning.errors import OrbError

app = typer.Typer()

DAY = ["%Y-%m-%d"]


@app.command("retention")
def retention_command(
    days: Annotated[
        int | None,
        typer.Option(help="Days to keep, 7 to 365; the setting retention_days if left out."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Take the days again that were unarchived, too.")
    ] = False,
) -> None:
    """Archive whole days older than the limit as Parquet files, and delete them."""
    from orb_learning.archive import archive_and_retain, release_holds
    from orb_learning.settings import load_settings

    with reported_errors():
        settings = load_settings()
        if release and not dry_run:
            released = release_holds(settings)
            out.print(f"{len(released):,} days released", highlight=False)
        result = archive_and_retain(settings, days_to_keep=days, dry_run=dry_run)
    where = "would go" if dry_run else f"are in {escape(str(settings.archive_folder))} now"
    out.print(
        f"{result.what_went} {where}{result.what_was_reclaimed}",
        highlight=False,
        soft_wrap=True,
    )


@app.command("unarchive")
def unarchive_command(
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="The first UTC day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY, help="The last UTC day.")],
) -> None:
    """Bring archived days back, and hold them until `orb retention --release`."""
    from orb_learning.archive import unarchive
    from orb_learning.settings import load_settings

    with reported_errors():
        back = unarchive(load_settings(), first.date(), last.date())
    out.print(
        f"{back.version_count:,} versions and {back.feedback_count:,} of people's feedback are in "
        "raw again; run dbt build",
        highlight=False,
        soft_wrap=True,
    )


@app.command("check-archive")
def check_archive_command() -> None:
    """Hold every archived file against what was archived."""
    from orb_learning.archive import check_archive
    from orb_learning.settings import load_settings

    with reported_errors():
        problems = list(check_archive(load_settings()))
        if problems:
            raise OrbError("\n".join(problems))
    out.print("Every archived file is what was archived.")


@app.command("forget")
def forget_command(
    task_ids: Annotated[
        list[uuid.UUID] | None, typer.Option("--task-id", help="A task; may be given again.")
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
    from orb_learning.settings import load_settings

    with reported_errors():
        if bool(task_ids) == (repo is not None):
            raise OrbError("name either tasks, by --task-id, or a repository, by --repo")
        result = erase(load_settings(), task_ids=task_ids or (), repo=repo, in_backups=in_backups)
    out.print(
        f"{result.task_count:,} tasks forgotten: {result.version_count:,} versions in the "
        f"database, {result.archived_count:,} in the archive, {result.outbox_count:,} records in "
        "the outbox",
        highlight=False,
        soft_wrap=True,
    )
    for copy in result.still_in:
        out.print(
            f"[bold red]still in[/] {escape(str(copy))}; --backups deletes it after a new backup",
            highlight=False,
            soft_wrap=True,
        )
    with reported_errors():
        if result.out_of_reach:
            files = ", ".join(map(str, result.out_of_reach))
            raise OrbError(
                f"it may still be in {files}: an archived file that is not there, or a backup "
                "whose manifest cannot be read; bring them back, or delete them, and forget again"
            )
