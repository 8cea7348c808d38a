"""Values of kinds that no JSON has: kept as what they mean, else named, and never raising."""

from __future__ import annotations

import enum
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from test_telemetry import TASK, Captured

from orb_learning.capture.warnings import Warnings
from orb_learning.record import task_uuid
from orb_learning.record.text_limits import LONGEST_TEXT
from orb_learning.record.vector_codec import vector_from_text

ID = uuid.UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[Captured]:
    captured = Captured(tmp_path / "outbox")
    yield captured
    captured.outbox.close()


class State(enum.StrEnum):
    DONE = "done"


class Raising(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")

    __iter__ = keys = items


@pytest.mark.parametrize(
    "embedding",
    [np.full(384, 0.5), np.full(384, 0.5, np.float32), (0.5,) * 384, [np.float32(0.5)] * 384],
)
@pytest.mark.parametrize("redact", [None, str])
def test_a_vector_is_taken_as_its_model_gives_it(
    tmp_path: Path, embedding: Any, redact: Callable[[str], str] | None
) -> None:
    captured = Captured(tmp_path / "outbox", redact=redact)
    assert captured.store({**TASK, "embedding": embedding})
    assert captured.capture.store_records([{"success": True, "embedding": embedding}])
    for payload in captured.payloads():
        assert vector_from_text(payload["embedding"]) == [0.5] * 384


def test_an_array_that_is_no_vector_is_refused_in_few_words(captured: Captured) -> None:
    assert not captured.store({**TASK, "embedding": np.full(384, np.nan)})
    assert not captured.store({**TASK, "embedding": np.zeros((2, 192))})
    for letter in captured.payloads("dead_letter"):
        assert letter["reason"].startswith("embedding")
        assert len(letter["reason"]) < 600


def test_metadata_says_what_its_values_mean(captured: Captured) -> None:
    metadata = {
        "path": PurePosixPath("/a/b"),
        "uuid": ID,
        "day": date(2026, 4, 1),
        "cost": Decimal("1.5"),
        "state": [State.DONE, enum.Enum("Color", {"RED": "red"}).RED],
        "score": np.float32(0.5),
        "scores": np.array([[1, 2], [3, 4]]),
        "bad": Raising(a=1),
    }
    assert captured.store(result={"metadata": metadata})
    assert captured.payloads()[0]["metadata"] == {
        "path": "/a/b",
        "uuid": str(ID),
        "day": "2026-04-01",
        "cost": 1.5,
        "state": ["done", "red"],
        "score": 0.5,
        "scores": [[1, 2], [3, 4]],
        "bad": "<unreadable: RuntimeError>",
        "pool_id": "pool-1",
    }
    assert captured.store(result={"metadata": {"many": np.zeros(10_000)}})
    assert captured.payloads()[1]["metadata"]["metadata_cut"] == ["items"]


def test_a_mapping_that_raises_is_named_and_its_record_kept(captured: Captured) -> None:
    assert captured.store(result={"metadata": Raising(a=1)})
    assert captured.payloads()[0]["metadata"]["metadata"] == "<unreadable: RuntimeError>"
    assert not captured.store(result={"repo": Raising(a=1)})
    assert captured.dead_letter()["payload"]["repo"] == "<unreadable: RuntimeError>"


def test_a_path_in_an_error_may_hold_a_byte_that_is_no_text(captured: Captured) -> None:
    assert captured.store(result=FileNotFoundError("a\udcff"))
    assert captured.payloads()[0]["error_message"] == "FileNotFoundError: a\\udcff"


@pytest.mark.parametrize("given", [7.0, np.float64(7), Decimal(7)])
def test_a_whole_number_is_an_id_however_it_is_written(captured: Captured, given: Any) -> None:
    assert captured.store({"prompt": "mend it", "id": given})
    assert captured.payloads()[0]["task_id"] == str(task_uuid(7))


def test_a_fraction_is_no_id(captured: Captured) -> None:
    assert not captured.store({"prompt": "mend it", "id": 7.5})
    assert captured.dead_letter()["reason"].startswith("task_id: ")


@pytest.mark.parametrize("given", [float("nan"), b"task-7", ("task", 7), object()])
def test_an_id_of_another_kind_is_counted_and_warned_of_once(
    captured: Captured, given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert captured.store({"prompt": "mend it", "id": given})
    assert captured.capture.counts() == {"kept": 2, "no_id": 2}
    first, second = captured.payloads()
    assert first["task_id"] != second["task_id"]
    assert len([one for one in caplog.records if "new UUID" in one.getMessage()]) == 1


def test_an_empty_id_is_called_empty(captured: Captured) -> None:
    assert not captured.store({**TASK, "task_id": " "})
    assert captured.dead_letter()["reason"].endswith("not an empty text")


def test_a_status_with_spaces_around_it_is_the_same(captured: Captured) -> None:
    assert captured.store(result={"status": " Failed "})
    assert captured.payloads()[0]["success"] is False


def test_a_key_of_the_other_is_told_so(
    captured: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    captured.store({**TASK, "passed": True}, {"success": True, "prompt": "mend it"})
    (said,) = [one.getMessage() for one in caplog.records]
    assert "passed (it is read of a result), prompt (it is read of a task)" in said


def test_refusals_that_differ_in_a_number_are_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    warnings = Warnings(lambda: 0.0)
    for number in range(60):
        warnings.tried()
        warnings.refused(f"the record has {number} characters")
    warnings.close()
    assert [one.getMessage() for one in caplog.records] == [
        "1 of 1 records refused: the record has 0 characters",
        "60 of 60 records refused: the record has 59 characters",
    ]


def test_a_secret_at_the_cut_of_a_text_is_redacted_first(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", redact=lambda text: text.replace("hunter2", "***"))
    text = f"{'x' * (LONGEST_TEXT - 3)}hunter2 is the password"
    assert captured.store({**TASK, "task_description": text})
    assert captured.capture.store_records([{"success": True, "task_description": text}])
    for payload in captured.payloads():
        assert "hun" not in payload["task_description"]
        assert len(payload["task_description"]) == LONGEST_TEXT
