"""Generated executions: the same rows every time, in the shape of real ones."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from benchmarks.generate import generate, main, start_of_day, write
from building import REPOSITORY

from orb_learning.errors import OrbError
from orb_learning.record.model import COLUMNS

ROWS = 20_000
UNTIL = datetime(2026, 4, 1, tzinfo=UTC)


def make(path: Path, **changes: Any) -> Path:
    generate(path, **{"rows": ROWS, "days": 90.0, "seed": 1, "until": UNTIL, **changes})
    return path


def digest(path: Path) -> str:
    """Of the rows in their order; the text keeps NaN equal to itself."""
    rows = duckdb.connect().execute("from read_parquet(?)", [str(path)]).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("generated") / "executions.parquet")


@pytest.fixture(scope="module")
def rows(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """``e``: the rows with their place in the file."""
    with duckdb.connect() as connection:
        connection.execute(
            f"create table e as select *, file_row_number as place "
            f"from read_parquet('{file}', file_row_number = true)"
        )
        yield connection


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More rows than one row group holds, by one thread."""
    path = tmp_path_factory.mktemp("many") / "executions.parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        write(connection, path, rows=130_000, days=90, seed=1, until=UNTIL)
    return path


def one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_the_file_has_the_27_columns_of_the_record_in_order(file: Path) -> None:
    described = duckdb.connect().execute(f"describe from '{file}'").fetchall()
    without_length = {**COLUMNS, "embedding": "FLOAT[]"}  # Parquet keeps no array's length
    assert {row[0]: row[1] for row in described} == without_length
    assert [row[0] for row in described] == list(COLUMNS)


def test_the_file_says_that_its_naive_times_are_utc(file: Path) -> None:
    pairs = duckdb.connect().execute(
        f"select decode(key), decode(value) from parquet_kv_metadata('{file}')"
    )
    assert ("orb_learning", "utc") in pairs.fetchall()


def test_the_same_arguments_give_the_same_rows_in_the_same_order(
    file: Path, tmp_path: Path
) -> None:
    assert digest(make(tmp_path / "again.parquet")) == digest(file)


def test_the_number_of_threads_changes_no_row(many: Path, tmp_path: Path) -> None:
    path = tmp_path / "executions.parquet"
    with duckdb.connect(config={"threads": 4}) as connection:
        write(connection, path, rows=130_000, days=90, seed=1, until=UNTIL)
    assert path.read_bytes() == many.read_bytes()


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"days": 30.0}, {"until": UNTIL + timedelta(hours=1)}, {"first": 1}]
)
def test_another_argument_gives_other_rows(tmp_path: Path, change: dict[str, Any]) -> None:
    one_way = make(tmp_path / "one.parquet", rows=1_000)
    other = make(tmp_path / "other.parquet", **{"rows": 1_000, **change})
    assert digest(one_way) != digest(other)


def test_the_zone_of_until_is_heeded(tmp_path: Path) -> None:
    tokyo = datetime.fromisoformat("2026-04-01T09:00:00+09:00")
    there = make(tmp_path / "tokyo.parquet", rows=1_000, until=tokyo)
    assert digest(there) == digest(make(tmp_path / "utc.parquet", rows=1_000))


def test_the_times_fill_the_days_before_until_and_none_is_later(
    rows: duckdb.DuckDBPyConnection,
) -> None:
    known = '(select "timestamp" as t from e where "timestamp" < \'2060-01-01\')'
    least, most, days = one(rows, f"select min(t), max(t), count(distinct t::date) from {known}")
    assert datetime(2025, 12, 29) <= least <= datetime(2026, 1, 1, 0, 10)  # noqa: DTZ001
    assert datetime(2026, 3, 31, 23, 30) <= most <= datetime(2026, 4, 1)  # noqa: DTZ001
    assert 90 <= days <= 93


def test_more_work_is_done_by_day_and_in_the_middle_of_the_week(
    rows: duckdb.DuckDBPyConnection,
) -> None:
    afternoon, night, tuesday, saturday = one(
        rows,
        """select count(*) filter (hour("timestamp") between 12 and 15),
               count(*) filter (hour("timestamp") between 0 and 3),
               count(*) filter (dayofweek("timestamp") = 2),
               count(*) filter (dayofweek("timestamp") = 6) from e""",
    )
    assert afternoon > 2 * night
    assert tuesday > 1.3 * saturday


def test_harder_tasks_fail_more_and_go_to_larger_tiers(rows: duckdb.DuckDBPyConnection) -> None:
    bands = rows.execute(
        """select avg((not success)::int), avg((model_tier = 'large')::int),
               avg((model_tier = 'small')::int)
           from e where complexity_score between 0 and 100
           group by least(complexity_score // 25, 3) order by least(complexity_score // 25, 3)"""
    ).fetchall()
    failing, large, small = zip(*bands, strict=True)
    assert list(failing) == sorted(failing)
    assert failing[-1] > failing[0] + 0.1
    assert list(large) == sorted(large)
    assert large[-1] > large[0] + 0.5
    assert list(small) == sorted(small, reverse=True)


def test_a_larger_tier_does_better_at_equal_difficulty(many: Path) -> None:
    small, medium, large = one(
        duckdb.connect(),
        f"""select avg(success::int) filter (model_tier = 'small'),
                avg(success::int) filter (model_tier = 'medium'),
                avg(success::int) filter (model_tier = 'large')
            from '{many}' where complexity_score between 44 and 54""",
    )
    assert small < medium < large
    assert large - small > 0.02


def test_durations_have_a_long_tail(rows: duckdb.DuckDBPyConnection) -> None:
    p50, p99, mean = one(
        rows,
        """select median(duration_seconds), quantile_cont(duration_seconds, 0.99),
               avg(duration_seconds)
           from e where isfinite(duration_seconds) and duration_seconds >= 0""",
    )
    assert p99 > 8 * p50
    assert mean > 1.4 * p50


def test_texts_come_back_as_tasks_and_solutions_do(rows: duckdb.DuckDBPyConnection) -> None:
    tasks, solutions, repos = one(
        rows,
        """select count(distinct task_description), count(distinct solution_summary),
               count(distinct nullif(trim(repo), '')) from e""",
    )
    assert ROWS / 25 < tasks < ROWS / 15
    assert 200 < solutions < 2_000
    assert repos == 40
    patterns = one(
        rows,
        """select count(*) from (
               select 1 from e where solution_summary is not null
               group by solution_summary, repo having count(*) >= 5)""",
    )
    assert patterns > 100


def test_one_repo_has_more_work_than_most(rows: duckdb.DuckDBPyConnection) -> None:
    most, middle = one(
        rows, "select max(n), median(n) from (select count(*) as n from e group by repo)"
    )
    assert most > 5 * middle


def test_about_one_row_in_a_hundred_is_late_by_up_to_two_days(
    rows: duckdb.DuckDBPyConnection,
) -> None:
    share, longest = one(
        rows,
        f"""with once as (
                select * from e where "timestamp" < '2060-01-01'
                qualify count(*) over (partition by task_id) = 1
            ),
            delays as (
                select max("timestamp") over (order by place) - "timestamp" as delay from once
            )
            select count(*) filter (delay >= interval 5 minute) / {ROWS}, max(delay) from delays""",
    )
    assert 0.007 < share < 0.013
    assert timedelta(hours=24) < longest <= timedelta(days=2, minutes=10)


def test_about_one_row_in_two_hundred_corrects_an_earlier_one(
    rows: duckdb.DuckDBPyConnection,
) -> None:
    rows.execute(
        """create or replace temp view corrections as
           select old.*, new.repo as new_repo, new.model_tier as new_tier,
               new."timestamp" as new_time, new.duration_seconds as new_duration
           from e as old join e as new on old.task_id = new.task_id and old.place < new.place
           where old."timestamp" < '2060-01-01' and new."timestamp" < '2060-01-01'"""
    )
    count, changed, tiers, repos, hours, days = one(
        rows,
        """select count(*), count(*) filter (new_duration <> duration_seconds),
               count(*) filter (new_tier <> model_tier), count(*) filter (new_repo <> repo),
               count(*) filter (date_trunc('hour', new_time) <> date_trunc('hour', "timestamp")),
               count(*) filter (new_time::date <> "timestamp"::date) from corrections""",
    )
    assert 0.003 < count / ROWS < 0.007
    assert changed == count
    assert all(kind >= 5 for kind in (tiers, repos, hours, days))


def test_each_rule_is_broken_by_a_row_and_by_few(rows: duckdb.DuckDBPyConnection) -> None:
    project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text(encoding="utf-8"))
    for name, rule in project["vars"]["execution_rules"].items():
        broken = one(
            rows,
            f"select count(*) from (select *, timestamp '2026-04-01' as _loaded_at from e) "
            f"where not ({rule['holds']})",
        )
        most = 0.0004 if rule["on_break"] == "reject" else 0.02
        assert 1 <= broken <= most * ROWS, name


@pytest.mark.parametrize("seed", [0, 7, -3])
def test_ten_thousand_rows_break_each_rule_whatever_the_seed(tmp_path: Path, seed: int) -> None:
    path = make(tmp_path / "small.parquet", rows=10_000, seed=seed)
    with duckdb.connect() as connection:
        connection.execute(f"create table e as from '{path}'")
        test_each_rule_is_broken_by_a_row_and_by_few(connection)


def test_every_row_has_a_task_id(rows: duckdb.DuckDBPyConnection) -> None:
    assert one(rows, "select count(*) from e where task_id is null") == 0


@pytest.mark.parametrize(
    ("column", "least", "most"),
    [
        ("actual_cost", 0.10, 0.20),
        ("cost_estimate", 0.02, 0.10),
        ("peak_memory_mb", 0.20, 0.40),
        ("cpu_time_seconds", 0.20, 0.40),
        ("quality_score", 0.05, 0.20),
        ("swarm_topology", 0.40, 0.70),
        ("user_accepted", 0.80, 0.95),
        ("user_rating", 0.90, 0.99),
        ("error_type", 0.70, 0.95),
        ("embedding", 0.999, 0.9999),
        ("uploaded_at", 1.0, 1.0),
    ],
)
def test_some_values_are_unknown(
    rows: duckdb.DuckDBPyConnection, column: str, least: float, most: float
) -> None:
    assert least <= one(rows, f"select avg(({column} is null)::int) from e") <= most


def test_errors_come_with_failures_but_for_a_few(rows: duckdb.DuckDBPyConnection) -> None:
    success_with, success, failure_without, failure = one(
        rows,
        """select count(*) filter (success and error_type is not null), count(*) filter (success),
               count(*) filter (not success and error_type is null),
               count(*) filter (not success) from e""",
    )
    assert 0 < success_with / success < 0.01
    assert 0 < failure_without / failure < 0.12


def test_cost_follows_the_tier_and_misses_its_estimate(rows: duckdb.DuckDBPyConnection) -> None:
    small, medium, large = (
        one(rows, f"select median(actual_cost) from e where model_tier = '{tier}'")
        for tier in ("small", "medium", "large")
    )
    assert small < medium < large
    error = one(
        rows, "select median(abs(actual_cost - cost_estimate) / nullif(cost_estimate, 0)) from e"
    )
    assert 0.1 < error < 0.5


def test_metadata_names_pool_worker_model_and_tokens(rows: duckdb.DuckDBPyConnection) -> None:
    keys = rows.execute("select distinct json_keys(metadata) from e order by all").fetchall()
    usual = ["pool_id", "worker_id", "model", "tokens"]
    assert keys == [(usual,), ([*usual, "routing"],)]


def test_a_second_file_goes_on_where_the_first_ended(file: Path, tmp_path: Path) -> None:
    later = UNTIL + timedelta(days=1)
    path = make(tmp_path / "next.parquet", rows=2_000, days=1.0, until=later, first=ROWS)
    with duckdb.connect() as connection:
        repeated, oldest_on_time, new = connection.execute(
            f"""select count(*) filter (task_id in (select task_id from '{file}')),
                    quantile_disc("timestamp", 0.03), count(*) from '{path}'"""
        ).fetchall()[0]
    assert new == 2_000
    assert 0 < repeated < 20
    assert oldest_on_time >= UNTIL.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 0}, "rows = 0"),
        ({"days": 0}, "days = 0"),
        ({"days": float("nan")}, "days = nan"),
        ({"first": -1}, "first = -1"),
        ({"seed": 2**63}, "seed = "),
        ({"until": datetime(2026, 4, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_a_bad_argument_is_refused_and_writes_nothing(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(OrbError, match=message):
        make(tmp_path / "x.parquet", **change)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OrbError, match="nowhere is not a directory"):
        make(tmp_path / "nowhere" / "x.parquet")


def test_a_failed_write_keeps_the_older_file_and_leaves_no_part(tmp_path: Path) -> None:
    path = make(tmp_path / "x.parquet", rows=10)
    before = path.read_bytes()
    # Files may not pass 100 kB in that process, as if the disk were full.
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from benchmarks.generate import main; main()"
    )
    arguments = [str(path), "--rows", "20000", "--days", "9", "--seed", "1"]
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert f"{path} cannot be written" in run.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_ends_at_the_start_of_the_current_utc_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.parquet"
    arguments = ["--rows", "100", "--days", "2", "--seed", "1"]
    monkeypatch.setattr(sys, "argv", ["generate", str(path), *arguments])
    main()
    assert "100 rows" in capsys.readouterr().out
    assert digest(path) == digest(
        make(tmp_path / "same.parquet", rows=100, days=2.0, until=start_of_day())
    )


def test_the_command_refuses_a_time_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--rows", "1", "--days", "1", "--seed", "1", "--until", "yesterday"]
    monkeypatch.setattr(sys, "argv", ["generate", str(tmp_path / "x.parquet"), *arguments])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "'yesterday'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
