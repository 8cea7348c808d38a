"""``orb quality``, ``storage`` and ``alerts``: what is wrong or will be, as the tools return it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.padding import Padding

from orb_learning import formats
from orb_learning.cli.answers import answer, ask
from orb_learning.cli.console import out, say
from orb_learning.cli.funnel import show_assigned_times
from orb_learning.cli.options import AsJson, Strict
from orb_learning.cli.tables import (
    Columns,
    Row,
    Table,
    coloured,
    figure,
    megabytes,
    show_table,
    text,
    text_of,
)

app = typer.Typer()

BECAME = {"rejected": "kept out", "warned": "let in"}
CHECKS: Columns = {
    "check": text_of("check_name"),
    "failed": figure("failing_count"),
    "share": figure("failing_share", formats.rate),
    "what became of them": lambda row: (
        f"{BECAME.get(row['check_kind'], text(row['check_kind']))}, "
        f"of {formats.number(row['checked_count'])} {text(row['checked_rows'])}"
    ),
}
UNKNOWN_VALUES: Columns = {
    "column": text_of("column_name"),
    "unknown": figure("unknown_count"),
    "share": figure("unknown_share", formats.rate),
}
PLACES: Columns = {
    "place": text_of("place"),
    "measured (UTC)": lambda row: formats.time(row["sampled_at"]),
    "MB": megabytes("size_bytes"),
    "MB a day": megabytes("growth_bytes_a_day"),
    "will be MB": megabytes("projected_bytes"),
    "warns on": lambda row: str(row["warning_on"] or "-"),
    "alert": lambda row: coloured(row["alert"] or "-"),
}
TABLES: Columns = {
    "table": text_of("table_name"),
    "rows": figure("row_count"),
    "MB": megabytes("size_bytes"),
    "bytes a row": figure("bytes_a_row"),
}


@app.command("quality")
def quality_command(as_json: AsJson = False, strict: Strict = False) -> None:
    """Show how fresh the data is, which rows broke rules, and what is unknown.

    Exit status: 0; 1 if the database cannot be read; 3 if a check warns, with
    --strict.
    """
    from orb_learning.figures import get_data_quality_report

    found = ask(get_data_quality_report())
    warns = strict and any(check["status"] == "warning" for check in found["checks"])
    answer(found, show_quality, as_json=as_json, warns=warns)


def show_quality(found: Row) -> None:
    """Print how fresh the data is, the checks, and the unknown values."""
    fresh = found["freshness"]
    table = Table("freshness", "", title="from when to when (UTC)")
    table.add_row("executions", f"{fresh['total_executions']:,}")
    for name in ("first_execution_at", "last_execution_at", "last_loaded_at"):
        table.add_row(name.replace("_", " "), formats.time(fresh[name]))
    out.print(table)
    show_assigned_times(fresh)
    by_status = {
        status: [check for check in found["checks"] if check["status"] == status]
        for status in ("warning", "ok", "unknown")
    }
    if failing := by_status["warning"]:
        show_table("checks that failed", CHECKS, failing, is_first_whole=True)
    for status, said in {"ok": "[green]ok[/]", "unknown": "nothing to look at yet"}.items():
        if checks := by_status[status]:
            names = ", ".join(text(check["check_name"]) for check in checks)
            out.print(f"{formats.count(len(checks), 'check')} {said}:", highlight=False)
            out.print(Padding(names, (0, 0, 0, 2)), highlight=False)
    show_table("unknown values, last 30 days", UNKNOWN_VALUES, found["unknown_values"])


@app.command("storage")
def storage_command(as_json: AsJson = False, strict: Strict = False) -> None:
    """Show how large the database and the folders beside it are, and how they grow.

    Exit status: 0; 1 if the database cannot be read; 3 if its size is critical,
    or warns, with --strict.
    """
    from orb_learning.figures import get_storage_status

    found = ask(get_storage_status())
    alerts = {place["alert"] for place in found["places"]}
    warns = "critical" in alerts or (strict and "warning" in alerts)
    answer(found, show_storage, as_json=as_json, warns=warns)


def show_storage(found: Row) -> None:
    """Print the sizes of the database, of the folders beside it, and of the tables."""
    if not found["places"]:
        out.print("Nothing has been measured yet: `orb load` and `orb maintain` measure it.")
    show_table("places, when they were last measured", PLACES, found["places"])
    show_table("tables, at the last `orb maintain`", TABLES, found["tables"])


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

    found = ask(get_database_alerts(success_rate, avg_duration, size_mb))
    severities = {alert["severity"] for alert in found["raised"]}
    warns = "critical" in severities or (strict and bool(severities))
    answer(found, show_alerts, as_json=as_json, warns=warns)


def show_alerts(found: Row) -> None:
    """Print the alerts that are raised, those that are not, and why the raised ones matter."""
    if not found["raised"]:
        out.print("[green]No alert is raised.[/]")
    for title, alerts in [("raised", found["raised"]), ("not raised", found["others"])]:
        if alerts:
            table = Table("alert", "state", "what was found", title=title)
            for alert in alerts:
                tier = alert["model_tier"]
                name = alert["alert_name"] if tier is None else f"{alert['alert_name']} of {tier}"
                table.add_row(text(name), coloured(alert["state"]), text(alert["message"]))
            out.print(table)
    for alert in found["raised"]:
        say(f"{text(alert['alert_name'])}: {text(alert['reason'])}")
