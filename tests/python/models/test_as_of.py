"""A build as of a moment knows nothing of what started after it."""

from __future__ import annotations

import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare_builds import differences
from building import STEM, DbtProject
from histories import NOON, task_id
from oracle import Row, text_id
from orb_learning.store.connection import connect
from report_rows import insert

MOMENT = NOON
LATER = MOMENT + timedelta(days=12)
EARLIER = MOMENT - timedelta(days=12)
OF_WHAT_IS_STORED = {
    "rpt_relations",
    "rpt_data_quality",
    "rpt_retention",
    "rpt_feedback_retention",
}
"""Reports that count the rows of the file, whenever they started."""
TEXTS = [f"{verb} the {thing}" for verb in ("cache", "retry", "split") for thing in "abcdef"]


def random_rows(chance: random.Random) -> list[Row]:
    """Executions of 100 days before the moment and 12 after it, most of them near it."""
    moments = [0.0, 1e-6 / 86400, -1e-6 / 86400, -30.0, -90.0, 0.2, -0.2]
    moments += [chance.uniform(-100, 12) for _ in range(300)]
    moments += [chance.gauss(0, 0.6) for _ in range(300)]
    return [
        {
            "timestamp": MOMENT + timedelta(days=days),
            "task_type": chance.choice(["refactor", "docs"]),
            "task_description": chance.choice(TEXTS),
            "repo": chance.choice(["api", "web"]),
            "model_tier": chance.choice(["small", "large"]),
            "pool_type": chance.choice(["local", "cloud"]),
            "success": (success := chance.random() < 0.6),
            "duration_seconds": chance.choice([None, 5.0, 60.0, 4000.0]),
            "quality_score": chance.choice([None, 20, 80]),
            "actual_cost": chance.choice([None, 0.25]),
            "error_type": None if success else chance.choice([None, "timeout"]),
            "error_message": None if success else chance.choice(TEXTS),
            "solution_summary": chance.choice([None, *TEXTS]) if success else None,
        }
        for days in moments
    ]


def fill(database: Path, *, until: datetime | None = None) -> None:
    """Load executions, feedback, sizes and vectors; those that are later than a moment not."""
    chance = random.Random(14)  # noqa: S311
    rows = random_rows(chance)
    insert(database, rows)
    with connect(database) as connection:
        connection.execute(
            "update raw.executions set _loaded_at = timestamp where timestamp > _loaded_at"
        )
        for number, row in enumerate(rows):
            satisfaction = chance.choice(["good", "poor"])
            given = row["timestamp"] + timedelta(hours=chance.uniform(0, 40))
            if number % 3 == 0:
                connection.execute(
                    "insert into raw.feedback select uuid(), ?, ?, ?, 'too_slow', null, 'team', "
                    "'ann', nextval('raw.load_seq'), ?",
                    [task_id(100 + number), given, satisfaction, given],
                )
        for day in range(-40, 12):
            sampled = MOMENT + timedelta(days=day, hours=1)
            connection.execute(
                "insert into raw.storage_samples values (?, 'place', 'database', ?, ?), "
                "(?, 'table', 'fct_executions', ?, ?)",
                [sampled, 10**6 * (60 + day), 60 + day] * 2,
            )
        for number, text in enumerate(TEXTS):
            connection.execute(
                "insert into text_embeddings values "
                "(?, ?, sha256(?), ?, ?::float[384], 'all-MiniLM-L6-v2', ?, null)",
                [text_id(text), number, text, text, vector(number), EARLIER],
            )
        if until:
            connection.execute("delete from raw.executions where timestamp > ?", [until])
            connection.execute("delete from raw.feedback where submitted_at > ?", [until])
            connection.execute("delete from raw.storage_samples where sampled_at > ?", [until])


def vector(number: int) -> list[float]:
    values = [0.0] * 384
    turned = 0.1 * (number % 6)
    values[number // 6], values[3] = (1 - turned**2) ** 0.5, turned
    return values


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
