"""The routing models as dbt compiles them, run in databases in memory: a log takes no dbt.

They are compiled once, as for a new database, so each is a plain SELECT.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.routing_worlds import PLANS, TIERS, Log, World

REPOSITORY = Path(__file__).parents[1]
SEEDS = ("model_tiers", "routing_policies")
SELECTED = ("path:models/routing", "path:models/reports/routing")


@dataclass(frozen=True)
class Models:
    """The compiled models in the order of their build: name and SQL."""

    statements: tuple[tuple[str, str], ...]

    def build(self, connection: duckdb.DuckDBPyConnection, without: Sequence[str] = ()) -> None:
        """Build the models from the table fct_executions and the seeds.

        Views become tables too: of so few rows, a query takes the time that it takes to plan it.
        """
        for name, sql in self.statements:
            if name not in without:
                connection.execute(f"create table {name} as {sql}")


def compile_models(folder: Path, **variables: Any) -> Models:
    """Compile the routing models by one run of dbt.

    Raises:
        subprocess.CalledProcessError: dbt failed; its output says why.
    """
    database = folder / "learning.db"
    folder.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    command = [sys.executable, "-m", "dbt.cli.main", "--log-level-file", "none", "compile"]
    for selected in SELECTED:
        command += ["--select", selected]
    command += ["--target-path", str(folder), "--vars", json.dumps(variables)]
    outcome = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "ORB_DATABASE": str(database)},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise RuntimeError(outcome.stdout + outcome.stderr)
    return read_models(folder)


def read_models(folder: Path) -> Models:
    """Read what ``compile_models`` left in a folder."""
    manifest = json.loads((folder / "manifest.json").read_text())
    models = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and (node["fqn"][1] == "routing" or node["fqn"][1:3] == ["reports", "routing"])
    }
    ordered: list[str] = []

    def add(name: str) -> None:
        for below in models[name]["depends_on"]["nodes"]:
            if below in models:
                add(below)
        if name not in ordered:
            ordered.append(name)

    for name in models:
        add(name)
    compiled = folder / "compiled" / "orb_learning"
    return Models(
        tuple(
            (
                models[name]["name"],
                (compiled / models[name]["original_file_path"]).read_text(),
            )
            for name in ordered
        )
    )


@contextmanager
def database_of(world: World, log: Log) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a new database in memory that holds a log as fct_executions, and the seeds."""
    connection = _instance()
    connection.execute("attach ':memory:' as learning")
    connection.execute("use learning")
    try:
        executions = executions_of(world, log)  # noqa: F841 (DuckDB reads it by its name)
        connection.execute(
            """
            create table fct_executions as
            select
                task_id::uuid as task_id,
                timestamp '2026-01-01' + to_seconds(_load_seq) as timestamp,
                repo, 'fix' as task_type, complexity_score::integer as complexity_score, model_tier,
                success, actual_cost::float as actual_cost, metadata::json as metadata,
                _task_text_id::ubigint as _task_text_id, _load_seq::bigint as _load_seq
            from executions
            order by _load_seq
            """
        )
        for seed in SEEDS:
            connection.execute(f"create table {seed} as from memory.{seed}")
        yield connection
    finally:
        connection.execute("use memory")
        connection.execute("detach learning")


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    """Return the process's DuckDB, to which each log's database is attached."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
    for seed in SEEDS:
        file = REPOSITORY / "seeds" / f"{seed}.csv"
        connection.execute(
            f"create table {seed} as from read_csv('{file}', all_varchar = true, nullstr = '')"
        )
    return connection


def executions_of(world: World, log: Log) -> pa.Table:
    """Return the executions of a log, an attempt each, in the columns that routing reads."""
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            *("task_id", "repo", "complexity_score", "model_tier", "success", "actual_cost"),
            *("metadata", "_task_text_id", "_load_seq"),
        )
    }
    chances = _candidates(log)
    runs = (log.task[:, None], np.arange(len(TIERS)), log.outcome)
    successes = world.success[runs].astype(bool).tolist()
    costs = world.cost[runs].tolist()
    repos, scores = world.repo[log.task].tolist(), world.complexity[log.task].tolist()
    for number, (place, text) in enumerate(zip(log.plan.tolist(), log.text.tolist(), strict=True)):
        first = number * 4 + 1
        routing = f'"plan": "{PLANS[place]}"{chances[number]}'
        for step, tier in enumerate(PLANS[place].split(">")):
            at = TIERS.index(tier)
            columns["task_id"].append(f"{first + step:032x}")
            columns["repo"].append(f"repo-{repos[number]}")
            columns["complexity_score"].append(scores[number])
            columns["model_tier"].append(tier)
            columns["success"].append(successes[number][at])
            columns["actual_cost"].append(costs[number][at])
            columns["metadata"].append(f'{{"routing": {{{routing}, "attempt": {step + 1}}}}}')
            columns["_task_text_id"].append(_text_id(description_of(text)))
            columns["_load_seq"].append(first + step)
            if successes[number][at]:
                break
            routing = f'"first_task_id": "{first:032x}"'
    texts = pa.array(columns.pop("_task_text_id"), pa.uint64())
    return pa.table(columns).append_column("_task_text_id", texts)


def description_of(text: int) -> str:
    """Return the description of a log's task."""
    return f"mend part {text}"


def write_log(world: World, log: Log, file: Path) -> None:
    """Write a log as JSON lines, as `orb import` takes them."""
    descriptions = {_text_id(description_of(text)): description_of(text) for text in log.text}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with file.open("w") as lines:
        for row in executions_of(world, log).to_pylist():
            lines.write(
                json.dumps(
                    {
                        **{name: value for name, value in row.items() if name[0] != "_"},
                        "timestamp": (start + timedelta(seconds=row["_load_seq"])).isoformat(),
                        "task_type": "fix",
                        "task_description": descriptions[row["_task_text_id"]],
                        "pool_type": "local",
                        "metadata": json.loads(row["metadata"]),
                    }
                )
                + "\n"
            )


def _candidates(log: Log) -> list[str]:
    """Return what the metadata of each decision says of its chances."""
    if not log.has_chances:
        return [""] * len(log.task)
    found = []
    for chances, place in zip(log.chances.tolist(), log.plan.tolist(), strict=True):
        candidates = ", ".join(
            f'{{"plan": "{plan}", "propensity": {chance!r}}}'
            for plan, chance in zip(PLANS, chances, strict=True)
            if chance > 0
        )
        found.append(f', "candidates": [{candidates}], "propensity": {chances[place]!r}')
    return found


@cache
def _text_id(text: str) -> int:
    """Return the number that fct_executions has for a text without white space to normalise."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)
