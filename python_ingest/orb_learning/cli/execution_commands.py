"""``orb executions``: single executions, as the tool list_executions gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer
from rich.padding import Padding

from orb_learning import formats
from orb_learning.cli.answers import answer, ask
from orb_learning.cli.console import checked_texts, err, out, say
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import Row, text

app = typer.Typer()

Outcome = Literal["succeeded", "failed"]
Order = Literal["newest", "dearest"]
Filter = str | None
UNKNOWN = "unknown"
"""What was not recorded, in columns that are never NULL."""


@app.command("executions")
@checked_texts
def executions_command(
    task: Annotated[
        Filter,
        typer.Option("--task", "--task-id", help="The task's UUID, or its id as it was recorded."),
    ] = None,
    words: Annotated[Filter, typer.Option(help="A part of the task's text, in any case.")] = None,
    tier: Annotated[Filter, typer.Option(help="Only by this model tier.")] = None,
    pool: Annotated[Filter, typer.Option(help="Only in pools of this type.")] = None,
    model: Annotated[Filter, typer.Option(help="Only by this model, as recorded.")] = None,
    repo: Annotated[Filter, typer.Option(help="Only in this repository.")] = None,
    error: Annotated[Filter, typer.Option(help="Only with this type of error.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only those that did.")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only of this UTC day.")
    ] = None,
    order: Annotated[Order, typer.Option(help="What comes first.")] = "newest",
    limit: Annotated[int, typer.Option(min=1, max=100, help="The most executions.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List single executions, the newest or the dearest first.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_executions

    if task is not None and not task.strip():
        raise typer.BadParameter("it is empty", param_hint="--task")
    found = ask(
        get_executions(
            task_id=task,
            words=words,
            repo=repo,
            tier=tier,
            pool=pool,
            model=model,
            success=None if outcome is None else outcome == "succeeded",
            error_type=error,
            day=None if day is None else day.date(),
            order=order,
            limit=limit,
        )
    )
    answer(found, show_executions, as_json=as_json)


def show_executions(found: Row) -> None:
    """Print each execution in a few lines: its ids are there to be copied."""
    for row in found["rows"]:
        ended = "[green]succeeded[/]" if row["success"] else "[red]failed[/]"
        out.print(
            f"[bold]{formats.time(row['timestamp'])}[/]  {ended}  {text(row['task_description'])}",
            highlight=False,
        )
        for line in filter(None, (_task(row), _routing(row), _figures(row), *_texts(row))):
            out.print(Padding(line, (0, 0, 0, 2)), highlight=False)
    if found["is_cut"]:
        every = formats.count(found["matching_count"], "execution")
        say(f"These are {len(found['rows'])} of {every}; --limit shows up to 100.")
    if not found["rows"]:
        say("No execution is all of it: ask with fewer options; `orb stats` counts all.", to=err)


def _task(row: Row) -> str:
    own = row["external_id"]
    return f"task {row['task_id']}" if own is None else f"task {text(own)} ({row['task_id']})"


def _routing(row: Row) -> str:
    """Return what it was and who ran it, as far as that was recorded."""
    known = {name: text(row[name]) for name in ("task_type", "repo", "model_tier", "pool_type")}
    model = "" if row["model"] is None else f" ({text(row['model'])})"
    parts = [
        "" if known["task_type"] == UNKNOWN else known["task_type"],
        "" if known["repo"] == UNKNOWN else f"in {known['repo']}",
        f"by {'a model of unknown tier' if known['model_tier'] == UNKNOWN else known['model_tier']}"
        f"{model}",
        "" if known["pool_type"] == UNKNOWN else f"pool {known['pool_type']}",
    ]
    return ", ".join(filter(None, parts))


def _figures(row: Row) -> str:
    known = {
        "took {}": row["duration_seconds"] is not None
        and formats.duration(row["duration_seconds"]),
        "cost {}": row["actual_cost"] is not None and formats.money(row["actual_cost"]),
        "quality {}": row["quality_score"] is not None and formats.number(row["quality_score"]),
    }
    return ", ".join(words.format(shown) for words, shown in known.items() if shown)


def _texts(row: Row) -> tuple[str, str]:
    said = [text(row[name]) for name in ("error_type", "error_message") if row[name] is not None]
    solution = row["solution_summary"]
    return ": ".join(["error", *said]) if said else "", f"→ {text(solution)}" if solution else ""
