"""Logs of decisions through `orb import` and `dbt build`, against the models run in memory.

Each log is imported as JSON lines into a new database, which dbt builds. Measured: how many figures
of rpt_policy_values and rpt_routing_recommendations differ by more than 1e-9 of themselves from
those that the routing benchmark has of the same log.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.routing import compiled
from benchmarks.routing_cases import BUDGET_USD, CASES, MISSED, USD_PER_SUCCESS
from benchmarks.routing_models import REPOSITORY, Models, database_of, write_log
from benchmarks.routing_tally import UNUSED
from benchmarks.routing_worlds import Log, World
from benchmarks.scales import Scale
from orb_learning.store import connect

TITLE = "Routing policies from files"
LOGS = {"full": 20, "small": 1}
NAMES = ["real, confounded", "synthetic, confounded", "100 tasks x 6 runs", "unlogged, by cell"]
RELATIONS = {
    "rpt_policy_values": "repo, policy",
    "rpt_routing_recommendations": "level, repo, task_type, complexity_band",
}
Rows = dict[str, list[dict[str, Any]]]


def run(scale: Scale) -> Iterator[Figure]:
    models = compiled()
    count = LOGS[scale.name]
    compared, different = 0, 0
    for number in range(count):
        case = CASES[NAMES[number % len(NAMES)]]
        world = case.world()
        log = case.draw(world, np.random.default_rng(number))
        wanted, found = in_memory(models, world, log), from_file(world, log)
        for relation in RELATIONS:
            for one, other in zip(wanted[relation], found[relation], strict=True):
                compared += len(one)
                different += sum(not _same(one[name], other[name]) for name in one)
    name = f"figures that differ, of {compared:,} of {count} logs"
    yield Figure(name, different, "figures", most=0)


def in_memory(models: Models, world: World, log: Log) -> Rows:
    """Return what the models come to, run in a database in memory."""
    with database_of(world, log) as connection:
        models.build(connection, without=UNUSED)
        return _rows(connection)


def from_file(world: World, log: Log) -> Rows:
    """Return what they come to in a database that dbt builds of a file."""
    with tempfile.TemporaryDirectory(dir=REPOSITORY / "target") as folder:
        database, file = Path(folder) / "learning.db", Path(folder) / "log.jsonl"
        write_log(world, log, file)
        subprocess.run(
            [sys.executable, "-m", "orb_learning", "import", str(file)],
            env={**os.environ, "ORB_DATABASE": str(database)},
            capture_output=True,
            check=True,
        )
        databases.dbt(
            database,
            *("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"),
            *("--select", *(f"+{relation}" for relation in RELATIONS)),
            as_of="2026-06-01",
            routing_run_budget_usd=BUDGET_USD,
            routing_usd_per_success=USD_PER_SUCCESS,
            routing_gate_false_pass=MISSED,
        )
        with connect(database, read_only=True) as connection:
            return _rows(connection)


def _rows(connection: duckdb.DuckDBPyConnection) -> Rows:
    found = {}
    for relation, key in RELATIONS.items():
        query = connection.execute(f"from {relation} order by {key}")
        names = [column[0] for column in query.description]
        found[relation] = [dict(zip(names, row, strict=True)) for row in query.fetchall()]
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
