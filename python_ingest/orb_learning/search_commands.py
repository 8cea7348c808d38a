"""``orb similar``, ``solutions`` and ``index``: what was like a task, and what solved it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from orb_learning.console import err, out, reported_errors

app = typer.Typer()

LONGEST_CELL = 300

Text = Annotated[str, typer.Argument(metavar="TEXT", help="The task, in whatever words.")]
Repo = Annotated[str | None, typer.Option(help="Only executions in this repository.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000, help="The most rows.")]
Days = Annotated[
    int | None,
    typer.Option("--days", min=0, max=36_500, help="How many days an execution may be old."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=-1,
        max=1,
        help="The least cosine similarity; if left out, 0.5 for solutions, else the setting's.",
    ),
]
Tier = Annotated[str | None, typer.Option(help="Only executions by this model tier.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("similar")
def similar_command(
    text: Text,
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
    from orb_learning import database, similarity
    from orb_learning.settings import load_settings

    with reported_errors():
        settings = load_settings()
        vector = similarity.vector_of(settings.database_path, text, settings.embedding_model)
        with database.connect(settings.database_path, read_only=True) as connection:
            rows = similarity.similar_executions(
                connection,
                vector,
                model=settings.embedding_model,
                limit=limit,
                days_back=days,
                threshold=settings.similarity_threshold if threshold is None else threshold,
                repo=repo,
                tier=tier,
                success=success,
            )
    if as_json:
        print_json(rows)
        return
    if not rows:
        err.print("No task is so similar: try a lower --threshold, more --days or fewer filters.")
        return
    table = Table(expand=True)
    for header, ratio in (("similarity", 0), ("task", 3), ("runs", 0), ("success rate", 2)):
        table.add_column(header, ratio=ratio or None, overflow="fold")
    table.add_column("tiers", ratio=2, overflow="fold")
    table.add_column("best solution", ratio=3, overflow="fold")
    for row in rows:
        table.add_row(
            f"{row['similarity']:.3f}",
            cell(row["task_description"]),
            f"{row['execution_count']:,}",
            rate(row),
            ", ".join(f"{tier} {count:,}" for tier, count in row["tiers"].items()),
            cell(row["best_solution"]),
        )
    out.print(table)


@app.command("solutions")
def solutions_command(
    text: Text,
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
    from orb_learning import database, similarity
    from orb_learning.settings import load_settings

    with reported_errors():
        settings = load_settings()
        vector = similarity.vector_of(settings.database_path, text, settings.embedding_model)
        with database.connect(settings.database_path, read_only=True) as connection:
            rows = similarity.similar_solutions(
                connection,
                vector,
                of_errors=error,
                model=settings.embedding_model,
                limit=limit,
                days_back=days,
                threshold=similarity.SOLUTION_THRESHOLD if threshold is None else threshold,
                repo=repo,
            )
    if as_json:
        print_json(rows)
        return
    if not rows:
        err.print("No solution is known: try a lower --threshold, more --days or no --repo.")
        return
    table = Table(expand=True)
    for header, ratio in (("score", 0), ("similarity", 0), ("solution", 4), ("uses", 0)):
        table.add_column(header, ratio=ratio or None, overflow="fold")
    table.add_column("success rate", ratio=2, overflow="fold")
    table.add_column("on a task like", ratio=3, overflow="fold")
    for row in rows:
        table.add_row(
            f"{row['score']:.3f}",
            f"{row['similarity']:.3f}",
            cell(row["solution_summary"]),
            f"{row['execution_count']:,}",
            rate(row),
            cell(row["task_description"]),
        )
    out.print(table)


@app.command("index")
def index_command() -> None:
    """Build the index of vectors beside the database, or add what is new to it."""
    from orb_learning import database, vector_index
    from orb_learning.settings import load_settings

    with reported_errors():
        settings = load_settings()
        folder = vector_index.folder_of(settings.database_path)
        with ExitStack() as opened:
            connection = opened.enter_context(
                database.connect(settings.database_path, read_only=True)
            )
            # Building takes longer than reading, and who wants to write need not wait for it.
            result = vector_index.build_or_update(
                connection, folder, settings.embedding_model, when_read=opened.close
            )
    reason = result.rebuilt_because
    built = f"built anew ({reason})" if reason else "brought up to date"
    out.print(
        f"{escape(str(folder))}: {built} in {result.seconds:.1f} s, {result.vectors:,} vectors, "
        f"{result.added:,} of them new",
        highlight=False,
        soft_wrap=True,
    )


def print_json(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a JSON list; UUIDs and times are texts."""
    typer.echo(json.dumps(rows, default=str, indent=2, ensure_ascii=False))


def cell(text: str | None) -> str:
    """Return a text of an agent for a table: cut, and without what acts on a terminal."""
    printable = "".join(one if one.isprintable() else " " for one in text or "-")
    shown = " ".join(printable.split())
    return escape(shown if len(shown) <= LONGEST_CELL else f"{shown[:LONGEST_CELL]}…")


def rate(row: Mapping[str, Any]) -> str:
    """Return a success rate with its interval."""
    low, high = row["success_rate_lower"], row["success_rate_upper"]
    return f"{row['success_rate']:.0%} ({low:.0%} to {high:.0%})"
