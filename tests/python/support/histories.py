"""A history of a small database: rows come, are corrected, go and return, between builds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from building import DbtProject
from oracle import (
    MODELS,
    RAW_COLUMNS,
    Contents,
    Row,
    assert_equal,
    contents,
    contents_in,
    expected,
    raw_rows,
    raw_rows_in,
    solutions,
)

from orb_learning.store.connection import connect
from orb_learning.store.counts import count_received

TODAY = datetime(2026, 3, 31)  # noqa: DTZ001 (raw holds naive UTC)
NOON = TODAY + timedelta(hours=12, minutes=30)
BELOW = ["stg_executions", "stg_load_blocks"]
"""What the models that are compared stand on."""
BLOCK_SIZE = 8
"""Load numbers a block in these histories: so small that there are several."""

ORDINARY: Row = {
    "timestamp": TODAY + timedelta(hours=9),
    "task_type": "refactor",
    "task_description": "split the module",
    "repo": "api",
    "model_tier": "small",
    "pool_type": "local",
    "success": True,
    "duration_seconds": 10.0,
    "quality_score": 80,
    "actual_cost": 0.25,
    "solution_summary": None,
}
_LOADED_AT = TODAY + timedelta(days=1)
TOO_LATE = _LOADED_AT + timedelta(minutes=5, microseconds=1)
"""A timestamp that breaks the rule about the future."""


def task_id(task: int) -> UUID:
    return UUID(int=task)


class History:
    """A database, the tests' ways to change raw, and what has happened to the models so far."""

    def __init__(self, project: DbtProject, database: Path, **variables: Any):
        self.project = project
        self.database = database
        self.as_of = NOON
        self.variables = {"load_block_size": BLOCK_SIZE, **variables}
        self.happened: Counter[str] = Counter()
        self._removed: list[list[Row]] = []
        self._standing_once: set[int] = set()
        self._last: tuple[datetime, list[Row], Contents] | None = None
        self._built_in_parts = False
        self._definitions: dict[str, str] = {}

    def insert(self, task: int, times: int = 1, **values: Any) -> None:
        """Load a version of each of so many tasks, beginning with ``task``."""
        self.insert_each({task + n: values for n in range(times)})

    def insert_each(self, versions: Mapping[int, Row]) -> None:
        """Load a version of each task with its values, all at once: opening takes 0.1 s."""
        with connect(self.database) as connection:
            for task, values in versions.items():
                row = {**ORDINARY, **values, "task_id": task_id(task)}
                number = connection.execute("select nextval('raw.load_seq')").fetchone()
                _append(connection, {**row, "_load_seq": number[0], "_loaded_at": _LOADED_AT})
            count_received(connection, len(versions), _LOADED_AT)

    def remove(self, *, newest_only: bool = False, also_built: bool = False, **where: Any) -> None:
        """Delete the versions of the tasks that have a version with these values.

        newest_only: only the newest version of each.
        also_built: from the core models too, as retention does; whole tasks only.
        """
        raw = raw_rows(self.database)
        tasks = {
            row["task_id"] for row in raw if all(row[name] == is_ for name, is_ in where.items())
        }
        newest = {row["task_id"]: row["_load_seq"] for row in raw}
        gone = [
            row for row in raw
            if row["task_id"] in tasks
            and (not newest_only or row["_load_seq"] == newest[row["task_id"]])
        ]  # fmt: skip
        if not gone:
            return
        numbers = [row["_load_seq"] for row in gone]
        tables = ["raw.executions"]
        if also_built and not newest_only:
            tables += ["fct_executions", "rejected_executions"]
        with connect(self.database) as connection:
            connection.execute("begin")
            for table in tables:
                connection.execute(f"delete from {table} where _load_seq in ?", [numbers])
            # Neither archived nor forgotten: as if they had never come.
            count_received(connection, -len(gone), _LOADED_AT)
            connection.execute("commit")
        self._removed.append(gone)

    def bring_back(self, batch: int = -1) -> None:
        """Load again what one removal took, each row with its old load number."""
        if self._removed:
            rows = self._removed.pop(batch % len(self._removed))
            with connect(self.database) as connection:
                for row in rows:
                    _append(connection, row)
                count_received(connection, len(rows), _LOADED_AT)

    def wait(self, **time: float) -> None:
        """Let time pass by for the next builds, or go back."""
        self.as_of += timedelta(**time)

    def build_everything(self) -> None:
        """Build seeds, models and reports."""
        self.project.run(self.database, command="seed")
        self.project.run(self.database, **self._variables())

    def seed_and_run(self) -> None:
        """Build seeds, and the models that are compared."""
        self.project.run(self.database, command="seed")
        self.run()

    def run(self) -> None:
        """Build the models that are compared, and what they stand on."""
        self.project.run(self.database, select=[*BELOW, *MODELS], **self._variables())

    def build_part(self, model: str) -> None:
        self.project.run(self.database, select=[model], **self._variables())
        self._built_in_parts = True

    def build(self) -> None:
        """Build every model incrementally, compare them with raw, and note what happened."""
        self.project.run(self.database, select=MODELS, **self._variables())
        raw, built = self._read()
        self._assert_equal(raw, built)
        self._note_contents(raw, built)

    def expected(self, **policy: Any) -> Contents:
        """Work out from raw what the models should hold."""
        return expected(raw_rows(self.database), self.as_of, block_size=BLOCK_SIZE, **policy)

    def assert_equal_to_raw(self) -> None:
        self._assert_equal(*self._read())

    def note_contents(self) -> None:
        """Note which of the named cases lie between the contents noted before and these."""
        self._note_contents(*self._read())

    def _read(self) -> tuple[list[Row], Contents]:
        with connect(self.database) as connection:
            self._assert_not_built_anew(connection)
            return raw_rows_in(connection), contents_in(connection)

    def _assert_equal(self, raw: list[Row], built: Contents) -> None:
        assert_equal(built, expected(raw, self.as_of, block_size=BLOCK_SIZE))
        _assert_nothing_lost(raw, built)

    def _note_contents(self, raw: list[Row], built: Contents) -> None:
        if self._last is not None:
            self._note(*self._last, raw, built)
        self._last = self.as_of, raw, built
        self._standing_once |= _numbers(built)
        self._built_in_parts = False

    def _assert_not_built_anew(self, connection: duckdb.DuckDBPyConnection) -> None:
        """A model whose definition changed would have been built whole: no incremental build."""
        rows = connection.execute(
            "select distinct model, definition_hash from build_state "
            "where model in (select table_name from duckdb_tables())"
        )
        definitions = dict(rows.fetchall())
        changed = self._definitions.items() - definitions.items()
        assert not changed, f"built anew or forgotten: {changed}"
        self._definitions = definitions

    def assert_equal_to_full_refresh(self) -> None:
        incremental = contents(self.database)
        self.project.run(self.database, select=MODELS, full_refresh=True, **self._variables())
        assert_equal(incremental, contents(self.database))

    def _variables(self) -> dict[str, Any]:
        return {"as_of": self.as_of.isoformat(), **self.variables}

    def _note(
        self,
        as_of: datetime,
        raw_before: list[Row],
        before: Contents,
        raw: list[Row],
        after: Contents,
    ) -> None:
        """Count the named cases that lie between two complete builds."""
        old = {row["task_id"]: row for row in before["fct_executions"].values()}
        new = {row["task_id"]: row for row in after["fct_executions"].values()}
        both = [(old[task], new[task]) for task in old.keys() & new.keys()]
        first_day = (self.as_of - timedelta(days=30)).date()
        first_day_before = (as_of - timedelta(days=30)).date()
        days = {row["date"] for row in after["tier_performance_mv"].values()}
        days_before = {row["date"] for row in before["tier_performance_mv"].values()}
        lost_patterns = before["solution_patterns_mv"].keys() - after["solution_patterns_mv"].keys()
        groups = solutions(new.values(), self.as_of)
        newest_rejected = {
            row["task_id"]: row["_load_seq"] for row in after["rejected_executions"].values()
        }
        came = _numbers(after) - _numbers(before)
        newest_day = max((row["timestamp"].date() for row in old.values()), default=None)

        cases = {
            "a late row": newest_day is not None and any(
                row["_load_seq"] in came - self._standing_once
                and row["timestamp"].date() < newest_day
                for row in new.values()
            ),
            **{
                f"a row moved to another {name}": any(key(a) != key(b) for a, b in both)
                for name, key in MOVES.items()
            },
            "an invalid correction": any(
                task in new and new[task]["_load_seq"] < number
                for task, number in newest_rejected.items()
            ),
            "a deletion": bool(old.keys() - new.keys()),
            "an older version again": any(b["_load_seq"] < a["_load_seq"] for a, b in both),
            "a row that came back": bool(came & self._standing_once),
            "a bucket emptied": any(day >= first_day for day in days_before - days),
            "a bucket left the window": any(day < first_day for day in days_before),
            "a bucket entered the window again": any(day < first_day_before for day in days),
            "a pattern under its least usage": any(key in groups for key in lost_patterns),
            "a pattern without rows": any(key not in groups for key in lost_patterns),
            "nothing new": raw == raw_before and as_of == self.as_of,
            "a part built before": self._built_in_parts,
        }  # fmt: skip
        self.happened.update(name for name, is_so in cases.items() if is_so)


def days_ago(days: int) -> datetime:
    """Return the midnight so many days before the last one."""
    return TODAY - timedelta(days=days)


def insert_rows_at_the_edges(history: History) -> None:
    """Load rows at the edges: of windows, of buckets, of a pattern's least usage."""
    # Five usages of one solution, two of them on the newest day: one less, and it is no pattern.
    history.insert(0, 2, solution_summary="cache it", repo="api")
    history.insert(2, 3, solution_summary="cache it", repo="api", timestamp=days_ago(3))
    # Six of another, one of them alone on the oldest day of the patterns' window.
    history.insert(5, 5, solution_summary="retry it", repo="web", timestamp=days_ago(40))
    history.insert(10, solution_summary="retry it", repo="web", timestamp=days_ago(90))
    # The first and the last moment of the oldest day of the tiers, and the one before it.
    history.insert(11, timestamp=days_ago(30))
    history.insert(12, timestamp=days_ago(29) - timedelta(microseconds=1))
    history.insert(13, timestamp=days_ago(30) - timedelta(microseconds=1))
    # Alone in the oldest hour of the pools.
    history.insert(14, timestamp=NOON.replace(minute=0) - timedelta(days=7), pool_type="cloud")
    # A corrected row, a row with an invalid correction, and one that is only invalid.
    history.insert(15, 2, timestamp=days_ago(1))
    history.insert(15, timestamp=days_ago(2), model_tier="opus", quality_score=None)
    history.insert(16, timestamp=days_ago(1), quality_score=101)
    history.insert(17, repo=" ")


MOVES = {
    "day": lambda row: row["timestamp"].date(),
    "hour": lambda row: (row["timestamp"].date(), row["timestamp"].hour),
    "tier": lambda row: row["model_tier"],
    "repo": lambda row: row["repo"],
    "pool": lambda row: row["pool_type"],
    "solution": lambda row: row["solution_summary"],
}


def insert_many(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    """Load ordinary executions but for what their rows say, which have a task_id each."""
    whole = [{**ORDINARY, **row} for row in rows]
    names = sorted({name for row in whole for name in row})
    connection.executemany(
        f"insert into raw.executions (_load_seq, _loaded_at, {', '.join(names)}) "
        f"values (nextval('raw.load_seq'), ?, {', '.join('?' * len(names))})",
        [[_LOADED_AT, *(row.get(name) for name in names)] for row in whole],
    )


def _append(connection: duckdb.DuckDBPyConnection, row: Row) -> None:
    marks = ", ".join("?" for _ in RAW_COLUMNS)
    connection.execute(
        f"insert into raw.executions ({', '.join(RAW_COLUMNS)}) values ({marks})",
        [row.get(name) for name in RAW_COLUMNS],
    )


def _numbers(models: Contents) -> set[int]:
    return {row["_load_seq"] for row in models["fct_executions"].values()}


def _assert_nothing_lost(raw: list[Row], models: Contents) -> None:
    """Each version is valid, rejected, or superseded by a later valid one of its task."""
    standing = {row["task_id"]: row["_load_seq"] for row in models["fct_executions"].values()}
    rejected = {row["_load_seq"] for row in models["rejected_executions"].values()}
    for row in raw:
        is_superseded_or_valid = row["_load_seq"] <= standing.get(row["task_id"], -1)
        assert row["_load_seq"] in rejected or is_superseded_or_valid, row
