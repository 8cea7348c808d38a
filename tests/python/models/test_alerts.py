"""The alerts are raised by what plain Python works out from raw, and by nothing else."""

from __future__ import annotations

import math
import random
import re
import shutil
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import duckdb
import pytest
from building import STEM, DbtProject
from histories import BLOCK_SIZE, NOON
from intervals import interval, tasks_of
from oracle import MODELS, RULES, Row, expected, raw_rows
from report_rows import insert, known

from orb_learning.store.connection import connect

THRESHOLDS = {
    "no_executions": {"warning": 1},
    "silence": {"warning": 1},
    "build_age": {"warning": 3},
    "success_rate": {"warning": 85, "critical": 70},
    "daily_success_rate": {"warning": 80},
    "error_rate": {"warning": 10, "critical": 25},
    "avg_duration": {"warning": 120},
    "hourly_cost": {"warning": 10},
    "database_size": {"warning": 500, "critical": 1000},
    "daily_quality": {"warning": 60},
    "daily_cost": {"warning": 5},
    "routing_confidence": {"warning": 70},
    "success_drop": {"warning": 5},
    "tier_drop": {"warning": 5},
}
LOW = {
    "no_executions", "success_rate", "daily_success_rate", "daily_quality", "routing_confidence",
}  # fmt: skip
DROPS = {"success_drop", "tier_drop"}
RATES = {*DROPS, "success_rate", "daily_success_rate", "error_rate"}
HOURLY = {"success_rate", "error_rate", "avg_duration", "hourly_cost"}
DAILY = {"daily_success_rate", "daily_quality", "daily_cost", "routing_confidence"}
NEEDS_SAMPLES = {*HOURLY, *DAILY, *DROPS} - {"hourly_cost", "daily_cost"}
HOUR = timedelta(hours=1)
TASKS = [f"task {number}" for number in range(80)]
GOOD = [1.0, 1.0, 1.0, 0.97, 0.8, 0.8]

Alerts = dict[tuple[str, str | None], Row]


def alerts(database: Path, time_zone: str = "UTC", **given: Any) -> Alerts:
    with connect(database, read_only=True) as connection:
        connection.execute(f"set timezone = '{time_zone}'")
        return alerts_in(connection, **given)


def alerts_in(connection: duckdb.DuckDBPyConnection, **given: Any) -> Alerts:
    named = ", ".join(f"{name} := ${name}" for name in given)
    relation = connection.execute(f"from alerts_at({named})" if given else "from rpt_alerts", given)
    names = [column[0] for column in relation.description or []]
    rows = [dict(zip(names, values, strict=True)) for values in relation.fetchall()]
    found = {(row["alert_name"], row["model_tier"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def percent(rows: list[Row]) -> float | None:
    return 100 * sum(row["success"] for row in rows) / len(rows) if rows else None


def tasks(rows: list[Row]) -> list[tuple[int, int]]:
    return tasks_of((row["_task_text_id"], row["success"]) for row in rows)


def least_drop(before: list[Row], now: list[Row]) -> float | None:
    """Work out Newcombe's lower bound (1998, method 10) over tasks, in percentage points."""
    if not before or not now:
        return None
    rates = [sum(row["success"] for row in rows) / len(rows) for rows in (before, now)]
    lower, upper = interval(tasks(before))[0], interval(tasks(now))[1]
    assert lower is not None
    assert upper is not None
    return 100 * (rates[0] - rates[1] - math.hypot(rates[0] - lower, upper - rates[1]))


def values_of(
    rows: list[Row], versions: list[Row], built_at: datetime, now: datetime
) -> dict[tuple[str, str | None], tuple[Any, int | None]]:
    """Work out each alert's value, and how many of what it is judged by it is over."""
    loaded = [row["timestamp"] for row in versions if not RULES["timestamp_in_the_future"](row)]
    loaded = [moment for moment in loaded if moment <= now]
    past = [row for row in rows if row["timestamp"] <= now]
    day = [row for row in past if row["timestamp"] >= now - 24 * HOUR]
    before = [
        row for row in past if now - 744 * HOUR <= row["timestamp"] < now - 24 * HOUR
    ]  # fmt: skip
    found: dict[tuple[str, str | None], tuple[Any, int | None]] = {
        ("no_executions", None): (len(past), len(past)),
        ("silence", None): ((now - max(loaded)) / HOUR if loaded else None, len(loaded)),
        ("build_age", None): (max((now - built_at) / HOUR, 0), None),
    }
    for name, measured in values_of_a_bucket(day, DAILY).items():
        found[name, None] = measured
    hour = [row for row in past if row["timestamp"] >= now - HOUR]
    for name, measured in values_of_a_bucket(hour, HOURLY).items():
        found[name, None] = measured
    for tier in {None, *(row["model_tier"] for row in day + before)}:
        of_before, of_day = (
            [row for row in of if tier in (None, row["model_tier"])] for of in (before, day)
        )
        drop = least_drop(of_before, of_day)
        name = "tier_drop" if tier else "success_drop"
        found[name, tier] = drop, min(len(tasks(of_before)), len(tasks(of_day)))
    return found


def values_of_a_bucket(rows: list[Row], names: set[str]) -> dict[str, tuple[float | None, int]]:
    """Work out the alerts of an hour or a day from its executions."""
    of = {
        column: [value for (value,) in known(rows, column)]
        for column in ("actual_cost", "duration_seconds", "quality_score", "routing_confidence")
    }
    mean = {column: fmean(values) if values else None for column, values in of.items()}
    rate, confidence = percent(rows), mean["routing_confidence"]
    cost = math.fsum(of["actual_cost"]) if of["actual_cost"] else None
    values = {
        "success_rate": (rate, len(tasks(rows))),
        "daily_success_rate": (rate, len(tasks(rows))),
        "error_rate": (None if rate is None else 100 - rate, len(tasks(rows))),
        "avg_duration": (mean["duration_seconds"], len(of["duration_seconds"])),
        "hourly_cost": (cost, len(of["actual_cost"])),
        "daily_cost": (cost, len(of["actual_cost"])),
        "daily_quality": (mean["quality_score"], len(of["quality_score"])),
        "routing_confidence": (
            None if confidence is None else 100 * confidence,
            len(of["routing_confidence"]),
        ),
    }
    return {name: values[name] for name in names}


def usual(rows: list[Row], now: datetime) -> set[tuple[str, str]]:
    """Find the thresholds that more than half of the hours or days of the last 28 days broke."""
    judged: Counter[tuple[str, str]] = Counter()
    broken: Counter[tuple[str, str]] = Counter()
    for names, length in ((HOURLY, HOUR), (DAILY, 24 * HOUR)):
        buckets = defaultdict(list)
        for row in rows:
            if now - 28 * 24 * HOUR < row["timestamp"] <= now:
                buckets[(now - row["timestamp"]) // length].append(row)
        for bucket in buckets.values():
            for name, (value, samples) in values_of_a_bucket(bucket, names).items():
                for severity in THRESHOLDS[name]:
                    if value is not None and (name not in NEEDS_SAMPLES or samples >= 10):
                        judged[name, severity] += 1
                        broken[name, severity] += severity in beyond(name, value)
    return {key for key, count in judged.items() if count >= 10 and 2 * broken[key] > count}


def beyond(name: str, value: float) -> set[str]:
    """Return the severities whose threshold the value is beyond."""
    return {
        severity
        for severity, threshold in THRESHOLDS[name].items()
        if (value < threshold if name in LOW else value > threshold)
    }


def state_of(
    name: str, value: float | None, samples: int | None, always: set[tuple[str, str]]
) -> str:
    """Return the highest severity whose threshold the value is beyond, and is not always."""
    if value is None or (name in NEEDS_SAMPLES and (samples or 0) < 10):
        return "unknown"
    broken = beyond(name, value)
    raised = {severity for severity in broken if (name, severity) not in always}
    if raised:
        return "critical" if "critical" in raised else "warning"
    return "always so" if "warning" in broken else "ok"


@pytest.fixture(scope="module")
def database(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Executions of the last 40 days, with hours of each kind: good, bad, few, dear and none."""
    file = tmp_path_factory.mktemp("alerts") / f"{STEM}.db"
    shutil.copy(small_database, file)
    chance = random.Random(8)  # noqa: S311
    rows: list[Row] = []
    for hour in range(24 * 40):
        # Most hours were bad that are 30 days ago or more: so it was always.
        share = chance.choice([0.6, 0.6, 0.8] if hour > 24 * 30 else GOOD)
        if 300 < hour < 330:
            share = 0.3
        quality, confidence = (30, 0.5) if (hour // 24) % 3 == 0 else (90, 0.9)
        slow, dear = chance.choice([10, 10, 400]), chance.choice([0.1, 0.1, 2.0])
        for _ in range(chance.choice([0, 0, 1, 6, 12, 30, 30])):
            tier = chance.choice(["small", "medium", "large"])
            bad = tier == "medium" and 100 < hour < 160
            rows.append(
                {
                    "timestamp": NOON - (hour + chance.random()) * HOUR,
                    "model_tier": tier,
                    # Most tasks are run again and again; some hours run few of them.
                    "task_description": chance.choice([None, *TASKS[: 9 if hour % 5 == 0 else 80]]),
                    "success": chance.random() < (0.4 if bad else share),
                    "duration_seconds": chance.choice([None, chance.expovariate(1 / slow)]),
                    "actual_cost": chance.choice([None, dear * chance.random()]),
                    "quality_score": chance.choice([None, quality]),
                    "routing_confidence": chance.choice([None, confidence]),
                }
            )
    insert(file, rows)
    models = [*MODELS, "alerts_at", "rpt_alerts", "rpt_freshness", "rpt_page_age"]
    project.run(file, select=models, as_of=NOON.isoformat(), load_block_size=BLOCK_SIZE)
    return file


def time_of_build(database: Path) -> datetime:
    with connect(database, read_only=True) as connection:
        ((moment,),) = connection.execute("select built_at from rpt_page_age").fetchall()
    assert isinstance(moment, datetime)
    return moment


@pytest.fixture(scope="module")
def executions(database: Path) -> list[Row]:
    """The valid executions, worked out from raw."""
    rows = expected(raw_rows(database), NOON, block_size=BLOCK_SIZE)["fct_executions"]
    return list(rows.values())


def test_an_alert_is_raised_where_its_value_is_beyond_its_threshold(
    database: Path, executions: list[Row]
) -> None:
    states = set()
    versions, built_at = raw_rows(database), time_of_build(database)
    moments = [NOON - hour * HOUR for hour in (*range(0, 42 * 24, 13), 10_000)]
    with connect(database, read_only=True) as connection:
        alerts_at = {
            now: alerts_in(connection, moment=now)
            for now in [*moments, built_at + 3.1 * HOUR, built_at + 2.9 * HOUR]
        }
    for now, found in alerts_at.items():
        wanted = values_of(executions, versions, built_at, now)
        always = usual(executions, now)
        assert found.keys() == {*wanted, ("database_size", None)}
        for (name, tier), (value, samples) in wanted.items():
            row = found[name, tier]
            if value is None:
                assert row["value"] is None
            else:
                assert row["value"] == pytest.approx(value, rel=1e-6, abs=1e-6)
            if name not in RATES:
                assert row["sample_count"] == samples
            elif value is not None:
                assert re.search(r"executions? of [\d,]+ tasks? ", row["message"]), row
            if name in NEEDS_SAMPLES and value is not None:
                assert row["has_enough_samples"] == ((samples or 0) >= 10)
            state = state_of(name, value, samples, always)
            assert row["state"] == state, row
            assert row["is_raised"] == (state in ("warning", "critical"))
            if row["is_raised"]:
                assert row["severity"] == state
            assert ("always so" in row["message"]) == (state == "always so")
            states.add((name, state))
            assert row["threshold"] == THRESHOLDS[name][row["severity"]]
            assert row["as_of"] == now
    every = {(name, severity) for name, by in THRESHOLDS.items() for severity in by}
    assert every - states == {("database_size", "warning"), ("database_size", "critical")}
    assert {"success_rate", "daily_success_rate"} <= {
        name for name, state in states if state == "always so"
    }


def test_a_given_threshold_acts_where_the_seeds_is_always_so(database: Path) -> None:
    """The other alerts stay as they are."""
    now = next(
        moment
        for moment in (NOON - hour * HOUR for hour in range(21 * 24, 40 * 24))
        if alerts(database, moment=moment)["success_rate", None]["state"] == "always so"
    )
    before = alerts(database, moment=now)
    after = alerts(database, moment=now, success_rate_threshold=85)
    assert after["success_rate", None]["is_raised"]
    assert after["success_rate", None]["threshold"] == 85
    assert before["error_rate", None] == after["error_rate", None]


def test_what_is_loaded_ends_the_silence_before_it_is_built(database: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(database, tmp_path))
    now = NOON + 5 * HOUR
    assert alerts(file, moment=now)["silence", None]["is_raised"]
    insert(file, [{"timestamp": now - HOUR / 2}])
    row = alerts(file, moment=now)["silence", None]
    assert not row["is_raised"]
    assert row["value"] == pytest.approx(0.5)


def test_a_load_of_versions_without_a_usable_time_is_no_sign_of_life(
    database: Path, tmp_path: Path
) -> None:
    """A late import of old executions is none either; the newest start is 5 hours ago."""
    file = Path(shutil.copy(database, tmp_path))
    now = NOON + 5 * HOUR
    before = alerts(file, moment=now)["silence", None]
    with connect(file) as connection:
        for moment in (None, NOON - 900 * HOUR, NOON + 1000 * HOUR):
            connection.execute(
                "insert into raw.executions by name select * replace (uuid() as task_id, "
                "nextval('raw.load_seq') as _load_seq, ?::timestamp as timestamp, "
                "? as _loaded_at) from raw.executions limit 1",
                [moment, now - HOUR / 10],
            )
    row = alerts(file, moment=now)["silence", None]
    assert row["is_raised"]
    assert row["value"] == before["value"] > 4


@pytest.mark.slow
def test_a_given_threshold_takes_the_place_of_the_seeds_for_a_warning(database: Path) -> None:
    now = next(
        moment
        for moment in (NOON - hour * HOUR for hour in range(42 * 24))
        if (row := alerts(database, moment=moment)["success_rate", None])["has_enough_samples"]
        and 40 < row["value"] < 70
        and alerts(database, moment=moment)["avg_duration", None]["has_enough_samples"]
    )

    def one(name: str, **given: float) -> tuple[bool, str, float]:
        row = alerts(database, moment=now, **given)[name, None]
        return row["is_raised"], row["severity"], row["threshold"]

    found = alerts(database, moment=now)
    rate, seconds, size = (
        found[name, None]["value"] for name in ("success_rate", "avg_duration", "database_size")
    )
    assert one("success_rate") == (True, "critical", 70)
    assert one("success_rate", success_rate_threshold=80) == (True, "critical", 70)
    # Who allows less than what is critical has moved that, too.
    assert one("success_rate", success_rate_threshold=rate) == (False, "warning", rate)
    assert one("daily_success_rate", success_rate_threshold=100)[0]
    # At the threshold itself: over and under it are beyond, and a size that is reached is reached.
    assert one("avg_duration", avg_duration_threshold=seconds) == (False, "warning", seconds)
    assert one("avg_duration", avg_duration_threshold=seconds * 0.99)[0]
    assert one("database_size", db_size_threshold_mb=size) == (True, "warning", size)
    assert one("database_size", db_size_threshold_mb=size * 1.01)[0] is False
    assert one("error_rate", success_rate_threshold=0, avg_duration_threshold=0)[2] in (10, 25)


def test_an_alert_says_of_how_many_executions_times_were_assigned(
    database: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(database, tmp_path / database.name))
    with connect(copy) as connection:
        connection.execute("update fct_executions set _is_time_assigned = hour(timestamp) < 12")
        day = connection.execute(
            "select count(*) from fct_executions where _is_time_assigned and timestamp "
            "between ?::timestamp - interval 1 day and ?::timestamp",
            [NOON, NOON],
        ).fetchone()
    assert day
    assert day[0] > 10
    said = f"; {day[0]} of those times were assigned, not recorded"
    found = alerts(copy)
    for (name, _), alert in found.items():
        assert alert["message"].endswith(said) == (name in DAILY and alert["value"] is not None)
        if name in {"build_age", "database_size", "no_executions"}:
            assert alert["assigned_time_count"] == 0
        elif name in {"silence", *DROPS}:
            assert alert["assigned_time_count"] > day[0] / 4
            assert "were assigned" in alert["message"]
    assert not any("assigned" in alert["message"] for alert in alerts(database).values())


def test_the_size_is_that_of_the_file(database: Path) -> None:
    """But for three pages of 4,096 bytes at its head, which are no blocks."""
    shown = alerts(database)["database_size", None]["value"] * 1e6
    assert shown == database.stat().st_size - 3 * 4096
