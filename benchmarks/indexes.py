"""What each index gains and what it costs, one at a time.

One INSERT fills a table in a new file, and the file is closed. Its rows are those of
`fct_executions` (with its primary key) or of a mart. The query that the index is for runs several
times. EXPLAIN ANALYZE of it says whether DuckDB scanned the index. Measured: this with the index.
Baseline: the same without it. The composite indexes are those that the project makes itself, by
`composite_indexes: true`; "all composite" has every one of them. Medians, in turns.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks import databases
from benchmarks.figures import RESULTS, Figure
from benchmarks.scales import Scale

TITLE = "Indexes"
RUNS = 25
NEWEST = "timestamp '2026-03-31 23:00:00'"
WEEK = "timestamp '2026-03-25 00:00:00'"
QUERIES = {
    "primary key": "select * from {table} where task_id = $task",
    "idx_executions_repo_task": f"""
        select "timestamp"::date as date, count(*), avg(duration_seconds) from {{table}}
        where repo = 'orchestrator' and task_type = 'bugfix' and "timestamp" >= {WEEK}
        group by date""",
    "idx_executions_tier_success": f"""
        select avg(duration_seconds), avg(actual_cost) from {{table}}
        where model_tier = 'large' and success and "timestamp" >= {WEEK}""",
    "idx_executions_pool_duration": """
        select count(*), avg(actual_cost) from {table}
        where pool_type = 'kubernetes' and success and duration_seconds >= 600""",
    "idx_executions_quality_trend": f"""
        select "timestamp"::date as date, avg(quality_score) from {{table}}
        where repo = 'orchestrator' and quality_score < 50 and "timestamp" >= {WEEK}
        group by date""",
    "idx_executions_timestamp": f"""
        select count(*), avg(duration_seconds) from {{table}} where "timestamp" >= {NEWEST}""",
    "idx_executions_tier_covering": f"""
        select count(*) filter (success), avg(duration_seconds), avg(quality_score),
            avg(actual_cost)
        from {{table}}
        where model_tier = 'large' and repo = 'orchestrator' and "timestamp" >= {WEEK}""",
    "idx_executions_outcome": f"""
        select error_type, count(*) from {{table}}
        where not success and "timestamp" >= {NEWEST} group by error_type""",
    "idx_tier_performance_mv_covering": """
        select date, total_executions, successful_count, avg_duration, avg_cost, avg_quality
        from {table} where model_tier = 'large' and repo = 'orchestrator' order by date""",
    "idx_pool_performance_mv_covering": """
        select hour, total_tasks, successful_tasks, avg_duration, avg_cost, success_rate
        from {table} where pool_type = 'kubernetes' and repo = 'orchestrator' order by hour""",
    "idx_solution_patterns_mv_covering": """
        select solution_summary, usage_count, success_rate from {table}
        where repo = 'orchestrator' order by usage_count desc limit 10""",
}


@dataclass(frozen=True)
class Index:
    name: str
    table: str
    columns: str


@dataclass(frozen=True)
class Trial:
    """What a table cost to fill, and what the query of one of its indexes took."""

    seconds: float
    size: int
    query: float
    plan: str


def run(scale: Scale) -> Iterator[Figure]:
    plans = []
    with databases.copy_of(databases.built_database(scale.import_rows)) as source:
        databases.dbt(source, "run", composite_indexes=True)
        key = Index("primary key", "fct_executions", "task_id")
        indexes = _indexes(source)
        composite = [one for one in indexes if one.table == key.table]
        for index in [key, *indexes]:
            besides = (key,) if index in composite else ()
            bare, with_it = _compare(source, index, besides, (index,), scale.repeats)
            yield from _costs(index.name, with_it, bare)
            scanned = "scanned" if "Index Scan" in with_it.plan else "not scanned"
            yield Figure(f"{index.name}: query ({scanned})", with_it.query, baseline=bare.query)
            plans.append(_excerpt(index, bare.plan, with_it.plan))
        bare, every = _compare(source, key, (key,), tuple(composite), scale.repeats)
        yield from _costs("all composite", every, bare)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"plans.{scale.name}.md").write_text("\n".join(plans))


def _costs(name: str, with_it: Trial, bare: Trial) -> Iterator[Figure]:
    yield Figure(f"{name}: insert", with_it.seconds, baseline=bare.seconds)
    yield Figure(f"{name}: file", with_it.size / 2**10, unit="kB", baseline=bare.size / 2**10)


def _indexes(source: Path) -> list[Index]:
    with duckdb.connect(source, read_only=True) as connection:
        rows = connection.execute(
            """
            select index_name, table_name, regexp_extract(sql, '\\((.*)\\)', 1)
            from duckdb_indexes() where index_name like 'idx_%' order by table_name, index_name
            """
        ).fetchall()
    return [Index(*row) for row in rows]


def _compare(
    source: Path,
    index: Index,
    besides: tuple[Index, ...],
    added: tuple[Index, ...],
    repeats: int,
) -> list[Trial]:
    """Fill the index's table, and run its query, without and with what is added, in turns."""
    made = (besides, (*besides, *added))
    with databases.new_folder() as folder:
        files = [folder / "without.db", folder / "with.db"]
        seconds: list[list[float]] = [[], []]
        for _ in range(repeats):
            for file, indexes, times in zip(files, made, seconds, strict=True):
                file.unlink(missing_ok=True)
                times.append(_fill(source, file, index.table, indexes))
        return [
            Trial(statistics.median(times), file.stat().st_size, *_query(file, index))
            for file, times in zip(files, seconds, strict=True)
        ]


def _fill(source: Path, file: Path, table: str, indexes: tuple[Index, ...]) -> float:
    with duckdb.connect(file) as connection:
        connection.execute(f"attach '{source}' as source (read_only)")
        connection.execute(f"create table {table} as from source.{table} limit 0")
        for index in indexes:
            if index.name == "primary key":
                connection.execute(f"alter table {table} add primary key ({index.columns})")
            else:
                connection.execute(f"create index {index.name} on {table} ({index.columns})")
        began = time.perf_counter()
        connection.execute(f"insert into {table} from source.{table} order by source.{table}.rowid")
        connection.execute("checkpoint")
        return time.perf_counter() - began


def _query(file: Path, index: Index) -> tuple[float, str]:
    """Return the seconds of the index's query, and its plan as EXPLAIN ANALYZE draws it."""
    query = QUERIES[index.name].format(table=index.table)
    with duckdb.connect(file, read_only=True) as connection:
        connection.execute("set enable_progress_bar = false")
        if "$task" in query:
            task = connection.execute(f"select task_id from {index.table} limit 1").fetchone()
            assert task is not None
            query = query.replace("$task", f"'{task[0]}'")
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            connection.execute(query).fetchall()
            times.append(time.perf_counter() - began)
        plan = connection.execute(f"explain analyze {query}").fetchall()[0][1]
    return statistics.median(times), plan


def _excerpt(index: Index, plan: str, plan_with: str) -> str:
    query = re.sub(r"\s+", " ", QUERIES[index.name].format(table=index.table)).strip()
    return (
        f"`{index.name}` on `{index.table} ({index.columns})`\n\n```\n{query}\n\n"
        f"without:\n{_scan(plan)}\nwith:\n{_scan(plan_with)}\n```\n"
    )


def _scan(plan: str) -> str:
    """Return what the plan says of how it reads the table: the last box, without its columns."""
    box = re.split(r"╭─", plan)[-1]
    lines = [re.sub(r"[│╭╮╰╯─┴┬┚┖]", "", line).strip() for line in box.splitlines()]
    text = " ".join(line for line in lines if line)
    text = re.sub(r"Projections: .*?(?=Filters|Dynamic|Row Groups|Type)", "", text)
    text = re.sub(r"Table: \S+ |Type: |  +", " ", text)
    return f"  {re.sub(r' {2,}', ' ', text)}"
