"""``orb similar``, ``solutions`` and ``index``: what was like a task, and what solved it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from orb_learning.cli.console import err, out, say, with_settings
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import Cell, print_json, printable, rate, text

if TYPE_CHECKING:
    import duckdb

    from orb_learning.settings import LearningSettings

app = typer.Typer()

Wanted = Annotated[str, typer.Argument(metavar="TEXT", help="The task, in whatever words.")]
Repo = Annotated[str | None, typer.Option(help="Only executions in this repository.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000, help="The most rows.")]
Days = Annotated[
    int | None,
    typer.Option("--days", min=1, max=36_500, help="How many days an execution may be old."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=-1,
        max=1,
        help="The least cosine similarity; if left out, the setting's where it is set, else none.",
    ),
]
Tier = Annotated[str | None, typer.Option(help="Only executions by this model tier.")]
Rows = list[dict[str, Any]]
Search = Callable[["duckdb.DuckDBPyConnection", Sequence[float]], Rows]
Columns = dict[str, tuple[int, Cell]]
"""By their headers: the share of the width, 0 for what is needed, and the cell of a row."""


def tiers(counts: Mapping[str, int]) -> str:
    """Return how many executions each tier has."""
    return ", ".join(f"{tier} {count:,}" for tier, count in counts.items())


def nearness(row: Mapping[str, Any]) -> str:
    """Return how similar a task is, as a number and in a word."""
    return f"{row['similarity']:.3f} {row['strength']}"


TASK_COLUMNS: Columns = {
    "similarity": (0, nearness),
    "task": (3, lambda row: text(row["task_description"])),
    "runs": (0, lambda row: f"{row['execution_count']:,}"),
    "success rate": (2, rate),
    "tiers": (2, lambda row: text(tiers(row["tiers"]))),
    "best solution": (3, lambda row: text(row["best_solution"])),
}
SOLUTION_COLUMNS: Columns = {
    "score": (0, lambda row: f"{row['score']:.3f}"),
    "similarity": (0, nearness),
    "solution": (4, lambda row: text(row["solution_summary"])),
    "uses": (0, lambda row: f"{row['execution_count']:,}"),
    "success rate": (2, rate),
    "on a task like": (3, lambda row: text(row["task_description"])),
}


@app.command("similar")
@with_settings
def similar_command(
    settings: LearningSettings,
    wanted: Wanted,
    repo: Repo = None,
    limit: Limit = 10,
    days: Days = 90,
    threshold: Threshold = None,
    tier: Tier = None,
    success: Annotated[
        bool | None,
        typer.Option("--succeeded/--failed", help="Only executions that did."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the tasks like this one, what became of them, and what solved them."""
    from orb_learning.figures import similar_tasks

    rows = found(
        settings,
        wanted,
        lambda connection, vector: similar_tasks(
            connection,
            settings,
            vector,
            repo=repo,
            limit=limit,
            days_back=days,
            threshold=threshold,
            tier=tier,
            success=success,
            with_index=False,
        ),
    )
    show(
        rows,
        TASK_COLUMNS,
        "No task is so similar: try a lower --threshold, more --days or fewer filters.",
        as_json=as_json,
    )


@app.command("solutions")
@with_settings
def solutions_command(
    settings: LearningSettings,
    wanted: Wanted,
    error: Annotated[
        bool, typer.Option("--error", help="The text is an error message, and not a task.")
    ] = False,
    repo: Repo = None,
    limit: Limit = 10,
    days: Days = 90,
    threshold: Threshold = None,
    as_json: AsJson = False,
) -> None:
    """Find what solved tasks like this one, or tasks that failed with this error."""
    from orb_learning.search import similar_solutions

    rows = found(
        settings,
        wanted,
        lambda connection, vector: similar_solutions(
            connection,
            vector,
            of_errors=error,
            model=settings.embedding_model,
            limit=limit,
            days_back=days,
            threshold=settings.least_similarity(threshold),
            repo=repo,
        ),
    )
    show(
        rows,
        SOLUTION_COLUMNS,
        "No solution is known: try a lower --threshold, more --days or no --repo.",
        as_json=as_json,
    )


@app.command("index")
@with_settings
def index_command(settings: LearningSettings) -> None:
    """Build the index of vectors beside the database, or add what is new to it."""
    from orb_learning.search import index_folder, update_index
    from orb_learning.store import connect

    folder = index_folder(settings.database_path)
    with ExitStack() as opened:
        connection = opened.enter_context(connect(settings.database_path, read_only=True))
        # Building takes longer than reading, and who wants to write need not wait for it.
        result = update_index(connection, folder, settings.embedding_model, when_read=opened.close)
    reason = result.rebuilt_because
    built = f"built anew ({reason})" if reason else "brought up to date"
    say(
        f"{printable(folder)}: {built} in {result.seconds:.1f} s, {result.vectors:,} vectors, "
        f"{result.added:,} of them new"
    )


def found(settings: LearningSettings, wanted: str, search: Search) -> Rows:
    """Return what a search finds for the vector of a text."""
    from orb_learning.search import vector_of
    from orb_learning.store import connect

    vector = vector_of(settings.database_path, wanted, settings.embedding_model)
    with connect(settings.database_path, read_only=True) as connection:
        return search(connection, vector)


def show(rows: Rows, columns: Columns, if_none: str, *, as_json: bool) -> None:
    """Print rows as a table, or as a JSON list with UUIDs and times as texts."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        err.print(if_none)
        return
    table = Table(expand=True)
    for header, (ratio, _) in columns.items():
        table.add_column(header, ratio=ratio or None, overflow="fold")
    for row in rows:
        table.add_row(*(cell_of(row) for _, cell_of in columns.values()))
    out.print(table)
