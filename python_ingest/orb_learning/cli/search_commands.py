"""``orb similar``, ``solutions`` and ``index``: what was like a task, and what solved it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding

from orb_learning import formats
from orb_learning.cli.console import err, out, say, with_settings
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import (
    Cell,
    Columns,
    Table,
    figure,
    over,
    print_json,
    printable,
    rate,
    text,
    text_of,
)
from orb_learning.locator import only_on_a_file

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
Found = tuple[Rows, str]
"""The rows of a search, and why there are none."""
Search = Callable[["duckdb.DuckDBPyConnection", Sequence[float]], Found]


def nearness(row: Mapping[str, Any]) -> str:
    """Return how similar a task is, as a number and in a word."""
    return f"[bold]{row['similarity']:.2f} {row['strength']}[/]"


def task(row: Mapping[str, Any]) -> str:
    """Return a task, and below it what solved it."""
    solution = row["best_solution"]
    said = f"{nearness(row)}  {text(row['task_description'])}"
    return said if solution is None else f"{said}\n→ {text(solution)}"


def solution(row: Mapping[str, Any]) -> str:
    """Return a solution, and below it the task that it solved."""
    return f"{nearness(row)}  {text(row['solution_summary'])}\nfor: {text(row['task_description'])}"


def tier_columns(least: int) -> Columns:
    """Return the figures of a tier; what is over fewer than the least runs is marked."""
    return {
        "tier": text_of("model_tier"),
        "runs": figure("execution_count"),
        "succeeded": lambda tier: rate(
            {**tier, "has_enough_samples": tier["execution_count"] >= least}
        ),
        "cost": over("avg_cost", "cost_known_count", least, formats.money),
        "time": over("avg_duration", "duration_known_count", least, formats.duration),
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
    from orb_learning.figures import similar_tasks, why_no_task

    given: dict[str, Any] = {"repo": repo, "days_back": days, "threshold": threshold, "tier": tier}

    def search(connection: duckdb.DuckDBPyConnection, vector: Sequence[float]) -> Found:
        rows = similar_tasks(
            connection, settings, vector, limit=limit, success=success, with_index=False, **given
        )
        if rows:
            return rows, ""
        return rows, why_no_task(connection, settings, vector, success=success, **given)

    columns = tier_columns(settings.min_samples_for_learning)
    show(found(settings, wanted, search), task, columns, as_json=as_json)


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
    from orb_learning.figures import why_no_solution
    from orb_learning.search import similar_solutions

    given: dict[str, Any] = {
        "of_errors": error,
        "model": settings.embedding_model,
        "days_back": days,
        "threshold": settings.least_similarity(threshold),
        "repo": repo,
    }

    def search(connection: duckdb.DuckDBPyConnection, vector: Sequence[float]) -> Found:
        rows = similar_solutions(connection, vector, limit=limit, **given)
        return rows, "" if rows else why_no_solution(connection, vector, **given)

    columns = tier_columns(settings.min_samples_for_learning)
    show(found(settings, wanted, search), solution, columns, as_json=as_json)


@app.command("index")
@with_settings
def index_command(settings: LearningSettings) -> None:
    """Build the index of vectors beside the database, or add what is new to it."""
    from orb_learning.search import index_folder, update_index
    from orb_learning.store import connect

    only_on_a_file(
        settings.database_path, "The index of vectors", "a search compares every vector there"
    )
    folder = index_folder(settings.database_path)
    with ExitStack() as opened:
        connection = opened.enter_context(connect(settings.database_path, read_only=True))
        # Building takes longer than reading, and who wants to write need not wait for it.
        result = update_index(connection, folder, settings.embedding_model, when_read=opened.close)
    reason = result.rebuilt_because
    built = f"built anew ({reason})" if reason else "brought up to date"
    say(
        f"{printable(folder)}: {built} in {result.seconds:.1f} s, "
        f"{formats.count(result.vectors, 'vector')}, "
        f"{result.added:,} of them new"
    )


def found(settings: LearningSettings, wanted: str, search: Search) -> Found:
    """Return what a search finds for the vector of a text, and why where that is nothing."""
    from orb_learning.search import vector_of
    from orb_learning.store import connect

    vector = vector_of(settings.database_path, wanted, settings.embedding_model)
    with connect(settings.database_path, read_only=True) as connection:
        return search(connection, vector)


def show(answer: Found, said: Cell, columns: Columns, *, as_json: bool) -> None:
    """Print what was found and its tiers, or a JSON list, or why nothing was found.

    Args:
        answer: the rows, and why there are none.
        said: the text of a row.
        columns: the cells of a tier by their headers.
        as_json: whether to print JSON.
    """
    rows, why = answer
    if as_json:
        print_json(rows)
        return
    if not rows:
        say(printable(why), to=err)
        return
    for row in rows:
        out.print(said(row), highlight=False)
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
        for header in columns:
            table.add_column(header, overflow="fold")
        for tier in row["by_tier"]:
            table.add_row(*(cell(tier) for cell in columns.values()))
        out.print(Padding(table, (0, 0, 1, 2)), highlight=False)
