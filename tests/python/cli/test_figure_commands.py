"""`orb status | stats | metrics | quality | storage | alerts` show what the MCP tools return."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Coroutine
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from building import STEM, DbtProject
from commands import orb as run_orb
from histories import BLOCK_SIZE, NOON
from mcp.client.client import Client
from oracle import MODELS
from report_rows import REPORTS, insert
from serving import Site, answer, as_objects, over_stdio

from orb_learning import formats
from orb_learning.figures.database_tools import (
    get_changes,
    get_data_quality_report,
    get_database_alerts,
    get_database_status,
    get_execution_statistics,
    get_executions,
    get_performance_metrics,
    get_policy_values,
    get_recommendations,
    get_route,
    get_storage_status,
)
from orb_learning.figures.groups import TABLES
from orb_learning.mcp.answers import sent
from orb_learning.store.connection import connect, utc_now
from orb_learning.time_ranges import GROUPS, Group

ORB = [sys.executable, "-c", "from orb_learning.cli import app; app()"]
TOOLS: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
    "status": get_database_status,
    "stats": get_execution_statistics,
    "stats --range 24h": lambda: get_execution_statistics("24h"),
    "metrics --range 90d": lambda: get_performance_metrics("90d"),
    "quality": get_data_quality_report,
    "storage": get_storage_status,
    "alerts": get_database_alerts,
    "changes": get_changes,
    "executions": get_executions,
    "executions --tier large --order dearest --limit 3 --outcome failed": lambda: get_executions(
        tier="large", order="dearest", limit=3, success=False
    ),
    "route nothing --repo web --complexity 40": lambda: get_route("nothing", "web", None, 40),
    "recommend": get_recommendations,
    "policies": get_policy_values,
    "alerts --success-rate 20 --avg-duration 1 --size-mb 0.1": lambda: get_database_alerts(
        20, 1, 0.1
    ),
}
COMMANDS = [
    *("status", "stats", "metrics", "quality", "storage", "alerts", "changes", "executions"),
]
IN_ZONES = [
    "status --json",
    "stats --range 24h --json",
    "metrics --json",
    "quality --json",
    "storage --json",
    "alerts --json",
    "changes --json",
]
IN_ONE_PROCESS = """
import sys
from orb_learning.cli import app

for words in sys.argv[1:]:
    try:
        app(words.split())
    except SystemExit:
        pass
    print("\\0", end="", flush=True)
"""
HOSTILE = "\x1b[31m\x07[bold]red[/]"


def start(database: Path, command: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*ORB, *command.split()],
        env={**os.environ, "ORB_DATABASE": str(database), "COLUMNS": "80", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def orb(database: Path, command: str, width: int = 80) -> tuple[int, str, str]:
    ended = run_orb(database, *command.split(), width=width)
    return ended.returncode, ended.stdout, ended.stderr


def as_json(value: Any) -> str:
    if isinstance(value, uuid.UUID):
        return str(value)
    assert isinstance(value, datetime | date)
    return value.isoformat() + ("Z" if isinstance(value, datetime) else "")


def without_now(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out when it was asked."""
    return {name: value for name, value in found.items() if name != "timestamp"}


@pytest.fixture(scope="module")
def database(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Executions of the last 90 days as of NOON; of the last hour half have failed."""
    file = tmp_path_factory.mktemp("figures") / f"{STEM}.db"
    shutil.copy(small_database, file)
    chance = random.Random(3)  # noqa: S311
    insert(
        file,
        [
            {
                "timestamp": NOON - timedelta(hours=chance.choice([0.9, 20, 150, 2100]) * part),
                "task_description": f"split module {number % 40}",
                "repo": chance.choice(["api", "web", HOSTILE]),
                "model_tier": chance.choice(["small", "medium"]),
                "success": chance.random() < 0.5,
                "pool_type": chance.choice(["local", "local", "cloud"]),
                "metadata": '{"timestamp_assigned": true}' if number % 2 else None,
                "peak_memory_mb": chance.choice([None, 100.5]),
                "cost_estimate": chance.choice([None, 0.2]),
            }
            for number, part in enumerate(chance.random() for _ in range(200))
        ],
    )
    models = [*MODELS, "alerts_at", *REPORTS]
    project.run(file, select=models, as_of=NOON.isoformat(), load_block_size=BLOCK_SIZE)
    return file


@pytest.mark.parametrize("command", TOOLS)
def test_json_is_what_the_tool_returns(
    database: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    returned = without_now(asyncio.run(TOOLS[command]()))
    _, said, _ = orb(database, f"{command} --json")
    assert without_now(json.loads(said)) == json.loads(json.dumps(returned, default=as_json))
    assert json.loads(said)["as_of"] == "2026-03-31T12:30:00Z"


FILTERS = {
    "--task {external_id}": "external_id",
    "--words {task_description}": "task_description",
    "--tier {model_tier}": "model_tier",
    "--pool {pool_type}": "pool_type",
    "--model {model}": "model",
    "--repo {repo}": "repo",
    "--error {error_type}": "error_type",
    "--day {timestamp:%Y-%m-%d}": "timestamp",
}


@pytest.fixture(scope="module")
def told(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, where some executions have an id of another kind, a model and an error."""
    file = tmp_path_factory.mktemp("told") / f"{STEM}.db"
    shutil.copy(database, file)
    with connect(file) as connection:
        connection.execute(
            "update fct_executions set error_type = 'crash', "
            """metadata = '{"external_id": "task-7", "model": "gpt-5"}' where not success"""
        )
    return file


@pytest.mark.parametrize("option", FILTERS)
def test_executions_are_filtered_as_the_tool_does(told: Path, option: str) -> None:
    """By a value of one of them, and the tool's rows are those of the view."""
    name = FILTERS[option]
    with connect(told, read_only=True) as connection:
        (value,) = connection.execute(
            f"select {name} from executions_flat where {name} is not null "
            "and timestamp <= timestamp '2026-03-31 12:30:00' order by task_id limit 1"
        ).fetchall()[0]
        same = f"{name}::date = $1::date" if name == "timestamp" else f"{name} = $1"
        if name == "task_description":
            same = "contains(lower(task_description), lower($1))"
        [(count,)] = connection.execute(
            f"select count(*) from executions_flat where {same} "
            "and timestamp <= timestamp '2026-03-31 12:30:00'",
            [value],
        ).fetchall()
    word, given = option.format(**{name: value}).split(" ", 1)
    ended = run_orb(told, "executions", word, given, "--limit", "100", "--json")
    found = json.loads(ended.stdout)
    assert len(found["rows"]) == min(count, 100)
    assert found["is_cut"] is (count > 100)


def test_what_cost_two_cents_is_shown_as_that(told: Path, tmp_path: Path) -> None:
    file = tmp_path / f"{STEM}.db"
    shutil.copy(told, file)
    with connect(file) as connection:
        connection.execute("update fct_executions set actual_cost = 0.02")
    found = json.loads(orb(file, "executions --json")[1])["rows"]
    assert {row["actual_cost"] for row in found} == {0.02}


def test_executions_show_each_in_a_few_lines_and_what_there_is_beyond(database: Path) -> None:
    _, said, _ = orb(database, "executions --outcome failed --limit 2")
    assert len(re.findall(r"^2026-\d\d-\d\d [\d:]{8}  failed  ", said, re.MULTILINE)) == 2
    assert "succeeded" not in said
    with connect(database, read_only=True) as connection:
        ((failed,),) = connection.execute(
            "select count(*) from executions where not success "
            "and timestamp <= (select as_of from rpt_freshness)"
        ).fetchall()
    assert f"These are 2 of {failed} executions; --limit shows up to 100." in words(said)
    status, said, why = orb(database, "executions --repo nosuch")
    assert (status, len(said.splitlines())) == (0, 1)
    assert why.startswith("No execution is all of it")
    assert orb(database, "executions --limit 101")[0] == 2
    assert run_orb(database, "executions", "--task", " ").returncode == 2


def test_quality_is_readable_in_80_columns(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    checks = asyncio.run(get_data_quality_report())["checks"]
    assert {check["status"] for check in checks} >= {"ok", "warning"}
    said = orb(database, "quality")[1]
    for check in checks:  # whole, and those that failed with their count
        shown = rf"^│ {check['check_name']} +│ +{check['failing_count']:,} │"
        listed = rf"\b{check['check_name']}\b"
        assert re.search(shown if check["failing_count"] else listed, said, re.MULTILINE), check
    assert len(said.splitlines()) < 80


@pytest.mark.parametrize("width", [80, 120])
def test_tables_show_the_figures_and_nothing_that_acts_on_a_terminal(
    database: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    stats = asyncio.run(get_execution_statistics("90d"))
    shown = {
        command: orb(database, command, width=width)[1]
        for command in [*COMMANDS[1:], "stats --range 90d"]
    }
    for command, said in shown.items():
        assert re.match(r"as of 2026-03-31 12:30:00 UTC, built [-\d]+ [:\d]+ UTC\n", said), command
        for line in said.splitlines():
            # Whole sentences are left to the terminal, so that they can be copied.
            assert len(line) <= width or not set("│┃━─") & set(line), line
            assert line.isprintable()
    said = shown["stats --range 90d"]
    for tier in stats["by_model_tier"]:
        rate = formats.rate(tier["success_rate"])
        assert re.search(
            rf"│ {tier['model_tier']} +│ +{tier['total_executions']:,} │ +{rate}", said
        )
    # Where the terminal is narrow, the text is folded within its cell.
    assert ("[31m [bold]red[/]" if width == 120 else "[bold]") in said
    assert "[bold]red" in shown["stats"]
    assert "raised under 70 percent" in " ".join(shown["alerts"].replace("│", " ").split())


def words(said: str) -> str:
    """Return what a command said, without what tables are drawn with."""
    return " ".join(re.sub("[│┃]", " ", said).split())


def test_means_say_of_how_many_they_are_known(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    stats = asyncio.run(get_execution_statistics("90d"))["performance"]
    metrics = asyncio.run(get_performance_metrics("90d"))
    day = asyncio.run(get_database_status())["performance"]
    shown = {
        command: words(orb(database, command, width=200)[1])
        for command in ("stats --range 90d", "metrics --range 90d", "status")
    }
    time, money = formats.duration, formats.money
    for command, parts in {
        "stats --range 90d": [
            f"{time(stats['avg_duration'])} of {stats['duration_known_count']:,}",
            f"{money(stats['total_cost'])} of {stats['cost_known_count']:,}",
            f"{formats.number(stats['avg_quality'])} of {stats['quality_known_count']:,}",
        ],
        "metrics --range 90d": [
            f"{time(metrics['duration']['p95_seconds'])} of {metrics['duration']['known_count']:,}",
            f"{money(metrics['cost']['avg_cost'])} of {metrics['cost']['known_count']:,}",
            f"{money(metrics['cost']['avg_savings'])} of "
            f"{metrics['cost']['savings_known_count']:,}",
            f"{formats.number(metrics['resources']['p95_memory_mb'])} of "
            f"{metrics['resources']['known_count']:,}",
        ],
        "status": [
            f"{time(day['avg_duration_seconds'])} of {day['duration_known_count']:,}",
            f"{formats.number(day['avg_quality_score'])} of {day['quality_known_count']:,}",
        ],
    }.items():
        for part in parts:
            assert part in shown[command]


@pytest.mark.parametrize("by", GROUPS)
def test_one_table_alone_has_every_row_of_its_report(
    by: Group, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For Python and for the shell."""
    monkeypatch.setenv("ORB_DATABASE", str(database))
    kind, report, order = TABLES[by]
    names = ", ".join(kind.model_fields)
    with connect(database, read_only=True) as connection:
        relation = connection.execute(
            f"select {names} from {report} where time_range = '90d' {order}"
        )
        rows = relation.fetchall()
    assert rows
    found = asyncio.run(get_execution_statistics("90d", by))
    assert [tuple(row[name] for name in kind.model_fields) for row in found["rows"]] == rows
    code, said, _ = orb(database, f"stats --range 90d --by {by}", width=200)
    assert code == 0
    assert said.count("\n│") == len(rows)


def test_unlike_work_is_compared_like_for_like(
    project: DbtProject, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 60 runs each, local has 45 on small, which all succeed, and cloud 15."""
    copy = Path(shutil.copy(database, tmp_path / database.name))
    monkeypatch.setenv("ORB_DATABASE", str(copy))
    with connect(copy) as connection:
        connection.execute(
            "update fct_executions set repo = 'api', task_type = 'docs', pool_type = 'elsewhere', "
            "timestamp = '2025-01-01'"
        )
        connection.execute(
            "update fct_executions set timestamp = ?, pool_type = if(n <= 60, 'local', 'cloud'), "
            "model_tier = if(n <= 45 or n > 105, 'small', 'large'), success = n <= 45 or n > 90 "
            "from (select task_id, row_number() over (order by task_id) as n from fct_executions) "
            "as numbered where numbered.task_id = fct_executions.task_id and n <= 120",
            [NOON - timedelta(hours=2)],
        )
    project.run(copy, select=["rpt_like_for_like"], as_of=NOON.isoformat())
    [pair] = asyncio.run(get_execution_statistics())["like_for_like"]
    assert (pair["name"], pair["other_name"]) == ("local", "cloud")
    assert (pair["success_rate"], pair["other_success_rate"]) == (0.75, 0.5)
    # Strata weigh 45·15/60 each: (1 + 0) / 2 and (1 + 15/45) / 2.
    assert pair["like_for_like_rate"] == pytest.approx(0.5)
    assert pair["other_like_for_like_rate"] == pytest.approx(2 / 3)
    bounds = (pair["rate_difference_lower"], pair["rate_difference_upper"])
    assert pair["rate_difference"] == pytest.approx(-1 / 6)
    # All of a stratum succeed or none, so that nothing tells how much its tasks differ.
    assert -1 < bounds[0] < -1 / 6 < 0 < bounds[1] < 1
    apart = formats.points(pair["rate_difference"], *bounds)
    said = words(orb(copy, "stats", width=200)[1])
    assert "compare these like for like" in said
    tasks = pair["matched_task_count"], pair["other_matched_task_count"]
    assert f"local 75.0 % 50.0 % 60 {tasks[0]} - cloud 50.0 % 66.7 % 60 {tasks[1]} {apart}" in said


def test_what_has_nothing_in_common_is_not_compared(
    project: DbtProject, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(database, tmp_path / database.name))
    monkeypatch.setenv("ORB_DATABASE", str(copy))
    with connect(copy) as connection:
        connection.execute(
            "update fct_executions set repo = 'api', task_type = 'docs', timestamp = ?, "
            "pool_type = if(model_tier = 'small', 'local', 'cloud')",
            [NOON - timedelta(hours=2)],
        )
    project.run(copy, select=["rpt_like_for_like"], as_of=NOON.isoformat())
    said = words(orb(copy, "stats", width=200)[1])
    assert "have no tier and task type in common: do not compare them." in said
    assert "like for like" not in said


def test_times_that_were_assigned_are_said(
    database: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORB_DATABASE", str(database))
    stats = asyncio.run(get_execution_statistics("90d"))
    count, total = (stats["performance"][f] for f in ("assigned_time_count", "total_executions"))
    assert count > 50
    assert sum(bucket["assigned_time_count"] for bucket in stats["time_series"]) == count
    fresh = asyncio.run(get_data_quality_report())["freshness"]
    assert fresh["assigned_time_count"] == 100
    note = asyncio.run(get_database_status())["executions"]["note"]
    assert note.startswith("The times of 100 of")
    of_all = f"The times of 100 of {fresh['total_executions']:,} executions were assigned"
    assert f"The times of {count} of {total:,} executions" in orb(database, "stats --range 90d")[1]
    for command in ("status", "quality"):
        assert of_all in orb(database, command)[1]
        assert "assigned" not in orb(empty_database, command)[1]
    assert "of those times were assigned" in words(orb(database, "alerts", width=300)[1])


def thresholds(database: Path, severity: str, change: str) -> None:
    with connect(database) as connection:
        connection.execute(
            f"update alert_thresholds set threshold = {change} where severity = ?", [severity]
        )


NEVER = "if(raised_when = 'under', -1, 1e9)"
ALWAYS = "if(raised_when = 'under', 1e9, -1)"


@pytest.mark.parametrize(
    ("warning", "critical", "loose", "strict"),
    [(NEVER, NEVER, 0, 0), (ALWAYS, NEVER, 0, 3), (NEVER, ALWAYS, 3, 3)],
    ids=["none", "warnings", "critical"],
)
def test_the_exit_status_says_whether_something_is_wrong(
    database: Path, tmp_path: Path, warning: str, critical: str, loose: int, strict: int
) -> None:
    file = tmp_path / f"{STEM}.db"
    shutil.copy(database, file)
    thresholds(file, "warning", warning)
    thresholds(file, "critical", critical)
    assert {
        options: orb(file, f"alerts {options}")[0]
        for options in ("", "--strict", "--json", "--json --strict")
    } == {
        "": loose,
        "--strict": strict,
        "--json": loose,
        "--json --strict": strict,
    }


@pytest.mark.parametrize(
    ("warning", "critical"), [(NEVER, NEVER), (ALWAYS, NEVER), (NEVER, ALWAYS)]
)
def test_the_status_names_the_alerts_that_are_raised_and_its_word_agrees(
    database: Path, tmp_path: Path, warning: str, critical: str
) -> None:
    file = tmp_path / f"{STEM}.db"
    shutil.copy(database, file)
    thresholds(file, "warning", warning)
    thresholds(file, "critical", critical)
    raised = [
        f"{alert['alert_name']}{' of ' + alert['model_tier'] if alert['model_tier'] else ''} "
        f"({alert['severity']})"
        for alert in json.loads(orb(file, "alerts --json")[1])["raised"]
    ]
    status, shown, _ = orb(file, "status")
    lines = [line for line in shown.splitlines() if line.startswith("  alerts raised: ")]
    assert lines == ([f"  alerts raised: {', '.join(raised)}"] if raised else [])
    assert f"status: {'WARNING' if raised else 'OK'}" in shown
    assert status == 0
    assert bool(raised) is (ALWAYS in (warning, critical))


def test_warnings_count_where_one_is_strict(database: Path) -> None:
    found = {
        command: orb(database, command)[0]
        for command in ("status", "status --strict", "quality", "quality --strict")
    }
    assert found == {"status": 0, "status --strict": 3, "quality": 0, "quality --strict": 3}


@pytest.mark.slow
def test_figures_are_the_same_in_every_time_zone(
    project: DbtProject, database: Path, tmp_path: Path
) -> None:
    """Built without as_of: now is the time of the query."""
    site = Site(tmp_path)
    file = site.database
    file.parent.mkdir()
    shutil.copy(database, file)
    with connect(file) as connection:
        connection.execute(
            "update fct_executions "
            "set timestamp = timestamp + ($now - $noon), _loaded_at = _loaded_at + ($now - $noon)",
            {"now": utc_now(), "noon": NOON},
        )
    project.run(file, select=["int_executions_by_range", "alerts_at", "rpt_alerts", *REPORTS])

    async def statistics(client: Client) -> dict[str, Any]:
        return answer(await client.call_tool("execution_statistics", {"time_range": "24h"}))

    def said(zone: str) -> dict[str, Any]:
        outcome = subprocess.run(
            [sys.executable, "-c", IN_ONE_PROCESS, *IN_ZONES],
            env=site.environment(TZ=zone),
            capture_output=True,
            text=True,
            check=True,
        )
        answers = [json.loads(part) for part in outcome.stdout.split("\0")[:-1]]
        found = dict(zip(IN_ZONES, answers, strict=True))
        found["execution_statistics"] = over_stdio(site, statistics, TZ=zone)
        now = utc_now()
        for one in found.values():
            as_of = datetime.fromisoformat(one["as_of"])
            assert as_of.utcoffset() == timedelta()
            assert now - timedelta(minutes=2) < as_of.replace(tzinfo=None) <= now
        alerts = found["alerts --json"]
        for alert in alerts["raised"] + alerts["others"]:
            if alert["alert_name"] in ("silence", "build_age"):
                del alert["value"], alert["message"]  # time goes on
        return {command: without_now(one) | {"as_of": None} for command, one in found.items()}

    for _ in range(3):  # an hour may begin, or an execution leave the hour, in between
        before = said("UTC")
        others = [said(zone) for zone in ("Asia/Tokyo", "America/Los_Angeles")]
        if before == said("UTC"):
            break
    assert others == [before, before]
    stats = before["stats --range 24h --json"]
    as_sent = as_objects(json.loads(sent("execution_statistics", stats, 100_000)))
    assert as_sent | {"as_of": None} == before["execution_statistics"]
    assert stats["performance"]["total_executions"] > 50


def test_a_build_of_before_is_said_beside_the_time_of_the_query(
    project: DbtProject, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"{STEM}.db"
    shutil.copy(database, file)
    monkeypatch.setenv("ORB_DATABASE", str(file))
    began = utc_now().replace(microsecond=0)
    project.run(file, select=["rpt_freshness"])
    ended = utc_now()

    def built() -> datetime:
        found = asyncio.run(get_storage_status())
        assert ended <= found["as_of"] <= utc_now()
        moment = found["built_at"]
        assert isinstance(moment, datetime)
        return moment

    moment = built()
    assert began <= moment <= ended
    with connect(file) as connection:  # as if it had been three days ago
        (sql,) = connection.execute(
            "select sql from duckdb_views() where view_name = 'rpt_freshness'"
        ).fetchall()[0]
        connection.execute(
            f"{sql.replace('CREATE VIEW', 'CREATE OR REPLACE VIEW', 1).split(' AS ')[0]} as "
            "select * replace (built_at - interval 3 day as built_at) "
            f"from ({sql.split(' AS ', 1)[1].rstrip(';')})"
        )
    assert built() == moment - timedelta(days=3)
    _, said, _ = orb(file, "storage")
    assert f"UTC, built {moment - timedelta(days=3)} UTC\n" in said


def test_a_database_without_executions_says_what_to_do(empty_database: Path) -> None:
    for command, words in {
        "status": "database is empty",
        "stats": "orb import",
        "metrics": "orb import",
        "storage": "orb maintain",
        "alerts": "database is empty",
    }.items():
        status, said, complained = orb(empty_database, command)
        assert status == 0, complained
        assert words in " ".join((said + complained).replace("│", " ").split())


def test_what_was_never_built_or_is_missing_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / f"{STEM}.db"
    for words in ("does not exist", "orb build"):
        for command in ("status", "status --json", "alerts"):
            status, said, complained = orb(file, command)
            assert status == 1, command
            assert words in said + complained, command
        with connect(file):
            pass


@pytest.mark.slow
def test_a_database_in_use_is_read_from_its_backup_and_says_so(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / f"{STEM}.db"
    shutil.copy(database, file)
    with connect(file):
        started = {command: start(file, command) for command in ("status", "alerts --json")}
        for command, process in started.items():
            _, complained = process.communicate(timeout=120)
            if command == "status":
                assert "in use" in complained
            assert process.returncode == 1
    assert orb(file, "backup")[0] == 0
    file.unlink()
    status, said, complained = orb(file, "alerts --json")
    assert status == 1
    assert json.loads(said)["from_backup"]
    assert "newest backup" in complained
