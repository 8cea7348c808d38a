"""``orb sample``: the trials of the CSV, all of them, once, and nothing made up but the times."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import REPOSITORY
from typer.testing import CliRunner

from orb_learning.cli.app import app
from orb_learning.errors import ImportFileError
from orb_learning.ingest.sample import SAMPLE_FILE, SampleLoad, load_sample
from orb_learning.record.model import COLUMNS
from orb_learning.store.connection import connect

FILE = REPOSITORY / SAMPLE_FILE
SEED = REPOSITORY / "seeds" / "model_tiers.csv"
NOW = datetime(2026, 4, 1, 12)  # noqa: DTZ001


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows_of(database: Path, query: str = "from raw.executions order by _load_seq") -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(query).fetchall()


def one(database: Path, query: str) -> Any:
    return rows_of(database, query)[0]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "learning.db"
    assert load_sample(path, file=FILE, now=NOW) == SampleLoad(6_199)
    return path


def test_each_trial_is_one_execution_with_the_values_of_the_csv(loaded: Path) -> None:
    query = """select task_id::varchar, task_description, model_tier, pool_type, success,
                   duration_seconds, actual_cost, metadata from raw.executions"""
    executions = {row[0]: row[1:] for row in rows_of(loaded, query)}
    trials = read(FILE)
    assert len(executions) == len(trials) == 6_199
    for trial in trials:
        task, tier, pool, success, duration, cost, metadata = executions[trial["trial_id"]]
        assert (task, tier, pool) == (trial["task"], trial["model"], trial["provider"])
        assert success is (trial["success"] == "true")
        assert duration == pytest.approx(float(trial["duration_seconds"]), rel=1e-6)
        price = trial["list_price_usd"]
        assert cost == (pytest.approx(float(price), rel=1e-6) if price else None)
        facts = json.loads(metadata)
        note = facts.pop("note")
        assert "no times" in note
        assert facts == {
            "model": trial["model"],
            "input_tokens": int(trial["input_tokens"]),
            "output_tokens": int(trial["output_tokens"]),
            "difficulty": trial["difficulty"],
            "timestamp_assigned": True,
        }


def test_what_the_source_does_not_know_is_null(loaded: Path) -> None:
    known = {
        *("task_id", "timestamp", "task_type", "task_description", "repo", "model_tier"),
        *("pool_type", "success", "duration_seconds", "actual_cost", "metadata"),
    }
    for column in COLUMNS.keys() - known:
        assert one(loaded, f"select count({column}) from raw.executions") == (0,), column
    assert rows_of(loaded, "select distinct repo, task_type from raw.executions") == [
        ("terminal-bench", "benchmark")
    ]


def test_the_trials_are_replayed_evenly_over_the_90_days_before_the_load(loaded: Path) -> None:
    times = [row[0] for row in rows_of(loaded, 'select "timestamp" from raw.executions order by 1')]
    assert times[0] == NOW - timedelta(days=90)
    assert times[-1] < NOW
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert max(steps) - min(steps) <= timedelta(microseconds=1)
    assert max(steps) == pytest.approx(timedelta(days=90) / 6_199, abs=timedelta(microseconds=1))


def test_the_replay_mixes_the_models(loaded: Path) -> None:
    least = one(
        loaded,
        """select min(models) from (
               select count(distinct model_tier) as models from raw.executions
               group by "timestamp"::date having count(*) > 60)""",
    )
    assert least[0] >= 12


def test_load_numbers_follow_the_times_and_the_load_has_one_time(loaded: Path) -> None:
    rows = rows_of(loaded, 'select _load_seq, _loaded_at from raw.executions order by "timestamp"')
    assert [row[0] for row in rows] == list(range(1, 6_200))
    assert {row[1] for row in rows} == {NOW}


def test_a_second_load_changes_nothing(database: Path) -> None:
    load_sample(database, file=FILE, now=NOW)
    before = rows_of(database)
    again = load_sample(database, file=FILE, now=NOW + timedelta(days=1))
    assert again.rows == 0
    assert "loaded already" in (again.skipped_because or "")
    assert rows_of(database) == before
    assert one(database, "select count(*), sum(row_count) from raw.loaded_files") == (1, 6_199)


def test_if_empty_leaves_a_database_with_executions_alone(database: Path) -> None:
    with connect(database) as connection:
        connection.execute(
            "insert into raw.executions by name "
            "select uuid() as task_id, 1 as _load_seq, timestamp '2026-01-01' as _loaded_at"
        )
    skipped = load_sample(database, file=FILE, if_empty=True, now=NOW)
    assert "holds executions" in (skipped.skipped_because or "")
    assert one(database, "select count(*) from raw.executions") == (1,)
    assert load_sample(database, file=FILE, now=NOW).rows == 6_199


def test_if_empty_loads_into_an_empty_database(database: Path) -> None:
    assert load_sample(database, file=FILE, if_empty=True, now=NOW).rows == 6_199


def test_the_zone_of_the_machine_changes_nothing(loaded: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from datetime import datetime; from pathlib import Path; "
        "from orb_learning.ingest.sample import load_sample; "
        "load_sample(Path(sys.argv[1]), file=Path(sys.argv[2]), now=datetime(2026, 4, 1, 12))"
    )
    there = tmp_path / "tokyo.db"
    subprocess.run(
        [sys.executable, "-c", script, str(there), str(FILE)],
        check=True,
        env={**os.environ, "TZ": "Asia/Tokyo"},
    )
    assert rows_of(there) == rows_of(loaded)


def test_the_present_time_ends_the_replay_in_any_zone(tmp_path: Path) -> None:
    there = tmp_path / "learning.db"
    subprocess.run(
        [sys.executable, "-c", "from orb_learning.cli import app; app()", "sample"],
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "TZ": "Asia/Tokyo", "ORB_DATABASE": str(there)},
        capture_output=True,
    )
    age = one(
        there,
        """select max(_loaded_at) - max("timestamp"),
               (now() at time zone 'UTC') - max(_loaded_at) from raw.executions""",
    )
    assert timedelta(0) < age[0] < timedelta(hours=1)
    assert timedelta(0) <= age[1] < timedelta(minutes=5)


@pytest.mark.parametrize(
    "content",
    ["", "a,b\n1,2\n", FILE.read_text(encoding="utf-8")[:2_000], "\x00\xff"],
    ids=["empty", "other columns", "cut off within a line", "no CSV"],
)
def test_a_file_that_is_not_the_sample_is_refused_and_loads_nothing(
    database: Path, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "trials.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ImportFileError, match=r"trials\.csv is not the sample"):
        load_sample(database, file=file, now=NOW)
    assert one(database, "select count(*) from raw.executions") == (0,)
    assert one(database, "select count(*) from raw.loaded_files") == (0,)


def test_the_command_says_that_there_are_no_solutions(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("ORB_DATABASE", str(database))
    first = CliRunner().invoke(app, ["sample", "--if-empty"])
    assert first.exit_code == 0, first.output
    assert "6,199 trials" in first.output
    assert "solution patterns stay empty" in first.output
    second = CliRunner().invoke(app, ["sample"])
    assert second.exit_code == 0
    assert "Nothing to do" in second.output


def test_the_command_loads_the_packages_sample_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["sample", "--database", "learning.db"])
    assert result.exit_code == 0
    assert rows_of(tmp_path / "learning.db", "select count(*) from raw.executions") == [(6_199,)]


def row_of_seed(model: str) -> dict[str, str]:
    """The seed's row of the longest name that a model's name begins with."""
    rows = {plain(row["name"]): row for row in read(SEED)}
    name = plain(model)
    return rows[max((one for one in rows if f"{name}-".startswith(f"{one}-")), key=len)]


def plain(name: str) -> str:
    return re.sub(r"[._]", "-", name.strip().lower().rsplit("/", 1)[-1])


def test_every_model_of_the_sample_has_a_tier(loaded: Path) -> None:
    models = rows_of(loaded, "select distinct lower(trim(model_tier)) from raw.executions")
    assert len(models) == 16
    tiers = {row_of_seed(model)["model_tier"] for (model,) in models}
    assert tiers == {"small", "medium", "large"}


def test_each_name_of_the_seed_stands_once_in_lower_case_with_a_reason() -> None:
    rows = read(SEED)
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert all(name == name.strip().lower() for name in names)
    assert all(row["model_tier"] in {"small", "medium", "large"} for row in rows)
    assert all(len(row["reason"]) >= 10 for row in rows)


def test_the_price_decides_the_tier_where_it_is_known() -> None:
    for row in read(SEED):
        if row["reason"].startswith("list price of $"):
            price = float(row["reason"].split()[3].removeprefix("$"))
            assert row["model_tier"] == tier_of_price(price), row["name"]


def tier_of_price(price: float) -> str:
    return "small" if price <= 5 else "medium" if price <= 15.01 else "large"


def test_the_seeds_tiers_are_those_of_the_prices_in_the_sample() -> None:
    """Two trials of a model give two equations for its prices of input and output tokens."""
    fits = duckdb.connect().execute(
        """with trials as (
               select lower(model) as name, input_tokens::double as i, output_tokens::double as o,
                   list_price_usd as price
               from read_csv(?) where list_price_usd is not null
           )
           select name,
               1e6 * (sum(i * i) * sum(o * price) - sum(i * o) * sum(i * price))
               / (sum(i * i) * sum(o * o) - sum(i * o) ** 2) as output_price
           from trials group by name""",
        [str(FILE)],
    )
    prices = dict(fits.fetchall())
    assert len(prices) == 11
    for name, price in prices.items():
        assert row_of_seed(name)["model_tier"] == tier_of_price(price), name
