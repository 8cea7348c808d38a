"""Values of routing policies against worlds whose truth is known: bias, coverage, false findings.

`make bench-routing` compiles the routing models once and runs them over each log in a fresh
database in memory. ORB_ROUTING_LOGS is the number of logs of a case, ORB_ROUTING_CASES names some.
It writes what it found to target/bench_routing.json after each case.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.routing_models import Models, compile_models, database_of
from benchmarks.routing_worlds import (
    PLANS,
    Logger,
    World,
    by_cell,
    confounded,
    draw,
    drifting,
    exploring,
    real_world,
    sharp,
    synthetic_world,
    uniform,
)

FOLDER = Path(__file__).parents[1] / "target"
BUDGET_USD = 3.0
USD_PER_SUCCESS = 5.0
UNUSED = ("int_routing_days", "int_routing_decisions", "rpt_routing_drift")
UNUSED += ("rpt_routing_coverage", "rpt_escalations", "routing_propensities")
MEASURES = ("success", "cost", "utility")
Found = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A world, a logger, and how much it logs."""

    world: Callable[[], World]
    logger: Logger
    decisions: int = 500
    runs_of_a_task: int = 1
    has_chances: bool = True


def first_models() -> World:
    return real_world(("gpt-5-mini", "gpt-5", "claude-opus-4-1-20250805"))


def other_models() -> World:
    return real_world(("gemini-2.5-flash", "claude-sonnet-4-20250514", "grok-4-0709"))


CASES = {
    "real, uniform": Case(first_models, uniform),
    "real, confounded": Case(first_models, confounded),
    "real, sharp": Case(first_models, sharp, 1_000),
    "real, 10 % exploration": Case(first_models, exploring(0.1), 1_000),
    "real, 2 % exploration": Case(first_models, exploring(0.02), 3_000),
    "other models, confounded": Case(other_models, confounded),
    "synthetic, confounded": Case(synthetic_world, confounded),
    "synthetic, drifting": Case(synthetic_world, drifting),
    "long tails, confounded": Case(partial(synthetic_world, tail=1.2), confounded),
    "a dear run, confounded": Case(partial(synthetic_world, dear=True), confounded),
    "unlogged, by cell": Case(synthetic_world, by_cell, has_chances=False),
    "100 tasks x 6 runs": Case(synthetic_world, confounded, 600, 6),
    "all tiers alike": Case(partial(synthetic_world, alike=True), uniform),
}


def truth(world: World) -> dict[str, dict[str, float]]:
    """Return what each plan comes to, of costs the part within the budget for a run."""
    found = {}
    capped = world.within_budget(BUDGET_USD)
    for plan in PLANS:
        success, cost = capped.value(plan)
        found[plan] = {
            "success": success,
            "cost": cost,
            "utility": success - cost / USD_PER_SUCCESS,
        }
    return found


def value_log(models: Models, case: Case, world: World, seed: int) -> tuple[list[Found], int, int]:
    """Return a log's values of everything, and its recommendations and how many there could be."""
    log = draw(
        world,
        case.logger,
        case.decisions,
        np.random.default_rng(seed),
        runs_of_a_task=case.runs_of_a_task,
        has_chances=case.has_chances,
    )
    with database_of(world, log) as connection:
        models.build(connection, without=UNUSED)
        query = connection.execute(
            "select *, capped_cost as cost_value from rpt_policy_values "
            "where repo is null and policy <> 'logged'"
        )
        names = [column[0] for column in query.description]
        values = [dict(zip(names, row, strict=True)) for row in query.fetchall()]
        given, units = connection.execute(
            "select count(recommended), count(*) from rpt_routing_recommendations"
        ).fetchone() or (0, 0)
    return values, given, units


def tally(case: Case, models: Models, logs: int) -> Found:
    """Value the logs of a case and count, by plan and measure, what their intervals hold."""
    world = case.world()
    true = truth(world)
    errors: dict[tuple[str, str], list[float]] = defaultdict(list)
    covered: dict[tuple[str, str], list[bool]] = defaultdict(list)
    widths: dict[tuple[str, str], list[float]] = defaultdict(list)
    shown: dict[str, list[bool]] = defaultdict(list)
    findings, units, logs_with_findings = 0, 0, 0
    for seed in range(logs):
        values, given, of = value_log(models, case, world, seed)
        findings, units = findings + given, units + of
        logs_with_findings += given > 0
        for row in values:
            plan = row["policy"]
            shown[plan].append(row["has_enough_samples"])
            if not row["has_enough_samples"]:
                continue
            for measure in MEASURES:
                value = row["cost_value" if measure == "cost" else measure]
                lower, upper = row[f"{measure}_lower"], row[f"{measure}_upper"]
                errors[plan, measure].append(value - true[plan][measure])
                covered[plan, measure].append(lower <= true[plan][measure] <= upper)
                widths[plan, measure].append(upper - lower)
    return {
        "logs": logs,
        "decisions": case.decisions,
        "plans": {
            plan: {
                "shown": float(np.mean(shown[plan])),
                **{
                    measure: {
                        "truth": true[plan][measure],
                        "bias": float(np.mean(errors[plan, measure])),
                        "coverage": float(np.mean(covered[plan, measure])),
                        "width": float(np.mean(widths[plan, measure])),
                    }
                    for measure in MEASURES
                    if errors[plan, measure]
                },
            }
            for plan in PLANS
            if plan in shown
        },
        "logs_with_findings": logs_with_findings / logs,
        "findings": findings / max(units, 1),
    }


def rows_of(name: str, found: Found) -> Iterator[str]:
    """Yield a case as lines of a table."""
    yield f"\n{name}: {found['logs']} logs of {found['decisions']} decisions"
    for plan, values in found["plans"].items():
        parts = [f"{plan:20} shown {values['shown']:6.1%}"]
        parts += [
            f"{measure} bias {values[measure]['bias']:+.4f} coverage "
            f"{values[measure]['coverage']:6.1%} width {values[measure]['width']:.3f}"
            for measure in MEASURES
            if measure in values
        ]
        yield "  " + " | ".join(parts)
    found_in, of_units = found["logs_with_findings"], found["findings"]
    yield f"  recommendations: in {found_in:.1%} of logs, {of_units:.1%} of units"


def _run(name: str, models: Models, logs: int) -> tuple[str, Found, float]:
    started = time.monotonic()
    return name, tally(CASES[name], models, logs), time.monotonic() - started


def main() -> None:
    """Run the cases and print what they found."""
    logs = int(os.environ.get("ORB_ROUTING_LOGS", "2000"))
    wanted = os.environ.get("ORB_ROUTING_CASES", "")
    names = [name for name in CASES if not wanted or name in wanted.split(";")]
    workers = int(os.environ.get("ORB_ROUTING_WORKERS", str(os.cpu_count() or 1)))
    models = compile_models(
        FOLDER / "bench_routing",
        routing_run_budget_usd=BUDGET_USD,
        routing_usd_per_success=USD_PER_SUCCESS,
    )
    everything: Found = {}
    with ProcessPoolExecutor(workers) as pool:
        for name, found, seconds in pool.map(
            _run, names, [models] * len(names), [logs] * len(names)
        ):
            everything[name] = found
            (FOLDER / "bench_routing.json").write_text(json.dumps(everything, indent=1))
            print("\n".join(rows_of(name, found)), f"  {seconds:.0f} s", sep="\n", flush=True)
    for measure in MEASURES:
        coverages = [
            plan[measure]["coverage"]
            for found in everything.values()
            for plan in found["plans"].values()
            if measure in plan
        ]
        print(
            f"{measure}: coverage pooled {np.mean(coverages):.1%}, "
            f"{min(coverages):.1%} to {max(coverages):.1%}"
        )


if __name__ == "__main__":
    main()
