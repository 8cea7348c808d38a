"""``orb route``, ``recommend`` and ``policies``: what to route by, and what it would bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.padding import Padding

from orb_learning import formats
from orb_learning.cli.answers import answer, ask
from orb_learning.cli.console import checked_texts, out, say
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import Row, rate, sentence, show_table, text, text_of

app = typer.Typer()

Repo = Annotated[str | None, typer.Option(help="Only of this repository.")]


@app.command("route")
@checked_texts
def route_command(
    wanted: Annotated[str, typer.Argument(metavar="TEXT", help="The task, as it is recorded.")],
    repo: Annotated[str | None, typer.Option(help="The task's repository.")] = None,
    task_type: Annotated[str | None, typer.Option("--type", help="The task's type.")] = None,
    complexity: Annotated[
        int | None, typer.Option(help="The complexity score, 0 to 100.", min=0, max=100)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say by what plan of tiers to route a task, what it gains, and how sure that is.

    What is left out is taken from the newest execution of the same text.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_route

    answer(ask(get_route(wanted, repo, task_type, complexity)), show_route, as_json=as_json)


@app.command("recommend")
@checked_texts
def recommend_command(repo: Repo = None, as_json: AsJson = False) -> None:
    """Say what to route by: everywhere, in each repository, and in each kind of task.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_recommendations

    answer(ask(get_recommendations(repo)), show_recommendations, as_json=as_json)


@app.command("policies")
@checked_texts
def policies_command(repo: Repo = None, as_json: AsJson = False) -> None:
    """Show what routing policies would have come to: success, cost and utility.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_policy_values

    answer(ask(get_policy_values(repo)), show_policies, as_json=as_json)


def show_route(found: Row) -> None:
    """Print what to do with a task, and below it what holds more widely."""
    say(f"[bold]{sentence(found['sentence'])}[/]")
    for row in found["rows"][1:]:
        out.print(
            Padding(sentence(f"{place(row)}: {row['sentence']}"), (0, 0, 0, 3)), highlight=False
        )


def show_recommendations(found: Row) -> None:
    """Print a sentence a place, the widest first."""
    from orb_learning.figures import NO_DECISIONS

    for row in found["rows"]:
        say(f"[bold]{text(place(row))}[/]: {sentence(row['sentence'])}")
    if not found["rows"]:
        say(NO_DECISIONS)


def show_policies(found: Row) -> None:
    """Print a row a policy, and why some have no figures."""
    show_table(
        "policies",
        {
            "policy": text_of("policy"),
            "success": lambda row: rate(row, "success"),
            "cost a task": cost,
            "utility": utility,
            "decisions, effective": decisions,
        },
        found["rows"],
        is_first_whole=True,
    )
    doubted = [row for row in found["rows"] if row["reason"] is not None]
    for reason in dict.fromkeys(row["reason"] for row in doubted):
        policies = ", ".join(row["policy"] for row in doubted if row["reason"] == reason)
        say(f"[yellow]{text(policies)}[/]: {text(reason)}")


def place(row: Row) -> str:
    """Return where a recommendation holds."""
    if row["level"] == "everything":
        return "everywhere"
    if row["level"] == "repository":
        return str(row["repo"])
    return f"{row['repo']}, {row['task_type']}, {row['complexity_band']} complexity"


def cost(row: Row) -> str:
    """Return the capped cost with its interval, where it is known."""
    return _with_bounds(row, "capped_cost", "cost", formats.money)


def decisions(row: Row) -> str:
    """Return how many decisions there are, and as how many they count for the policy."""
    effective = row["effective_count"]
    return (
        f"{formats.number(row['decision_count'])}, "
        f"{formats.number(None if effective is None else round(effective))}"
    )


def utility(row: Row) -> str:
    """Return the utility, in hundredths of a success, with its interval."""
    return _with_bounds(row, "utility", "utility", lambda value: f"{100 * value:.1f}")


def _with_bounds(row: Row, name: str, bound: str, show: Callable[[float], str]) -> str:
    value, lower, upper = row[name], row[f"{bound}_lower"], row[f"{bound}_upper"]
    if value is None or lower is None or upper is None:
        return formats.UNKNOWN
    return f"{show(value)} ({show(lower)} to {show(upper)})"
