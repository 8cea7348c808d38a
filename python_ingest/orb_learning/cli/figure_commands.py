"""``orb status``, ``stats``, ``metrics``, ``quality``, ``storage`` and ``alerts``.

They show what the MCP tools return (mcp/database_tools.py), as tables or as JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from orb_learning.cli.console import err, out, print_error, reported_errors
from orb_learning.cli.tables import AsJson, Cell, Row, number, print_json, printable, rate, text
from orb_learning.errors import DatabaseError, NotBuiltError
from orb_learning.time_ranges import TimeRange

app = typer.Typer()

WRONG_STATUS = 3
"""Exit status where the database could be read, and something in it is wrong."""

COLOURS = {
    "OK": "green",
    "ok": "green",
    "WARNING": "yellow",
    "warning": "yellow",
    "ERROR": "bold red",
    "critical": "bold red",
}

Columns = dict[str, Cell]
"""Cells of a row by their headers; the first column is text, the others are numbers."""

Strict = Annotated[
    bool, typer.Option("--strict", help=f"Exit with {WRONG_STATUS} for a warning, too.")
]


InRange = Annotated[TimeRange, typer.Option("--range", help="How far back from now.")]


def coloured(word: str) -> str:
    """Return a status or a severity in its colour."""
    return f"[{COLOURS[word]}]{word}[/]" if word in COLOURS else word


FIGURES: Columns = {
    "runs": number("total_executions", ","),
    "success rate": rate,
    "mean s": number("avg_duration"),
    "cost": number("total_cost", ",.2f", "$"),
    "quality": number("avg_quality"),
}
PERCENTILES: Columns = {
    "mean s": lambda row: number("avg_seconds")(row["duration"]),
    "p50 s": lambda row: number("p50_seconds")(row["duration"]),
    "p95 s": lambda row: number("p95_seconds")(row["duration"]),
    "p99 s": lambda row: number("p99_seconds")(row["duration"]),
}


@app.command("status")
def status_command(as_json: AsJson = False, strict: Strict = False) -> None:
    """Show whether the database is well, what it and the outbox hold, and what to try next.

    Exit status: 0 if it is well, or if there are but warnings; 1 if it cannot be
    read or was never built; 3 for warnings, with --strict.
    """
    from orb_learning.figures import get_database_status

    found = asked(get_database_status())
    if as_json:
        print_json(found)
        finish(found, warns=strict and found["status"] == "WARNING")
    if found["status"] != "ERROR":
        show_status(found)
    # What is said of a database that cannot be read is the error of what reads it here.
    with reported_errors():
        is_built = show_relations()
    if not is_built:
        out.print("Nothing has been built yet: run `dbt build`.")
        raise typer.Exit(1)
    for error in found["errors"]:
        print_error(DatabaseError(error))
    finish(found, warns=strict and found["status"] == "WARNING")


def show_status(found: Row) -> None:
    """Print the status, its warnings, and the executions of late."""
    show_age(found)
    out.print(f"status: {coloured(found['status'])}", highlight=False)
    for warning in found["warnings"]:
        out.print(f"  [yellow]{text(warning)}[/]", highlight=False, soft_wrap=True)
    executions, day = found["executions"], found["performance"]
    table = Table("executions", "", title="what came of late")
    table.columns[1].justify = "right"
    for name, key in {
        "all": "total",
        "last hour": "recent_1h",
        "last 24 hours": "daily",
        "last 7 days": "weekly",
    }.items():
        table.add_row(name, f"{executions[key]:,}")
    table.add_section()
    table.add_row("success rate, 24 hours", rate(day, "daily_success_rate"))
    table.add_row("mean seconds, 24 hours", number("avg_duration_seconds")(day))
    table.add_row("mean quality, 24 hours", number("avg_quality_score")(day))
    out.print(table)


def show_relations() -> bool:
    """Print what is in the database and in the outbox; return whether it was ever built."""
    from orb_learning.figures import WAIT_SECONDS, read_contents, read_outbox_status
    from orb_learning.figures.status import Contents
    from orb_learning.settings import load_settings

    settings = load_settings()
    path = settings.database_path
    try:
        contents = read_contents(path, wait_seconds=WAIT_SECONDS)
    except NotBuiltError:
        contents = Contents({}, {})
    outbox = read_outbox_status(path, settings.outbox_folder, wait_seconds=WAIT_SECONDS)
    show_place(path, path.stat().st_size)
    table = Table("relation", "rows")
    table.columns[1].justify = "right"
    for name, rows in contents.relations.items():
        table.add_row(name, f"{rows:,}")
    table.add_section()
    for key, value in contents.facts.items():
        table.add_row(key, value or "none")
    out.print(table)
    show_place(outbox.folder, outbox.size_bytes)
    table = Table("outbox", "")
    table.columns[1].justify = "right"
    for key, value in outbox.facts().items():
        table.add_row(key, value)
    out.print(table)
    if contents.facts:
        shown = printable(path)
        out.print(
            "Try next:\n"
            "  orb alerts\n"
            "  orb stats --range 90d\n"
            f"  python -c \"import duckdb; duckdb.connect('{shown}', read_only=True)"
            ".sql('from tier_performance_mv').show()\"\n"
            "  orb import FILE, then dbt build",
            highlight=False,
            soft_wrap=True,
        )
    return bool(contents.facts)


@app.command("stats")
def stats_command(time_range: InRange = "7d", as_json: AsJson = False) -> None:
    """Count executions and sum up how they went: by time, tier, pool, repository, task type.

    A rate has its 95 % interval beside it, and a question mark where it is over
    too few executions to act on. Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_execution_statistics

    found = asked(get_execution_statistics(time_range))
    if as_json:
        print_json(found)
        finish(found)
    show_age(found)
    if not found["performance"]["total_executions"]:
        show_nothing(time_range)
    else:
        hours = time_range in ("1h", "24h")
        start = "%Y-%m-%d %H:%M" if hours else "%Y-%m-%d"
        show(
            "by hour (UTC)" if hours else "by day (UTC)",
            {"start": lambda row: row["bucket_start"].strftime(start), **FIGURES},
            found["time_series"],
        )
        for title, key, name in [
            ("by model tier", "by_model_tier", "model_tier"),
            ("by pool type", "by_pool_type", "pool_type"),
            ("the most used repositories", "top_repositories", "repo"),
            ("the most frequent task types", "by_task_type", "task_type"),
        ]:
            show(title, {name.replace("_", " "): of(name), **FIGURES}, found[key])
        everything = {**found["performance"], "all": f"last {time_range}"}
        show("all executions", {"range": of("all"), **FIGURES}, [everything])
    finish(found)


@app.command("metrics")
def metrics_command(time_range: InRange = "7d", as_json: AsJson = False) -> None:
    """Show how long executions took, what they cost and needed, together and by tier.

    Exit status: 0; 1 if the database cannot be read.
    """
    from orb_learning.figures import get_performance_metrics

    found = asked(get_performance_metrics(time_range))
    if as_json:
        print_json(found)
        finish(found)
    show_age(found)
    cost, resources = found["cost"], found["resources"]
    if not found["by_model_tier"]:
        show_nothing(time_range)
        finish(found)
    everything = {**found, **cost, "model_tier": "all", "total_executions": None}
    show(
        f"duration and cost, last {time_range}",
        {
            "model tier": of("model_tier"),
            **PERCENTILES,
            "cost": number("total_cost", ",.2f", "$"),
            "mean cost": number("avg_cost", ",.4f", "$"),
        },
        [*found["by_model_tier"], everything],
    )
    table = Table("figure", "value", "over executions", title="savings and memory")
    table.columns[1].justify = table.columns[2].justify = "right"
    table.add_row(
        "mean savings against the estimate",
        number("avg_savings", ",.4f", "$")(cost),
        number("savings_known_count", ",")(cost),
    )
    for name, key in {"mean peak memory, MB": "avg_memory_mb", "p95, MB": "p95_memory_mb"}.items():
        table.add_row(name, number(key)(resources), number("known_count", ",")(resources))
    out.print(table)
    finish(found)


@app.command("quality")
def quality_command(as_json: AsJson = False, strict: Strict = False) -> None:
    """Show how fresh the data is, which rows broke rules, and what is unknown.

    Exit status: 0; 1 if the database cannot be read; 3 if a check warns, with
    --strict.
    """
    from orb_learning.figures import get_data_quality_report

    found = asked(get_data_quality_report())
    warns = any(check["status"] == "warning" for check in found["checks"])
    if as_json:
        print_json(found)
        finish(found, warns=strict and warns)
    show_age(found)
    fresh = found["freshness"]
    table = Table("freshness", "", title="from when to when (UTC)")
    table.add_row("executions", f"{fresh['total_executions']:,}")
    for name in ("first_execution_at", "last_execution_at", "last_loaded_at"):
        table.add_row(name.replace("_", " "), moment(fresh[name]))
    out.print(table)
    show(
        "checks, the failing ones first",
        {
            "check": of("check_name"),
            "kind": of("check_kind"),
            "looked at": number("checked_count", ","),
            "failed": number("failing_count", ","),
            "status": lambda row: coloured(row["status"]),
        },
        found["checks"],
    )
    show(
        "unknown values, last 30 days",
        {
            "column": of("column_name"),
            "unknown": number("unknown_count", ","),
            "share": number("unknown_share", ".1%"),
        },
        found["unknown_values"],
    )
    finish(found, warns=strict and warns)


@app.command("storage")
def storage_command(as_json: AsJson = False, strict: Strict = False) -> None:
    """Show how large the database and the folders beside it are, and how they grow.

    Exit status: 0; 1 if the database cannot be read; 3 if its size is critical,
    or warns, with --strict.
    """
    from orb_learning.figures import get_storage_status

    found = asked(get_storage_status())
    alerts = {place["alert"] for place in found["places"]}
    warns = "critical" in alerts or (strict and "warning" in alerts)
    if as_json:
        print_json(found)
        finish(found, warns=warns)
    show_age(found)
    if not found["places"]:
        out.print("Nothing has been measured yet: `orb load` and `orb maintain` measure it.")
    show(
        "places, when they were last measured",
        {
            "place": of("place"),
            "measured (UTC)": lambda row: moment(row["sampled_at"]),
            "MB": megabytes("size_bytes"),
            "MB a day": megabytes("growth_bytes_a_day"),
            "will be MB": megabytes("projected_bytes"),
            "warns on": lambda row: str(row["warning_on"] or "-"),
            "alert": lambda row: coloured(row["alert"] or "-"),
        },
        found["places"],
    )
    show(
        "tables, at the last `orb maintain`",
        {
            "table": of("table_name"),
            "rows": number("row_count", ","),
            "MB": megabytes("size_bytes"),
            "bytes a row": number("bytes_a_row"),
        },
        found["tables"],
    )
    finish(found, warns=warns)


@app.command("alerts")
def alerts_command(
    as_json: AsJson = False,
    strict: Strict = False,
    success_rate: Annotated[
        float | None, typer.Option(min=0, max=100, help="Percent, from under which it warns.")
    ] = None,
    avg_duration: Annotated[
        float | None, typer.Option(min=0, help="Mean seconds, from over which it warns.")
    ] = None,
    size_mb: Annotated[
        float | None, typer.Option(min=0, help="MB of the database, from which on it warns.")
    ] = None,
) -> None:
    """Show which alerts are raised now; thresholds left out are the seed's, alert_thresholds.

    Exit status: 0 if none is critical; 1 if the database cannot be read; 3 if one
    is critical or, with --strict, if one is raised at all.
    """
    from orb_learning.figures import get_database_alerts

    found = asked(get_database_alerts(success_rate, avg_duration, size_mb))
    severities = {alert["severity"] for alert in found["raised"]}
    warns = "critical" in severities or (strict and bool(severities))
    if as_json:
        print_json(found)
        finish(found, warns=warns)
    show_age(found)
    if not found["raised"]:
        out.print("[green]No alert is raised.[/]")
    for title, alerts in [("raised", found["raised"]), ("not raised", found["others"])]:
        if alerts:
            table = Table("alert", "severity", "what was found", title=title)
            for alert in alerts:
                tier = alert["model_tier"]
                name = alert["alert_name"] if tier is None else f"{alert['alert_name']} of {tier}"
                severity = coloured(alert["severity"]) if alert["is_raised"] else "-"
                table.add_row(text(name), severity, text(alert["message"]))
            out.print(table)
    for alert in found["raised"]:
        out.print(
            f"{text(alert['alert_name'])}: {text(alert['reason'])}", highlight=False, soft_wrap=True
        )
    finish(found, warns=warns)


def asked(tool: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Return what a tool of the database answers; an OrbError ends the command."""
    with reported_errors():
        return asyncio.run(tool)


def finish(found: Row, *, warns: bool = False) -> None:
    """End the command with the exit status that says whether something is wrong."""
    if found.get("status") == "ERROR":
        raise typer.Exit(1)
    if found["from_backup"]:
        print_error(
            DatabaseError(
                f"the database cannot be read; these figures are of its newest backup, "
                f"{found['as_of']} UTC. `orb status` says why"
            )
        )
        raise typer.Exit(1)
    raise typer.Exit(WRONG_STATUS if warns else 0)


def show_age(found: Row) -> None:
    """Print when the figures were read, and how old they are."""
    read, built = moment(found["as_of"]), moment(found["built_at"])
    out.print(f"as of {read} UTC, built {built} UTC", highlight=False)


def show_place(path: Path, size_bytes: int) -> None:
    """Print a file or a folder and its size."""
    out.print(f"{printable(path)} ({size_bytes / 1e6:.1f} MB)", highlight=False, soft_wrap=True)


def show_nothing(time_range: TimeRange) -> None:
    """Say that there is nothing to show, and what to do."""
    err.print(
        f"No execution started in the last {time_range}: try a longer --range; "
        f"`orb status` says whether anything has come, `orb import FILE` and `dbt build` bring it.",
        highlight=False,
        soft_wrap=True,
    )


def show(title: str, columns: Columns, rows: Iterable[Row]) -> None:
    """Print rows as a table, unless there are none."""
    table = Table(title=title)
    for place, header in enumerate(columns):
        table.add_column(header, justify="right" if place else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    if table.rows:
        out.print(table)


def of(key: str) -> Cell:
    """Return what shows a text of a row."""
    return lambda row: text(row[key])


def megabytes(key: str) -> Cell:
    """Return what shows bytes in MB."""
    return lambda row: "-" if row[key] is None else f"{row[key] / 1e6:,.1f}"


def moment(value: datetime | None) -> str:
    """Return a time to the second."""
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"
