"""Records of any keys and types, from the call to the built core: none is lost, and none raises."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from building import DbtProject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_odd_values import Raising, State
from test_telemetry import Captured, json_like, names

from orb_learning.ingest.relay import load_once
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

NOW = datetime(2026, 4, 1, 12)  # noqa: DTZ001 (naive UTC, as the package has it)
EXAMPLES = settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
ids = st.uuids() | st.sampled_from([7, "7", "task-7", "", 7.5, None])
times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 4, 1)) | json_like  # noqa: DTZ001
whole = {
    "id": ids,
    "prompt": st.sampled_from(["mend it", "write it"]),
    "type": st.just("bugfix"),
    "repo": st.just("api"),
    "model": st.just("claude-opus-4.5"),
    "pool_type": st.just("local"),
    "success": st.booleans(),
    "timestamp": st.datetimes(timezones=st.just(UTC)),
    "cost": st.sampled_from([0, 0.5, 1e117]),
}
odd = st.sampled_from(
    [
        *(Raising(a=1), object(), {1}, b"a", 1j, range(3), "\ud800", 10**400, uuid.UUID(int=1)),
        *(np.zeros(384), np.zeros((2, 2)), np.float32(0.5), np.datetime64("2026-04-01")),
        *(Decimal("NaN"), PurePosixPath("/a"), timedelta(1), State.DONE, ValueError("\udcff")),
    ]
)
records = st.builds(
    lambda known, anything: known | anything,
    st.fixed_dictionaries({}, optional=whole),
    st.just({}) | st.dictionaries(names, json_like | odd, max_size=3),
)


class Built:
    """A capture, and the database that it feeds."""

    def __init__(self, project: DbtProject, empty_database: Path, database: Path):
        self.captured = Captured(database.parent / "outbox", now=lambda: NOW.replace(tzinfo=UTC))
        self.capture = self.captured.capture
        self._project = project
        self._database = Path(shutil.copy(empty_database, database))

    def load_and_build(self) -> None:
        self.captured.outbox.close()
        for days in (0, 2):  # what waits for the other half waits no longer
            folder = self.captured.outbox.folder
            load_once(self._database, folder, now=NOW + timedelta(days=days))
        self._project.run(self._database, select=["path:models/core"])

    def numbers(self, *queries: str) -> list[int]:
        with connect(self._database, read_only=True) as connection:
            return [connection.execute(query).fetchall()[0][0] for query in queries]


@pytest.fixture
def built(project: DbtProject, empty_database: Path, database: Path) -> Built:
    return Built(project, empty_database, database)


VERSIONS = "select count(*) from raw.executions"
DEAD = "select count(*) from raw.dead_letters where reason <> ''"
UNTOLD = """
    select count(*) from raw.executions where task_id not in (
        select task_id from fct_executions
        union all select task_id from rejected_executions where len(broken_rules) > 0
    )
"""
SAID_BY_NOBODY = """
    select count(*) from fct_executions
    where 'unknown' in (task_description, swarm_topology, error_message, solution_summary)
"""
KEPT_UNKNOWN = """
    select count(*) from raw.executions
    where 'unknown' in (task_type, repo, model_tier, pool_type, swarm_topology)
"""
TOLD_UNKNOWN = "select count(*) from executions where 'unknown' in (repo, model_tier, pool_type)"
EACH = ("select count(*) from executions", "select count(*) from rejected_executions")


def test_any_record_ends_where_it_can_be_found(built: Built) -> None:
    tried = 0

    @EXAMPLES
    @given(
        task=records, result=records, start=times, end=times, every=st.lists(records, max_size=2)
    )
    def record(task: Any, result: Any, start: Any, end: Any, every: Any) -> None:
        nonlocal tried
        built.captured.store(task, result, start, end)
        built.capture.store_records(every)
        with built.capture.execution(task) as run:
            run.result = result
        tried += 2 + len(every)

    record()
    counts = built.capture.counts()
    told = sum(counts.get(name, 0) for name in ("kept", "invalid", "too_large"))
    assert told == tried
    assert not [name for name in counts if name.startswith(("failed", "refused"))]
    built.load_and_build()
    versions, dead, untold, valid, rejected = built.numbers(VERSIONS, DEAD, UNTOLD, *EACH)
    assert versions + dead == tried
    assert untold == 0
    assert min(valid, rejected, dead) > 10
    assert built.numbers(SAID_BY_NOBODY, KEPT_UNKNOWN) == [0, 0]  # raw keeps NULL
    assert built.numbers(TOLD_UNKNOWN)[0] > 10


def test_any_decision_and_outcome_end_where_they_can_be_found(built: Built) -> None:
    tried: list[tuple[uuid.UUID, int]] = []

    @EXAMPLES
    @given(task=records, decision=records, result=records, start=times, halves=st.integers(1, 3))
    def record(task: Any, decision: Any, result: Any, start: Any, halves: int) -> None:
        task_id = uuid.uuid4()
        tried.append((task_id, halves.bit_count()))
        if halves & 1:
            built.capture.capture_routing_decision(task_id, task, decision)
        if halves & 2:
            built.capture.capture_execution_outcome(task_id, result, start)

    record()
    counts = built.capture.counts()
    told = sum(counts.get(name, 0) for name in ("kept", "invalid", "too_large"))
    assert told == sum(count for _, count in tried)
    built.load_and_build()
    found = " union ".join(
        f"select {name} from {table}"
        for name, table in {
            "task_id::varchar": "raw.executions",
            'regexp_extract(payload, \'"task_id": ?"([0-9a-f-]+)"\', 1)': "raw.dead_letters",
        }.items()
    )
    listed = ", ".join(f"'{task_id}'" for task_id, _ in tried)
    [lost, untold] = built.numbers(
        f"select count(*) from (select unnest([{listed}]) as id) where id not in ({found})", UNTOLD
    )
    assert (lost, untold) == (0, 0)
