"""What a build does beside the rows: it leaves the rest alone, keeps time, indexes, survives."""

from __future__ import annotations

import random
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from building import REPORTS, BuildError, DbtProject
from histories import NOON, History, days_ago, task_id
from oracle import MARTS, MODELS, contents

from orb_learning.store.connection import connect


def query(database: Path, sql: str) -> list[tuple[object, ...]]:
    with connect(database) as connection:
        return connection.execute(sql).fetchall()


def mark_every_row(database: Path) -> None:
    """Change the rows behind dbt's back, so that a rewritten one shows: it has lost its mark."""
    with connect(database) as connection:
        connection.execute("update fct_executions set task_description = 'marked'")
        connection.execute("update rejected_executions set task_description = 'marked'")
        connection.execute("update tier_performance_mv set avg_cost = -1")
        connection.execute("update pool_performance_mv set avg_cost = -1")
        connection.execute("update int_solution_days set quality_sum = -1")
        connection.execute("update solution_patterns_mv set avg_quality = -1")


def test_a_build_with_nothing_new_rewrites_no_row(history: History) -> None:
    mark_every_row(history.database)
    before = contents(history.database)
    history.run()
    history.wait(minutes=29)
    history.run()
    assert contents(history.database) == before


def test_a_late_row_rewrites_its_own_buckets_only(history: History) -> None:
    mark_every_row(history.database)
    history.insert(50, timestamp=days_ago(3), repo="api", solution_summary="cache it")
    history.run()
    rewritten = "select distinct {} from {} where {} is distinct from {}"
    for bucket, model, column, mark in [
        ("date", "tier_performance_mv", "avg_cost", "-1"),
        ("cast(hour as date)", "pool_performance_mv", "avg_cost", "-1"),
        ("date", "int_solution_days", "quality_sum", "-1"),
        ("cast(timestamp as date)", "fct_executions", "task_description", "'marked'"),
    ]:
        found = query(history.database, rewritten.format(bucket, model, column, mark))
        assert found == [(days_ago(3).date(),)], model
    patterns = query(history.database, "select repo, avg_quality = -1 from solution_patterns_mv")
    assert sorted(patterns) == [("api", False), ("web", True)]


def test_each_run_takes_its_own_database_and_time(project: DbtProject, history: History) -> None:
    other = history.database.parent / "other" / history.database.name
    other.parent.mkdir()
    shutil.copy(history.database, other)
    project.run(other, select=MODELS, as_of="2026-04-10", load_block_size=8)
    newer = query(other, "select min(date) from tier_performance_mv")
    older = query(history.database, "select min(date) from tier_performance_mv")
    assert older == [(days_ago(30).date(),)]
    assert newer == [(days_ago(7).date(),)]


@pytest.mark.parametrize("as_of", ["2026-03-31T12:30:00", "2026-03-31T21:30:00+09:00"])
@pytest.mark.slow
def test_windows_hold_whole_utc_buckets_in_any_time_zone(
    project: DbtProject, history: History, as_of: str
) -> None:
    """Under Asia/Tokyo, at 9 hours' difference, a day's edge is an hour's edge too."""
    history.insert(60, timestamp=days_ago(30) - timedelta(hours=9))
    history.insert(61, timestamp=NOON - timedelta(days=7, minutes=31))
    dbt = project.start(
        *(history.database, "run", "--exclude", REPORTS),
        time_zone="Asia/Tokyo",
        as_of=as_of,
        load_block_size=8,
    )
    output, _ = dbt.communicate(timeout=120)
    assert dbt.returncode == 0, output
    history.assert_equal_to_raw()


@pytest.mark.slow
def test_without_as_of_a_window_ends_now_in_any_time_zone(
    project: DbtProject, history: History
) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    hours = [before - timedelta(hours=n) for n in range(7 * 24 - 12, 7 * 24 + 13)]
    history.remove()
    history.insert_each({n: {"timestamp": hour} for n, hour in enumerate(hours)})
    with connect(history.database) as connection:
        connection.execute("update raw.executions set _loaded_at = ?", [before])
    dbt = project.start(
        *(history.database, "run", "--exclude", REPORTS), time_zone="Asia/Tokyo", load_block_size=8
    )
    output, _ = dbt.communicate(timeout=120)
    assert dbt.returncode == 0, output
    ((oldest,),) = query(history.database, "select min(hour) from pool_performance_mv")
    earliest = before.replace(minute=0, second=0, microsecond=0) - timedelta(days=7)
    assert earliest <= oldest <= earliest + timedelta(hours=1)


@pytest.mark.parametrize("as_of", ["yesterday", "2026-13-01", "31.3.2026"])
def test_a_bad_as_of_is_refused_with_its_form(history: History, as_of: str) -> None:
    with pytest.raises(BuildError, match=rf"as_of is '{as_of}', which is no ISO time"):
        history.project.run(history.database, select=MARTS, as_of=as_of)


def indexes(database: Path) -> set[str]:
    return {str(name) for (name,) in query(database, "select index_name from duckdb_indexes()")}


COVERING = {f"idx_{mart}_covering" for mart in MARTS}


def test_each_mart_keeps_its_covering_index(history: History) -> None:
    assert indexes(history.database) >= COVERING
    history.run()
    assert indexes(history.database) >= COVERING
    history.assert_equal_to_full_refresh()
    assert indexes(history.database) >= COVERING


@pytest.mark.slow
def test_composite_indexes_come_and_go_with_their_variable(
    project: DbtProject, history: History
) -> None:
    composite = {
        f"idx_executions_{name}"
        for name in (
            *("repo_task", "tier_success", "pool_duration", "quality_trend"),
            *("timestamp", "tier_covering", "outcome"),
        )
    }
    assert not composite & indexes(history.database)
    with_indexes = History(project, history.database, composite_indexes=True)
    with_indexes.build()
    assert composite <= indexes(history.database)
    with_indexes.insert(0, timestamp=days_ago(4))
    with_indexes.build()
    with_indexes.assert_equal_to_full_refresh()
    assert composite <= indexes(history.database)
    history.build()
    assert indexes(history.database) == COVERING


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "killed_in"),
    [
        (["run", "--exclude", REPORTS], MODELS[::2]),
        pytest.param(
            *(["run", "--exclude", REPORTS, "--full-refresh"], MODELS[1::2]),
            marks=pytest.mark.soak,
        ),
    ],
    ids=["incremental", "full refresh"],
)
def test_a_killed_build_is_made_good_by_the_next(
    project: DbtProject, history: History, command: list[str], killed_in: list[str]
) -> None:
    chance = random.Random(20260331)  # noqa: S311 (no secret)
    killed = []
    for round_, model in enumerate(killed_in):
        history.insert(round_ * 3, 5, timestamp=days_ago(round_), solution_summary="cache it")
        history.remove(task_id=task_id(round_ + 2), also_built=True)
        dbt = project.start(history.database, *command, as_of=NOON.isoformat(), load_block_size=8)
        assert dbt.stdout is not None
        for line in dbt.stdout:
            if "START" in line and model in line:
                time.sleep(chance.uniform(0, 0.3))  # the kill hits any moment of the model
                dbt.kill()
                break
        dbt.stdout.close()
        killed.append(dbt.wait(timeout=60))
    assert killed == [-9] * len(killed_in)
    history.run()
    history.assert_equal_to_raw()
    history.assert_equal_to_full_refresh()
    leftovers = query(
        history.database,
        "select table_name from duckdb_tables() where table_name like '%\\_\\_dbt\\_%' escape '\\'",
    )
    assert not leftovers
    assert indexes(history.database) >= COVERING


def test_a_view_takes_the_place_of_whatever_has_its_name_with_its_comments(
    project: DbtProject, history: History
) -> None:
    names = ["rpt_freshness", "rpt_performance"]
    with connect(history.database) as connection:
        connection.execute("drop view rpt_freshness; create table rpt_freshness (a int)")
        connection.execute("create or replace view rpt_performance as select 1 as a")
    project.run(history.database, select=names, with_comments=True)
    with connect(history.database) as connection:
        views = connection.execute(
            "select view_name, comment from duckdb_views() where view_name in $names order by 1",
            {"names": names},
        ).fetchall()
        [(uncommented,)] = connection.execute(
            "select count(*) from duckdb_columns() where table_name in $names and comment is null",
            {"names": names},
        ).fetchall()
    assert [name for name, _ in views] == names
    assert all(comment.startswith("One row is") for _, comment in views)
    assert uncommented == 0


def column_comment(file: Path, view: str, column: str) -> str:
    [(comment,)] = query(
        file,
        "select comment from duckdb_columns() "
        f"where table_name = '{view}' and column_name = '{column}'",
    )
    return str(comment)


@pytest.mark.parametrize(
    "change",
    [
        "alter table int_repeated_tasks add column new_column int",
        "create or replace view int_executions_by_range as "
        "select '24h' as time_range, fct_executions.* from fct_executions",
        "create or replace view rpt_pools as select 1 as total_executions",
    ],
)
def test_a_view_is_made_anew_where_it_or_what_it_reads_is_another(
    project: DbtProject, history: History, change: str
) -> None:
    names = ["int_executions_by_range", "rpt_pools"]
    by_hand = "comment on column rpt_pools.total_executions is 'by hand'"
    project.run(history.database, select=names, with_comments=True)
    with connect(history.database) as connection:
        connection.execute(by_hand)
    project.run(history.database, select=names, with_comments=True)
    assert column_comment(history.database, "rpt_pools", "total_executions") == "by hand"
    with connect(history.database) as connection:
        connection.execute(change)
        connection.execute(by_hand)
    project.run(history.database, select=["rpt_pools"], with_comments=True)
    assert column_comment(history.database, "rpt_pools", "total_executions") != "by hand"
    project.run(history.database, select=names, with_comments=True)
    assert query(history.database, "select count(*) from rpt_pools")


def test_a_full_refresh_makes_every_view_anew(project: DbtProject, history: History) -> None:
    project.run(history.database, select=["rpt_pools"], with_comments=True)
    with connect(history.database) as connection:
        connection.execute("comment on column rpt_pools.total_executions is 'by hand'")
    project.run(history.database, select=["rpt_pools"], full_refresh=True, with_comments=True)
    assert column_comment(history.database, "rpt_pools", "total_executions") != "by hand"
