"""``orb import``, ``sample`` and ``load``: executions into the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orb_learning.cli.console import err, print_error, reported_errors, say, with_settings
from orb_learning.cli.options import Wait
from orb_learning.errors import OrbError
from orb_learning.filesystem import printable
from orb_learning.formats import count

if TYPE_CHECKING:
    from orb_learning.ingest import Counted, ImportResult
    from orb_learning.mappings import SystemMapping
    from orb_learning.settings import LearningSettings

app = typer.Typer()

System = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="SYSTEM",
        help="Whose records they are, as orb mappings lists them; most files say so.",
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE.sql", help="A mapping of your own: a SELECT over source."),
]
Score = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The score from 0 to 1 that fills quality_score, times 100."),
]

Again = Annotated[bool, typer.Option("--again", help="Load files that were loaded before, too.")]
NaiveIsUtc = Annotated[
    bool,
    typer.Option(
        "--naive-is-utc",
        help="Take times without a time zone as UTC; of a file that was loaded before, the rows "
        "that lacked one.",
    ),
]

NOTHING_USABLE = 3
"""The exit status of an import of which the next build takes nothing."""


@app.command("import")
@with_settings
def import_command(
    settings: LearningSettings,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            readable=False,  # each file's own error says so, and the others are loaded
            help="Parquet, CSV, JSON (the last two gzipped, too), or a DuckDB database with a "
            "table named executions.",
        ),
    ],
    again: Again = False,
    naive_is_utc: NaiveIsUtc = False,
    source: System = None,
    mapping: MappingFile = None,
    score: Score = None,
) -> None:
    """Load files of executions into the database, each whole or not at all.

    The exit status is 1 if a file is refused, and 3 if nothing of what was loaded is usable.
    """
    from orb_learning.dbt import rejecting_rules
    from orb_learning.ingest import import_file

    taken = _mapping_of(source, mapping)
    rules = rejecting_rules(settings)
    results = []
    for file in files:
        try:
            result = import_file(
                settings.database_path,
                file,
                again=again,
                naive_is_utc=naive_is_utc,
                mapping=taken,
                score=score,
                id_scope=settings.id_scope,
                rules=rules,
                show_progress=True,
            )
        except OrbError as error:
            print_error(error)
            continue
        results.append(result)
        _say_result(result)
    if any(result.row_count for result in results):
        say("They wait for a build: run `orb build`.")
    if len(results) < len(files):
        raise typer.Exit(1)
    if not any(result.already_known or result.usable_count for result in results):
        say("[bold red]nothing of it is usable[/]", to=err)
        raise typer.Exit(NOTHING_USABLE)


def _mapping_of(source: str | None, mapping: Path | None) -> SystemMapping | None:
    """Return the mapping that the options name, if any."""
    from orb_learning.mappings import mapping_from_file, named_mapping

    if source and mapping:
        raise OrbError("--from and --mapping both say whose records they are; give one of them")
    return named_mapping(source) if source else mapping_from_file(mapping) if mapping else None


def _say_result(result: ImportResult) -> None:
    """Print what came of a file: a line of counts, and one for each thing that is to be known."""
    name = escape(printable(result.file))
    if result.already_known:
        say(f"{name}: loaded before, skipped; --again loads it once more")
        return
    counts = f"{name}: {count(result.row_count, 'row')} loaded"
    if result.mapping:
        counts += f" as {escape(result.mapping)}'s"
    if result.unreadable_count:
        counts += f", [bold red]{result.unreadable_count:,} UNREADABLE[/]"
    if result.rejected_count:
        counts += f", [bold red]{result.rejected_count:,} WILL BE REJECTED[/]"
    say(counts)
    if result.unreadable_count:
        say(
            f"  unreadable: {_listed(result.unreadable_reasons)}; "
            f"see raw.unreadable_rows where file_sha256 = '{result.sha256}'"
        )
    if result.rejected_count:
        say(f"  will be rejected: {_listed(result.rejected_reasons)}")
    if result.set_aside:
        say(f"  values set aside, kept in metadata._import: {_listed(result.set_aside)}")
    for note in result.notes:
        say(f"  note: {escape(note)}")


def _listed(counted: Counted) -> str:
    return escape("; ".join(f"{words} ({count:,})" for words, count in counted))


@app.command("mappings")
def mappings_command(
    name: Annotated[
        str | None, typer.Argument(metavar="[SYSTEM]", help="Print the SQL of this system's.")
    ] = None,
) -> None:
    """List the mappings of other systems' records, or print one."""
    from orb_learning.mappings import known_mappings, named_mapping

    if name is not None:
        with reported_errors():
            typer.echo(named_mapping(name).sql.rstrip())
        return
    for mapping in known_mappings().values():
        say(f"[bold]{mapping.name:12}[/] {escape(mapping.summary)}")


@app.command("sample")
@with_settings
def sample_command(
    settings: LearningSettings,
    file: Annotated[
        Path | None, typer.Option(help="The CSV of the trials, instead of the package's own.")
    ] = None,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Load only if the database has no execution yet.")
    ] = False,
    database: Annotated[
        Path | None, typer.Option(help="The database file, instead of the settings' one.")
    ] = None,
) -> None:
    """Load 6,199 real trials of coding agents, replayed over the last 90 days."""
    from orb_learning.ingest import load_sample

    path = database or settings.database_path
    load = load_sample(path, file=file, if_empty=if_empty)
    if load.skipped_because:
        say(f"Nothing to do: {load.skipped_because}.")
        return
    say(
        f"{count(load.rows, 'trial')} of Terminal-Bench are in {path}, replayed over the last "
        "90 days: their times are assigned. The sample has no solutions, so the solution patterns "
        "stay empty."
    )


@app.command("load")
@with_settings
def load_command(
    settings: LearningSettings,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Load files that feed another database, too, from the start."),
    ] = False,
    place: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PLACE", help="A folder or URL that `orb ship` ships to, instead."
        ),
    ] = None,
    wait: Wait = 60.0,
) -> None:
    """Load the outbox into the database: each record exactly once."""
    from orb_learning.operations import load_outbox, load_shipped

    if place is None:
        result = load_outbox(settings, wait_seconds=wait, adopt=adopt)
    else:
        result = load_shipped(settings, place, wait_seconds=wait, adopt=adopt)
    counts = result.counts
    say(
        f"{count(counts['execution'], 'execution')}, {counts['routing']:,} routing decisions and "
        f"{count(counts['outcome'], 'outcome')} loaded; {counts['unmatched']:,} unmatched ones "
        "recorded"
    )
    if any(counts[kind] for kind in ("span", "late_span", "span_of_a_large_trace")):
        say(
            f"{count(counts['span'], 'span')} loaded, {count(counts['trace'], 'execution')} of "
            f"traces; {count(counts['late_span'], 'span')} came too late, "
            f"{counts['span_of_a_large_trace']:,} are of traces that have too many"
        )
    if counts["dead_letter"]:
        say(f"[bold red]{counts['dead_letter']:,} DEAD LETTERS[/]: see orb dead-letters list")
    if result.pruned.unverified_records:
        say(
            f"[bold red]{result.pruned.unverified_records:,} loaded records left the outbox that "
            f"no verified backup holds[/]: it reached its limit of size or age"
        )
    for damage in result.damaged:
        print_error(OrbError(f"damaged, loaded as far as it can be read: {damage}"))
    for name in result.foreign:
        folder = settings.outbox_folder
        path = folder.parent / name if "/" in name else folder / name
        print_error(
            OrbError(
                f"{path} feeds another database and was left alone; "
                f"`orb load --adopt` loads it into this one, from its beginning"
            )
        )
    if result.damaged or result.foreign:
        raise typer.Exit(1)
