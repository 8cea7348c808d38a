"""An incremental build after an append, at two sizes of database.

Each round imports so many new rows and runs `dbt run`. The rows are of the newest day, but 1 % are
late by up to 2 days. Measured: each model's execution_time from dbt's run_results.json, the median
over the rounds, the two sizes in turns. Baseline: the same model at the small size. The patterns
are two models; their baseline is their own full refresh at the large size. One further round has no
target: 0.5 % of its rows correct executions of the last week, so all its days are built again.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale

TITLE = "Incremental"
MODELS = ("fct_executions", "tier_performance_mv", "pool_performance_mv")
PATTERNS = ("int_solution_days", "solution_patterns_mv")
MINUTES = 120
"""What the rows of a round span."""

Times = dict[str, float]


def run(scale: Scale) -> Iterator[Figure]:
    sizes = (scale.small_rows, scale.large_rows)
    bases = [databases.built_database(rows) for rows in sizes]
    with databases.copy_of(bases[0]) as small, databases.copy_of(bases[1]) as large:
        rounds: dict[int, list[Times]] = {rows: [] for rows in sizes}
        for number in range(scale.append_rounds):
            for rows, database in zip(sizes, (small, large), strict=True):
                rounds[rows].append(append_and_run(database, rows, number, scale))
        corrected = append_and_run(
            large, scale.large_rows, scale.append_rounds, scale, with_corrections=True
        )
        _, full = databases.dbt(large, "run", "--full-refresh", "--select", *PATTERNS)

    at = f"at {scale.large_rows:,}"
    for model in MODELS:
        yield Figure(
            f"{model} after {scale.append_rows:,} new rows {at}",
            _median(rounds[scale.large_rows], [model]),
            baseline=_median(rounds[scale.small_rows], [model]),
            baseline_name=f"at {scale.small_rows:,}",
            most_ratio=1.5 if model == "fct_executions" else 2,
        )
    refresh = sum(full[model] for model in PATTERNS)
    yield Figure(
        f"{' + '.join(PATTERNS)} after {scale.append_rows:,} new rows {at}",
        _median(rounds[scale.large_rows], PATTERNS),
        baseline=refresh,
        baseline_name="full refresh",
        most_ratio=0.2,
    )
    for model in MODELS:
        yield Figure(f"{model} {at}, where 0.5 % are corrections", corrected[model])
    yield Figure(
        f"patterns {at}, where 0.5 % are corrections",
        sum(corrected[model] for model in PATTERNS),
        baseline=refresh,
        baseline_name="full refresh",
    )


def append_and_run(
    database: Path, rows: int, number: int, scale: Scale, *, with_corrections: bool = False
) -> Times:
    """Import the rows of a round into a database of so many, and return each model's seconds."""
    databases.append(
        database,
        rows=scale.append_rows,
        after=rows,
        minutes=MINUTES,
        number=number,
        with_corrections=with_corrections,
    )
    return databases.dbt(database, "run")[1]


def _median(rounds: list[Times], models: tuple[str, ...] | list[str]) -> float:
    return statistics.median(sum(times[model] for model in models) for times in rounds)
