"""``orb stats`` and ``metrics``: the executions of a time range, as the MCP tools return them."""

from __future__ import annotations

from typing import Annotated

import typer

from orb_learning import formats
from orb_learning.cli.answers import answer, ask
from orb_learning.cli.console import err, out, say
from orb_learning.cli.funnel import show_assigned_times, show_funnel, what_to_do
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import (
    Cell,
    Columns,
    Row,
    Table,
    figure,
    over,
    rate,
    show_table,
    text,
    text_of,
)
from orb_learning.time_ranges import Group, TimeRange

app = typer.Typer()

InRange = Annotated[TimeRange, typer.Option("--range", help="How far back from now.")]


def figures(least: int | None) -> Columns:
    """Return the figures of a group; means and costs over fewer than the least are marked."""
    return {
        "runs": figure("total_executions"),
        "success rate": rate,
        "mean time": over("avg_duration", "duration_known_count", least, formats.duration),
        "cost": over("total_cost", "cost_known_count", least, formats.money),
        "quality": over("avg_quality", "quality_known_count", least),
    }


def durations(least: int | None) -> Columns:
    """Return how long the executions of a tier took, and what they cost."""

    def of_tier(name: str) -> Cell:
        cell = over(f"{name}_seconds", "known_count", least, formats.duration)
        return lambda row: cell(row["duration"])

    return {
        "model tier": text_of("model_tier"),
        **{name.replace("avg", "mean"): of_tier(name) for name in ("avg", "p50", "p95", "p99")},
        "cost": over("total_cost", "cost_known_count", least, formats.money),
        "mean cost": over("avg_cost", "cost_known_count", least, formats.money),
    }


GROUPS = [
    ("by model tier", "by_model_tier", "model_tier"),
    ("by pool type", "by_pool_type", "pool_type"),
    ("the most used repositories", "top_repositories", "repo"),
    ("the most frequent task types", "by_task_type", "task_type"),
]
"""A table's title, the figures that it shows, and the column that names a group."""


BY = {
    "tier": "model_tier",
    "pool": "pool_type",
    "repository": "repo",
    "task_type": "task_type",
    "model": "model",
}
"""The column that names what a row is, with `--by`."""

ByGroup = Annotated[
    Group | None, typer.Option("--by", help="Only the whole table of these; without, all tables.")
]

SIDE = ("name", "success_rate", "like_for_like_rate", "matched_count", "matched_task_count")
"""What each of two groups that are compared has of its own."""

APART = ("rate_difference", "rate_difference_lower", "rate_difference_upper")


@app.command("stats")
def stats_command(time_range: InRange = "7d", by: ByGroup = None, as_json: AsJson = False) -> None:
    """Count executions and sum up how they went: by time, tier, pool, repository, task type.

    A rate has its 95 % interval beside it, a mean and a cost of how many runs they
    are known; a question mark says that those are too few to act on. Pools and
    repositories whose tiers and task types differ are compared like for like, too.
    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_execution_statistics

    show = show_statistics if by is None else show_group
    answer(ask(get_execution_statistics(time_range, by)), show, as_json=as_json)


def show_group(found: Row) -> None:
    """Print the table of one thing."""
    by, time_range = found["by"], found["time_range"]
    if not found["rows"]:
        say(f"Nothing of it in the last {time_range}: try a longer --range.", to=err)
        return
    if by == "day":
        show_buckets(found["rows"], time_range, found["least_samples"])
    elif by == "error":
        columns: Columns = {
            "error type": text_of("error_type"),
            "failures": figure("error_count"),
            "of all": figure("failure_share", formats.rate),
            "error rate": lambda row: rate(row, "error_rate"),
            "repositories": figure("repo_count"),
            "last": figure("last_error_at", formats.time),
        }
        show_table("by error type", columns, found["rows"])
    else:
        name = by.replace("_", " ")
        columns = {name: text_of(BY[by]), **figures(found["least_samples"])}
        show_table(f"by {name}", columns, found["rows"])


def show_buckets(rows: list[Row], time_range: str, least: int | None) -> None:
    """Print the hours or days of a range."""
    hours = time_range in ("1h", "24h")
    start = "%Y-%m-%d %H:%M" if hours else "%Y-%m-%d"
    show_table(
        "by hour (UTC)" if hours else "by day (UTC)",
        {"start": lambda row: _bucket(row, start), **figures(least)},
        rows,
    )


def show_statistics(found: Row) -> None:
    """Print the executions of a range by time and by group, and all together."""
    time_range = found["time_range"]
    show_funnel(found["record_funnel"])
    if not found["performance"]["total_executions"]:
        advice = what_to_do(found["record_funnel"]) or "try a longer --range"
        say(f"No execution started in the last {time_range}: {advice}.", to=err)
        return
    shown_figures = figures(found["least_samples"])
    show_buckets(found["time_series"], time_range, found["least_samples"])
    show_assigned_times(found["performance"])
    for title, key, name in GROUPS:
        show_table(title, {name.replace("_", " "): text_of(name), **shown_figures}, found[key])
    show_like_for_like(found["like_for_like"])
    everything = {**found["performance"], "all": f"last {time_range}"}
    show_table("all executions", {"range": text_of("all"), **shown_figures}, [everything])


def show_like_for_like(pairs: list[Row]) -> None:
    """Print the groups whose rates compare unlike work, with their rates within the like of it."""
    matched = [pair for pair in pairs if pair["like_for_like_rate"] is not None]
    if matched:
        say("Their tiers and task types differ: compare these like for like, within those of both.")
    for dimension in dict.fromkeys(pair["dimension"] for pair in matched):
        show_table(
            f"each {dimension} and another, like for like",
            {
                dimension: text_of("name"),
                "success": figure("success_rate", formats.rate),
                "like for like": like_for_like,
                "runs": figure("matched_count"),
                "tasks": figure("matched_task_count"),
                "points apart": apart,
                "other mix": figure("mix_difference", formats.rate),
            },
            (side for pair in matched if pair["dimension"] == dimension for side in sides(pair)),
        )
    for pair in pairs:
        if pair["like_for_like_rate"] is None:
            names = f"{text(pair['name'])} and {text(pair['other_name'])}"
            say(f"{names} have no tier and task type in common: do not compare them.")


def sides(pair: Row) -> tuple[Row, Row]:
    """Return a row for each of two groups; the second says how far they are apart."""
    other = {name: pair[f"other_{name}"] for name in SIDE}
    once = dict.fromkeys((*APART, "mix_difference"))
    return {**pair, **once}, {**pair, **other}


def like_for_like(side: Row) -> str:
    """Return the rate within the tiers and task types of both; dim over too few to look at."""
    shown = formats.rate(side["like_for_like_rate"])
    return shown if side["has_enough_samples"] else f"[dim]{shown}?[/]"


def apart(side: Row) -> str:
    """Return how far apart those rates are, with the bounds at 95 %."""
    difference, *bounds = (side[name] for name in APART)
    return "" if difference is None else formats.points(difference, *bounds)


def _bucket(row: Row, form: str) -> str:
    """Write when a bucket begins; one that still fills, or of which a part is in, has a sign."""
    return f"{row['bucket_start']:{form}}{'' if row['is_complete'] else ' (part)'}"


@app.command("metrics")
def metrics_command(time_range: InRange = "7d", as_json: AsJson = False) -> None:
    """Show how long executions took, what they cost and needed, together and by tier.

    Each figure says of how many executions it is known; a question mark, that those
    are too few to act on. Exit status: 0; 1 if the database cannot be read.
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
    least = found["least_samples"]
    everything = {**cost, "cost_known_count": cost["known_count"]}
    everything |= {"duration": found["duration"], "model_tier": "all"}
    show_table(
        f"duration and cost, last {found['time_range']}",
        durations(least),
        [*found["by_model_tier"], everything],
    )
    table = Table("figure", "value", title="savings and memory")
    table.columns[1].justify = "right"
    savings = over("avg_savings", "savings_known_count", least, formats.money)
    table.add_row("mean savings against the estimate", savings(cost))
    for name, key in {"mean peak memory, MB": "avg_memory_mb", "p95, MB": "p95_memory_mb"}.items():
        table.add_row(name, over(key, "known_count", least)(resources))
    out.print(table)
