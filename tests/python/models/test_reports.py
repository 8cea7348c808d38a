"""The reports hold what plain Python works out from raw, and answer without a single row, too."""

from __future__ import annotations

import math
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import correlation, fmean, median
from typing import Any

import pytest
from building import STEM, DbtProject
from histories import BLOCK_SIZE, NOON, TODAY
from oracle import MODELS, Row, expected, raw_rows
from report_rows import REPORTS, insert, known, rate

from orb_learning.store.connection import connect

RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
RATES = ["success_rate", "error_rate", "acceptance_rate"]


def rows_of(database: Path, report: str, time_zone: str = "UTC") -> list[Row]:
    with connect(database, read_only=True) as connection:
        connection.execute(f"set TimeZone = '{time_zone}'")
        relation = connection.execute(f"from {report}")
        names = [column[0] for column in relation.description or []]
        return [dict(zip(names, values, strict=True)) for values in relation.fetchall()]


def by(rows: Iterable[Row], *key: str) -> dict[tuple[Any, ...], Row]:
    rows = list(rows)
    found = {tuple(row[name] for name in key): row for row in rows}
    assert len(found) == len(rows)
    return found


def groups(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def mean(rows: list[Row], name: str) -> float | None:
    values = [value for (value,) in known(rows, name)]
    return fmean(values) if values else None


def total(rows: list[Row], name: str) -> float | None:
    values = [value for (value,) in known(rows, name)]
    return math.fsum(values) if values else None


def percentile(rows: list[Row], name: str, share: float) -> float | None:
    values = sorted(value for (value,) in known(rows, name))
    if not values:
        return None
    place = share * (len(values) - 1)
    below, above = values[math.floor(place)], values[math.ceil(place)]
    return float(below + (above - below) * (place - math.floor(place)))


def figures(rows: list[Row]) -> Row:
    """Work out what most reports say of a group of executions."""
    successes = sum(row["success"] for row in rows)
    return {
        "total_executions": len(rows),
        "successful_count": successes,
        **rate("success_rate", rows, lambda row: row["success"]),
        "avg_duration": mean(rows, "duration_seconds"),
        "duration_known_count": len(known(rows, "duration_seconds")),
        "total_cost": total(rows, "actual_cost"),
        "avg_cost": mean(rows, "actual_cost"),
        "cost_known_count": len(known(rows, "actual_cost")),
        "avg_quality": mean(rows, "quality_score"),
        "quality_known_count": len(known(rows, "quality_score")),
        "avg_routing_confidence": mean(rows, "routing_confidence"),
        "routing_confidence_known_count": len(known(rows, "routing_confidence")),
    }


def assert_has(row: Row, expected: Row) -> None:
    for name, value in expected.items():
        if isinstance(value, float) and row[name] is not None:
            assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (name, row)
        else:
            assert row[name] == value, (name, row)


def value_of(row: Row, name: str) -> Any:
    return row["_model"] or "unknown" if name == "model" else row[name]


@pytest.fixture(scope="module")
def database(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small database with 300 executions more, of all columns and known and unknown values."""
    file = tmp_path_factory.mktemp("reports") / f"{STEM}.db"
    shutil.copy(small_database, file)
    chance = random.Random(6)  # noqa: S311
    rows = []
    for _ in range(300):
        age = timedelta(hours=chance.choice([0.4, 20, 160, 700, 2100, 2300]) * chance.random())
        failed = chance.random() < 0.3
        values: Row = {
            "timestamp": NOON - age,
            "task_description": f"task {chance.randrange(chance.choice([4, 1000]))}",
            "task_type": chance.choice(["docs", "test", "bugfix"]),
            "repo": chance.choice(["api", "web", "ops"]),
            "model_tier": chance.choice(["small", "medium", "large", "huge"]),
            "pool_type": chance.choice(["local", "cloud", "runpod"]),
            "success": not failed,
            "error_type": chance.choice(
                ["timeout", "crash", None] if failed else ["timeout", *[None] * 9]
            ),
            "complexity_score": chance.choice([None, chance.randrange(101)]),
            "duration_seconds": chance.choice([None, *[chance.expovariate(1 / 40)] * 4]),
            "quality_score": chance.choice([None, chance.randrange(101)]),
            "cost_estimate": chance.choice([None, 0.0, *[chance.random()] * 4]),
            "actual_cost": chance.choice([None, *[chance.random()] * 4]),
            "routing_confidence": chance.choice([None, chance.random()]),
            "user_rating": chance.choice([None, chance.randint(1, 5)]),
            "user_accepted": chance.choice([None, True, False]),
            "peak_memory_mb": chance.choice([None, *[chance.uniform(50, 900)] * 4]),
            "metadata": chance.choice([None, '{"model": "opus"}', '{"model": " sonnet "}', "[]"]),
            "cpu_time_seconds": chance.choice([None, *[chance.uniform(1, 90)] * 4]),
        }
        rows.append(values)
    # What is still to come, twice the same under two ids, and what no report may show.
    rows.append({"timestamp": NOON + timedelta(hours=1)})
    rows += [{"timestamp": NOON - timedelta(minutes=5)}] * 2
    rows.append({"repo": " "})
    insert(file, rows)
    insert(file, rows[:40])  # the same again: versions that supersede
    project.run(file, select=MODELS, as_of=NOON.isoformat(), load_block_size=BLOCK_SIZE)
    return file


@pytest.fixture(scope="module")
def executions(database: Path) -> list[Row]:
    """The valid executions, worked out from raw."""
    rows = expected(raw_rows(database), NOON, block_size=BLOCK_SIZE)["fct_executions"]
    return list(rows.values())


def in_range(rows: list[Row], time_range: str) -> list[Row]:
    return [row for row in rows if NOON - RANGES[time_range] <= row["timestamp"] <= NOON]


def test_performance_is_that_of_each_range(database: Path, executions: list[Row]) -> None:
    reported = by(rows_of(database, "rpt_performance"), "time_range")
    assert len(reported) == len(RANGES)
    for time_range in RANGES:
        rows = in_range(executions, time_range)
        savings = [e - a for e, a in known(rows, "cost_estimate", "actual_cost")]
        assert 10 < len(rows) > len(savings) > 0
        row = reported[time_range,]
        assert_has(
            row,
            {
                **figures(rows),
                "p50_duration": percentile(rows, "duration_seconds", 0.5),
                "p95_duration": percentile(rows, "duration_seconds", 0.95),
                "p99_duration": percentile(rows, "duration_seconds", 0.99),
                "avg_savings": fmean(savings),
                "savings_known_count": len(savings),
                "avg_memory_mb": mean(rows, "peak_memory_mb"),
                "p95_memory_mb": percentile(rows, "peak_memory_mb", 0.95),
                "memory_known_count": len(known(rows, "peak_memory_mb")),
            },
        )


@pytest.mark.parametrize(
    ("report", "key"),
    {
        "rpt_success_by_tier": ["model_tier"],
        "rpt_success_by_model": ["model"],
        "rpt_success_by_pool": ["pool_type"],
        "rpt_success_by_repository": ["repo"],
        "rpt_pools": ["pool_type"],
        "rpt_repositories": ["repo"],
        "rpt_task_types": ["task_type"],
        "rpt_task_type_tiers": ["task_type", "model_tier"],
    }.items(),
)
def test_groups_of_a_range_have_the_figures_of_their_executions(
    database: Path, executions: list[Row], report: str, key: list[str]
) -> None:
    reported = by(rows_of(database, report), "time_range", *key)
    wanted = {
        (time_range, *values): rows
        for time_range in RANGES
        for values, rows in groups(
            in_range(executions, time_range), lambda row: tuple(value_of(row, name) for name in key)
        ).items()
    }
    assert reported.keys() == wanted.keys()
    for group, rows in wanted.items():
        shown = {name: v for name, v in figures(rows).items() if name in reported[group]}
        assert "success_rate_lower" in shown
        assert_has(reported[group], shown)
        if "execution_share" in reported[group]:
            share = len(rows) / len(in_range(executions, group[0]))
            assert reported[group]["execution_share"] == pytest.approx(share)


def test_ranks_begin_with_the_most_executions(database: Path) -> None:
    for report, rank in {
        "rpt_repositories": "repo_rank",
        "rpt_task_types": "task_type_rank",
    }.items():
        for rows in groups(rows_of(database, report), lambda row: row["time_range"]).values():
            rows.sort(key=lambda row: row[rank])
            assert [row[rank] for row in rows] == list(range(1, len(rows) + 1))
            counts = [row["total_executions"] for row in rows]
            assert counts == sorted(counts, reverse=True)


def test_a_series_has_every_hour_or_day_of_its_window(
    database: Path, executions: list[Row]
) -> None:
    shown = [row for row in executions if row["timestamp"] <= NOON]
    hour = lambda row: row["timestamp"].replace(minute=0, second=0, microsecond=0)  # noqa: E731
    hours = groups(shown, hour)
    days = groups(shown, lambda row: row["timestamp"].date())
    now = NOON.replace(minute=0)
    for report, name, buckets, wanted in [
        ("executions_by_hour", "hour", hours, [now - timedelta(hours=n) for n in range(169)]),
        ("executions_by_day", "date", days, [(TODAY - timedelta(n)).date() for n in range(91)]),
        ("durations_by_hour", "hour", hours, [now - timedelta(hours=n) for n in range(169)]),
        ("durations_by_day", "date", days, [(TODAY - timedelta(n)).date() for n in range(31)]),
        ("error_rate_by_hour", "hour", hours, [now - timedelta(hours=n) for n in range(169)]),
        ("error_rate_by_day", "date", days, [(TODAY - timedelta(n)).date() for n in range(91)]),
    ]:
        reported = by(rows_of(database, f"rpt_{report}"), name)
        assert sorted(reported) == sorted((bucket,) for bucket in wanted)
        assert any(bucket not in buckets for bucket in wanted)
        for bucket in wanted:
            rows, row = buckets.get(bucket, []), reported[bucket,]
            failures = sum(not each["success"] for each in rows)
            wanted_figures = figures(rows) | {
                "p50_duration": percentile(rows, "duration_seconds", 0.5),
                "p99_duration": percentile(rows, "duration_seconds", 0.99),
                "failed_count": failures,
                **rate("error_rate", rows, lambda row: not row["success"]),
                "is_complete": bucket not in (now, TODAY.date()),
            }
            assert_has(row, {n: v for n, v in wanted_figures.items() if n in row})


def test_the_series_of_a_range_holds_no_more_than_the_range(
    database: Path, executions: list[Row]
) -> None:
    reported = groups(rows_of(database, "rpt_time_series"), lambda row: row["time_range"])
    lengths = {name: len(rows) for name, rows in reported.items()}
    assert lengths == {"1h": 2, "24h": 25, "7d": 8, "30d": 31, "90d": 91}
    for time_range, rows in reported.items():
        counts: Counter[datetime] = Counter()
        for row in in_range(executions, time_range):
            moment = row["timestamp"].replace(minute=0, second=0, microsecond=0)
            counts[moment if time_range in ("1h", "24h") else moment.replace(hour=0)] += 1
        assert {
            row["bucket_start"]: row["total_executions"] for row in rows if row["total_executions"]
        } == dict(counts)
        # The first begins before the range, the last is not over: NOON is at half past twelve.
        whole = sorted(row["bucket_start"] for row in rows if row["is_complete"])
        assert whole == sorted(row["bucket_start"] for row in rows)[1:-1]


def test_a_bucket_after_the_last_build_is_not_complete(database: Path, tmp_path: Path) -> None:
    """The figures of the hours since the build are not there yet, though the hours are over."""
    file = Path(shutil.copy(database, tmp_path))
    with connect(file) as connection:
        ((sql, built_at),) = connection.execute(
            "select sql, (select built_at from rpt_freshness) from duckdb_views() "
            "where view_name = 'rpt_executions_by_hour'"
        ).fetchall()
        assert f"'{built_at}'" in sql
        early = (NOON - timedelta(hours=5)).replace(microsecond=0)
        connection.execute(
            sql.replace(f"'{built_at}'", f"'{early}'").replace(
                "CREATE VIEW", "CREATE OR REPLACE VIEW", 1
            )
        )
        hours = connection.execute(
            "select hour from rpt_executions_by_hour where not is_complete order by hour"
        ).fetchall()
    begins = early.replace(minute=0)
    assert hours == [(begins + timedelta(hours=n),) for n in range(6)]


def test_the_trend_compares_a_week_with_the_week_before(
    database: Path, executions: list[Row]
) -> None:
    shown = [row for row in executions if row["timestamp"] <= NOON]
    days = groups(shown, lambda row: row["timestamp"].date())
    rows = sorted(rows_of(database, "rpt_cost_by_day"), key=lambda row: row["date"])
    costs = [total(days.get(row["date"], []), "actual_cost") for row in rows]
    assert len(rows) == 91
    assert None in costs

    def week(end: int) -> float | None:
        values = [cost for cost in costs[max(end - 6, 0) : end + 1] if cost is not None]
        return math.fsum(values) if end >= 6 and values else None

    for number, row in enumerate(rows):
        trailing, before = week(number), week(number - 7)
        change = (trailing / before - 1) * 100 if trailing and before else None
        assert_has(
            row,
            {
                "total_executions": len(days.get(row["date"], [])),
                "total_cost": costs[number],
                "estimated_cost": total(days.get(row["date"], []), "cost_estimate"),
                "trailing_cost": trailing,
                "previous_cost": before,
                "cost_change_pct": change,
            },
        )
    assert sum(row["cost_change_pct"] is not None for row in rows) > 50


def test_costs_are_compared_with_what_was_expected(database: Path, executions: list[Row]) -> None:
    reported = by(rows_of(database, "rpt_cost_by_tier"), "time_range", "model_tier")
    for (time_range, tier), row in reported.items():
        everything = in_range(executions, time_range)
        rows = [each for each in everything if each["model_tier"] == tier]
        pairs = known(rows, "cost_estimate", "actual_cost")
        errors = [abs(a - e) / e * 100 for e, a in pairs if e]
        assert_has(
            row,
            {
                "total_cost": total(rows, "actual_cost"),
                "cost_known_count": len(known(rows, "actual_cost")),
                "avg_savings": fmean(e - a for e, a in pairs) if pairs else None,
                "avg_cost_error_pct": fmean(errors) if errors else None,
                "median_cost_error_pct": median(errors) if errors else None,
                "cost_error_known_count": len(errors),
            },
        )
        costs = total(rows, "actual_cost"), total(everything, "actual_cost")
        if costs[0] is not None and costs[1]:
            assert row["cost_share"] == pytest.approx(costs[0] / costs[1])


def test_ratings_and_answers_are_those_of_people(database: Path, executions: list[Row]) -> None:
    tiers = by(rows_of(database, "rpt_quality_by_tier"), "time_range", "model_tier")
    ratings = by(rows_of(database, "rpt_user_ratings"), "time_range", "user_rating")
    for time_range in RANGES:
        given = Counter(each for (each,) in known(in_range(executions, time_range), "user_rating"))
        assert given == Counter(
            {key[1]: row["rating_count"] for key, row in ratings.items() if key[0] == time_range}
        )
        for tier, rows in groups(
            in_range(executions, time_range), lambda row: row["model_tier"]
        ).items():
            answers = [answer for (answer,) in known(rows, "user_accepted")]
            answered = [row for row in rows if row["user_accepted"] is not None]
            assert_has(
                tiers[time_range, tier],
                {
                    "avg_user_rating": mean(rows, "user_rating"),
                    "accepted_count": sum(answers),
                    "acceptance_known_count": len(answers),
                    **rate("acceptance_rate", answered, lambda row: row["user_accepted"]),
                    "median_quality": percentile(rows, "quality_score", 0.5),
                },
            )


def test_errors_are_failures_by_type(database: Path, executions: list[Row]) -> None:
    reported = by(rows_of(database, "rpt_top_errors"), "time_range", "error_type")
    wanted = {}
    for time_range in RANGES:
        rows = in_range(executions, time_range)
        failures = [row for row in rows if not row["success"]]
        for kind, of_kind in groups(failures, lambda row: row["error_type"] or "unknown").items():
            last = max(of_kind, key=lambda row: row["timestamp"])
            wanted[time_range, kind] = {
                "error_count": len(of_kind),
                "failure_share": len(of_kind) / len(failures),
                "total_executions": len(rows),
                **rate("error_rate", rows, lambda row, of_kind=of_kind: row in of_kind),
                "last_error_at": last["timestamp"],
                "last_task_id": last["task_id"],
            }
    assert reported.keys() == wanted.keys()
    for key, expected_row in wanted.items():
        assert_has(reported[key], expected_row)


def test_memory_and_cpu_are_related_to_duration(database: Path, executions: list[Row]) -> None:
    reported = by(rows_of(database, "rpt_resources_by_pool"), "time_range", "pool_type")
    for (time_range, pool), row in reported.items():
        rows = [each for each in in_range(executions, time_range) if each["pool_type"] == pool]
        memory = known(rows, "peak_memory_mb", "duration_seconds")
        cpu = known(rows, "cpu_time_seconds", "duration_seconds")
        assert row["memory_and_duration_known_count"] == len(memory)
        assert row["cpu_and_duration_known_count"] == len(cpu)
        if len(memory) > 2:
            assert row["memory_correlation"] == pytest.approx(correlation(*zip(*memory)))  # noqa: B905
        if cpu:
            cores = math.fsum(c for c, _ in cpu) / math.fsum(d for _, d in cpu)
            assert row["avg_cores"] == pytest.approx(cores)


def test_pools_by_hour_weigh_their_repositories(database: Path, executions: list[Row]) -> None:
    reported = by(rows_of(database, "rpt_pools_by_hour"), "pool_type", "hour")
    for (pool, hour), row in reported.items():
        rows = [
            each for each in executions
            if each["pool_type"] == pool and hour <= each["timestamp"] < hour + timedelta(hours=1)
        ]  # fmt: skip
        wanted = figures(rows)
        assert row["total_tasks"] == len(rows)
        shown = {name: value for name, value in wanted.items() if name in row}
        assert_has(row, shown)


def test_the_checks_count_what_is_wrong(database: Path, executions: list[Row]) -> None:
    checks = by(rows_of(database, "rpt_data_quality"), "check_name")
    unknown = [row for row in executions if row["repo"] == "unknown"]
    assert checks["repo_not_recorded",]["failing_count"] == len(unknown) > 0
    assert checks["quality_score_out_of_range",]["failing_count"] == 1
    assert checks["file_count_out_of_range",]["status"] == "ok"
    assert checks["model_tier_unknown",]["failing_count"] == sum(
        row["model_tier"] == "huge" for row in executions
    )
    assert checks["timestamp_after_now",]["failing_count"] == sum(
        row["timestamp"] > NOON for row in executions
    )
    versions = len(raw_rows(database))
    for check in checks.values():
        if check["check_kind"] == "rejected":
            assert (check["checked_count"], check["checked_rows"]) == (
                versions,
                "versions ever loaded",
            )
    failures = checks["failure_without_error_type",]
    assert failures["checked_rows"] == "failures of any time"
    assert failures["checked_count"] == sum(not row["success"] for row in executions)
    assert failures["failing_count"] == sum(
        not row["success"] and row["error_type"] is None for row in executions
    )
    week = in_range(executions, "7d")
    same = Counter((r["timestamp"], r["repo"], r["task_description"]) for r in week)
    assert checks["recorded_twice",]["failing_count"] == len(week) - len(same) > 0
    assert checks["unreadable_row",]["status"] == "unknown"


def test_unknown_values_are_counted(database: Path, executions: list[Row]) -> None:
    for row in rows_of(database, "rpt_unknown_values"):
        rows = in_range(executions, row["time_range"])
        # Of what a record need not say, the models say that it is unknown.
        unknown = sum(each[row["column_name"]] in (None, "unknown") for each in rows)
        assert (row["total_executions"], row["unknown_count"]) == (len(rows), unknown), row


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_answers_without_a_row_and_with_numbers_only(
    empty_database: Path, database: Path, report: str
) -> None:
    for rows in (rows_of(empty_database, report), rows_of(database, report)):
        for row in rows:
            for name, value in row.items():
                assert not isinstance(value, float) or math.isfinite(value), (name, row)
    for row in rows_of(empty_database, report):
        assert row.get("total_executions", 0) == 0
        assert all(row.get(rate) is None for rate in RATES)
        # Of an alert it says so of a count, too, which no row is enough for.
        assert report == "rpt_alerts" or not row.get("has_enough_samples")
        assert all(value is None for name, value in row.items() if name.startswith("avg_"))


# rpt_page_changes is for the page alone, which shows every range; rpt_like_for_like is a table.
OF_EVERY_RANGE = {"rpt_page_changes", "rpt_like_for_like"}


@pytest.mark.parametrize("report", [name for name in REPORTS if name not in OF_EVERY_RANGE])
def test_a_filter_on_the_range_leaves_the_others_unread(database: Path, report: str) -> None:
    with connect(database, read_only=True) as connection:
        # It would read once what every range's part reads for itself.
        connection.execute("set disabled_optimizers = 'common_subplan'")

        def scans(query: str) -> int:
            plan = connection.execute(f"explain {query}").fetchall()[0][1]
            return str(plan).count(".fct_executions")

        columns = [row[0] for row in connection.execute(f"describe {report}").fetchall()]
        if "time_range" not in columns:
            return
        everything = scans(f"from {report}")
        assert everything >= len(RANGES)
        for time_range in RANGES:
            one = scans(f"from {report} where time_range = '{time_range}'")
            assert one * len(RANGES) == everything


def test_a_range_ends_now_in_every_time_zone(
    project: DbtProject, small_database: Path, tmp_path: Path
) -> None:
    """Under Asia/Tokyo a naive comparison with now() misses what is 20 hours old."""
    file = tmp_path / f"{STEM}.db"
    shutil.copy(small_database, file)
    now = datetime.now(UTC).replace(tzinfo=None)
    ages = [timedelta(minutes=30), timedelta(hours=4), timedelta(hours=20)]
    ages += [timedelta(days=6, hours=20), timedelta(days=29, hours=20), timedelta(days=30, hours=4)]
    with connect(file) as connection:
        connection.execute("delete from fct_executions")
        connection.execute("create temp table ages (age interval)")
        connection.executemany("insert into ages values (?)", [[age] for age in ages])
        connection.execute(
            "insert into fct_executions by name "
            "select uuid() as task_id, ?::timestamp - age as timestamp, 't' as task_type, "
            "'d' as task_description, 'r' as repo, 'small' as model_tier, 'p' as pool_type, "
            "true as success, row_number() over () as _load_seq, ?::timestamp as _loaded_at "
            "from ages",
            [now, now],
        )
    reports = ["rpt_performance", "rpt_success_by_tier", "rpt_repositories"]
    project.run(file, select=["int_executions_by_range", *reports])
    for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        for report in reports:
            counts = {
                row["time_range"]: row["total_executions"] for row in rows_of(file, report, zone)
            }
            assert counts == {"1h": 1, "24h": 3, "7d": 4, "30d": 5, "90d": 6}, (zone, report)
