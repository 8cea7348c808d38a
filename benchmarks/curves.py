"""What the work costs as the history grows: each cost at several sizes of database, and a picture.

Measured at each size, medians of several: builds of `fct_executions` and the tier mart after new
rows, which are of the newest day; an execution by its id; all rows of the tier mart; success by
tier over 30 days; and the bytes of the file an execution. Ratios are to the smallest size: a flat
curve has 1. `docs/curves.svg` shows them; both its axes are logarithmic.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import altair
import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.incremental import append_and_run
from benchmarks.scales import Scale
from orb_learning.store.connection import connect

TITLE = "Curves"
PICTURE = databases.PROJECT / "docs/curves.svg"
QUERIES = {
    "an execution by its id": "from executions where task_id = $task_id",
    "the tier mart": "from tier_performance_mv",
    "success by tier, 30 days": "from rpt_success_by_tier where time_range = '30d'",
}
BUILT = {"fct_executions": "fct_executions", "the tier mart": "tier_performance_mv"}
BYTES = "bytes an execution"
RUNS = 9
WIDTH, HEIGHT = 560, 300
TICKS = [0.001, 0.01, 0.1, 1, 10]
"""Seconds at the axis."""

Points = dict[str, dict[int, float]]
"""Of each cost its value by the number of executions."""


def run(scale: Scale) -> Iterator[Figure]:
    points: Points = {}
    for rows in scale.curve_sizes:
        for name, value in _measured(rows, scale):
            points.setdefault(name, {})[rows] = value
    least, *larger = scale.curve_sizes
    for name, values in points.items():
        unit = "B" if name == BYTES else "s"
        yield Figure(f"{name}, {least:,} executions", values[least], unit)
        for rows in larger:
            yield Figure(
                f"{name}, {rows:,} executions",
                values[rows],
                unit,
                baseline=values[least],
                baseline_name=f"at {least:,}",
            )
    if scale.name == "full":
        draw(points, PICTURE)


def _measured(rows: int, scale: Scale) -> Iterator[tuple[str, float]]:
    with databases.copy_of(databases.built_database(rows)) as database:
        yield BYTES, database.stat().st_size / rows
        with connect(database, read_only=True) as connection:
            [(task_id,)] = connection.execute(
                "select task_id from executions order by timestamp desc limit 1"
            ).fetchall()
            for name, query in QUERIES.items():
                given = {"task_id": task_id} if "$task_id" in query else {}
                yield name, statistics.median(_seconds(connection, query, given))
        rounds = [append_and_run(database, rows, n, scale) for n in range(scale.append_rounds)]
        for name, model in BUILT.items():
            after = f"{name} after {scale.append_rows:,} new"
            yield after, statistics.median(times[model] for times in rounds)


def _seconds(
    connection: duckdb.DuckDBPyConnection, query: str, given: dict[str, object]
) -> list[float]:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        connection.execute(query, given).fetchall()
        times.append(time.perf_counter() - began)
    return times


def draw(points: Points, picture: Path) -> None:
    """Write a picture of the times, a line a cost, with what the database takes in its heading."""
    rows = [
        {"executions": size, "seconds": value, "cost": name}
        for name, values in points.items()
        if name != BYTES
        for size, value in values.items()
    ]
    bytes_ = ", ".join(f"{value:,.0f} at {size:,}" for size, value in points[BYTES].items())
    chart = (
        altair.Chart(
            altair.InlineData(values=rows),
            width=WIDTH,
            height=HEIGHT,
            title=altair.Title(
                "What it costs as the history grows",
                subtitle=f"Bytes an execution: {bytes_}.",
            ),
        )
        .mark_line(point=True)
        .encode(
            x=altair.X(
                "executions:Q",
                scale=altair.Scale(type="log"),
                axis=altair.Axis(format="~s", values=[*points[BYTES]]),
            ),
            y=altair.Y("seconds:Q", scale=altair.Scale(type="log"), axis=altair.Axis(values=TICKS)),
            color=altair.Color("cost:N", title=None, legend=altair.Legend(labelLimit=300)),
        )
    )
    chart.save(picture)
