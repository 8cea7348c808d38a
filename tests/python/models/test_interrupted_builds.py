"""A model that fails or dies before its commit leaves its rows and its state as they were."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from building import BuildError, DbtProject, copy_of_project, edit
from histories import BLOCK_SIZE, NOON, History, days_ago, task_id
from oracle import MODELS, contents

from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow
EACH_TIME = {"fct_executions", "solution_patterns_mv"}
"""The models whose failure is tried on every change, a table of versions and a mart."""

STOPS = """
  orb_learning:
    # Inside the model's transaction, when its rows are deleted and written, before its commit.
    +post-hook: >-
      {% if this.name == var('fails_in', '') %}select error('stopped'){% endif %}
      {% if this.name == var('waits_in', '') %}
      copy (select 1 as a) to '{{ var('signal') }}' (format csv);
      select sum(hash(i)) from range(1000000000000) as numbers (i)
      {% endif %}
"""


@pytest.fixture(scope="module")
def stopping(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """The project with a hook that stops the model that a variable names."""
    project = copy_of_project(tmp_path_factory.mktemp("stopping") / "project")
    edit(project.folder / "dbt_project.yml", "models:\n  orb_learning:\n", "models:" + STOPS)
    return project


def change_every_model(history: History, step: int) -> None:
    """Change raw so that each incremental model has a bucket that changes, and one that goes."""
    day = days_ago(step)
    history.insert(100 + step, 5, timestamp=day, solution_summary="cache it", repo="web")
    history.insert(200 + step, timestamp=day, quality_score=101)
    history.remove(task_id=task_id(step))


def rows_and_state(database: Path) -> Any:
    with connect(database) as connection:
        state = connection.execute("from build_state order by all").fetchall()
        retries = connection.execute("from int_retries order by all").fetchall()
    return contents(database), state, retries


@pytest.mark.parametrize(
    "model",
    [
        model if model in EACH_TIME else pytest.param(model, marks=pytest.mark.soak)
        for model in [*MODELS, "int_retries"]
    ],
)
def test_a_model_that_fails_leaves_its_rows_and_its_state(
    stopping: DbtProject, history: History, model: str
) -> None:
    history.insert(90, success=False)
    history.build()
    history.build_part("+int_retries")
    history.insert(91, success=False)
    change_every_model(history, 0)
    [*upstream, _] = MODELS[: MODELS.index(model) + 1] if model in MODELS else [*MODELS, model]
    variables = {"as_of": NOON.isoformat(), "load_block_size": BLOCK_SIZE}
    if upstream:
        history.project.run(history.database, select=upstream, **variables)
    before = rows_and_state(history.database)
    with pytest.raises(BuildError, match="stopped"):
        stopping.run(history.database, select=[model], fails_in=model, **variables)
    assert rows_and_state(history.database) == before
    history.build()
    history.assert_equal_to_full_refresh()


def test_a_model_that_is_killed_before_its_commit_leaves_its_rows(
    stopping: DbtProject, history: History, tmp_path: Path
) -> None:
    """The kill comes when the model has deleted and written its rows: SIGKILL, no rollback."""
    marts = ["tier_performance_mv", "pool_performance_mv", "int_solution_days"]
    for step, model in enumerate([*marts, "rejected_executions"]):
        change_every_model(history, step)
        variables = {"as_of": NOON.isoformat(), "load_block_size": BLOCK_SIZE}
        history.project.run(history.database, select=["fct_executions"], **variables)
        before = rows_and_state(history.database)
        signal = tmp_path / f"{model}.csv"
        dbt = stopping.start(
            *(history.database, "run", "--select", model),
            waits_in=model,
            signal=str(signal),
            **variables,
        )
        deadline = time.monotonic() + 600  # parsing takes minutes on a busy machine
        while not signal.exists() and dbt.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        dbt.kill()
        output, _ = dbt.communicate(timeout=60)
        assert signal.exists(), output
        assert dbt.returncode == -9
        assert rows_and_state(history.database) == before, model
    history.build()
    history.assert_equal_to_full_refresh()
