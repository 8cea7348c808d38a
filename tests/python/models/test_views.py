"""Every view answers a LIMIT with no more rows than it, at last, and the same in all time zones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import STEM, SUPPORT, DbtProject

from orb_learning.store.connection import connect

WORKER = SUPPORT / "zone_worker.py"
ZONES = ["UTC", "Asia/Tokyo", "America/Los_Angeles"]
MANY = 150_000
"""More executions than one row group holds: fewer never made DuckDB wait for ever."""


def views(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select view_name from duckdb_views() where schema_name = 'main' and not internal"
    ).fetchall()
    return [name for (name,) in found]


def insert_executions(file: Path, rows: int, newest: datetime) -> None:
    """Put executions into the table itself, ten minutes apart; each third fails, then succeeds."""
    with connect(file) as connection:
        connection.execute(
            "insert into fct_executions by name select "
            "('00000000-0000-0000-0001-' || lpad(n::varchar, 12, '0'))::uuid as task_id, "
            "$newest::timestamp - to_minutes(10 * n) as timestamp, 't' as task_type, "
            "'d' || n // 3 as task_description, 'r' as repo, 'small' as model_tier, "
            "'local' as pool_type, n % 3 != 0 as success, n % 90 as duration_seconds, "
            "0.01 as actual_cost, 1e6::bigint + n as _load_seq, $newest as _loaded_at, "
            "1e6::ubigint + n // 3 as _task_text_id "
            "from range($rows) as numbers (n)",
            {"newest": newest, "rows": rows},
        )
        connection.execute(
            "insert into int_retries by name select "
            "failed.timestamp::date as date, failed.task_id, success.task_id as next_task_id, "
            "true as next_success, 'nothing' as next_change, "
            "success.task_id as resolved_by_task_id, 'nothing' as resolved_change, 1 as attempts "
            "from fct_executions as failed "
            "join fct_executions as success on success._load_seq = failed._load_seq + 1 "
            "where not failed.success and success.success and failed._load_seq >= 1e6"
        )


def test_a_view_answers_a_limit_and_with_no_more_rows(small_database: Path, tmp_path: Path) -> None:
    file = tmp_path / f"{STEM}.db"
    shutil.copy(small_database, file)
    with connect(file) as connection:
        assert connection.execute("select count(*) from text_embeddings").fetchall() == [(0,)]
    insert_executions(file, MANY, datetime(2026, 3, 31))  # noqa: DTZ001 (naive UTC)
    answered: dict[str, Any] = {}
    # With DuckDB's own settings, as whoever opens the file in another program has them.
    with duckdb.connect(file, read_only=True) as connection:
        for view in views(connection):
            # One that waits for ever is ended; none of the others takes a hundredth of this.
            timer = threading.Timer(60, connection.interrupt)
            timer.start()
            try:
                answered[view] = len(connection.execute(f"from {view} limit 1").fetchall())
            except duckdb.InterruptException:
                answered[view] = "never"
            timer.cancel()
    assert {"executions", "error_resolutions", "rpt_performance"} <= answered.keys()
    assert {view: rows for view, rows in answered.items() if rows not in (0, 1)} == {}


@pytest.fixture(scope="module")
def database_of_now(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database whose views take the clock's time as now, with executions up to it."""
    file = tmp_path_factory.mktemp("now") / f"{STEM}.db"
    shutil.copy(small_database, file)
    # So far from the edges of the ranges that the test may take minutes.
    insert_executions(file, 1000, datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=5))
    project.run(file, select=["config.materialized:view"])
    return file


def read(database: Path, zone: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, WORKER, database],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_views_show_the_same_in_every_time_zone(small_database: Path) -> None:
    shown = {zone: read(small_database, zone)["rows"] for zone in ZONES}
    assert sum(bool(rows) for rows in shown["UTC"].values()) > 30
    for zone in ZONES:
        assert shown[zone] == shown["UTC"], zone


@pytest.mark.slow
def test_views_as_of_now_show_the_same_in_every_time_zone(database_of_now: Path) -> None:
    for zone in ZONES[1:]:
        found = read(database_of_now, zone)
        counts = {row[0]: row[1] for row in found["rows"]["rpt_performance"]}
        assert counts == {"1h": 6, "24h": 144, "7d": 1000, "30d": 1000, "90d": 1000}
        assert found["differing"] == [], zone
