"""`dbt build` as its users run it: on the sample, on generated rows, on an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchmarks.generate import generate
from building import PARSE_VARIABLE, REPOSITORY, STEM, BuildError, DbtProject, copy_of_project
from parsing import parse_of

from orb_learning.ingest.files import import_file
from orb_learning.ingest.sample import load_sample
from orb_learning.store import CONFIG
from orb_learning.store.connection import connect

UNTIL = datetime(2026, 4, 1, tzinfo=UTC)
AS_OF = UNTIL.isoformat()
TABLES = [f"path:models/{folder}" for folder in ("core", "embeddings", "marts", "resolutions")]
SAMPLE = REPOSITORY / "data/sample/terminal_bench_trials.csv"


def rows_of(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def sample_database(project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("sample") / f"{STEM}.db"
    load_sample(database, file=SAMPLE, now=UNTIL.replace(tzinfo=None))
    project.run(database, command="build", as_of=AS_OF)
    return database


@pytest.fixture(scope="module")
def generated_database(project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 generated rows with every test passed, then 2,000 more in tables that are tested."""
    folder = tmp_path_factory.mktemp("generated")
    database = folder / f"{STEM}.db"
    for first, rows, select in ((0, 20_000, []), (20_000, 2_000, TABLES)):
        file = folder / f"{first}.parquet"
        generate(file, rows=rows, days=90, seed=1, until=UNTIL, first=first)
        import_file(database, file, now=UNTIL.replace(tzinfo=None))
        # These test the SQL and not the data, and the sample's build has run them.
        project.run(
            database,
            command="build",
            select=select,
            exclude=["resource_type:unit_test", "tag:agreement"],
            as_of=AS_OF,
        )
    return database


def test_the_tier_mart_shows_the_samples_tiers(sample_database: Path) -> None:
    [(first_day,)] = rows_of(sample_database, "select min(date) from tier_performance_mv")
    tiers = rows_of(
        sample_database,
        "select model_tier, sum(total_executions)::bigint, sum(successful_count)::bigint "
        "from tier_performance_mv group by model_tier order by model_tier",
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{sample_database}' as learning (read_only)")
        connection.execute(
            "create macro plain(name) as "
            "translate(regexp_replace(lower(name), '^.*/', ''), '._', '--') || '-'"
        )
        # By the seed's longest name that a model's name begins with.
        connection.execute(
            "create table tiers as "
            "select trials.model, max_by(seed.model_tier, length(plain(seed.name))) as model_tier "
            f"from (select distinct model from read_csv('{SAMPLE}')) as trials "
            f"join read_csv('{REPOSITORY / 'seeds/model_tiers.csv'}') as seed "
            "on starts_with(plain(trials.model), plain(seed.name)) group by trials.model"
        )
        expected = connection.execute(
            "select tiers.model_tier, count(*), count(*) filter (trials.success) "
            f"from read_csv('{SAMPLE}') as trials join tiers using (model) "
            "join learning.main.executions on executions.task_id = trials.trial_id::uuid "
            "where executions.timestamp >= ? group by 1 order by 1",
            [first_day],
        ).fetchall()
    assert {tier for tier, _, _ in tiers} == {"small", "medium", "large"}
    assert tiers == expected


def test_a_connection_with_duckdbs_own_settings_sums_up_executions_rightly(
    sample_database: Path,
) -> None:
    sums = (
        "select model_tier, sum(case when success then 1 else 0 end) as successful "
        "from {} group by model_tier order by successful"
    )
    with duckdb.connect(sample_database, read_only=True) as connection:
        # Without vectors, which is where DuckDB 2.0.0 goes wrong.
        assert connection.execute("select count(*) from text_embeddings").fetchall() == [(0,)]
        found = connection.execute(sums.format("executions")).fetchall()
        assert found == connection.execute(sums.format("fct_executions")).fetchall()
    assert max(successful for _, successful in found) > 255


def test_what_to_change_in_the_sample_is_what_it_shows(sample_database: Path) -> None:
    tiers = rows_of(
        sample_database,
        "select model_tier, success_count, execution_count from rpt_task_tiers "
        "where task_description = 'fix-git' order by execution_count",
    )
    assert tiers == [("large", 9, 9), ("medium", 36, 37), ("small", 15, 40)]
    sentences = dict(
        rows_of(
            sample_database,
            "select coalesce(subject, kind), sentence from rpt_what_to_change where is_change",
        )
    )
    assert sentences["unsolved_tasks"] == (
        'Stop or redesign 16 of 74 tasks of "terminal-bench": 1,324 runs without a success, '
        "$125 of $682."
    )
    assert sentences['"fix-git"'] == (
        'Start "fix-git" on medium, not small: 36 of 37 runs succeeded there, 15 of 40 on small.'
    )
    silent = rows_of(sample_database, "select kind from rpt_what_to_change where not is_change")
    assert ("better_solution",) in silent


def test_every_trial_of_the_sample_is_an_execution_and_none_has_a_solution(
    sample_database: Path,
) -> None:
    facts = dict(rows_of(sample_database, "select key, value from metadata"))
    assert facts["execution_count"] == facts["raw_version_count"] == "6199"
    assert facts["rejected_version_count"] == "0"
    assert rows_of(sample_database, "from solution_patterns_mv") == []


def test_every_version_is_valid_rejected_or_superseded(generated_database: Path) -> None:
    [(raw, valid, rejected, superseded)] = rows_of(
        generated_database,
        """
        select
            (select count(*) from raw.executions),
            (select count(*) from fct_executions),
            (select count(*) from rejected_executions),
            (
                select count(*) from stg_executions as versions
                join fct_executions as standing using (task_id)
                where versions.is_valid and versions._load_seq < standing._load_seq
            )
        """,
    )
    assert raw == 22_000
    assert raw == valid + rejected + superseded
    assert rejected > 0
    assert superseded > 0


def test_a_rejected_version_names_every_rule_it_broke(generated_database: Path) -> None:
    named = {
        name
        for (name,) in rows_of(
            generated_database,
            "select distinct unnest(broken_rules) from rejected_executions",
        )
    }
    defined = rows_of(
        generated_database,
        "select count(*) from duckdb_constraints() "
        "where table_name = 'fct_executions' and constraint_type = 'CHECK'",
    )
    # An import sets a vector of another length aside, so that no row of a file breaks its rule.
    assert len(named) == defined[0][0] - 1


def test_fct_executions_refuses_a_row_that_breaks_a_rule(generated_database: Path) -> None:
    with connect(generated_database) as connection:
        connection.execute("begin")
        with pytest.raises(duckdb.ConstraintException):
            connection.execute(
                "insert into fct_executions "
                "select * replace (uuid() as task_id, 1.5 as routing_confidence) "
                "from fct_executions limit 1"
            )
        connection.execute("rollback")
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("insert into fct_executions from fct_executions limit 1")


@pytest.mark.parametrize(
    ("damage", "test"),
    [
        (
            "delete from fct_executions where task_id = (select min(task_id) from fct_executions)",
            "assert_no_version_is_lost",
        ),
        (
            "delete from raw.executions "
            "where _load_seq = (select min(_load_seq) from fct_executions)",
            "assert_core_holds_only_versions_of_raw",
        ),
        (
            "update tier_performance_mv set total_executions = total_executions + 1 "
            "where rowid = (select min(rowid) from tier_performance_mv)",
            "tier_performance_mv_adds_up_to_executions",
        ),
        (
            "delete from pool_performance_mv "
            "where hour = (select max(hour) from pool_performance_mv)",
            "pool_performance_mv_adds_up_to_executions",
        ),
        (
            "delete from int_solution_days where date = (select max(date) from int_solution_days)",
            "int_solution_days_adds_up_to_executions",
        ),
        (
            "insert into solution_patterns_mv select * replace ('made up' as solution_summary) "
            "from solution_patterns_mv limit 1",
            "assert_patterns_are_the_sums_of_their_days",
        ),
        (
            # A table without the CHECKs, as a model whose contract was switched off would be.
            "create table unchecked as select * replace (2 as routing_confidence) "
            "from fct_executions; drop table fct_executions; "
            "alter table unchecked rename to fct_executions",
            "fct_executions_break_no_rule_that_rejects: routing_confidence_out_of_range",
        ),
        (
            "insert into model_tiers values ('new', 'huge', 'no such tier')",
            "model_tiers_holds: model_tier_is_small_medium_or_large",
        ),
        (
            "update tier_performance_mv set avg_cost = 0 where cost_known_count = 0",
            "tier_performance_mv_holds: averages_are_unknown_only_without_known_values",
        ),
        (
            "insert into pool_performance_mv from pool_performance_mv limit 1",
            "pool_performance_mv_holds: one row per pool_type, repo, hour",
        ),
    ],
)
def test_the_data_tests_see_damage(
    project: DbtProject, generated_database: Path, tmp_path: Path, damage: str, test: str
) -> None:
    test, _, claim = test.partition(": ")
    database = tmp_path / f"{STEM}.db"
    shutil.copy(generated_database, database)
    with connect(database) as connection:
        connection.execute(damage)
    with pytest.raises(BuildError, match=test):
        project.run(database, command="test", select=[test], as_of=AS_OF)
    if claim:
        (compiled,) = (project.scratch / "target/compiled").rglob(f"{test}.sql")
        assert [broken for broken, _ in rows_of(database, compiled.read_text())] == [claim]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    copy_of_project(folder)
    (folder / "data").mkdir()
    return folder


def run_dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "ORB" not in name}
    parse = parse_of(REPOSITORY, {}).for_dbt(folder, Path("data/learning.db"), {})
    environment[PARSE_VARIABLE] = str(parse)
    return subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_plain_dbt_build_works_in_a_folder_without_a_database(clone: Path) -> None:
    outcome = run_dbt(clone, "build")
    assert outcome.returncode == 0, outcome.stdout
    assert rows_of(clone / "data/learning.db", "select count(*) from executions") == [(0,)]


def test_dbt_refuses_a_file_that_is_no_database_in_one_sentence(clone: Path) -> None:
    (clone / "data/learning.db").write_text("not a database")
    outcome = run_dbt(clone, "build")
    assert outcome.returncode != 0
    assert "is not a DuckDB database, or is damaged" in outcome.stdout
    assert (clone / "data/learning.db").read_text() == "not a database"


def test_dbt_and_the_package_disable_the_same_optimizer(clone: Path) -> None:
    # test_database.py shows what becomes of sums otherwise.
    run = run_dbt(
        clone,
        "--quiet",
        "show",
        "--output",
        "json",
        "--inline",
        "select current_setting('disabled_optimizers') as disabled",
    )
    assert CONFIG["disabled_optimizers"] in run.stdout, run.stdout + run.stderr


def test_source_freshness_is_that_of_the_newest_load(clone: Path) -> None:
    with connect(clone / "data/learning.db") as connection:
        connection.execute(
            "insert into raw.executions (task_id, _load_seq, _loaded_at) "
            "values (uuid(), 1, timestamp '2020-01-01')"
        )
    outcome = run_dbt(clone, "source", "freshness")
    assert outcome.returncode == 0, outcome.stdout
    results = json.loads((clone / "target/sources.json").read_text())["results"]
    assert [(r["status"], r["max_loaded_at"][:10]) for r in results] == [("warn", "2020-01-01")]


@pytest.mark.slow
def test_the_read_only_target_reads_beside_another_reader(
    clone: Path, sample_database: Path
) -> None:
    shutil.copy(sample_database, clone / "data/learning.db")
    with duckdb.connect(clone / "data/learning.db", read_only=True):
        outcome = run_dbt(
            clone, "show", "--target", "read", "--inline", "select count(*) as n from executions"
        )
    assert outcome.returncode == 0, outcome.stdout
    assert "6199" in outcome.stdout


def test_a_renamed_copy_answers_as_the_original(small_database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copied.duckdb"
    shutil.copy(small_database, copy)
    with connect(copy, read_only=True) as connection:
        macros = connection.execute(
            "select function_name, len(parameters) from duckdb_functions() "
            "where database_name = 'copied' and function_type = 'table_macro'"
        ).fetchall()
        views = connection.execute(
            "select view_name from duckdb_views() where database_name = 'copied' and not internal"
        ).fetchall()
        assert len(macros) >= 5
        for name, count in macros:
            connection.execute(f"from {name}({', '.join(['null'] * count)}) limit 1")
        for (name,) in views:
            connection.execute(f"explain from {name}")
