"""An id that is no UUID may come again for another task; neither replaces the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.feedback.submit import submit_feedback
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.record import task_uuid
from orb_learning.store.connection import connect
from orb_learning.store.deletion import delete_tasks
from orb_learning.store.external_ids import executions_of

FIRST = datetime(2026, 4, 1, 10, tzinfo=UTC)
SECOND = FIRST + timedelta(days=7)
BASE = task_uuid("task-7")


class Place:
    """An outbox and the database that it feeds; the clock stands at ``now``."""

    def __init__(self, folder: Path):
        self.database = folder / "learning.db"
        self.outbox = Outbox(folder / "outbox")
        self.now = FIRST
        self.capture = TelemetryCapture(self.outbox, now=lambda: self.now)

    def load(self, at: datetime | None = None) -> None:
        now = (at or self.now).replace(tzinfo=None)
        load_once(self.database, self.outbox.folder, RelayOptions(), now=now)

    def store(self, start: datetime, prompt: str | None, **fields: Any) -> None:
        task = {"id": "task-7", "prompt": prompt, **fields}
        assert self.capture.store_execution_telemetry("p", task, {"success": True}, start, start)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connect(self.database) as connection:
            return connection.execute(query, parameters).fetchall()

    def tasks(self) -> dict[Any, set[Any]]:
        found: dict[Any, set[Any]] = {}
        for task_id, text in self.rows("select task_id, task_description from raw.executions"):
            found.setdefault(task_id, set()).add(text)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.outbox.close()


@pytest.mark.parametrize("loads", [1, 2])
def test_another_task_days_later_is_an_execution_of_its_own(place: Place, loads: int) -> None:
    place.store(FIRST, "mend it")
    if loads == 2:
        place.load()
    place.store(SECOND, "write it")
    place.store(SECOND + timedelta(hours=1), "write it")
    place.load()
    tasks = place.tasks()
    assert tasks.pop(BASE) == {"mend it"}
    assert list(tasks.values()) == [{"write it"}]
    marked = place.rows(
        "select distinct task_id = ?, metadata ->> 'external_id_reused', "
        "metadata ->> 'external_id' from raw.executions order by 1",
        BASE,
    )
    assert marked == [(False, "true", "task-7"), (True, None, "task-7")]


@pytest.mark.parametrize(
    ("start", "prompt"),
    [(SECOND, "mend it"), (FIRST + timedelta(hours=23), "edited"), (FIRST, None)],
)
def test_the_same_text_or_time_is_another_version_of_the_task(
    place: Place, start: datetime, prompt: str | None
) -> None:
    place.store(FIRST, "mend it")
    place.store(start, prompt)
    place.load()
    assert place.tasks() == {BASE: {"mend it", prompt}}


def test_an_id_is_remembered_when_its_execution_has_left(place: Place) -> None:
    place.store(FIRST, "mend it")
    place.load()
    with connect(place.database) as connection:
        connection.execute("delete from raw.executions")  # as retention does, once it is archived
    place.store(SECOND, "write it")
    place.load()
    assert BASE not in place.tasks()


def test_a_uuid_that_comes_again_is_the_same_task(place: Place) -> None:
    for start, prompt in ((FIRST, "mend it"), (SECOND, "write it")):
        place.store(start, prompt, task_id=str(BASE))
    place.load()
    assert list(place.tasks()) == [BASE]


def route(place: Place, at: datetime, prompt: str) -> None:
    place.now = at
    assert place.capture.capture_routing_decision("task-7", {"prompt": prompt}, {})


def end(place: Place, at: datetime) -> None:
    place.now = at
    assert place.capture.capture_execution_outcome("task-7", {"success": True}, at, at)


@pytest.mark.parametrize("loads", [False, True])
def test_a_decision_in_vain_is_not_replaced_by_the_next_run(place: Place, loads: bool) -> None:
    route(place, FIRST, "mend it")
    if loads:
        place.load()
    route(place, SECOND, "write it")
    end(place, SECOND)
    place.load(FIRST)  # so that nothing has waited too long
    found = place.rows("select task_description, success from raw.executions order by timestamp")
    assert found == [("mend it", None), ("write it", True)]
    assert len(place.tasks()) == 2


def test_an_outcome_does_not_meet_a_decision_of_days_before(place: Place) -> None:
    route(place, FIRST, "mend it")
    place.load()
    place.load(FIRST + timedelta(days=2))  # recorded alone
    end(place, SECOND)
    place.load(SECOND)
    place.load(SECOND + timedelta(days=2))
    found = place.rows("select task_description, success from raw.executions order by timestamp")
    assert found == [("mend it", None), (None, True)]
    assert len(place.tasks()) == 2


def test_a_decision_and_its_late_outcome_meet(place: Place) -> None:
    route(place, FIRST, "mend it")
    place.load()
    end(place, FIRST + timedelta(hours=20))
    place.load()
    found = place.rows("select task_id, task_description, success from raw.executions")
    assert found == [(BASE, "mend it", True)]


def test_feedback_by_an_id_is_of_the_execution_of_its_time(place: Place) -> None:
    place.store(FIRST, "mend it")
    place.store(SECOND, "write it")
    for at in (FIRST, SECOND):
        submit_feedback(
            place.outbox,
            task_id="task-7",
            satisfaction="good",
            now=(at + timedelta(minutes=1)).replace(tzinfo=None),
        )
    place.load(SECOND + timedelta(hours=1))
    found = place.rows(
        "select distinct task_description from raw.feedback join raw.executions using (task_id) "
        "order by submitted_at, task_description"
    )
    assert sorted(found) == [("mend it",), ("write it",)]


def test_forgetting_an_id_reaches_every_execution_of_it(place: Place) -> None:
    place.store(FIRST, "mend it")
    place.store(SECOND, "write it")
    place.load()
    with connect(place.database) as connection:
        delete_tasks(connection, executions_of(connection, [BASE]), FIRST.replace(tzinfo=None))
    assert place.tasks() == {}
    assert place.rows("select count(*) from raw.external_ids") == [(0,)]


def test_payloads_keep_what_they_had(place: Place) -> None:
    place.store(FIRST, "mend it", repo="\u00fc")
    place.store(SECOND, "write it", repo="\u00fc")
    place.load()
    repos = place.rows("select repo, json_keys(metadata) from raw.executions order by timestamp")
    assert repos[0] == ("\u00fc", ["pool_id", "external_id"])
    assert repos[1] == ("\u00fc", ["pool_id", "external_id", "external_id_reused"])
    assert json.dumps(repos)
