"""Searching: what is wanted is ranked, a text once with its outcomes, in the same order."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from building import DbtProject
from commands import orb
from oracle import text_id

from orb_learning import LearningDatabase
from orb_learning.errors import DatabaseMissingError, EmbeddingError, NotBuiltError
from orb_learning.record.model import STORED_COLUMNS
from orb_learning.search import queries
from orb_learning.search.queries import known_vector, similar_executions, similar_solutions
from orb_learning.search.vector_index import index_folder, open_index, update_index
from orb_learning.store.connection import connect

MODEL = "all-MiniLM-L6-v2"
NOW = datetime(2026, 3, 31, 12)  # noqa: DTZ001 (raw holds naive UTC)
TEXTS = 30
SEED = int(os.environ.get("ORB_SEED", "20260331"))

Row = dict[str, Any]


def unit(numbers: Sequence[float]) -> list[float]:
    padded = [*numbers, *[0.0] * (384 - len(numbers))]
    length = math.hypot(*padded)
    return [number / length for number in padded]


def any_vector(chance: random.Random) -> list[float]:
    return unit([1.0, chance.uniform(-1.5, 1.5), chance.uniform(-1.5, 1.5)])


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


class Tasks:
    """Executions of a few texts, at random, and a vector of each text."""

    def __init__(self, seed: int):
        chance = random.Random(seed)  # noqa: S311
        self.vectors = {f"task {number}": any_vector(chance) for number in range(TEXTS)}
        self.vectors["task 1"] = self.vectors["task 0"]  # a tie
        self.vectors["boom"] = unit([1.0, 0.3, 0.3])
        self.vectors["bang"] = unit([1.0, -1.0, 0.3])
        self.rows: list[Row] = [
            {
                "task_id": UUID(int=number),
                "timestamp": NOW - timedelta(days=chance.uniform(0, 120)),
                "task_type": "refactor",
                "task_description": chance.choice([" task  {}", "task {}", "task {}\n"]).format(
                    # The first texts come by the dozen, the last once or never.
                    int(TEXTS * chance.random() ** 2)
                ),
                "repo": chance.choice(["api", "api", "web", "infra"]),
                "model_tier": chance.choice(["small", "medium"]),
                "pool_type": "local",
                "success": chance.random() < 0.6,
                "quality_score": chance.choice([None, 50, 80]),
                "actual_cost": chance.choice([None, 0.5, 2.0]),
                "solution_summary": chance.choice(
                    [None, " ", "a decorator", "a retry loop", "a loop"]
                ),
                "error_message": chance.choice([None, "boom", "bang"]),
            }
            for number in range(300)
        ]

    def expected(
        self,
        vector: Sequence[float],
        *,
        limit: int,
        threshold: float | None,
        days_back: int | None,
        repo: str | None,
        tier: str | None,
        success: bool | None,
    ) -> list[Row]:
        groups: dict[str, list[Row]] = {}
        for number, row in enumerate(self.rows):
            text = " ".join(row["task_description"].split())
            if (
                (repo in (None, row["repo"]))
                and tier in (None, row["model_tier"])
                and success in (None, row["success"])
                and (days_back is None or row["timestamp"] >= NOW - timedelta(days=days_back))
            ):
                groups.setdefault(text, []).append({**row, "number": number})
        ranked = sorted(
            groups, key=lambda text: (-round(dot(self.vectors[text], vector), 6), text_id(text))
        )
        near = [
            text for text in ranked[:limit] if is_near(dot(self.vectors[text], vector), threshold)
        ]
        return [self._summed_up(groups[text], dot(self.vectors[text], vector)) for text in near]

    def _summed_up(self, rows: list[Row], similarity: float) -> Row:
        newest = max(rows, key=lambda row: (row["timestamp"], row["number"]))
        solved = [
            (row["quality_score"] or -1, row["timestamp"], row["number"], row["solution_summary"])
            for row in rows
            if row["success"] and (row["solution_summary"] or "").strip()
        ]
        count, successes = len(rows), sum(row["success"] for row in rows)
        low, high = wilson(successes, count)
        return {
            "task_id": newest["task_id"],
            "similarity": similarity,
            "strength": strength(similarity),
            "execution_count": count,
            "success_count": successes,
            "success_rate": successes / count,
            "success_rate_lower": low,
            "success_rate_upper": high,
            "has_enough_samples": count >= 10,
            "by_tier": [
                tier_outcome(tier, [row for row in rows if row["model_tier"] == tier])
                for tier in ("small", "medium")
                if any(row["model_tier"] == tier for row in rows)
            ],
            "best_solution": max(solved)[-1] if solved else None,
        }


def tier_outcome(tier: str, rows: list[Row]) -> Row:
    costs = [row["actual_cost"] for row in rows if row["actual_cost"] is not None]
    successes = sum(row["success"] for row in rows)
    low, high = wilson(successes, len(rows))
    return {
        "model_tier": tier,
        "execution_count": len(rows),
        "success_count": successes,
        "success_rate": successes / len(rows),
        "success_rate_lower": low,
        "success_rate_upper": high,
        "avg_cost": sum(costs) / len(costs) if costs else None,
        "cost_known_count": len(costs),
        "avg_duration": None,
        "duration_known_count": 0,
        "has_enough_samples": len(rows) >= 10,
    }


def is_near(similarity: float, threshold: float | None) -> bool:
    return threshold is None or similarity >= threshold


def strength(similarity: float) -> str:
    return "strong" if similarity >= 0.5 else "fair" if similarity >= 0.4 else "weak"


def wilson(successes: float, trials: int) -> tuple[float, float]:
    z, share = 1.959963984540054, successes / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = (
        z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    )
    return middle - half, middle + half


@pytest.fixture(scope="module")
def tasks() -> Tasks:
    return Tasks(SEED)


@pytest.fixture(scope="module")
def searchable(project: DbtProject, tasks: Tasks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built database of the tasks, their vectors put in by hand."""
    file = tmp_path_factory.mktemp("searchable") / "learning.db"
    with connect(file) as connection:
        names = list(tasks.rows[0])
        for number, row in enumerate(tasks.rows):
            connection.execute(
                f"insert into raw.executions ({', '.join(names)}, _load_seq, _loaded_at) "
                f"values ({', '.join('?' * len(names))}, ?, ?)",
                [*row.values(), number, NOW + timedelta(days=1)],
            )
        assert set(names) <= set(STORED_COLUMNS)
    project.run(file, command="seed")
    project.run(file, as_of=NOW.isoformat())
    with connect(file) as connection:
        for number, (text, vector) in enumerate(tasks.vectors.items(), 1):
            values = [text_id(text), number, text, vector, MODEL, NOW]
            connection.execute(
                "insert into text_embeddings "
                "select $1, $2, sha256($3), $3, $4::float[384], $5, $6, null",
                values,
            )
        clustered = [text_id("a loop"), text_id("a retry loop")]
        connection.execute(
            "insert into int_text_clusters select 'solution', unnest($1), 1, $2, 1, 'm', 0.9, 2",
            [clustered, clustered[1]],
        )
        # Of another model: it must not be found, though it is as near as can be.
        connection.execute(
            "insert into text_embeddings select 7, 1000, 'x', 'x', embedding, 'other', now(), null "
            "from text_embeddings where text_number = 1"
        )
    return file


def search(database: Path, vector: Sequence[float], **wanted: Any) -> list[Row]:
    given = {"limit": 10, "threshold": -1.0, "days_back": None, "now": NOW, **wanted}
    with connect(database, read_only=True) as connection:
        return similar_executions(connection, vector, model=MODEL, **given)


def assert_same(found: list[Row], wanted: list[Row]) -> None:
    assert [row["latest"]["task_id"] for row in found] == [row["task_id"] for row in wanted]
    for is_, should_be in zip(found, wanted, strict=True):
        tiers = zip(is_["by_tier"], should_be["by_tier"], strict=True)
        for found_row, wanted_row in [(is_, should_be), *tiers]:
            for name, value in wanted_row.items():
                if isinstance(value, float):
                    assert found_row[name] == pytest.approx(value, abs=1e-6), name
                elif name not in ("task_id", "by_tier"):
                    assert found_row[name] == value, name


@pytest.mark.parametrize("number", range(40))
def test_what_is_wanted_is_ranked_and_summed_up(
    searchable: Path, tasks: Tasks, number: int
) -> None:
    chance = random.Random(SEED + number)  # noqa: S311
    vector = any_vector(chance)
    wanted: dict[str, Any] = {
        "limit": chance.choice([1, 3, 10, 100]),
        "threshold": chance.choice([None, 0.7, 0.9]),
        "days_back": chance.choice([None, 1, 7, 90]),
        "repo": chance.choice([None, "api", "infra", "nowhere"]),
        "tier": chance.choice([None, "small"]),
        "success": chance.choice([None, True, False]),
    }
    found = search(searchable, vector, **wanted)
    assert_same(found, tasks.expected(vector, **wanted))


def test_a_filtered_search_still_returns_its_limit(searchable: Path, tasks: Tasks) -> None:
    vector = tasks.vectors["task 0"]
    texts = {
        " ".join(row["task_description"].split()) for row in tasks.rows if row["repo"] == "infra"
    }
    assert len(search(searchable, vector, repo="infra", limit=5)) == min(5, len(texts)) == 5


def test_the_same_search_returns_the_same_rows_in_the_same_order(
    searchable: Path, tasks: Tasks
) -> None:
    vector = tasks.vectors["task 0"]
    first = search(searchable, vector)
    assert [row["similarity"] for row in first[:2]] == pytest.approx([1, 1])
    assert first[0]["text_id"] < first[1]["text_id"]
    assert all(search(searchable, vector) == first for _ in range(5))


def test_analysts_ask_the_same_in_sql(searchable: Path, tasks: Tasks) -> None:
    sql = f"""
        select latest.task_id from similar_executions(
            (select embedding from text_embeddings where text = 'task 3' and model = '{MODEL}'),
            wanted_repo := 'api', moment := timestamp '{NOW}'
        )
    """
    with connect(searchable, read_only=True) as connection:
        found = connection.execute(sql).fetchall()
    wanted = tasks.expected(
        tasks.vectors["task 3"],
        limit=10, threshold=None, days_back=90, repo="api", tier=None, success=None,
    )  # fmt: skip
    assert [task_id for (task_id,) in found] == [row["task_id"] for row in wanted]


def test_a_model_or_an_analysis_asks_by_the_macro(
    project: DbtProject, searchable: Path, tasks: Tasks
) -> None:
    inline = """
        select latest.task_id from {{ similar_executions(
            "(select embedding from text_embeddings where text_number = 4)",
            wanted_repo="'api'", days_back="null", at_most="3"
        ) }}
    """
    shown = project.start(
        searchable, "show", "--quiet", "--inline", inline, "--output", "json", "--limit", "-1"
    )
    said, _ = shown.communicate(timeout=120)
    assert shown.returncode == 0, said
    wanted = tasks.expected(
        tasks.vectors["task 3"],
        limit=3, threshold=0.7, days_back=None, repo="api", tier=None, success=None,
    )  # fmt: skip
    found = json.loads(said[said.index("{") :])["show"]
    assert [row["task_id"] for row in found] == [str(row["task_id"]) for row in wanted]


CROWD = 500
OLD_CROWD = 58
"""Texts that are near each other, and only of executions from before the last 90 days. Of three
texts, 60 candidates are ranked: two are found there, the third is not."""


@pytest.fixture(scope="module")
def crowded(searchable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which most texts, but none of one corner, are of the last 90 days."""
    file = Path(shutil.copy(searchable, tmp_path_factory.mktemp("crowded") / "learning.db"))
    chance = random.Random(SEED)  # noqa: S311
    with connect(file) as connection:
        for number in range(CROWD):
            is_old = number < OLD_CROWD
            place = (3, 3) if is_old else (chance.uniform(-1.5, 1.5), chance.uniform(-1.5, 1.5))
            # In steps, so that there are ties.
            vector = unit([1, *(round(one + chance.choice([0, 0.1]), 1) for one in place)])
            connection.execute(
                "insert into text_embeddings "
                "select $1, 2000 + $2, 'x', 'crowd ' || $2, $3::float[384], $4, $5, null",
                [text_id(f"crowd {number}"), number, vector, MODEL, NOW],
            )
            connection.execute(
                "insert into fct_executions by name select uuid() as task_id, "
                "$1 as timestamp, 'refactor' as task_type, 'api' as repo, 'small' as model_tier, "
                "'local' as pool_type, 'crowd ' || $2 as task_description, true as success, "
                "'the same' as solution_summary, 9 as _solution_text_id, $3 as _task_text_id, "
                "1000 + $2 as _load_seq, $1 as uploaded_at, $1 as _loaded_at",
                [
                    NOW - timedelta(days=100 if is_old else chance.uniform(1, 80)),
                    *(number, text_id(f"crowd {number}")),
                ],
            )
    return file


def test_ranking_first_finds_the_same_as_filtering_first(crowded: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311
    whole = queries._cut(None)
    with connect(crowded, read_only=True) as connection:
        ids = connection.execute("select list(distinct text_id) from text_embeddings").fetchall()
        for number in range(40):
            corner = (3, 3) if number % 2 else (0, 0)
            vector = unit([1, *(one + chance.uniform(-1, 1) for one in corner)])
            given: dict[str, Any] = {
                "vector": vector,
                "at_most": chance.choice([1, 2, 3, 10]),
                "least_similarity": chance.choice([None, 0.7]),
                "days_back": chance.choice([None, 90]),
                "moment": NOW,
            }
            ranked_first = queries._rows(
                connection, queries._call("similar_executions", given, whole), given
            )
            given["wanted_texts"] = ids[0][0]
            filtered_first = queries._rows(
                connection, queries._call("similar_among", given, whole), given
            )
            assert ranked_first == filtered_first


def test_solutions_are_those_of_the_nearest_200_texts(crowded: Path) -> None:
    with connect(crowded, read_only=True) as connection:
        given: dict[str, Any] = {"model": MODEL, "now": NOW, "days_back": None, "threshold": -1}
        vector = unit([1.0, 3.0, 3.0])
        nearest = similar_executions(connection, vector, limit=200, **given)
        solutions = similar_solutions(connection, vector, of_errors=False, limit=10, **given)
    counts = {row["solution_summary"]: row["execution_count"] for row in solutions}
    crowd = [row for row in nearest if row["task_description"].startswith("crowd")]
    assert OLD_CROWD < len(crowd) < CROWD
    assert counts["the same"] == len(crowd)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": 1_001},
        {"threshold": 1.1},
        {"threshold": math.nan},
        {"days_back": 0},
        {"days_back": -1},
        {"days_back": 10**9},
    ],
)
def test_an_argument_out_of_its_range_is_named(searchable: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        search(searchable, unit([1.0]), **wrong)


@pytest.mark.parametrize("injected", ["' or true --", "api'; drop table text_embeddings; --", "\0"])
def test_filters_are_values_and_never_sql(searchable: Path, injected: str) -> None:
    assert search(searchable, unit([1.0]), repo=injected, tier=injected) == []
    with connect(searchable, read_only=True) as connection:
        assert known_vector(connection, injected + "x", MODEL) is None


def test_a_text_that_the_database_has_is_not_embedded(searchable: Path, tasks: Tasks) -> None:
    code = f"""
import asyncio, json, sys
from datetime import UTC, datetime
from orb_learning import LearningDatabase
async def main():
    now = lambda: datetime({NOW.year}, {NOW.month}, {NOW.day}, {NOW.hour}, tzinfo=UTC)
    database = LearningDatabase({str(searchable)!r}, now=now)
    rows = await database.find_similar_executions(" task\\n3 ", repo="api", limit=3)
    await database.close()
    print(json.dumps([[str(row["task_id"]) for row in rows], "torch" in sys.modules]))
asyncio.run(main())
"""
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    ids, imported_torch = json.loads(said)
    wanted = tasks.expected(
        tasks.vectors["task 3"],
        limit=3, threshold=None, days_back=90, repo="api", tier=None, success=None,
    )  # fmt: skip
    assert ids == [str(row["task_id"]) for row in wanted]
    assert not imported_torch


SIMILAR = ["similar", "task 3", "--days", "36500"]


def in_a_process(database: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from orb_learning.cli import app; app()", *arguments],
        env={**os.environ, "ORB_DATABASE": str(database), "COLUMNS": "150"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_a_table_or_json(searchable: Path, tasks: Tasks) -> None:
    # The clock is the real one, so no limit of days.
    listed = in_a_process(searchable, *SIMILAR, "--json", "--succeeded")
    wanted = tasks.expected(
        tasks.vectors["task 3"],
        limit=10, threshold=None, days_back=None, repo=None, tier=None, success=True,
    )  # fmt: skip
    assert [row["latest"]["task_id"] for row in json.loads(listed.stdout)] == [
        str(row["task_id"]) for row in wanted
    ]
    shown = orb(searchable, *SIMILAR, width=150)
    assert re.search(r"(?m)^ +small +\d+ +[\d.]+ % \(\d+-\d+ %\)", shown.stdout)
    assert "task 3" in shown.stdout
    none = orb(searchable, "similar", "task 3", "--repo", "nowhere")
    assert (none.returncode, none.stdout) == (0, "")
    assert none.stderr == (
        'No execution is what was asked for; of all, the nearest task is "task 3", with 1.000.\n'
    )
    far = orb(searchable, "similar", "task 3", "--tier", "nowhere")
    assert "the nearest task is" in far.stderr
    empty = orb(searchable, "similar", " \n")
    assert empty.returncode == 1
    assert "empty" in empty.stderr


def test_what_cannot_be_searched_is_said(
    searchable: Path, empty_database: Path, small_database: Path, database: Path
) -> None:
    def known(file: Path, model: str = MODEL) -> None:
        with connect(file, read_only=True) as connection:
            known_vector(connection, "a text", model)

    with pytest.raises(EmbeddingError, match=f"embedded by {MODEL}, other.*a-third"):
        known(searchable, "a-third")
    with pytest.raises(EmbeddingError, match="no text has been embedded yet"):
        known(small_database)
    with pytest.raises(EmbeddingError, match="no execution stands in the database"):
        known(empty_database)
    with connect(database):
        pass
    with pytest.raises(NotBuiltError, match="orb build"):
        known(database)
    missing = LearningDatabase(database.with_name("none.db"))
    with pytest.raises(DatabaseMissingError):
        asyncio.run(missing.find_similar_executions("a text"))


def test_an_index_gives_the_same_texts(searchable: Path, tasks: Tasks, tmp_path: Path) -> None:
    file = shutil.copy(searchable, tmp_path / "learning.db")
    vector = tasks.vectors["task 5"]
    wanted = search(file, vector, repo="api", limit=5)
    ids = [row["text_id"] for row in wanted]
    with connect(file, read_only=True) as connection:
        found = connection.execute(
            "select text_id from similar_among($1, wanted_texts := $2, wanted_repo := 'api', "
            "days_back := null, least_similarity := -1, at_most := 3)",
            [vector, [*ids[1:], 12345]],
        ).fetchall()
    assert [one for (one,) in found] == ids[1:4]


def test_with_an_index_the_search_finds_the_same(
    searchable: Path, tasks: Tasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(shutil.copy(searchable, tmp_path / "learning.db"))
    folder = index_folder(file)
    with connect(file) as connection:
        # These two come after the index was built.
        connection.execute("create temp table late as from text_embeddings where text_number <= 2")
        connection.execute("delete from text_embeddings where text_number <= 2")
        update_index(connection, folder, MODEL)
        connection.execute(
            "insert into text_embeddings by name "
            "select * replace (text_number + 5000 as text_number) from late"
        )
    asked: list[str] = []
    call = queries._call
    monkeypatch.setattr(
        queries, "_call", lambda function, *given: asked.append(function) or call(function, *given)
    )
    with connect(file, read_only=True) as connection:
        index = open_index(folder, connection, MODEL)
        assert index is not None
        chance = random.Random(SEED)  # noqa: S311
        for candidates in (1, 2, 20):
            monkeypatch.setattr(queries, "CANDIDATES_PER_RESULT", candidates)
            for _ in range(20):
                vector = any_vector(chance)
                wanted: dict[str, Any] = {
                    "limit": chance.choice([1, 3, 10]),
                    "threshold": chance.choice([-1.0, 0.9, 0.99]),
                    "days_back": chance.choice([None, 7, 90]),
                }
                found = similar_executions(
                    connection, vector, model=MODEL, now=NOW, index_folder=folder, **wanted
                )
                everything = {"repo": None, "tier": None, "success": None}
                assert_same(found, tasks.expected(vector, **wanted, **everything))
    # Both ways were taken: the index alone, and all vectors where its candidates were not enough.
    assert asked.count("similar_among") == 60
    assert 0 < asked.count("similar_executions") < 60


def test_the_command_builds_the_index_and_brings_it_up_to_date(
    searchable: Path, tmp_path: Path
) -> None:
    file = Path(shutil.copy(searchable, tmp_path / "learning.db"))
    said = [run(file, "index").stdout for run in (in_a_process, orb)]
    count = TEXTS + 2  # the errors have vectors, too
    assert f"{count} vectors, {count} of them new" in said[0]
    assert f"brought up to date in 0.0 s, {count} vectors, 0 of them new" in re.sub(
        r"in [\d.]+ s", "in 0.0 s", said[1]
    )


def expected_solutions(
    tasks: Tasks,
    vector: Sequence[float],
    *,
    of_errors: bool,
    limit: int,
    threshold: float | None,
    repo: str | None,
    days_back: int | None,
) -> list[tuple[Any, ...]]:
    def vector_of(row: Row) -> list[float] | None:
        text = row["error_message"] if of_errors else row["task_description"]
        return tasks.vectors.get(" ".join((text or "").split()))

    wanted = [
        row
        for row in tasks.rows
        if repo in (None, row["repo"])
        and (days_back is None or row["timestamp"] >= NOW - timedelta(days=days_back))
    ]
    near: dict[str, float] = {}
    for row in wanted:
        own = vector_of(row)
        if own is not None and is_near(dot(own, vector), threshold):
            text = " ".join(row["task_description"].split())
            near[text] = max(near.get(text, -1), dot(own, vector))
    uses: dict[str, list[tuple[bool, float, str]]] = {}
    for row in wanted:
        text = " ".join(row["task_description"].split())
        solution = (row["solution_summary"] or "").strip()
        if text in near and solution:
            leader = {"a loop": "a retry loop"}.get(solution, solution)
            uses.setdefault(leader, []).append((row["success"], near[text], text))
    found = []
    for solution, used in uses.items():
        successes = sum(success for success, *_ in used)
        if successes:
            similarity = max(similarity for success, similarity, _ in used if success)
            of_tasks = len({task for *_, task in used})
            score = similarity * wilson(successes / len(used) * of_tasks, of_tasks)[0]
            found.append((round(score, 5), round(similarity, 5), len(used), successes, solution))
    return [row[:4] for row in sorted(found, reverse=True)[:limit]]


@pytest.mark.parametrize("number", range(20))
def test_solutions_rank_by_similarity_times_the_lower_bound_of_success(
    searchable: Path, tasks: Tasks, number: int
) -> None:
    chance = random.Random(SEED + number)  # noqa: S311
    vector = any_vector(chance)
    wanted: dict[str, Any] = {
        "of_errors": number % 4 == 0,
        "limit": chance.choice([1, 2, 10]),
        "threshold": chance.choice([None, 0.7, 0.95]),
        "repo": chance.choice([None, "api", "infra"]),
        "days_back": chance.choice([None, 30]),
    }
    with connect(searchable, read_only=True) as connection:
        rows = similar_solutions(connection, vector, model=MODEL, now=NOW, **wanted)
    found = [
        (
            *(round(row["score"], 5), round(row["similarity"], 5)),
            *(row["execution_count"], row["success_count"]),
        )
        for row in rows
    ]
    assert found == expected_solutions(tasks, vector, **wanted)


def test_solutions_are_found_by_the_library_and_the_command(searchable: Path) -> None:
    async def find(**text: str) -> list[Row]:
        database = LearningDatabase(searchable)
        try:
            return await database.find_solutions(days_back=36_500, **text)
        finally:
            await database.close()

    found = asyncio.run(find(task_description="task 3"))
    assert found
    assert asyncio.run(find(error_message="boom"))
    for wrong in ({}, {"task_description": "task 3", "error_message": "boom"}):
        with pytest.raises(ValueError, match="either"):
            asyncio.run(find(**wrong))
    for run, option, text in ((in_a_process, "--json", "task 3"), (orb, "--error", "boom")):
        said = run(searchable, "solutions", text, option, "--days", "36500").stdout
        if option == "--json":
            assert [row["score"] for row in json.loads(said)] == [row["score"] for row in found]
            assert all(row["has_enough_samples"] == (row["task_count"] >= 10) for row in found)
        else:
            assert "loop" in said
            assert "succeeded" in said
