"""Capturing: whatever comes in is kept, is a dead letter or is counted, and nothing is raised."""

from __future__ import annotations

import asyncio
import enum
import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from forking import forked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orb_learning.capture.keeper import LONGEST_PAYLOAD
from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.errors import ExecutionRefusedError
from orb_learning.ingest.correlation import correlate
from orb_learning.outbox.writer import Outbox
from orb_learning.record.model import ExecutionRecord
from orb_learning.record.text_limits import LONG_TEXTS, LONGEST_TEXT

START = datetime(2026, 4, 1, 10, tzinfo=UTC)
END = START + timedelta(seconds=2.5)
TASK = {"type": "bugfix", "prompt": "mend it", "repo": "orb", "model_tier": "small"}
RESULT = {"status": "completed", "worker_id": "w1", "output": "done", "error": None}


class Captured:
    """A capture on a fresh outbox, and what is in that outbox."""

    def __init__(self, folder: Path, **options: Any):
        self.outbox = Outbox(folder)
        self.capture = TelemetryCapture(self.outbox, **options)

    def store(
        self, task: Any = TASK, result: Any = RESULT, start: Any = START, end: Any = END
    ) -> bool:
        return self.capture.store_execution_telemetry("pool-1", task, result, start, end)

    def payloads(self, kind: str = "execution") -> list[dict[str, Any]]:
        found = []
        for file in (
            sorted(self.outbox.folder.glob("*.sqlite")) if self.outbox.folder.exists() else []
        ):
            connection = sqlite3.connect(file)
            rows = connection.execute(
                "select payload from records where kind = ? order by id", [kind]
            ).fetchall()
            connection.close()
            found += [json.loads(payload) for (payload,) in rows]
        return found

    def record(self) -> ExecutionRecord:
        (payload,) = self.payloads()
        return ExecutionRecord.model_validate(payload)

    def dead_letter(self) -> dict[str, Any]:
        (letter,) = self.payloads("dead_letter")
        return letter


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[Captured]:
    captured = Captured(tmp_path / "outbox")
    yield captured
    captured.outbox.close()


def test_a_task_and_its_result_become_a_record(captured: Captured) -> None:
    assert captured.store()
    record = captured.record()
    assert record.task_type == "bugfix"
    assert record.task_description == "mend it"
    assert record.repo == "orb"
    assert record.model_tier == "small"
    assert record.success is True
    assert record.timestamp == START
    assert record.duration_seconds == 2.5
    assert record.metadata == {"pool_id": "pool-1", "worker_id": "w1", "status": "completed"}
    assert captured.capture.counts() == {"kept": 1}


def test_objects_are_read_by_their_attributes(captured: Captured) -> None:
    captured.store(SimpleNamespace(**TASK), SimpleNamespace(**RESULT))
    captured.store()
    by_attributes, by_entries = captured.payloads()
    assert {**by_attributes, "task_id": 0} == {**by_entries, "task_id": 0}


def test_the_result_goes_before_the_task_and_own_names_before_others(captured: Captured) -> None:
    captured.store(
        {"model_tier": "small", "task_type": "docs", "type": "test"},
        {"model_tier": "large", "error_message": "own", "error": "other"},
    )
    record = captured.record()
    assert (record.model_tier, record.task_type, record.error_message) == ("large", "docs", "own")


def test_what_nobody_says_is_unknown(captured: Captured) -> None:
    assert captured.store(None, None, None, None)
    known = captured.record().model_dump(exclude_none=True)
    assert known.keys() == {"task_id", "metadata"}
    assert known["metadata"] == {"pool_id": "pool-1"}


def test_a_given_task_id_is_kept_as_text_or_uuid(captured: Captured) -> None:
    task_id = uuid.uuid4()
    captured.store({"task_id": task_id})
    captured.store({"task_id": str(task_id)})
    assert [payload["task_id"] for payload in captured.payloads()] == [str(task_id)] * 2


@pytest.mark.parametrize(
    ("text", "error_type"),
    [
        ("Timeout after 30 s", "timeout"),
        ("the request TIMED OUT", "timeout"),
        ("Validation failed", "validation"),
        ("validation timed out", "timeout"),
        ("segmentation fault", "unknown"),
    ],
)
def test_the_error_type_is_inferred_from_the_text(
    captured: Captured, text: str, error_type: str
) -> None:
    captured.store(result={"error": text})
    record = captured.record()
    assert (record.success, record.error_type, record.error_message) == (False, error_type, text)


def test_a_given_error_type_is_not_replaced(captured: Captured) -> None:
    captured.store(result={"error": "timeout", "error_type": "crash"})
    assert captured.record().error_type == "crash"


@pytest.mark.parametrize(
    ("status", "success"),
    [("Completed", True), ("failed", False), ("timeout", False), ("running", None), ("", None)],
)
def test_success_is_what_the_status_says(
    captured: Captured, status: str, success: bool | None
) -> None:
    captured.store(result={"status": status})
    assert captured.record().success is success


def test_a_failure_without_a_text_has_no_message_and_no_type(captured: Captured) -> None:
    captured.store(result={"success": False, "error": ""})
    record = captured.record()
    assert (record.success, record.error_type, record.error_message) == (False, None, None)


def test_an_exception_is_a_result(captured: Captured) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    captured.store(result=TimeoutError())
    captured.store(result=ValueError("bad"))
    captured.store(result=MuteError())
    assert [(one["error_message"], one["error_type"]) for one in captured.payloads()] == [
        ("TimeoutError", "timeout"),
        ("ValueError: bad", "unknown"),
        ("MuteError", "unknown"),
    ]
    assert not any(one["success"] for one in captured.payloads())


def test_a_text_of_32_kb_is_kept_whole_and_a_longer_one_says_so(captured: Captured) -> None:
    issue = "ü" * 32_768
    captured.store({"prompt": issue}, {"error": issue})
    record = captured.record()
    assert (record.task_description, record.error_message) == (issue, issue)
    assert captured.capture.counts() == {"kept": 1}


def test_what_is_cut_is_noted_in_metadata_and_counted(captured: Captured) -> None:
    long = "p" * (LONGEST_TEXT + 1)
    captured.store({"prompt": long}, {"error": long, "solution_summary": long})
    captured.capture.store_records([{"task_description": long, "metadata": {"own": 1}}])
    first, second = captured.payloads()
    notes = {f"{name}_characters": len(long) for name in LONG_TEXTS}
    assert {name: first[name] for name in LONG_TEXTS} == dict.fromkeys(LONG_TEXTS, long[:-1])
    assert notes.items() <= first["metadata"].items()
    assert second["task_description"] == long[:-1]
    assert second["metadata"] == {"own": 1, "task_description_characters": len(long)}
    assert captured.capture.counts() == {
        "kept": 2,
        "cut task_description": 2,
        "cut error_message": 1,
        "cut solution_summary": 1,
    }


def test_metadata_of_which_a_part_is_left_out_says_so(captured: Captured) -> None:
    captured.store({"metadata": {"many": [object(), *range(2_000)]}})
    metadata = captured.payloads()[0]["metadata"]
    assert len(metadata["many"]) == 1_000
    assert metadata["metadata_cut"] == ["items"]
    assert captured.capture.counts()["cut metadata"] == 1


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START.timestamp(), END.timestamp()),
        (START.isoformat(), END.isoformat()),
        (START.astimezone(timezone(timedelta(hours=9))), END),
        (int(START.timestamp()), END),
        (START.timestamp() * 1_000, int(END.timestamp() * 1_000)),
        (int(START.timestamp()) * 10**9, int(END.timestamp() * 10) * 10**8),
        (str(int(START.timestamp())), str(END.timestamp())),
    ],
)
def test_times_may_be_aware_texts_or_epochs(captured: Captured, start: Any, end: Any) -> None:
    captured.store(start=start, end=end)
    record = captured.record()
    assert record.timestamp == START
    assert record.duration_seconds == 2.5


OF_NO_ZONE = START.astimezone(timezone(timedelta(hours=16)))
BEFORE_YEAR_1 = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize("start", [12_345.6, 5e11, OF_NO_ZONE, BEFORE_YEAR_1])
def test_what_is_no_moment_is_a_dead_letter(captured: Captured, start: Any) -> None:
    assert not captured.store(start=start)
    assert captured.dead_letter()["reason"].startswith("timestamp: ")
    assert captured.capture.counts() == {"invalid": 1}


def test_words_and_null_marks_mean_what_they_mean_in_files(captured: Captured) -> None:
    marks = {"file_count": "N/A", "swarm_topology": "None", "actual_cost": "NaN"}
    assert captured.store(result={"success": "OK", **marks})
    assert captured.store(result={"success": "failed"})
    first, second = captured.payloads()
    assert (first["success"], second["success"]) == (True, False)
    assert not set(marks) & set(first)


def test_naive_times_are_utc_when_the_caller_says_so(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", naive_times="utc")
    captured.store(start=START.replace(tzinfo=None), end=END.replace(tzinfo=None))
    assert captured.record().timestamp == START
    assert captured.record().duration_seconds == 2.5


def test_an_end_before_the_start_leaves_the_duration_unknown(captured: Captured) -> None:
    assert captured.store(start=END, end=START)
    assert captured.record().duration_seconds is None
    assert captured.capture.counts() == {"kept": 1, "end_before_start": 1}


def test_numbers_that_are_no_measurements_are_unknown(captured: Captured) -> None:
    result = {"actual_cost": float("nan"), "peak_memory_mb": float("inf"), "quality_score": 90}
    assert captured.store(result=result)
    record = captured.record()
    assert (record.actual_cost, record.peak_memory_mb) == (None, None)
    assert record.quality_score == 90
    assert captured.capture.counts() == {"kept": 1, "not_finite": 2}


def test_values_that_mean_the_same_are_taken(captured: Captured) -> None:
    tier = enum.Enum("Tier", {"SMALL": "small"})
    captured.store({"model_tier": tier.SMALL}, {"quality_score": 85.0, "cost": Decimal("0.25")})
    record = captured.record()
    assert (record.model_tier, record.quality_score, record.actual_cost) == ("small", 85, 0.25)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task_id", ["task-17"]),
        ("file_count", "three"),
        ("file_count", 2**63),
        ("file_count", True),
        ("success", "maybe"),
        ("quality_score", 85.5),
        ("actual_cost", "0.1"),
        ("repo", ["a"]),
        ("repo", "a lone surrogate: \ud800"),
        ("embedding", [0.1, 0.2]),
    ],
)
def test_a_value_of_a_wrong_type_is_a_dead_letter_with_the_original(
    captured: Captured, field: str, value: Any
) -> None:
    assert not captured.store(result={**RESULT, field: value})
    letter = captured.dead_letter()
    assert letter["kind"] == "execution"
    assert letter["reason"].startswith(f"{field}")
    assert letter["payload"]["task_description"] == "mend it"
    assert field in letter["payload"]
    assert captured.capture.counts() == {"invalid": 1}


def test_a_property_that_raises_is_a_dead_letter_that_says_so(captured: Captured) -> None:
    class Broken:
        @property
        def quality_score(self) -> int:
            raise RuntimeError("no score")

    assert not captured.store(result=Broken())
    assert captured.dead_letter()["payload"]["quality_score"] == "<unreadable: RuntimeError>"


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, MemoryError])
def test_even_what_is_no_exception_is_swallowed_and_counted(
    captured: Captured, error: type[BaseException]
) -> None:
    class Broken(dict[str, Any]):
        def get(self, *_: object) -> Any:
            raise error

    assert not captured.store(result=Broken())
    assert sum(captured.capture.counts().values()) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_who_stops_the_program_is_not_held_up(
    captured: Captured, error: type[BaseException]
) -> None:
    class Stopping:
        @property
        def repo(self) -> str:
            raise error

    with pytest.raises(error):
        captured.store(result=Stopping())


def test_metadata_that_is_no_json_is_kept_as_text(captured: Captured) -> None:
    cyclic: dict[str, Any] = {"when": START, "who": {1}, "nan": float("nan")}
    cyclic["self"] = cyclic
    cyclic["bad"] = "\ud800"
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    assert captured.store(result={"metadata": {**cyclic, "deep": deep, 5: object()}})
    metadata = captured.record().metadata
    assert metadata is not None
    assert metadata["when"] == START.isoformat()
    assert metadata["who"] == [1]
    assert metadata["bad"] == "\\ud800"
    assert metadata["5"].startswith("<object object at")


def test_what_is_too_large_is_a_dead_letter_cut(captured: Captured) -> None:
    assert not captured.store(result={"repo": "s" * (LONGEST_PAYLOAD + 1)})
    letter = captured.dead_letter()
    assert "characters" in letter["reason"]
    assert letter["payload"]["task_description"] == "mend it"
    assert len(letter["payload"]["repo"]) < 2_000
    assert captured.capture.counts() == {"too_large": 1}


def test_what_the_outbox_refuses_is_counted_by_its_reason(captured: Captured) -> None:
    captured.outbox.close()
    assert not captured.store()
    assert not captured.store(result={"success": "yes"})
    assert captured.capture.counts() == {"refused closed": 2}


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Ll"]))
    | st.binary()
    | st.uuids()
    | st.datetimes(timezones=st.none() | st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        *ExecutionRecord.model_fields,
        "id",
        "model",
        "type",
        "prompt",
        "status",
        "error",
        "duration",
        "cost",
        "tokens",
    ]
)
sources = st.dictionaries(names, json_like, max_size=6) | json_like
objects = st.dictionaries(names, json_like, max_size=6).map(lambda own: SimpleNamespace(**own))


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(task=sources | objects, result=sources | objects, start=json_like, end=json_like)
def test_anything_is_kept_or_a_dead_letter_or_counted(
    captured: Captured, task: Any, result: Any, start: Any, end: Any
) -> None:
    before = captured.capture.counts()
    kept = captured.store(task, result, start, end)
    after = captured.capture.counts()
    ends = {"kept", "invalid", "too_large"}
    changed = {name for name in after if after[name] != before.get(name, 0)} & ends
    assert changed == {"kept"} if kept else len(changed) == 1
    assert not any(name.startswith(("failed", "refused")) for name in after)


def test_all_that_hypothesis_kept_can_be_read_again(captured: Captured) -> None:
    @settings(deadline=None, max_examples=100)
    @given(task=sources, result=sources)
    def store(task: Any, result: Any) -> None:
        captured.store(task, result)

    store()
    counts = captured.capture.counts()
    assert (
        len([ExecutionRecord.model_validate(one) for one in captured.payloads()]) == counts["kept"]
    )
    assert len(captured.payloads("dead_letter")) == counts.get("invalid", 0)


def test_a_decision_keeps_its_candidates_policy_and_propensity(captured: Captured) -> None:
    task_id = uuid.uuid4()
    decision = {
        "model_tier": "small",
        "pool_type": "local",
        "routing_confidence": 0.8,
        "candidates": [{"model_tier": "small"}, {"model_tier": "large"}],
        "policy": "epsilon_greedy",
        "propensity": 0.95,
    }
    assert captured.capture.capture_routing_decision(task_id, TASK, decision)
    assert captured.capture.capture_execution_outcome(
        str(task_id), {"success": True, "model_tier": "large"}, START, END, pool_id="pool-2"
    )
    record = correlate(captured.payloads("routing")[0], captured.payloads("outcome")[0])
    assert record.task_id == task_id
    assert record.task_description == "mend it"
    assert (record.model_tier, record.routing_confidence, record.success) == ("large", 0.8, True)
    assert (record.timestamp, record.duration_seconds) == (START, 2.5)
    assert record.metadata == {
        "pool_id": "pool-2",
        "routing": {
            "candidates": [{"model_tier": "small"}, {"model_tier": "large"}],
            "policy": "epsilon_greedy",
            "propensity": 0.95,
            "chosen": {"model_tier": "small", "pool_type": "local"},
        },
    }


def test_a_decision_is_dated_by_the_clock(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", now=lambda: START)
    captured.capture.capture_routing_decision(uuid.uuid4(), TASK, {})
    assert correlate(captured.payloads("routing")[0], None).timestamp == START


@pytest.mark.parametrize("propensity", [0, 1.5, -0.1, "high", True])
def test_a_propensity_that_is_no_probability_is_a_dead_letter(
    captured: Captured, propensity: Any
) -> None:
    assert not captured.capture.capture_routing_decision(
        uuid.uuid4(), TASK, {"propensity": propensity}
    )
    letter = captured.dead_letter()
    assert letter["kind"] == "routing"
    assert "propensity" in letter["reason"]
    assert letter["payload"]["metadata"]["routing"]["propensity"] == propensity


CANDIDATES = [{"plan": "small", "propensity": 0.7}, {"plan": "small>large", "propensity": 0.3}]


def test_a_decision_takes_what_is_known_of_its_routing(captured: Captured) -> None:
    first = uuid.uuid4()
    routing = {
        "candidates": CANDIDATES,
        "plan": "small>large",
        "propensity": 0.3,
        "policy": "drawn",
        "attempt": 2,
        "first_task_id": first,
    }
    decision = {"model_tier": "large", "policy": "another"}
    assert captured.capture.capture_routing_decision(uuid.uuid4(), TASK, decision, routing)
    kept = captured.payloads("routing")[0]["metadata"]["routing"]
    assert kept == routing | {"first_task_id": str(first), "chosen": {"model_tier": "large"}}


@pytest.mark.parametrize(
    ("routing", "reason"),
    [
        ({}, "each plan"),
        ({"candidates": [{"plan": "small"}]}, "no propensity"),
        ({"candidates": [{"plan": "small", "propensity": True}]}, "no propensity"),
        ({"candidates": CANDIDATES[:1], "plan": "small"}, "sum to 0.7"),
        ({"candidates": CANDIDATES, "plan": "large"}, "'large' was chosen"),
        ({"candidates": CANDIDATES}, "'large' was chosen"),
    ],
)
def test_only_a_strict_capture_refuses_wrong_chances(
    captured: Captured, tmp_path: Path, routing: dict[str, Any], reason: str
) -> None:
    arguments = (uuid.uuid4(), TASK, {"model_tier": "large"}, routing)
    strict = Captured(tmp_path / "strict", strict=True)
    with pytest.raises(ExecutionRefusedError, match=reason):
        strict.capture.capture_routing_decision(*arguments)
    assert strict.payloads("routing") == []
    assert captured.capture.capture_routing_decision(*arguments)


def test_a_half_without_a_usable_task_id_is_a_dead_letter(captured: Captured) -> None:
    assert not captured.capture.capture_execution_outcome(None, RESULT)
    assert not captured.capture.capture_routing_decision(["x"], TASK, {})
    kinds = [letter["kind"] for letter in captured.payloads("dead_letter")]
    assert kinds == ["outcome", "routing"]


def test_threads_are_counted_exactly(captured: Captured) -> None:
    threads = [
        threading.Thread(target=lambda: [captured.store() for _ in range(100)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert captured.capture.counts() == {"kept": 400}
    assert len(captured.payloads()) == 400


def test_a_forked_child_records_beside_its_parent(captured: Captured) -> None:
    captured.store()

    def record() -> None:
        thread = threading.Thread(target=captured.store)  # another thread than the lock's
        thread.start()
        thread.join()
        assert captured.capture.counts() == {"kept": 2}

    with captured.capture._keeper._lock, forked(record):
        pass
    captured.store()
    assert len(captured.payloads()) == 3
