"""One funnel: what became of all that was recorded, the same wherever figures begin."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from building import DbtProject
from commands import orb
from histories import History
from oracle import raw_rows

from orb_learning.figures.database_tools import get_database_status, get_execution_statistics
from orb_learning.figures.funnel import record_funnel
from orb_learning.figures.reader import Snapshot
from orb_learning.outbox.writer import Outbox
from orb_learning.page.reports import read_reports
from orb_learning.store.connection import connect


def funnel_of(database: Path) -> list[dict[str, Any]]:
    with connect(database, read_only=True) as connection:
        return record_funnel(Snapshot(connection), database.parent / "outbox")


def counts(database: Path) -> dict[str, int]:
    return {stage["stage"]: stage["record_count"] for stage in funnel_of(database)}


def test_the_funnel_counts_what_became_of_each_record(history: History, monkeypatch: Any) -> None:
    database = history.database
    history.project.run(database, command="test", select=["rpt_record_funnel"])
    raw = raw_rows(database)
    with connect(database) as connection:
        (built,) = connection.execute("select count(*) from executions").fetchone() or ()
        (rejected,) = (
            connection.execute("select count(*) from rejected_executions").fetchone() or ()
        )
        connection.execute(
            "insert into raw.dead_letters (kind, reason, payload, loaded_at) values "
            "('execution', 'repo: a', '{}', now()), ('feedback', 'b', '{}', now())"
        )
        connection.execute(
            "insert into raw.unreadable_rows select 'f', 'f.csv', range, "
            "'success: ''' || range || ''' is not of type BOOLEAN', '', now() from range(4)"
        )
    history.insert(500, 3)
    Outbox(database.parent / "outbox").put("execution", "{}")
    found = counts(database)
    assert found == {
        "recorded": 1 + 1 + 4 + len(raw) + 3,
        "in_outbox": 1,
        "refused": 0,
        "dead_letter": 1,
        "unmatched": 0,
        "unreadable": 4,
        "loaded": len(raw) + 3,
        "rejected": rejected,
        "superseded": len(raw) - rejected - built,
        "archived": 0,
        "erased": 0,
        "waiting_for_build": 3,
        "executions": built,
    }
    reasons = {stage["stage"]: stage["top_reason"] for stage in funnel_of(database)}
    assert reasons["unreadable"] == "success: … is not of type BOOLEAN"
    assert reasons["rejected"] in ("quality_score_out_of_range", "timestamp_in_the_future")

    monkeypatch.setenv("ORB_DATABASE", str(database))
    shown = funnel_of(database)
    assert asyncio.run(get_database_status())["record_funnel"] == shown
    assert asyncio.run(get_execution_statistics("1h"))["record_funnel"] == shown
    page = read_reports(database, outbox=database.parent / "outbox")["record_funnel"]
    assert page["stage"] == [stage["stage"] for stage in shown]
    assert page["record_count"] == [stage["record_count"] for stage in shown]
    for command in ("status", "stats"):
        said = orb(database, command).stdout
        assert "waiting for a build" in said
        assert "orb build" in said


def test_where_nothing_is_an_execution_the_commands_say_what_to_do(
    project: DbtProject, empty_database: Path, database: Path
) -> None:
    database.write_bytes(empty_database.read_bytes())
    assert "nothing was recorded yet" in orb(database, "stats").stderr
    History(project, database).insert(1, 2)
    assert "2 loaded versions wait for a build: run `orb build`" in orb(database, "stats").stderr
