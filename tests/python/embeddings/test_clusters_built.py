"""int_text_clusters and solution_clusters, built by dbt, are those of the definition.

The vectors are put into text_embeddings by hand: near a few directions, so that clusters arise.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY
from histories import History, days_ago, task_id
from oracle import Row, raw_rows, text_id

from orb_learning.embeddings.near_pairs import ONE, SCALE
from orb_learning.ingest.files import import_file
from orb_learning.search.queries import new_vector
from orb_learning.store.connection import connect

MODEL = "all-MiniLM-L6-v2"
THRESHOLD = 0.86
PARTS = ["fct_executions", "int_solution_days", "int_text_clusters", "solution_clusters"]
WORDS = [f"{verb} the {thing}" for verb in ("cache", "retry", "split") for thing in "abcdef"]
KINDS = {"task": "task_description", "solution": "solution_summary"}


def vector(text: str) -> list[float]:
    """Return a unit vector: the verb's direction, turned by as much as the thing says."""
    verb, _, thing = text.split()
    turned = 0.12 * "abcdef".index(thing)
    values = [0.0] * 384
    values["csr".index(verb[0])], values[3] = (1 - turned**2) ** 0.5, turned
    return values


def embed(
    history: History,
    texts: Sequence[str],
    model: str = MODEL,
    vector: Callable[[str], Sequence[float]] = vector,
) -> None:
    with connect(history.database) as connection:
        for text in texts:
            connection.execute("delete from text_embeddings where text_id = ?", [text_id(text)])
            connection.execute(
                "insert into text_embeddings select ?, coalesce(max(text_number), 0) + 1, "
                "sha256($2), $2, $3::float[384], $4, now()::timestamp, null from text_embeddings"
                .replace("?", "$1"),
                [text_id(text), text, vector(text), model],
            )  # fmt: skip


def build(history: History, *, full_refresh: bool = False) -> None:
    history.project.run(
        history.database,
        select=PARTS[2:] if full_refresh else PARTS,
        full_refresh=full_refresh,
        **history._variables(),
    )


def read(history: History) -> tuple[list[Any], list[Row]]:
    with connect(history.database) as connection:
        clusters = connection.execute(
            "select kind, text_id, text_number, cluster_id, similarity, threshold "
            "from int_text_clusters order by all"
        ).fetchall()
        query = connection.execute("from solution_clusters order by cluster_id")
        names = [column[0] for column in query.description]
        solutions = [dict(zip(names, row, strict=True)) for row in query.fetchall()]
    return clusters, solutions


def expected(history: History) -> tuple[list[Any], list[Row]]:
    valid = list({row["task_id"]: row for row in raw_rows(history.database) if row["repo"].strip()
                  and (row["quality_score"] or 0) <= 100}.values())  # fmt: skip
    with connect(history.database) as connection:
        embedded = connection.execute(
            "select text, text_number from text_embeddings where model = ? order by text_id",
            [MODEL],
        ).fetchall()
    clusters = []
    leader_of: dict[tuple[str, str], str] = {}
    for kind, column in KINDS.items():
        leaders: list[str] = []
        for text, number in embedded:
            if text not in {row[column] for row in valid}:
                continue
            near = [(product(text, leader), leader) for leader in leaders]
            similarity, best = max(near, key=lambda pair: pair[0], default=(0.0, text))
            if similarity < THRESHOLD:
                similarity, best = 1.0, text
                leaders.append(text)
            leader_of[kind, text] = best
            clusters.append((kind, text_id(text), number, text_id(best), similarity, THRESHOLD))
    groups: dict[str, list[Row]] = defaultdict(list)
    oldest = (history.as_of - timedelta(days=90)).replace(hour=0, minute=0)
    for row in valid:
        solution = (row["solution_summary"] or "").strip()
        if solution and row["timestamp"] >= oldest:
            groups[leader_of.get(("solution", solution), solution)].append(row)
    return sorted(clusters), sorted(
        (
            {
                "cluster_id": text_id(leader),
                "usage_count": len(rows),
                "success_count": sum(row["success"] for row in rows),
                "text_count": len({row["solution_summary"] for row in rows}),
                "repos": sorted({row["repo"] for row in rows}),
                "task_types": sorted({row["task_type"] for row in rows}),
                "first_seen": min(row["timestamp"] for row in rows),
                "last_seen": max(row["timestamp"] for row in rows),
            }
            for leader, rows in groups.items()
        ),
        key=lambda row: row["cluster_id"],
    )


def product(one: str, other: str) -> float:
    pairs = zip(vector(one), vector(other), strict=True)
    return min(ONE, sum(round(SCALE * a) * round(SCALE * b) for a, b in pairs)) / ONE


def assert_as_defined(history: History) -> None:
    clusters, solutions = read(history)
    wanted_clusters, wanted_solutions = expected(history)
    assert clusters == wanted_clusters
    shared = wanted_solutions[0].keys() if wanted_solutions else ()
    assert [{name: row[name] for name in shared} for row in solutions] == wanted_solutions


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_clusters_of_a_random_history_are_those_of_a_full_refresh(
    history: History, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    texts = chance.sample(WORDS, len(WORDS))
    embed(history, texts[:12])
    for step in range(5):
        history.insert_each(
            {
                task: {
                    "timestamp": days_ago(chance.randrange(95)),
                    "task_description": chance.choice(WORDS),
                    "solution_summary": chance.choice([*WORDS, None]),
                    "repo": chance.choice(["api", "web"]),
                    "success": chance.random() < 0.5,
                }
                for task in range(100 + 10 * step, 104 + 10 * step)
            }
        )
        if step == 2:
            embed(history, texts[12:])
        if step == 3:
            history.remove(solution_summary=chance.choice(WORDS))
            history.remove(task_description=chance.choice(WORDS))
            embed(history, texts[:3])  # again, with other numbers
        if step == 4:
            embed(history, texts[3:5], model="another")
            history.wait(days=1)
        build(history)
        assert_as_defined(history)
    incremental = read(history)
    build(history, full_refresh=True)
    assert read(history) == incremental


def insert_words(history: History) -> None:
    history.insert_each(
        {
            100 + number: {"solution_summary": text, "task_description": text}
            for number, text in enumerate(WORDS)
        }
    )


@pytest.mark.parametrize("another", ["threshold = 0.95", "model = 'another'", "definition = 1"])
def test_clusters_of_another_threshold_model_or_definition_are_found_again(
    history: History, another: str
) -> None:
    insert_words(history)
    embed(history, WORDS)
    build(history)
    with connect(history.database) as connection:
        connection.execute(f"update int_text_clusters set {another}, cluster_id = text_id")
    build(history)
    assert_as_defined(history)


def test_a_database_of_an_older_version_gets_all_its_clusters_anew(history: History) -> None:
    """Its table has no column `definition`, and its leaders follow the texts' numbers."""
    insert_words(history)
    embed(history, WORDS)
    build(history)
    with connect(history.database) as connection:
        connection.execute("alter table int_text_clusters drop column definition")
        connection.execute("update int_text_clusters set cluster_id = text_id, similarity = 1")
    build(history)
    assert_as_defined(history)
    rebuilt = read(history)
    build(history, full_refresh=True)
    assert read(history) == rebuilt


@pytest.mark.slow
def test_two_histories_of_the_same_texts_have_the_same_clusters(
    history: History, tmp_path: Path
) -> None:
    """One embeds and builds all at once; the other in parts, in another order, with a detour."""
    (tmp_path / "other").mkdir()
    file = shutil.copy(history.database, tmp_path / "other" / history.database.name)
    other = History(history.project, Path(file))
    for one in (history, other):
        for number, text in enumerate(WORDS):
            one.insert(100 + number, solution_summary=text, task_description=text)
    embed(history, WORDS)
    build(history)
    other.insert(200, solution_summary="cache the a", task_description="retry the f")
    for part in (WORDS[12:], WORDS[:5], WORDS[5:12]):
        embed(other, part[::-1])
        build(other)
    other.remove(task_id=task_id(200))
    build(other)
    assert clusters_of(other) == clusters_of(history)


def test_executions_are_read_while_some_texts_have_no_vector(history: History) -> None:
    """Also whole, with the vectors: some of these rows find one by their text, some find none."""
    insert_words(history)
    embed(history, WORDS[::3])
    build(history)
    with connect(history.database, read_only=True) as connection:
        rows = connection.execute("from executions").fetchall()
        vectors = connection.execute(
            "select task_description, embedding from executions where embedding is not null"
        ).fetchall()
    assert len(rows) > len(WORDS)
    assert {text for text, _ in vectors} == set(WORDS[::3])
    for text, found in vectors:
        assert found == pytest.approx(vector(text))


def clusters_of(history: History) -> tuple[list[Any], list[Any]]:
    """Return what is a function of the texts: all but the numbers that they were given."""
    with connect(history.database) as connection:
        clusters = connection.execute(
            "select * exclude (text_number) from int_text_clusters order by all"
        ).fetchall()
        solutions = connection.execute("from solution_clusters order by cluster_id").fetchall()
    return clusters, solutions


@pytest.mark.slow
def test_clusters_of_two_days_are_those_of_one_build(history: History, tmp_path: Path) -> None:
    """Day 2 rewords what was solved on day 1, twice; its most used wording is near one only."""
    (tmp_path / "other").mkdir()
    file = shutil.copy(history.database, tmp_path / "other" / history.database.name)
    at_once = History(history.project, Path(file))
    days = [REPOSITORY / f"tests/data/cases/clusters_day{day}.jsonl" for day in (1, 2)]
    texts = sorted(
        {json.loads(line)[name] for day in days for line in day.open() for name in KINDS.values()}
    )
    for one in (history, at_once):
        embed(one, texts, vector=partial(new_vector, model=MODEL))
    for day in days:
        import_lately(history, day)
        build(history)
        import_lately(at_once, day)
    build(at_once)
    assert clusters_of(history) == clusters_of(at_once)
    build(history, full_refresh=True)
    assert clusters_of(history) == clusters_of(at_once)
    with connect(history.database) as connection:
        query = "select usage_count from solution_clusters where representative like '%None%'"
        assert sorted(connection.execute(query).fetchall()) == [(6,), (12,)]


def import_lately(history: History, file: Path) -> None:
    """Import executions of 20 to 22 November 2026 as of the last days of a history."""
    import_file(history.database, file)
    with connect(history.database) as connection:
        connection.execute(
            "update raw.executions "
            "set timestamp = $1::timestamp + (timestamp - timestamp '2026-11-20') "
            "where timestamp between '2026-11-20' and '2026-11-23'",
            [days_ago(4)],
        )
