"""A build that leaves tables empty or cut says so, with their names and what to run next."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import DbtProject, copy_of_project, edit
from histories import NOON, History

pytestmark = pytest.mark.slow

HOW_TO_MEND = "Run `dbt build` without that option to make them whole"


def said(
    project: DbtProject, history: History, *arguments: str, exit_code: int = 0, **variables: object
) -> str:
    """Run dbt as a process and return its output, unwrapped."""
    values = {"as_of": NOON.isoformat(), "load_block_size": 8, **variables}
    dbt = project.start(history.database, *arguments, **values)
    output, _ = dbt.communicate(timeout=240)
    assert dbt.returncode == exit_code, output
    return " ".join(output.split())


def test_an_empty_run_names_the_tables_that_it_emptied(
    project: DbtProject, history: History
) -> None:
    marts = ["tier_performance_mv", "rpt_tier_performance", "fct_executions"]
    output = said(project, history, "run", "--empty", "--select", *marts)
    assert (
        "--empty: there are no rows in fct_executions, tier_performance_mv, 1 views. " + HOW_TO_MEND
    ) in output
    history.build()
    history.assert_equal_to_full_refresh()


@pytest.mark.soak
def test_a_sampled_run_names_the_tables_that_it_cut(
    tmp_path: Path, project: DbtProject, history: History
) -> None:
    """Only what reads a model with an event_time takes a sample; this project has none."""
    run = ["run", "--sample", "1 day", "--select", "int_solution_days", "tier_performance_mv"]
    assert "--sample:" not in said(project, history, *run)
    history.assert_equal_to_raw()
    sampled = copy_of_project(tmp_path / "project")
    edit(
        sampled.folder / "models/core/fct_executions.yml",
        "    columns:\n",
        "    config: {event_time: timestamp}\n    columns:\n",
    )
    output = said(sampled, history, *run)
    assert (
        "--sample: there is only a part of the rows in int_solution_days, tier_performance_mv, "
        "0 views. " + HOW_TO_MEND
    ) in output


@pytest.mark.parametrize(
    ("window", "select", "tables"),
    [
        ("tier_window_days", "tier_performance_mv", "tier_performance_mv"),
        pytest.param(
            *("pool_window_days", "pool_performance_mv", "pool_performance_mv"),
            marks=pytest.mark.soak,
        ),
        pytest.param(
            "solution_window_days",
            "int_solution_days+",
            "int_solution_days, solution_clusters, solution_patterns_mv",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            *("error_resolution_window_hours", "int_attempts int_retries", "int_retries"),
            marks=pytest.mark.soak,
        ),
    ],
)
def test_a_run_with_another_window_names_the_tables_that_it_cut(
    project: DbtProject, history: History, window: str, select: str, tables: str
) -> None:
    output = said(
        project, history, "run", "--select", *select.split(), "--exclude", "rpt_*", **{window: 5}
    )
    assert f"--vars: {window} is 5 instead of" in output
    assert f"in {tables}, " in output
    assert HOW_TO_MEND in output


def test_a_plain_run_warns_of_nothing(project: DbtProject, history: History) -> None:
    assert "without that option" not in said(project, history, "run", "--select", "marts")
