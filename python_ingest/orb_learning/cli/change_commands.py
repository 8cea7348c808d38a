"""``orb changes``: what to do otherwise from tomorrow on, by what it is worth."""

from __future__ import annotations

import typer
from rich.padding import Padding

from orb_learning import formats
from orb_learning.cli.answers import answer, ask
from orb_learning.cli.console import out, say
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import Row, sentence, text

app = typer.Typer()


@app.command("changes")
def changes_command(as_json: AsJson = False) -> None:
    """Say what to change, what is worth most first: tiers, tasks, solutions, retries, records.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_changes

    answer(ask(get_changes()), show_changes, as_json=as_json)


def show_changes(found: Row) -> None:
    """Print each change with its worth and reason; then the kinds of which nothing is known."""
    for row in found["rows"]:
        if row["is_change"]:
            say(f"[bold]{row['place']}. {sentence(row['sentence'])}[/]")
            for line in (stakes(row), row["reason"], more(row)):
                if line:
                    out.print(Padding(text(line), (0, 0, 0, 3)), highlight=False)
    silent = [row for row in found["rows"] if not row["is_change"]]
    if silent:
        out.print()
        say("Nothing known to change, and what it takes to know:")
    for row in silent:
        out.print(Padding(sentence(f"{row['sentence']} ({row['reason']})"), (0, 0, 0, 3)))
    out.print()
    say("Try next: `orb similar TASK` shows a task by tier; `orb alerts` what is wrong now.")


def stakes(row: Row) -> str:
    """Return what a change brings in 30 days, with its interval; nothing where it has no worth."""
    parts = []
    dollars, successes = row["usd_per_30_days"], row["successes_per_30_days"]
    if successes:
        low, high = row["successes_per_30_days_lower"], row["successes_per_30_days_upper"]
        more_or_less = "more" if successes > 0 else "fewer"
        bounds = "" if low is None else f" ({low:.1f} to {high:.1f})"
        parts.append(f"{abs(successes):.1f} successes {more_or_less}{bounds}")
    if dollars:
        low, high = row["usd_per_30_days_lower"], row["usd_per_30_days_upper"]
        if dollars < 0 and low is not None:
            low, high = -high, -low
        bounds = "" if low is None else f" ({formats.money(low)} to {formats.money(high)})"
        saved = "saved" if dollars > 0 else "more to pay"
        parts.append(f"{formats.money(abs(dollars))} {saved}{bounds}")
    if not parts:
        return ""
    runs = formats.count(row["execution_count"], "run")
    tasks = row["task_count"]
    base = runs if tasks is None else f"{runs} of {formats.count(tasks, 'task')}"
    return f"in 30 days: {', '.join(parts)}; from {base}"


def more(row: Row) -> str:
    """Return where those of the kind are that are not shown."""
    count = row["more_count"]
    return f"{count:,} more like it: {row['source']}" if count else ""
