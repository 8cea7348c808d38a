"""What to route by, in sentences: their parts are the reports' columns."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY
from commands import orb
from shell_blocks import words_of_shell_blocks

from orb_learning import Router
from orb_learning.figures.database_tools import get_policy_values, get_recommendations, get_route
from orb_learning.figures.reader import Snapshot
from orb_learning.figures.routing_panels import routing_panels
from orb_learning.figures.routing_sentences import sentence_of, sentence_of_plan, sentence_of_value
from orb_learning.store.connection import connect

CHAIN: dict[str, Any] = {
    "baseline": "large",
    "recommended": "small>large",
    "plan": "small>large",
    "best_candidate": "small>large",
    "reason": "its gain is above zero at the level asked for",
    "confidence": 0.95,
    "decision_count": 500,
    "task_count": 340,
    "estimated_count": 0,
    "decisions_needed": 500,
    "success_gain": 0.039,
    "success_gain_lower": 0.01,
    "success_gain_upper": 0.07,
    "cost_gain": -0.26,
    "cost_gain_lower": -0.31,
    "cost_gain_upper": -0.21,
    "utility_gain": 0.091,
    "utility_gain_lower": 0.06,
    "utility_gain_upper": 0.12,
    "highest_miss_rate": 0.16,
    "success_worth_usd": 5.0,
}
ABSTAINS = CHAIN | {
    "recommended": None,
    "plan": None,
    "reason": "nothing is surely worth more",
    "decision_count": 1_000,
    "task_count": 1,
    "decisions_needed": 2_390,
    "success_gain": -0.01,
    "success_gain_lower": -0.04,
    "success_gain_upper": 0.02,
    "cost_gain": 0.1,
    "cost_gain_lower": -0.05,
    "cost_gain_upper": 0.25,
    "utility_gain": 0.02,
    "utility_gain_lower": -0.03,
    "utility_gain_upper": 0.07,
    "estimated_count": 400,
}


def test_a_recommendation_is_a_sentence_with_its_interval_and_its_needs() -> None:
    assert sentence_of(CHAIN) == (
        "small, then large on failure: 3.9 more of 100 succeed (95 %: 1.0 to 7.0), $0.26 less a "
        "task (95 %: $0.21 to $0.31), from 500 decisions of 340 tasks. "
        "Needs: a check that misses under 16 % of failures."
    )
    single = CHAIN | {"plan": "medium", "highest_miss_rate": None, "confidence": 0.99}
    assert sentence_of(single) == (
        "medium: 3.9 more of 100 succeed (99 %: 1.0 to 7.0), $0.26 less a task "
        "(99 %: $0.21 to $0.31), from 500 decisions of 340 tasks."
    )


def test_an_abstention_says_why_and_what_is_still_needed() -> None:
    assert sentence_of(ABSTAINS) == (
        "Keep large, the baseline of the settings: nothing is surely worth more. With small, then "
        "large on failure 1.0 fewer of 100 succeed (95 %: -2.0 to 4.0), $0.10 more a task (95 %: "
        "-$0.05 to $0.25): in all worth 2.0 more successes of 100 (95 %: -3.0 to 7.0) at $5.00 "
        "each, from 1,000 decisions of 1 task, the chances of 400 of them estimated. To be sure it "
        "takes about 2,390 decisions, if the gain stays so."
    )
    unknown = dict.fromkeys(("success_gain", "cost_gain", "decisions_needed"))
    assert sentence_of(ABSTAINS | unknown).endswith(
        "Nothing is known of small, then large on failure, from 1,000 decisions of 1 task, the "
        "chances of 400 of them estimated."
    )


def test_a_value_is_a_sentence_of_what_is_or_would_have_been() -> None:
    value = {
        "policy": "small>large",
        "has_enough_samples": True,
        "decision_count": 500,
        "task_count": 1,
        "success": 0.782,
        "success_lower": 0.72,
        "success_upper": 0.831,
        "capped_cost": 0.43,
        "cost_lower": 0.38,
        "cost_upper": 0.49,
        "reason": None,
    }
    assert sentence_of_value(value) == (
        "Had all tasks been routed by small, then large on failure: 78.2 of 100 would succeed "
        "(95 %: 72.0 to 83.1) at $0.43 a task ($0.38 to $0.49), from 500 decisions of 1 task."
    )
    today = value | {"policy": "logged", "capped_cost": None}
    assert sentence_of_value(today) == (
        "As tasks are routed today: 78.2 of 100 succeed (95 %: 72.0 to 83.1), from 500 decisions "
        "of 1 task."
    )
    unknown = value | {"has_enough_samples": False, "reason": "too few decisions"}
    assert sentence_of_value(unknown).endswith(
        "on failure: not known, too few decisions, from 500 decisions of 1 task."
    )


def test_what_decisions_tell_of_a_plan_is_a_sentence() -> None:
    plan = {
        "plan": "small>large",
        "logged_count": 90,
        "estimated_count": 10,
        "excluded_count": 0,
        "effective_count": 83.4,
        "mean_weight": 1.03,
        "is_plausible": True,
    }
    assert sentence_of_plan(plan) == (
        "small, then large on failure: taken by 100 decisions that tell of it, as good as 83 had "
        "all taken it."
    )
    assert sentence_of_plan(plan | {"effective_count": None, "excluded_count": 7}) == (
        "small, then large on failure: taken by 100 decisions that tell of it; 7 more tell "
        "nothing, as their chances are not known."
    )
    wrong = plan | {"is_plausible": False, "mean_weight": 1.4}
    assert "its recorded chances cannot be those" in sentence_of_plan(wrong)


@pytest.fixture
def routed(small_database: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database whose reports of routing hold known rows."""
    shutil.copy(small_database, database)
    monkeypatch.setenv("ORB_DATABASE", str(database))
    cell = {"level": "cell", "repo": "api", "task_type": "fix"}
    rows = [
        ABSTAINS | {"level": "everything"},
        CHAIN | {"level": "repository", "repo": "api"},
        CHAIN | cell | {"complexity_band": "low", "complexity_below": 34, "task_count": 1},
        CHAIN
        | cell
        | {
            "complexity_band": "medium",
            "complexity_from": 34,
            "complexity_below": 67,
            "task_count": 2,
        },
        CHAIN | cell | {"complexity_band": "high", "complexity_from": 67, "task_count": 3},
        CHAIN | cell | {"complexity_band": "unknown", "task_count": 4},
    ]
    steps = [
        {"repo": "api", "policy": "small>large", "step": n, "highest_miss_rate": 0.16}
        for n in (1, 2)
    ]
    value = {"decision_count": 9, "estimated_count": 0, "task_count": 9, "success_upper": 1.0}
    value |= {"cost_known_count": 9, "success_worth_usd": 5.0}
    values = [
        value
        | {"policy": "small", "success_lower": 0.0, "has_enough_samples": False, "reason": "few"},
        value
        | {"policy": "large", "success": 0.8, "success_lower": 0.7, "success_upper": 0.9}
        | {"capped_cost": 0.5, "cost_lower": 0.4, "cost_upper": 0.625, "utility": 0.7}
        | {"utility_lower": 0.6, "utility_upper": 0.8, "has_enough_samples": True},
    ]
    with connect(database) as connection:
        for name, known in (
            ("rpt_routing_recommendations", rows),
            ("rpt_escalations", steps),
            ("rpt_policy_values", values),
        ):
            columns = connection.execute(
                "select column_name, data_type from duckdb_columns() where table_name = ?", [name]
            ).fetchall()
            connection.execute(f"drop view {name}")
            connection.execute(f"create table {name} ({', '.join(f'{c} {t}' for c, t in columns)})")
            for row in known:
                assert set(row) <= {column for column, _ in columns} | {"highest_miss_rate"}
                kept = {c: row[c] for c, _ in columns if c in row}
                connection.execute(
                    f"insert into {name} ({', '.join(kept)}) values ({', '.join('?' * len(kept))})",
                    list(kept.values()),
                )
        connection.execute(
            "update fct_executions set task_description = 'mend it', repo = 'api', "
            "task_type = 'fix', complexity_score = 70 "
            "where task_id = (select min(task_id) from fct_executions)"
        )
    return database


def test_the_page_shows_policies_advice_and_what_decisions_tell(routed: Path) -> None:
    with connect(routed, read_only=True) as connection:
        panels = routing_panels(Snapshot(connection))
    values = panels["policy_values"]
    assert [(row["policy"], row["role"]) for row in values] == [
        ("large", "the baseline"),
        ("small", "a policy"),
    ]
    assert (
        values[1]["sentence"]
        == "Had all tasks been routed by small: not known, few, from 9 decisions of 9 tasks."
    )
    advice = [(row["place"], row["advice"]) for row in panels["routing_recommendations"]]
    assert advice[:2] == [("everything", "large"), ("api", "small, then large on failure")]
    assert ("api, fix, complexity low", "small, then large on failure") in advice
    assert panels["routing_recommendations"][0]["decisions_needed"] == 2_390
    assert {row["judgement"] for row in panels["routing_coverage"]} <= {"not recorded"}


@pytest.mark.usefixtures("routed")
@pytest.mark.parametrize(
    ("complexity", "task_count"),
    [(0, 1), (33, 1), (34, 2), (66, 2), (67, 3), (100, 3), (None, 4)],
)
def test_a_route_is_that_of_the_cell_of_the_score(complexity: int | None, task_count: int) -> None:
    found = asyncio.run(get_route(None, "api", "fix", complexity))
    assert [row["level"] for row in found["rows"]] == ["cell", "repository", "everything"]
    assert found["rows"][0]["task_count"] == task_count
    assert found["plan"] == "small>large"
    assert found["sentence"] == found["rows"][0]["sentence"]
    assert found["sentence"].endswith("misses under 16 % of failures.")


@pytest.mark.usefixtures("routed")
def test_a_route_falls_back_to_what_is_wider() -> None:
    wider = asyncio.run(get_route(None, "api", "another", 50))
    assert [row["level"] for row in wider["rows"]] == ["repository", "everything"]
    none = asyncio.run(get_route(None, "another", "fix", 50))
    assert [row["level"] for row in none["rows"]] == ["everything"]
    assert none["plan"] == "large"
    assert none["sentence"].startswith("Keep large")


@pytest.mark.usefixtures("routed")
def test_what_is_left_out_is_that_of_the_last_time() -> None:
    found = asyncio.run(get_route("mend it"))
    assert (found["repo"], found["task_type"], found["complexity"]) == ("api", "fix", 70)
    assert found["rows"][0]["complexity_band"] == "high"
    given = asyncio.run(get_route("mend it", complexity=5))
    assert given["rows"][0]["complexity_band"] == "low"
    assert asyncio.run(get_route("never seen"))["repo"] is None


@pytest.mark.usefixtures("routed")
def test_recommendations_of_a_repository_are_those_that_hold_there() -> None:
    every = asyncio.run(get_recommendations())["rows"]
    assert [row["level"] for row in every] == ["everything", "repository", *4 * ["cell"]]
    assert asyncio.run(get_recommendations("api"))["rows"] == every
    assert [row["level"] for row in asyncio.run(get_recommendations("web"))["rows"]] == [
        "everything"
    ]


def test_the_commands_say_what_the_functions_return(routed: Path) -> None:
    for command, found in (
        (["route", "mend it"], get_route("mend it")),
        (["recommend", "--repo", "api"], get_recommendations("api")),
        (["policies"], get_policy_values()),
    ):
        wanted = asyncio.run(found)
        said = orb(routed, *command, "--json")
        assert said.returncode == 0, said.stderr
        assert len(json.loads(said.stdout)["rows"]) == len(wanted["rows"])
        shown = orb(routed, *command).stdout
        if command[0] == "policies":
            assert "$0.50 ($0.40 to $0.62)" in shown
            assert "70.0 (60.0 to 80.0)" in shown
            assert "few" in shown
        else:
            for row in wanted["rows"]:
                assert row["sentence"][:60] in " ".join(shown.split())


def test_without_decisions_it_is_said_what_to_log(routed: Path) -> None:
    with connect(routed) as connection:
        connection.execute("truncate rpt_routing_recommendations")
    found = asyncio.run(get_route("mend it"))
    assert (found["plan"], found["rows"]) == (None, [])
    assert "docs/learning.md" in found["sentence"]
    assert "docs/learning.md" in orb(routed, "recommend").stdout


def test_the_documents_lines_run(routed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the build of its shell block; its Python from the folder that it names."""
    section = (REPOSITORY / "docs/learning.md").read_text().split("\n## Where the orchestrator ")[1]
    section = textwrap.dedent(section.split("\n## ")[0].replace("\n   ", "\n"))
    commands = words_of_shell_blocks(section)
    assert [words[1] for words in commands] == ["build", "recommend", "policies", "route"]
    for words in commands[1:]:
        ran = orb(routed, *words[1:])
        assert ran.returncode == 0, ran.stderr
    monkeypatch.chdir(routed.parent)
    names: dict[str, Any] = {"Router": Router}
    plans = []
    for lines in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        exec(lines, names)  # noqa: S102 - the document's own
        plans.append(names["router"].propensities("api", "fix", 30))
    assert plans == [plans[0], {"small>large": 0.025, "large": pytest.approx(0.975)}]
    decision = names["decision"]
    assert decision["candidates"]
    assert names["router"].next({"plan": "small>large"}, {"success": False}) == "large"
