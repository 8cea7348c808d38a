"""Every mart against the same aggregate written here, over raw.executions, row by row.

A database is built, gets an append with late rows and corrections, and is built incrementally.
Then each table is compared with what it must be, computed from raw.executions alone. The policy
(which rules reject, the tiers' other names, the windows) comes from dbt_project.yml and the seed.
All SQL is this module's own. Measured: rows that are missing, too many, or different. Keys, counts,
times and lists must be equal. Averages, rates and percentiles must agree within 1e-9, relative:
a parallel sum of FLOAT has no fixed order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale

TITLE = "Exactness"
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Expectation:
    """What a table must hold: a query with the table's keys and columns by its names."""

    table: str
    keys: tuple[str, ...]
    equal: tuple[str, ...]
    near: tuple[str, ...]
    query: str


def run(scale: Scale) -> Iterator[Figure]:
    with databases.copy_of(databases.built_database(scale.large_rows)) as database:
        databases.append(
            database,
            rows=scale.append_rows,
            after=scale.large_rows,
            minutes=120,
            number=0,
            with_corrections=True,
        )
        databases.dbt(database, "run")
        yield from check(database)


def check(database: Path) -> Iterator[Figure]:
    """Return how many rows of each table are wrong."""
    with duckdb.connect(database, read_only=True) as connection:
        prepare(connection)
        for expectation in expectations():
            wrong, rows = differences(connection, expectation)
            yield Figure(f"{expectation.table}: wrong of {rows:,} rows", wrong, unit="rows", most=0)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``checked`` (every version, and whether it is valid) and ``newest`` (one a task)."""
    policy = yaml.safe_load((databases.PROJECT / "dbt_project.yml").read_text())["vars"]
    broken = " or ".join(
        f"not coalesce(({rule['holds']}), true)"
        for rule in policy["execution_rules"].values()
        if rule["on_break"] == "reject"
    )
    connection.execute("set timezone = 'UTC'")
    connection.execute(
        f"""
        create or replace temp table checked as
        with tiers as (
            select lower(trim(name)) as name, any_value(model_tier) as tier
            from read_csv('{databases.PROJECT}/seeds/model_tiers.csv', header = true)
            group by all
        ),
        mapped as (
            select versions.* replace (coalesce(tiers.tier, versions.model_tier) as model_tier)
            from raw.executions as versions
            left join tiers on tiers.name = lower(trim(versions.model_tier))
        )
        select
            task_id, _load_seq, "timestamp", repo, task_type, model_tier, pool_type, success,
            duration_seconds, actual_cost, quality_score, solution_summary,
            not ({broken}) as is_valid
        from mapped
        """
    )
    connection.execute(
        """
        create or replace temp table newest as
        with last as (
            select task_id, max(_load_seq) as _load_seq from checked where is_valid group by task_id
        )
        select checked.* from checked join last using (task_id, _load_seq)
        """
    )


def expectations() -> list[Expectation]:
    """Return what each table must hold."""
    policy = yaml.safe_load((databases.PROJECT / "dbt_project.yml").read_text())["vars"]
    as_of = f"timestamp '{databases.LOADED_AT.isoformat()}'"

    def since(bucket: str, days: int) -> str:
        return f"\"timestamp\" >= date_trunc('{bucket}', {as_of} - interval {days} day)"

    means = """
        sum(duration_seconds::double) / count(duration_seconds) as avg_duration,
        sum(actual_cost::double) / count(actual_cost) as avg_cost,
        count(duration_seconds) as duration_known_count,
        count(actual_cost) as cost_known_count
    """
    # The value at 95 % of the way from the least to the greatest, between its neighbours.
    place = "0.95 * (len(durations) - 1)"
    percentile = f"""
        durations[1 + floor({place})::bigint]
        + ({place} - floor({place}))
        * (durations[1 + ceil({place})::bigint] - durations[1 + floor({place})::bigint])
    """
    return [
        Expectation(
            "fct_executions",
            ("task_id",),
            ("_load_seq", "model_tier"),
            (),
            "select task_id, _load_seq, model_tier from newest",
        ),
        Expectation(
            "rejected_executions",
            ("_load_seq",),
            ("task_id",),
            (),
            "select _load_seq, task_id from checked where not is_valid",
        ),
        Expectation(
            "tier_performance_mv",
            ("repo", "model_tier", "task_type", "date"),
            (
                "total_executions",
                "successful_count",
                "duration_known_count",
                "cost_known_count",
                "quality_known_count",
            ),
            ("avg_duration", "avg_cost", "avg_quality", "p95_duration"),
            f"""
            select * exclude (durations), {percentile} as p95_duration
            from (
                select
                    repo, model_tier, task_type, "timestamp"::date as date,
                    count(*) as total_executions,
                    sum(success::integer) as successful_count,
                    sum(quality_score) / count(quality_score) as avg_quality,
                    count(quality_score) as quality_known_count,
                    list_sort(list(duration_seconds::double)
                        filter (duration_seconds is not null)) as durations,
                    {means}
                from newest
                where {since("day", policy["tier_window_days"])}
                group by all
            )
            """,
        ),
        Expectation(
            "pool_performance_mv",
            ("pool_type", "repo", "hour"),
            ("total_tasks", "successful_tasks", "duration_known_count", "cost_known_count"),
            ("avg_duration", "avg_cost", "success_rate"),
            f"""
            select
                pool_type, repo, date_trunc('hour', "timestamp") as hour,
                count(*) as total_tasks,
                sum(success::integer) as successful_tasks,
                sum(success::integer) / count(*) as success_rate,
                {means}
            from newest
            where {since("hour", policy["pool_window_days"])}
            group by all
            """,
        ),
        Expectation(
            "solution_patterns_mv",
            ("solution_summary", "repo"),
            (
                "task_types",
                "usage_count",
                "success_count",
                "first_seen",
                "last_seen",
                "quality_known_count",
            ),
            ("avg_quality", "success_rate"),
            f"""
            select
                solution_summary, repo,
                list_sort(list(distinct task_type)) as task_types,
                count(*) as usage_count,
                sum(success::integer) as success_count,
                sum(quality_score) / count(quality_score) as avg_quality,
                min("timestamp") as first_seen,
                max("timestamp") as last_seen,
                sum(success::integer) / count(*) as success_rate,
                count(quality_score) as quality_known_count
            from newest
            where trim(solution_summary) <> ''
                and {since("day", policy["solution_window_days"])}
            group by solution_summary, repo
            having count(*) >= {policy["solution_min_usage"]}
            """,
        ),
    ]


def differences(connection: duckdb.DuckDBPyConnection, expectation: Expectation) -> tuple[int, int]:
    """Return how many rows of the table are wrong, missing or too many, and how many it has."""
    keys = ", ".join(expectation.keys)
    unequal = [f"is_.{name} is distinct from must.{name}" for name in expectation.equal]
    apart = [
        f"""(is_.{name} is null) <> (must.{name} is null)
        or abs(is_.{name} - must.{name})
            > {TOLERANCE} * greatest(abs(is_.{name}), abs(must.{name}))"""
        for name in expectation.near
    ]
    row = connection.execute(
        f"""
        select
            count(*) filter (
                is_.here is null or must.here is null or {" or ".join([*unequal, *apart])}
            ),
            count(is_.here)
        from (select *, true as here from {expectation.table}) as is_
        full join (select *, true as here from ({expectation.query})) as must using ({keys})
        """
    ).fetchone()
    assert row is not None
    return row[0], row[1]
