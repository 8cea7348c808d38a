"""How the commands show what became of the records, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from orb_learning import formats
from orb_learning.cli.console import say
from orb_learning.cli.tables import Columns, Row, figure, show_table, text_of

_NAMES = {
    "in_outbox": "in the outbox",
    "dead_letter": "dead letters",
    "waiting_for_build": "waiting for a build",
}
_ADVICE = {
    "in_outbox": "orb load",
    "dead_letter": "orb dead-letters list",
    "unreadable": "orb quality",
    "rejected": "orb quality",
    "archived": "orb unarchive",
    "waiting_for_build": "orb build",
}
FUNNEL: Columns = {
    "stage": lambda row: _NAMES.get(row["stage"], str(row["stage"])),
    "records": figure("record_count"),
    "commonest reason": text_of("top_reason"),
    "of records": figure("top_reason_count"),
    "what to do": lambda row: _ADVICE.get(row["stage"], "-") if row["record_count"] else "-",
}
_WHERE_ALL_IS = [
    ("waiting_for_build", "{:,} loaded versions wait for a build: run `orb build`"),
    ("in_outbox", "{:,} records are in the outbox: run `orb load`, then `orb build`"),
    ("rejected", "{:,} versions were rejected, and `orb quality` says why"),
    ("archived", "{:,} versions are archived, and `orb unarchive --from DAY` brings them back"),
    ("unreadable", "{:,} rows of files could not be read, and `orb quality` says why"),
]
"""Where the records are of which none is an execution; the first that there is says what to do."""


def show_funnel(stages: Sequence[Row]) -> None:
    """Print the stages that hold records, and the totals."""
    shown = [stage for stage in stages if stage["record_count"] or stage["kind"] == "total"]
    show_table("from what was recorded to executions", FUNNEL, shown)


def show_assigned_times(row: Row) -> None:
    """Say of how many executions the time was assigned, where it was of any."""
    if said := formats.assigned_times(row["assigned_time_count"], row["total_executions"]):
        say(said)


def what_to_do(stages: Sequence[Row]) -> str:
    """Return where the records are and what to do; empty where there are executions."""
    counts = {stage["stage"]: stage["record_count"] for stage in stages}
    if counts["executions"]:
        return ""
    for stage, message in _WHERE_ALL_IS:
        if counts[stage]:
            return message.format(counts[stage])
    return "nothing was recorded yet: `orb import FILE` and `orb build` bring it"
