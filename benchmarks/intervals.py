"""Intervals of rates over tasks: how often they hold the true rate, in simulated executions.

Each task has a rate of its own, drawn from a beta distribution around the true one. How alike the
runs of a task are is their correlation, of which there are three. The SQL is the macro of every
report. What holds too few promises too much, what holds too many is wider than it need be.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import duckdb
import numpy

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale

TITLE = "Intervals over tasks"
LEAST, MOST = 93, 97.5
RATE = 0.6
COUNTS = (10, 20, 40, 100)
CORRELATIONS = (0.01, 0.3, 0.8)
SHAPES = {
    "one run each": [1],
    "five runs each": [5],
    "one run or nine": [1, 9],
    "one run, one in ten fifty": [1] * 9 + [50],
}
INTERVALS = """
with figures as (
    select world, count(*) as total_executions, count(*) filter (success) as successful_count
    from runs group by world
),
{{ rates_by_task(['world'], executions='runs', every_task=true) }}
select
    world,
    {{ rate_over_tasks('success_rate', 'rates', 'successful_count', 'total_executions') }}
from rates
"""
Case = tuple[str, int, float]


def run(scale: Scale) -> Iterator[Figure]:
    rounds = 2_000 if scale.name == "full" else 100
    query = databases.compiled(INTERVALS)
    chance = numpy.random.default_rng(databases.SEED)
    for shape, count in itertools.product(SHAPES, COUNTS):
        held = [
            _held(query, chance, (shape, count, correlation), rounds)
            for correlation in CORRELATIONS
        ]
        name = f"{count} tasks of {shape}"
        yield Figure(f"{name}: fewest held", min(held), "%", least=LEAST)
        yield Figure(f"{name}: most held", max(held), "%", most=MOST)


def _held(query: str, chance: numpy.random.Generator, case: Case, rounds: int) -> float:
    """Return the share of simulated worlds whose interval holds the true rate, in percent."""
    shape, count, correlation = case
    runs = chance.choice(SHAPES[shape], (rounds, count)).ravel()
    spread = 1 / correlation - 1
    own = chance.beta(RATE * spread, (1 - RATE) * spread, rounds * count)
    world = numpy.arange(rounds).repeat(count)
    simulated = {
        "world": world.repeat(runs),
        "_task_text_id": numpy.arange(rounds * count).repeat(runs),
        "success": chance.random(int(runs.sum())) < own.repeat(runs),
    }
    with duckdb.connect() as connection:
        connection.register("simulated", simulated)
        connection.execute("create table runs as from simulated")
        [(held,)] = connection.execute(
            f"select 100 * avg((? between success_rate_lower and success_rate_upper)::integer) "
            f"from ({query})",
            [RATE],
        ).fetchall()
    return float(held)
