"""The commands of ``orb`` about backups."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import (
    err,
    out,
    print_error,
    reported_errors,
    say,
    telling,
    with_settings,
)
from orb_learning.cli.options import AsJson, Wait
from orb_learning.cli.tables import Table, text
from orb_learning.errors import InvalidBackupError, OrbError
from orb_learning.formats import count

if TYPE_CHECKING:
    from orb_learning.ingest import LoadResult
    from orb_learning.operations import Missing
    from orb_learning.settings import LearningSettings

app = typer.Typer()

File = Annotated[
    Path, typer.Argument(metavar="BACKUP", help="Its folder, or the database or manifest in it.")
]


@app.command("backup")
@with_settings
@telling("copying and verifying …")
def backup_command(
    settings: LearningSettings,
    to: Annotated[
        Path | None, typer.Option(help="The folder of backups, instead of the settings' one.")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait while others write or load.")
    ] = 60.0,
) -> None:
    """Make a backup of the database and of what the outbox has beyond it, and validate it."""
    from orb_learning.backup import make_backup

    if to is not None:
        settings = settings.model_copy(update={"backup_path": to})
    made = make_backup(settings, wait_seconds=wait)
    manifest = made.backup.manifest
    say(
        f"{escape(str(made.backup.folder))}: {count(manifest.row_count, 'row')}, "
        f"{count(len(manifest.outbox), 'file')} of the outbox, "
        f"{manifest.size_bytes / 1e6:,.1f} MB, validated"
    )
    if made.copied_to:
        say(f"copied to {escape(made.copied_to)}, read back and compared")
    for reason in made.left_out:
        print_error(OrbError(f"not in the backup: {reason}"))
    if made.left_out:
        raise typer.Exit(1)


@app.command("validate-backup")
@reported_errors()
@telling("verifying …")
def validate_backup_command(file: File) -> None:
    """Verify a backup against its manifest: bytes, tables, rows, a query on every relation."""
    from orb_learning.backup import validate_backup
    from orb_learning.settings import load_settings

    settings = load_settings()
    result = validate_backup(file, settings.backup_key_file, settings.database_path)
    for problem in result.problems:
        print_error(InvalidBackupError(f"{result.folder}: {problem}"))
    for note in result.notes:
        say(escape(note), to=err)
    if result.problems:
        raise typer.Exit(1)
    say(
        f"{escape(str(result.folder))} is what it was: {count(result.file_count, 'file')}, "
        f"{count(result.row_count, 'row')}, {count(result.relation_count, 'relation')}"
    )


@app.command("restore")
@with_settings
@telling("verifying and restoring …")
def restore_command(
    settings: LearningSettings,
    file: File,
    no_validate: Annotated[
        bool, typer.Option("--no-validate", help="Restore it even if it is not what it was.")
    ] = False,
    other_database: Annotated[
        bool, typer.Option("--other-database", help="It may be of another database.")
    ] = False,
    wait: Wait = 60.0,
) -> None:
    """Put a backup in the database's place, and load what came after it from the outbox."""
    from orb_learning.operations import restore_backup

    restored = restore_backup(
        settings,
        file,
        validate=not no_validate,
        other_database=other_database,
        wait_seconds=wait,
    )
    path = escape(str(settings.database_path))
    say(f"{path} is the backup of {_time(restored.made_at)} UTC")
    if restored.kept_beside:
        say(f"the database of before is {escape(str(restored.kept_beside))}")
    for name in restored.outbox_files:
        say(f"back in the outbox: {escape(name)}")
    if restored.loaded:
        say(f"loaded again from the outbox: {_loaded(restored.loaded)}")
        for name in restored.loaded.foreign:
            print_error(
                OrbError(f"{name} in the outbox feeds another database: `orb load --adopt`")
            )
        for damage in restored.loaded.damaged:
            print_error(OrbError(f"damaged, loaded as far as it can be read: {damage}"))
    if restored.missing:
        say(f"[bold red]{_missing(restored.missing)}[/]")
    for name in restored.to_import_again:
        say(f"imported after the backup, import it again: {escape(name)}")
    for note in restored.notes:
        say(escape(note), to=err)
    for problem in restored.problems:
        print_error(OrbError(problem))
    say("Now run `orb build`.")
    if restored.problems or restored.loaded is None:
        raise typer.Exit(1)


@app.command("backups")
@with_settings
def backups_command(
    settings: LearningSettings,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove those that the settings do not keep.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the backups, and what keeps each."""
    import json

    from orb_learning.backup import list_backups

    if prune:
        _prune(settings)
    listed = list_backups(settings)
    if as_json:
        typer.echo(json.dumps(listed, default=str, indent=2))
        return
    if not listed:
        folder = escape(str(settings.backup_folder))
        say(f"{folder} has no backups; `orb backup` makes one.", to=err)
        return
    table = Table("time (UTC)", "MB", "rows", "verified (UTC)", "kept by")
    for row in listed:
        if row["damage"]:
            table.add_row(_time(row["time"]), "", "", "[bold red]DAMAGED[/]", text(row["damage"]))
            continue
        table.add_row(
            _time(row["time"]),
            f"{row['size_bytes'] / 1e6:,.1f}",
            f"{row['row_count']:,}",
            _time(row["verified_at"]),
            ", ".join(row["kept_by"]) or "nothing",
        )
    out.print(table)


def _prune(settings: LearningSettings) -> None:
    from orb_learning.backup import prune_backups
    from orb_learning.filesystem import public_url

    pruned = prune_backups(settings)
    err.print(f"{count(len(pruned.removed), 'backup')} removed", highlight=False)
    if pruned.removed_copies:
        copies = len(pruned.removed_copies)
        err.print(
            f"{count(copies, 'copy', 'copies')} removed from "
            f"{public_url(settings.backup_copy_to or '')}",
            soft_wrap=True,
        )
    for backup in pruned.kept_as_valid:
        print_error(OrbError(f"{backup.folder} was kept, because the newer ones are damaged"))


def _time(time: datetime) -> str:
    return time.isoformat(" ", "seconds")


def _loaded(loaded: LoadResult) -> str:
    counts = loaded.counts
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()) if count) or "0"


def _missing(missing: Missing) -> str:
    span = (
        f", recorded between {_time(missing.first_put_at)} and {_time(missing.last_put_at)} UTC"
        if missing.first_put_at and missing.last_put_at
        else ""
    )
    return (
        f"{count(missing.count, 'record')} missing that came after the backup{span} and had left "
        "the outbox. A newer backup may have them."
    )
