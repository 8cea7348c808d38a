"""int_retries and what stands on it, built by dbt, are what a walk through all executions finds."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from histories import TODAY, History
from oracle import TIERS, Row, model_of, raw_rows, text_id

from orb_learning.store.connection import connect

PARTS = ["fct_executions", "int_text_clusters", "int_attempts", "int_retries"]
PARTS += ["error_resolutions", "error_resolution_rates"]
WINDOW = timedelta(hours=30)
"""No whole days, so that the edges of window and day differ."""
TASKS = ["split the module", "split a module", "Write the tests"]
SIZES = ["small", "medium", "large"]
LEADER = {"split a module": "split the module"}


def put_into_one_cluster(history: History) -> None:
    """Let the clusters be of vectors of our own, equal for two of the texts."""
    with connect(history.database) as connection:
        connection.execute("delete from text_embeddings")
        for number, text in enumerate(TASKS[:2], start=1):
            connection.execute(
                "insert into text_embeddings (text_id, text_number, text_sha256, text, "
                "embedding, model) values ($1, $2, sha256($3), $3, $4::float[384], $5)",
                [text_id(text), number, text, [1.0] + 383 * [0.0], "all-MiniLM-L6-v2"],
            )


def build(history: History, *, full_refresh: bool = False) -> None:
    history.project.run(
        history.database,
        select=PARTS,
        full_refresh=full_refresh,
        **history._variables(),
        error_resolution_window_hours=int(WINDOW.total_seconds() // 3600),
    )


def read(history: History, model: str) -> list[Row]:
    with connect(history.database) as connection:
        query = connection.execute(f"from {model} order by all")
        names = [column[0] for column in query.description]
        return [dict(zip(names, row, strict=True)) for row in query.fetchall()]


def expected(history: History, *, is_clustered: bool) -> list[Row]:
    valid: dict[Any, Row] = {}
    for row in raw_rows(history.database):
        if row["repo"].strip() and (row["quality_score"] or 0) <= 100:
            tier = TIERS.get(row["model_tier"], row["model_tier"])
            valid[row["task_id"]] = {**row, "model_tier": tier}

    def task(row: Row) -> tuple[str, str]:
        text = row["task_description"]
        return row["repo"], LEADER.get(text, text) if is_clustered else text

    rows = sorted(valid.values(), key=lambda row: (row["timestamp"], row["task_id"]))
    found = []
    for failed in rows:
        if failed["success"]:
            continue
        lasted = timedelta(seconds=min(failed["duration_seconds"] or 0, 1e9))
        ended = failed["timestamp"] + max(lasted, timedelta(microseconds=1))
        later = [
            row for row in rows
            if task(row) == task(failed)
            and ended <= row["timestamp"] <= failed["timestamp"] + WINDOW
        ]  # fmt: skip
        tries = next((n for n, row in enumerate(later, start=1) if row["success"]), None)
        then, success = later[0] if later else None, later[tries - 1] if tries else None
        found.append(
            {
                "date": failed["timestamp"].date(),
                "task_id": failed["task_id"],
                "error_type": failed["error_type"],
                "task": task(failed),
                "next_task_id": then and then["task_id"],
                "next_success": then and then["success"],
                "next_change": then and change(failed, then),
                "resolved_by_task_id": success and success["task_id"],
                "resolved_change": success and change(failed, success),
                "attempts": tries,
            }
        )
    return sorted(found, key=lambda row: (row["date"], row["task_id"]))


def change(failed: Row, attempt: Row) -> str:
    names = []
    before, after = failed["model_tier"], attempt["model_tier"]
    if before == after:
        if model_of(failed["metadata"]) != model_of(attempt["metadata"]):
            names.append("model")
    elif {before, after} <= {*SIZES}:
        names.append("tier up" if SIZES.index(after) > SIZES.index(before) else "tier down")
    else:
        names.append("another tier")
    if failed["pool_type"] != attempt["pool_type"]:
        names.append("pool")
    return " and ".join(names) or "nothing"


def assert_as_expected(history: History, *, is_clustered: bool) -> None:
    wanted = expected(history, is_clustered=is_clustered)
    built_retries = read(history, "int_retries")
    keys = {(row["task_id"], row.pop("_task_key")) for row in built_retries}
    assert built_retries == [{k: v for k, v in row.items() if k != "task"} for row in wanted]
    tasks = {row["task_id"]: row["task"][1] for row in wanted}
    assert len({key for _, key in keys}) == len(set(tasks.values()))
    resolved = {row["task_id"]: row for row in wanted if row["resolved_by_task_id"]}
    built = {row["failed_task_id"]: row for row in read(history, "error_resolutions")}
    assert built.keys() == resolved.keys()
    for failed, row in built.items():
        assert row["resolved_task_id"] == resolved[failed]["resolved_by_task_id"]
        assert row["change"] == resolved[failed]["resolved_change"]
    tries = Counter(
        (row["error_type"] or "unknown", row["next_change"]) for row in wanted if row["next_change"]
    )
    rates = read(history, "error_resolution_rates")
    assert {(row["error_type"], row["change"]): row["attempts"] for row in rates} == tries


def moment(chance: random.Random) -> datetime:
    """Return one of few moments, so that executions begin at once and at the window's edges."""
    hours = chance.choice([0, 0, 6, 24, 30, 36, 54, 60, 100])
    return TODAY - timedelta(hours=hours, microseconds=chance.choice([0, 0, 1]))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_retries_of_a_random_history_are_those_of_a_full_refresh(
    history: History, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter()
    for step in range(6):
        for _ in range(8):
            failed = chance.random() < 0.6
            history.insert(
                100 + chance.randrange(40),
                timestamp=moment(chance),
                task_description=chance.choice(TASKS),
                success=not failed,
                error_type=chance.choice(["timeout", None]) if failed else None,
                duration_seconds=chance.choice([None, 0.0, 10.0, 6 * 3600.0, 1e30]),
                model_tier=chance.choice(["small", "small", "large", "huge"]),
                pool_type=chance.choice(["local", "cloud"]),
                metadata=chance.choice([None, '{"model": "a"}', '{"model": "b"}']),
            )
        if step == 2:
            put_into_one_cluster(history)
        if step == 4:
            history.remove(timestamp=moment(chance))
            history.remove(success=True, model_tier="large")
        build(history)
        assert_as_expected(history, is_clustered=step >= 2)
        seen.update(str(row["next_change"]) for row in read(history, "int_retries"))
        seen.update(str(row["attempts"]) for row in read(history, "int_retries"))
    assert seen.keys() >= {"1", "2", "tier up", "tier down", "another tier", "model", "nothing"}
    incremental = read(history, "int_retries")
    build(history, full_refresh=True)
    assert read(history, "int_retries") == incremental


def test_an_attempt_is_found_for_failures_of_unchanged_days(history: History) -> None:
    task = {"task_description": TASKS[2]}
    history.insert(100, success=False, timestamp=TODAY - timedelta(hours=25), **task)
    build(history)
    history.insert(101, timestamp=TODAY + timedelta(hours=4), **task)
    build(history)
    assert [row["attempts"] for row in read(history, "int_retries")] == [1]
    assert_as_expected(history, is_clustered=False)


def test_clusters_that_come_after_the_executions_join_their_tasks(history: History) -> None:
    history.insert(100, success=False, task_description=TASKS[1], repo="web")
    history.insert(
        101, task_description=TASKS[0], repo="web", timestamp=TODAY + timedelta(hours=10)
    )
    build(history)
    assert [row["attempts"] for row in read(history, "int_retries")] == [None]
    put_into_one_cluster(history)
    build(history)
    assert [row["attempts"] for row in read(history, "int_retries")] == [1]
    assert_as_expected(history, is_clustered=True)
