"""An edit of the project reaches every row without --full-refresh, in whatever order one builds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from building import DbtProject, copy_of_project, edit
from histories import History
from oracle import MARTS, RULES, TIERS, Row, assert_equal, contents

from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

AT_ONCE = ["build"]
MARTS_FIRST = [*MARTS, "build"]
CORE_FIRST = ["fct_executions", "build"]
SEED_LAST = ["run", "build"]


@pytest.fixture
def edited(tmp_path: Path) -> DbtProject:
    """A copy of the project, for the test to edit."""
    return copy_of_project(tmp_path / "project")


def histories_with(
    edited: DbtProject, built: Path, database: Path, *orders: list[str]
) -> list[History]:
    """Build the edited project on copies of a built database, in each order of steps."""
    histories = []
    for number, steps in enumerate(orders):
        folder = database.parent / str(number)
        folder.mkdir()
        history = History(edited, Path(shutil.copy(built, folder / database.name)))
        for step in steps:
            if step == "build":
                history.seed_and_run()
            elif step == "run":
                history.run()
            else:
                history.build_part(step)
        histories.append(history)
    histories[0].assert_equal_to_full_refresh()
    return histories


@pytest.mark.soak
def test_an_edited_definition_of_a_mart_reaches_its_old_rows(
    edited: DbtProject, small_database: Path, database: Path
) -> None:
    edit(
        edited.folder / "models/marts/tier_performance_mv.sql",
        "count(*) filter (success) as successful_count",
        "count(*) filter (not success) as successful_count",
    )
    for history in histories_with(edited, small_database, database, AT_ONCE):
        wanted = history.expected()
        set_everywhere(wanted["tier_performance_mv"], successful_count=0)
        assert_equal(contents(history.database), wanted)


def test_an_edited_definition_of_an_internal_model_reaches_the_patterns(
    edited: DbtProject, small_database: Path, database: Path
) -> None:
    edit(
        edited.folder / "models/marts/int_solution_days.sql",
        "sum(success_count)::bigint as success_count",
        "sum(usage_count - success_count)::bigint as success_count",
    )
    for history in histories_with(edited, small_database, database, AT_ONCE, MARTS_FIRST):
        wanted = history.expected()
        set_everywhere(wanted["solution_patterns_mv"], success_count=0, success_rate=0.0)
        assert_equal(contents(history.database), wanted)


@pytest.mark.soak
def test_an_edited_macro_reaches_old_rows(
    edited: DbtProject, small_database: Path, database: Path
) -> None:
    edit(edited.folder / "macros/texts/has_solution.sql", "<> ''", "not in ('', 'retry it')")
    for history in histories_with(edited, small_database, database, AT_ONCE, MARTS_FIRST):
        wanted = history.expected()
        del wanted["solution_patterns_mv"]["retry it", "web"]
        assert_equal(contents(history.database), wanted)


def test_an_edited_view_reaches_old_rows(
    edited: DbtProject, small_database: Path, database: Path
) -> None:
    edit(
        edited.folder / "models/staging/stg_executions.sql",
        "nullif(trim(named.pool_type), '')",
        "nullif(upper(trim(named.pool_type)), '')",
    )
    orders = AT_ONCE, MARTS_FIRST, CORE_FIRST
    for history in histories_with(edited, small_database, database, *orders):
        pools = contents(history.database)["pool_performance_mv"].values()
        assert {row["pool_type"] for row in pools} == {"LOCAL", "CLOUD"}


def test_an_edited_rule_moves_rows_to_the_rejected_ones_and_back(
    edited: DbtProject, project: DbtProject, small_database: Path, database: Path
) -> None:
    edit(
        edited.folder / "dbt_project.yml",
        "quality_score between 0 and 100",
        "quality_score between 0 and 79",
    )
    strict = {**RULES, "quality_score_out_of_range": lambda row: (row["quality_score"] or 0) > 79}
    orders = AT_ONCE, MARTS_FIRST
    for history in histories_with(edited, small_database, database, *orders):
        assert_equal(contents(history.database), history.expected(rules=strict))
        assert "79" in check_constraints(history.database)

        back = History(project, history.database)
        back.seed_and_run()
        back.assert_equal_to_raw()
        assert "79" not in check_constraints(history.database)


@pytest.mark.soak
def test_an_edited_seed_reaches_old_rows(
    edited: DbtProject, small_database: Path, database: Path
) -> None:
    edit(edited.folder / "seeds/model_tiers.csv", "\nopus,large,", "\nopus,small,")
    orders = AT_ONCE, MARTS_FIRST, CORE_FIRST, SEED_LAST
    for history in histories_with(edited, small_database, database, *orders):
        wanted = history.expected(tiers={**TIERS, "opus": "small"})
        assert_equal(contents(history.database), wanted)


@pytest.mark.soak
def test_a_changed_least_usage_reaches_old_patterns(
    project: DbtProject, small_database: Path, database: Path
) -> None:
    shutil.copy(small_database, database)
    for least in (6, 1, 5):
        history = History(project, database, solution_min_usage=least)
        history.run()
        assert_equal(contents(database), history.expected(min_usage=least))
    history.assert_equal_to_full_refresh()


def set_everywhere(rows: dict[tuple[object, ...], Row], **values: object) -> None:
    for row in rows.values():
        row.update(values)


def check_constraints(database: Path) -> str:
    with connect(database) as connection:
        found = connection.execute(
            "select constraint_text from duckdb_constraints() "
            "where table_name = 'fct_executions' and constraint_text like '%quality_score%'"
        ).fetchall()
    return str(found)
