"""``orb stats`` and ``metrics``: the executions of a time range, as the MCP tools return them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from orb_learning import formats
from orb_learning.cli.answers import answer, ask
from orb_learning.cli.console import err, out, say
from orb_learning.cli.funnel import show_funnel, what_to_do
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import Columns, Row, figure, rate, show_table, text_of
from orb_learning.time_ranges import TimeRange

app = typer.Typer()

InRange = Annotated[TimeRange, typer.Option("--range", help="How far back from now.")]

FIGURES: Columns = {
    "runs": figure("total_executions"),
    "success rate": rate,
    "mean time": figure("avg_duration", formats.duration),
    "cost": figure("total_cost", formats.money),
    "quality": figure("avg_quality"),
}
DURATIONS: Columns = {
    "model tier": text_of("model_tier"),
    "mean": lambda row: formats.duration(row["duration"]["avg_seconds"]),
    "p50": lambda row: formats.duration(row["duration"]["p50_seconds"]),
    "p95": lambda row: formats.duration(row["duration"]["p95_seconds"]),
    "p99": lambda row: formats.duration(row["duration"]["p99_seconds"]),
    "cost": figure("total_cost", formats.money),
    "mean cost": figure("avg_cost", formats.money),
}
GROUPS = [
    ("by model tier", "by_model_tier", "model_tier"),
    ("by pool type", "by_pool_type", "pool_type"),
    ("the most used repositories", "top_repositories", "repo"),
    ("the most frequent task types", "by_task_type", "task_type"),
]
"""A table's title, the figures that it shows, and the column that names a group."""


@app.command("stats")
def stats_command(time_range: InRange = "7d", as_json: AsJson = False) -> None:
    """Count executions and sum up how they went: by time, tier, pool, repository, task type.

    A rate has its 95 % interval beside it, and a question mark where it is over
    too few executions to act on. Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_execution_statistics

    answer(ask(get_execution_statistics(time_range)), show_statistics, as_json=as_json)


def show_statistics(found: Row) -> None:
    """Print the executions of a range by time and by group, and all together."""
    time_range = found["time_range"]
    show_funnel(found["record_funnel"])
    if not found["performance"]["total_executions"]:
        advice = what_to_do(found["record_funnel"]) or "try a longer --range"
        say(f"No execution started in the last {time_range}: {advice}.", to=err)
        return
    hours = time_range in ("1h", "24h")
    start = "%Y-%m-%d %H:%M" if hours else "%Y-%m-%d"
    show_table(
        "by hour (UTC)" if hours else "by day (UTC)",
        {"start": lambda row: _bucket(row, start), **FIGURES},
        found["time_series"],
    )
    for title, key, name in GROUPS:
        show_table(title, {name.replace("_", " "): text_of(name), **FIGURES}, found[key])
    everything = {**found["performance"], "all": f"last {time_range}"}
    show_table("all executions", {"range": text_of("all"), **FIGURES}, [everything])


def _bucket(row: Row, form: str) -> str:
    """Write when a bucket begins; one that still fills, or of which a part is in, has a sign."""
    return f"{row['bucket_start']:{form}}{'' if row['is_complete'] else ' (part)'}"


@app.command("metrics")
def metrics_command(time_range: InRange = "7d", as_json: AsJson = False) -> None:
    """Show how long executions took, what they cost and needed, together and by tier.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_performance_metrics

    answer(ask(get_performance_metrics(time_range)), show_metrics, as_json=as_json)


def show_metrics(found: Row) -> None:
    """Print durations and costs by tier and of all, and what was saved and needed."""
    cost, resources = found["cost"], found["resources"]
    if not found["by_model_tier"]:
        say(
            f"No execution started in the last {found['time_range']}: "
            "`orb stats` says what became of all that came, `orb import FILE` brings more.",
            to=err,
        )
        return
    everything = {**found, **cost, "model_tier": "all", "total_executions": None}
    show_table(
        f"duration and cost, last {found['time_range']}",
        DURATIONS,
        [*found["by_model_tier"], everything],
    )
    table = Table("figure", "value", "over executions", title="savings and memory")
    table.columns[1].justify = table.columns[2].justify = "right"
    table.add_row(
        "mean savings against the estimate",
        formats.money(cost["avg_savings"]),
        formats.number(cost["savings_known_count"]),
    )
    for name, key in {"mean peak memory, MB": "avg_memory_mb", "p95, MB": "p95_memory_mb"}.items():
        table.add_row(
            name, formats.number(resources[key]), formats.number(resources["known_count"])
        )
    out.print(table)
