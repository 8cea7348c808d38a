"""A build as of a moment knows nothing of what started after it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from benchmarks.compare_builds import differences
from building import STEM, DbtProject
from moments import EARLIER, LATER, MOMENT, fill, vector

from orb_learning.store.connection import connect

OF_WHAT_IS_STORED = {
    "rpt_relations",
    "rpt_data_quality",
    "rpt_retention",
    "rpt_feedback_retention",
    "rpt_record_funnel",
}
"""Reports that count the rows of the file, whenever they started."""


@pytest.fixture(scope="module")
def known(
    project: DbtProject, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A build of the rows that had started by the moment."""
    file = tmp_path_factory.mktemp("known") / f"{STEM}.db"
    shutil.copy(empty_database, file)
    fill(file, until=MOMENT)
    project.run(file, as_of=MOMENT.isoformat())
    return file


@pytest.mark.slow
def test_a_build_as_of_a_moment_knows_nothing_of_what_starts_later(
    project: DbtProject, empty_database: Path, known: Path, database: Path
) -> None:
    """The moment lies within an hour and a day, and is reached from later and from earlier."""
    shutil.copy(empty_database, database)
    fill(database)
    project.run(database, as_of=LATER.isoformat())
    assert_searches_are_the_same(database, known)
    project.run(database, as_of=MOMENT.isoformat())
    assert_builds_are_the_same(database, known)
    project.run(database, as_of=EARLIER.isoformat())
    (age,) = rows_of(database, "select value from rpt_alerts where alert_name = 'build_age'")
    assert age == (0,)
    (counts,) = rows_of(
        database,
        "select (select count(*) from executions), (select count(*) from fct_executions), "
        "(select count(distinct task_id) from raw.executions)",
    )
    assert len(set(counts)) == 1
    project.run(database, as_of=MOMENT.isoformat())
    assert_builds_are_the_same(database, known)


def assert_builds_are_the_same(database: Path, known: Path) -> None:
    """Compare marts, clusters, resolutions and reports."""
    found = [
        difference
        for difference in differences(database, known)
        if difference.partition(":")[0].partition(".")[0] not in OF_WHAT_IS_STORED
    ]
    assert not found
    for relation in ("int_solution_days", "int_retries", "int_text_clusters", "error_resolutions"):
        rows = rows_of(database, f"from {relation} order by all")
        assert rows == rows_of(known, f"from {relation} order by all")
        assert len(rows) > 10


def assert_searches_are_the_same(database: Path, known: Path) -> None:
    """Search as of the moment; a cluster's leader may be a text that came later."""
    for function in ("similar_executions", "similar_solutions", "solutions_of_similar_errors"):
        for days_back in ("90", "null"):
            query = (
                f"select columns(lambda name: name != 'cluster_id') from {function}($vector, "
                f"at_most := 50, least_similarity := 0.0, days_back := {days_back}, "
                "moment := $moment) order by all"
            )
            given = {"vector": vector(0), "moment": MOMENT}
            rows = rows_of(database, query, given)
            assert rows == rows_of(known, query, given)
            assert len(rows) > 1


def rows_of(database: Path, query: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    with connect(database, read_only=True) as connection:
        return connection.execute(query, parameters or {}).fetchall()
