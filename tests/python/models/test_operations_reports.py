"""The reports on operations: nothing that came is missing, and storage alerts before it is late."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY, BuildError, DbtProject
from histories import NOON, History, days_ago, task_id
from oracle import raw_rows

from orb_learning.archive.restore_days import unarchive
from orb_learning.feedback.submit import submit_feedback
from orb_learning.ingest.relay import load_once
from orb_learning.operations.load import load_outbox
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect, utc_now
from orb_learning.store.sizes import sample_sizes

BALANCE = "assert_live_archived_and_forgotten_are_all_that_came"
FEEDBACK_BALANCE = "assert_live_archived_and_gone_feedback_is_all_that_came"
AGES = {"live_0_7_days": 7, "live_7_30_days": 30, "live_30_90_days": 90}
CORE = ["fct_executions", "rejected_executions"]
REPORTS = ["rpt_retention", "rpt_storage", "rpt_storage_tables", "rpt_maintenance_runs"]


def rows_of(database: Path, query: str) -> list[dict[str, Any]]:
    with connect(database, read_only=True) as connection:
        relation = connection.execute(query)
        names = [column[0] for column in relation.description or []]
        return [dict(zip(names, values, strict=True)) for values in relation.fetchall()]


def parts(database: Path) -> dict[str, dict[str, Any]]:
    return {row["part"]: row for row in rows_of(database, "from rpt_retention")}


def live_by_age(history: History) -> tuple[Counter[str], Counter[str]]:
    """Versions and executions by age, worked out from raw row by row."""
    valid = {row["_load_seq"]: row for row in rows_of(history.database, "from fct_executions")}
    days = {row["task_id"]: row["timestamp"].date() for row in valid.values()}
    newest: dict[Any, datetime] = {}
    for row in raw_rows(history.database):
        moment = row["timestamp"]
        is_possible = moment is not None and moment <= row["_loaded_at"] + timedelta(minutes=5)
        newest[row["task_id"]] = moment if is_possible else row["_loaded_at"]
    versions: Counter[str] = Counter()
    executions: Counter[str] = Counter()
    for row in raw_rows(history.database):
        day = days.get(row["task_id"], newest[row["task_id"]].date())
        age = (history.as_of.date() - day).days
        part = next((part for part, limit in AGES.items() if age <= limit), "live_over_90_days")
        versions[part] += 1
        executions[part] += row["_load_seq"] in valid
    return versions, executions


def assert_live_parts_are_those_of_raw(history: History) -> None:
    versions, executions = live_by_age(history)
    found = parts(history.database)
    live = {name: row for name, row in found.items() if name.startswith("live")}
    assert set(live) == {*AGES, "live_over_90_days"}
    for name, row in live.items():
        assert (row["version_count"], row["execution_count"]) == (versions[name], executions[name])
    assert all(row["is_complete"] for row in found.values())


def test_live_versions_are_counted_by_their_tasks_age(history: History) -> None:
    chance = random.Random(5)  # noqa: S311
    days = [0, 1, 6, 7, 8, 29, 30, 31, 89, 90, 91, 92, 200]
    ends = [timedelta(), timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999)]
    for number in range(40):
        moment = days_ago(chance.choice(days)) + chance.choice(ends)
        values: dict[str, Any] = {"timestamp": moment}
        if chance.random() < 0.3:
            values |= chance.choice([{"repo": " "}, {"quality_score": 101}, {"timestamp": None}])
        history.insert(40 + chance.randrange(30), chance.choice([1, 1, 2]), **values)
        if number == 25:  # what comes after the last build is counted, too
            history.project.run(history.database, select=CORE, as_of=NOON.isoformat())
    versions, _ = live_by_age(history)
    assert all(versions[part] for part in [*AGES, "live_over_90_days"])
    assert_live_parts_are_those_of_raw(history)


def settings_of(history: History) -> LearningSettings:
    return load_settings(database_path=history.database)


def balance_is_kept(history: History, balance: str = BALANCE) -> bool:
    try:
        history.project.run(history.database, command="test", select=[balance])
    except BuildError as error:
        return balance not in str(error)
    return True


def test_live_archived_and_forgotten_are_all_that_ever_came(history: History) -> None:
    settings = settings_of(history)
    came = parts(history.database)["came"]["version_count"]
    assert came == len(raw_rows(history.database))

    arguments = {"days_to_keep": 30, "archive_path": str(settings.archive_folder)}
    history.project.operate(
        history.database, "archive_and_retain", arguments, as_of=NOON.isoformat()
    )
    found = parts(history.database)
    files = list(settings.archive_folder.glob("*.parquet"))
    assert found["live_30_90_days"]["version_count"] == 0
    assert found["archived"]["version_count"] == came - len(raw_rows(history.database)) > 0
    assert found["archived"]["day_count"] == len(files)
    assert found["archived"]["size_bytes"] == sum(file.stat().st_size for file in files)
    assert_live_parts_are_those_of_raw(history)

    day = days_ago(40).date()
    assert unarchive(settings, day, day).version_count == 5
    assert parts(history.database)["live_30_90_days"]["version_count"] == 5
    assert_live_parts_are_those_of_raw(history)

    outbox = Outbox(settings.outbox_folder)
    outbox.put("forget", json.dumps({"task_ids": [str(task_id(0)), str(task_id(15))]}))
    outbox.close()
    load_once(history.database, settings.outbox_folder)
    found = parts(history.database)
    assert found["forgotten"]["version_count"] == 3
    assert found["came"]["version_count"] == came
    assert_live_parts_are_those_of_raw(history)
    assert balance_is_kept(history)


DAMAGE = [
    "delete from raw.executions where _load_seq = (select min(_load_seq) from raw.executions)",
    "insert into raw.executions by name "
    "select uuid() as task_id, 10000 as _load_seq, timestamp '2026-03-31' as _loaded_at",
    "insert into raw.archived_files "
    "values ('a.parquet', '2026-01-01', 1, 1, repeat('a', 64), '2026-03-31', null)",
    "insert into raw.forgotten values (uuid(), 1, '2026-03-31')",
    "delete from raw.loaded_counts",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_version_too_few_or_too_many_is_seen(history: History, damage: str) -> None:
    with connect(history.database) as connection:
        connection.execute(damage)
    assert not any(row["is_complete"] for row in parts(history.database).values())


def test_a_build_fails_where_a_version_is_missing(history: History) -> None:
    with connect(history.database) as connection:
        connection.execute(DAMAGE[0])
    assert not balance_is_kept(history)


FEEDBACK_DAMAGE = [
    "delete from raw.feedback",
    "insert into raw.feedback by name select uuid() as feedback_id, uuid() as task_id, "
    "10000 as _load_seq, timestamp '2026-03-31' as _loaded_at",
    "insert into raw.archived_feedback_files "
    "values ('a.parquet', '2026-01-01', 1, 1, repeat('a', 64), '2026-03-31', null)",
    "update raw.feedback_counts set gone_count = 1",
]


def test_feedback_too_few_or_too_much_is_seen_and_fails_a_build(history: History) -> None:
    outbox = Outbox(settings_of(history).outbox_folder)
    submit_feedback(outbox, task_id=task_id(0), satisfaction="good", user_id="ann", now=NOON)
    outbox.close()
    load_outbox(settings_of(history))
    whole = history.database.read_bytes()
    is_complete = "select bool_and(is_complete) as all_of_it from rpt_feedback_retention"
    for damage in ("select 1", *FEEDBACK_DAMAGE):
        history.database.write_bytes(whole)
        with connect(history.database) as connection:
            connection.execute(damage)
        is_right = damage == "select 1"
        assert rows_of(history.database, is_complete) == [{"all_of_it": is_right}], damage
        assert balance_is_kept(history, FEEDBACK_BALANCE) == is_right, damage


def sample(database: Path, now: datetime, *, with_tables: bool = False) -> None:
    with connect(database) as connection:
        places = {"database": database, "outbox": database.parent / "outbox"}
        sample_sizes(connection, places, now, with_tables=with_tables)


def test_storage_shows_the_newest_sample_and_what_grows(history: History) -> None:
    folder = history.database.parent / "outbox"
    folder.mkdir()
    for days, size in ((40, 900_000), (3, 1_000), (2, 2_000), (1, 3_000), (0.75, 3_500)):
        (folder / "file").write_bytes(bytes(size))
        sample(history.database, NOON - timedelta(days=days), with_tables=days == 1)
    storage_rows = {row["place"]: row for row in rows_of(history.database, "from rpt_storage")}
    outbox = storage_rows["outbox"]
    # A day's last sample stands for it: 1,000 bytes after 3 days, 2,000 after 2, 3,500 after 0.75.
    assert (outbox["size_bytes"], outbox["alert"]) == (3_500, None)
    assert 1_050 < outbox["growth_bytes_a_day"] < 1_150
    main = storage_rows["database"]
    assert main["sampled_at"] == NOON - timedelta(hours=18)
    assert main["row_count"] == len(raw_rows(history.database))
    assert main["days_held"] == 90
    assert main["alert"] == "ok"
    tables = {
        row["table_name"]: row for row in rows_of(history.database, "from rpt_storage_tables")
    }
    executions = tables["raw.executions"]
    assert executions["row_count"] == main["row_count"]
    assert executions["bytes_a_row"] == executions["size_bytes"] / executions["row_count"] > 0
    assert executions["sampled_at"] == NOON - timedelta(days=1)


@pytest.mark.parametrize(
    ("warning", "critical", "alert"), [(0.1, 1000, "warning"), (0.1, 0.2, "critical")]
)
def test_the_seed_says_from_which_size_on_it_alerts(
    history: History, warning: float, critical: float, alert: str
) -> None:
    sample(history.database, NOON)
    with connect(history.database) as connection:
        connection.execute(
            "update alert_thresholds set threshold = if(severity = 'warning', ?, ?) "
            "where alert_name = 'database_size'",
            [warning, critical],
        )
    assert 200_000 < history.database.stat().st_size < 400e6
    [row] = rows_of(history.database, "from rpt_storage where place = 'database'")
    assert row["alert"] == alert


def test_a_models_default_of_a_setting_is_the_packages() -> None:
    defaults = {name: field.default for name, field in LearningSettings.model_fields.items()}
    found = {}
    for folder in ("models", "macros"):
        for file in (REPOSITORY / folder).rglob("*.sql"):
            text = file.read_text()
            found |= re.findall(r"\bsetting\('(\w+)', '([^']*)'\)", text)
            read = re.findall(r"env_var\('ORB_LEARNING__(\w+)', '([^']*)'\)", text)
            found |= {name.lower(): default for name, default in read}
    assert {"retention_days", "min_samples_for_learning"} <= found.keys()
    for name, default in found.items():
        if defaults[name] is None:  # of which an empty text is the variable
            assert default == "", name
        else:
            assert type(defaults[name])(default) == defaults[name], name


def test_the_reports_say_the_same_in_every_time_zone(
    project: DbtProject, small_database: Path, database: Path
) -> None:
    """Built without as_of, so that they take the time of the query as now."""
    shutil.copy(small_database, database)
    now = utc_now()
    with connect(database) as connection:
        connection.execute(
            "update fct_executions "
            "set timestamp = timestamp + ($now - $noon), _loaded_at = _loaded_at + ($now - $noon)",
            {"now": now, "noon": NOON},
        )
    for days in (2, 1, 0):
        sample(database, now - timedelta(days=days), with_tables=True)
    project.run(database, select=REPORTS)
    said = []
    with connect(database, read_only=True) as connection:
        connection.execute("begin")  # now is the same for all
        for zone in ("UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu"):
            connection.execute(f"set timezone = '{zone}'")
            said.append(
                [connection.execute(f"from {name} order by all").fetchall() for name in REPORTS]
            )
    assert said[0][:2] != [[], []]
    assert all(again == said[0] for again in said)
