"""The routing models after 10,000 new decisions, at two sizes of history.

A decision is one attempt or two. Nine in ten are at a new text, the others at one of 500. Measured:
the sum of the routing models' execution_time in dbt's run_results.json, and each report, the median
of five queries. Baseline: the same at a tenth of the history.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.routing_models import REPOSITORY
from benchmarks.scales import Scale
from orb_learning.store import connect

TITLE = "Routing models"
HISTORIES = {"full": (100_000, 1_000_000), "small": (2_000, 20_000)}
NEW = 10_000
SELECTED = ("--select", "path:models/routing", "path:models/reports/routing")
SELECTED += ("stg_executions", "stg_load_blocks", "fct_executions")
REPORTS: tuple[str, ...] = (
    "rpt_policy_values",
    "rpt_routing_recommendations",
    "routing_propensities",
)
REPORTS += ("rpt_routing_coverage", "rpt_escalations", "rpt_routing_drift")
DECISIONS = """
insert into raw.executions (
    _load_seq, _loaded_at, task_id, timestamp, task_type, task_description, repo, model_tier,
    pool_type, complexity_score, success, actual_cost, metadata
)
with

decisions as (
    select
        n,
        [{'plan': 'small', 'p': 0.2}, {'plan': 'large', 'p': 0.3},
            {'plan': 'small>large', 'p': 0.3}, {'plan': 'medium', 'p': 0.1},
            {'plan': 'medium>large', 'p': 0.1}] as plans,
        list_value('small', 'small', 'large', 'large', 'large', 'small>large', 'small>large',
            'small>large', 'medium', 'medium>large')[(hash(n, 'plan') % 10 + 1)::bigint] as plan,
        if(hash(n, 'old') % 10 = 0, hash(n, 'text') % 500, n) as text
    from range($first::bigint, $last::bigint) as numbers (n)
),

steps as (
    select *, unnest(range(1, len(string_split(plan, '>')) + 1)) as step from decisions
),

attempts as (
    select
        *,
        string_split(plan, '>')[step] as tier,
        hash(n, step) % 10 < 4 + 3 * step as success,
        md5_number_lower('decision ' || n || ' ' || step) as id
    from steps
    where step = 1 or hash(n, 1) % 10 >= 7
)

select
    nextval('raw.load_seq'), timestamp '2026-04-01', md5('decision ' || n || ' ' || step)::uuid,
    timestamp '2026-01-01' + to_seconds(n * 7 + step), 'fix', 'mend part ' || text,
    'repo-' || text % 12, tier, 'local', (text * 31 % 100)::integer, success,
    (hash(n, 'cost') % 1000) / 1000,
    if(
        step = 1,
        json_object('routing', json_object('plan', plan, 'attempt', 1, 'candidates',
            list_transform(plans, lambda p: json_object('plan', p.plan, 'propensity', p.p)))),
        json_object('routing', json_object('attempt', step,
            'first_task_id', md5('decision ' || n || ' 1')::uuid::varchar))
    )
from attempts
order by n, step
"""


def run(scale: Scale) -> Iterator[Figure]:
    small, large = HISTORIES[scale.name]
    before, after = measure(small), measure(large)
    yield Figure(
        f"routing models after {NEW:,} new decisions at {large:,}",
        after["again"],
        baseline=before["again"],
        baseline_name=f"at {small:,}",
        most_ratio=1.5,
    )
    yield Figure(f"the first build of {large:,} decisions", after["first"])
    for report in REPORTS:
        yield Figure(f"{report} at {large:,}", after[report], most=0.1)


def measure(decisions: int) -> dict[str, float]:
    """Return the seconds of the first build, of one after new decisions, and of each report."""
    with tempfile.TemporaryDirectory(dir=REPOSITORY / "target") as folder:
        database = Path(folder) / "learning.db"
        _decide(database, 0, decisions)
        _dbt(database, "seed")
        first = _dbt(database, "run", *SELECTED)
        _decide(database, decisions, decisions + NEW)
        again = _dbt(database, "run", *SELECTED)
        with connect(database) as connection:
            reports = _reports(connection)
    return {"first": sum(first.values()), "again": sum(again.values()), **reports}


def _decide(database: Path, first: int, last: int) -> None:
    with connect(database) as connection:
        connection.execute(DECISIONS, {"first": first, "last": last})


def _dbt(database: Path, *arguments: str) -> dict[str, float]:
    _, times = databases.dbt(database, *arguments, as_of="2026-06-01")
    return {name: seconds for name, seconds in times.items() if "rout" in name or "rpt" in name}


def _reports(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    found = {}
    for report in REPORTS:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            connection.execute(f"from {report}").fetchall()
            times.append(time.perf_counter() - started)
        found[report] = statistics.median(times)
    return found
