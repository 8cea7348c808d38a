"""Whatever takes a task takes the id that another system gave it, unless several have it."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from histories import History
from typer.testing import CliRunner

from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.cli.app import app
from orb_learning.errors import OrbError
from orb_learning.feedback.rows import SEVERAL_TASKS
from orb_learning.feedback.submit import submit_feedback
from orb_learning.figures import list_executions
from orb_learning.figures.reader import Reader
from orb_learning.ingest import import_file
from orb_learning.ingest.dead_letters import read_dead_letters
from orb_learning.ingest.relay import load_once
from orb_learning.mappings import named_mapping
from orb_learning.operations.erasure import erase
from orb_learning.outbox.reader import files_of
from orb_learning.outbox.writer import Outbox
from orb_learning.record import task_uuid
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

NOW = datetime(2026, 4, 2, 12)  # noqa: DTZ001 (naive UTC, as the package has it)
OWN = task_uuid("task-7", "mine")
LITELLM, LANGFUSE = (task_uuid("task-7", system) for system in ("litellm", "langfuse"))
SECRET = "only its author may read this"  # noqa: S105


class Place:
    """A database that several systems feed, and the outbox of this one's orchestrator."""

    def __init__(self, folder: Path):
        self.settings = load_settings(database_path=folder / "learning.db", id_scope="mine")
        self.outbox = Outbox(self.settings.outbox_folder)

    def capture(self) -> None:
        capture = TelemetryCapture(self.outbox, id_scope="mine")
        assert capture.store_execution_telemetry("p", {"id": "task-7"}, {}, NOW, NOW)

    def take(self, system: str, day: int = 1, said: str = "mend it") -> None:
        at = f"2026-04-{day:02}T10:00:00Z"
        record = {"request_id": "task-7", "id": "task-7", "startTime": at, "timestamp": at}
        record |= {"messages": [{"role": "user", "content": said}], "input": said, "by": system}
        database = self.settings.database_path
        file = database.parent / f"{system}{day}.jsonl"
        file.write_text(json.dumps(record))
        import_file(database, file, mapping=named_mapping(system), id_scope="mine", now=NOW)
        file.unlink()

    def say(self, task: uuid.UUID | str = "task-7", at: datetime = NOW) -> None:
        given = {"satisfaction": "good", "comment": SECRET, "id_scope": "mine"}
        submit_feedback(self.outbox, task_id=task, now=at, **given)

    def load(self, now: datetime = NOW) -> None:
        load_once(self.settings.database_path, self.settings.outbox_folder, now=now)

    def rows(self, query: str) -> list[Any]:
        with connect(self.settings.database_path, read_only=True) as connection:
            return [row if len(row) > 1 else row[0] for row in connection.sql(query).fetchall()]

    def rated(self) -> list[uuid.UUID]:
        return self.rows("select task_id from raw.feedback order by _load_seq")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_feedback_by_the_id_of_a_system_reaches_its_execution(place: Place) -> None:
    place.take("litellm")
    place.take("litellm", day=20, said="write it")
    for at in (NOW, NOW + timedelta(days=30)):
        place.say(at=at)
    place.load()
    tasks = place.rows("select task_id from raw.executions order by timestamp")
    assert tasks[0] == LITELLM
    assert place.rated() == tasks


def test_feedback_that_was_given_first_reaches_the_execution_that_is_imported_later(
    place: Place,
) -> None:
    for at in (NOW, NOW + timedelta(days=30)):
        place.say(at=at)
    place.say("task-8")
    place.load()
    assert place.rated() == [OWN, OWN, task_uuid("task-8", "mine")]
    place.take("litellm")
    place.take("litellm", day=20, said="write it")
    first, second = place.rows("select task_id from raw.executions order by timestamp")
    # What came before the second run is of the first, and so is what waited for any.
    assert place.rated() == [first, first, task_uuid("task-8", "mine")]
    place.say(at=NOW + timedelta(days=30))
    place.load()
    assert place.rated()[-1] == second


def test_feedback_that_waits_is_never_another_orchestrators_where_the_own_one_has_the_id(
    place: Place,
) -> None:
    place.say()
    place.load()
    decision = TelemetryCapture(place.outbox, id_scope="mine")
    assert decision.capture_routing_decision("task-7", {}, {})  # its outcome has not come yet
    place.load()
    place.take("litellm")
    assert place.rated() == [OWN]


@pytest.mark.parametrize("version", [4, 5])
def test_a_uuid_with_an_external_id_of_its_own_stays_one_task(place: Place, version: int) -> None:
    task = uuid.UUID(f"5b0c8e6e-6c1f-{version}f0e-9a55-0d3a52f7a001")
    capture = TelemetryCapture(place.outbox, id_scope="mine")
    for day, said in ((1, "mend it"), (20, "mend it well")):
        given = {"id": str(task), "prompt": said, "metadata": {"external_id": "ticket-9"}}
        at = datetime(2026, 4, day, tzinfo=UTC)
        assert capture.store_execution_telemetry("p", given, {"success": True}, at, at)
    place.say("ticket-9")
    place.load()
    versions = place.rows("select task_id, metadata ->> 'external_id' from raw.executions")
    assert versions == [(task, "ticket-9")] * 2
    assert place.rated() == [task]


def test_the_own_orchestrators_id_comes_before_any_others(place: Place) -> None:
    place.take("litellm")
    place.say("task-8")
    place.capture()
    place.say()
    place.load()
    assert place.rated() == [task_uuid("task-8", "mine"), OWN]


def test_feedback_on_one_of_several_is_a_dead_letter_that_names_none(place: Place) -> None:
    place.take("litellm")
    place.take("langfuse")
    place.say(LANGFUSE)
    place.say()
    place.say("task-8")
    place.load()
    assert place.rated() == [LANGFUSE, task_uuid("task-8", "mine")]
    [letter] = read_dead_letters(place.settings.database_path)
    assert (letter.kind, letter.reason) == ("feedback", SEVERAL_TASKS)
    said = CliRunner(env={"ORB_DATABASE": str(place.settings.database_path)}).invoke(
        app, ["dead-letters", "replay", str(letter.number)]
    )
    assert (said.exit_code, SEVERAL_TASKS in said.stderr) == (1, True)


def read_bytes(place: Place) -> bytes:
    place.outbox.close()
    return b"".join(file.read_bytes() for file in files_of(place.outbox.folder))


@pytest.mark.parametrize("by", ["task-7", LITELLM])
def test_a_task_is_forgotten_by_the_id_of_a_system(place: Place, by: uuid.UUID | str) -> None:
    place.take("litellm")
    place.take("litellm", day=20, said="write it")
    place.say()
    place.say("task-8")
    place.load()
    result = erase(place.settings, task_ids=[by], now=NOW)
    assert (result.task_count, result.version_count) == (2, 2)
    assert place.rows("select task_id from raw.executions") == []
    assert place.rated() == [task_uuid("task-8", "mine")]
    assert read_bytes(place).count(SECRET.encode()) == 1
    # The own orchestrator may have a task of this id, later.
    place.outbox = Outbox(place.settings.outbox_folder)
    place.capture()
    place.load()
    assert place.rows("select task_id from raw.executions") == [OWN]


def test_what_is_archived_is_forgotten_by_the_id_of_a_system(place: Place) -> None:
    place.take("litellm")
    place.say("task-8")
    place.load()
    file = place.settings.archive_folder / "executions_archive_20260401.parquet"
    file.parent.mkdir()
    with connect(place.settings.database_path) as connection:
        connection.execute(f"copy raw.executions to '{file}'")
        connection.execute("delete from raw.executions")
        connection.execute(
            "insert into raw.archived_files values (?, '2026-04-01', 1, 1, 'x', ?, null)",
            [file.name, NOW],
        )
    result = erase(place.settings, task_ids=["task-7"], now=NOW)
    assert (result.task_count, result.archived_count) == (1, 1)


def test_forgetting_one_of_several_says_which_there_are(place: Place) -> None:
    place.take("litellm")
    place.take("langfuse")
    place.say()
    place.load()
    with pytest.raises(OrbError, match="several systems") as raised:
        erase(place.settings, task_ids=["task-7"], now=NOW)
    assert all(str(task) in str(raised.value) for task in (LITELLM, LANGFUSE))
    with pytest.raises(OrbError, match="task_id"):
        erase(place.settings, task_ids=[" "], now=NOW)
    erase(place.settings, task_ids=[LITELLM], now=NOW)
    assert place.rows("select task_id from raw.executions") == [LANGFUSE]
    assert read_dead_letters(place.settings.database_path) == []
    assert SECRET.encode() not in read_bytes(place)


def listed(settings: LearningSettings, task: str) -> list[tuple[uuid.UUID, str | None]]:
    reader = Reader(settings)
    try:
        found = asyncio.run(list_executions(reader, task_id=task))
    finally:
        reader.close()
    return [(row.task_id, row.external_id) for row in found.rows]


def test_executions_are_listed_by_the_id_of_any_system(history: History) -> None:
    settings = load_settings(database_path=history.database, id_scope="mine")
    with connect(history.database) as connection:
        rows = connection.sql("select task_id from fct_executions order by all limit 3").fetchall()
        first, second, third = (task for (task,) in rows)
        named = (
            "update fct_executions set metadata = json_object('external_id', ?) where task_id = ?"
        )
        connection.executemany(
            named,
            [("task-7", first), ("task-7", second), ("task-8", third)],
        )
        connection.execute(
            "update fct_executions set task_id = ? where task_id = ?",
            [task_uuid("task-9", "mine"), third],
        )
    seven = listed(settings, " task-7 ")
    assert sorted(seven) == [(first, "task-7"), (second, "task-7")]
    assert listed(settings, str(first)) == listed(settings, first.hex) == [(first, "task-7")]
    assert listed(settings, "task-9") == [(task_uuid("task-9", "mine"), "task-8")]
    assert listed(settings, "task-10") == []
