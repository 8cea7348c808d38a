"""Records as other orchestrators write them: ids, times, secrets, and what is said of refusals."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_telemetry import END, RESULT, START, TASK, Captured

from orb_learning.capture import redaction
from orb_learning.capture.mapping import READ_OF_RESULT, READ_OF_TASK
from orb_learning.capture.redaction import redact_secrets
from orb_learning.capture.routing import ROUTING_NAMES
from orb_learning.capture.shapes import Decision, Result, Task
from orb_learning.capture.unread import LONGEST_NAME, MOST_NAMES, OTHERS, UnreadKeys
from orb_learning.capture.warnings import Warnings
from orb_learning.errors import ExecutionRefusedError
from orb_learning.record import task_uuid

NAIVE = datetime.fromisoformat("2026-04-01T19:00:00")


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[Captured]:
    captured = Captured(tmp_path / "outbox", id_scope="mine")
    yield captured
    captured.outbox.close()


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_any_id_is_kept_beside_its_uuid(captured: Captured) -> None:
    assert captured.store({**TASK, "task_id": "task-7"})
    assert captured.store({**TASK, "id": 7})
    assert captured.capture.store_records([{"task_id": "7", "success": True}]) == 1
    first, second, third = captured.payloads()
    assert first["task_id"] == str(task_uuid("task-7", "mine"))
    assert first["metadata"]["external_id"] == "task-7"
    assert second["task_id"] == third["task_id"] == str(task_uuid(7, "mine"))
    assert second["metadata"]["external_id"] == "7"


def test_a_decision_and_its_outcome_have_one_id(captured: Captured) -> None:
    assert captured.capture.capture_routing_decision("task-7", TASK, {})
    assert captured.capture.capture_execution_outcome("task-7", RESULT, START, END)
    ids = [captured.payloads(kind)[0]["task_id"] for kind in ("routing", "outcome")]
    assert ids == [str(task_uuid("task-7", "mine"))] * 2


@pytest.mark.usefixtures("tokyo")
def test_a_naive_time_is_the_local_zones_and_warned_of_once(
    captured: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        captured.store(start=NAIVE, end=NAIVE + timedelta(seconds=1))
    captured.capture.store_records([{"timestamp": "2026-04-01T19:00:00", "success": True}])
    assert [one["timestamp"] for one in captured.payloads()] == ["2026-04-01T10:00:00Z"] * 3
    assert captured.capture.counts() == {"kept": 3, "naive_time": 5}
    assert len([one for one in caplog.records if "zone" in one.getMessage()]) == 1


def test_a_naive_time_is_refused_where_a_setting_says_so(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", naive_times="refuse")
    assert not captured.store(start=NAIVE)
    assert captured.dead_letter()["reason"].startswith("timestamp: ")


def test_a_strict_capture_raises_what_it_would_swallow(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", strict=True)
    assert captured.store()
    with pytest.raises(ExecutionRefusedError, match="quality_score"):
        captured.store(result={"quality_score": "good"})
    with pytest.raises(ExecutionRefusedError, match="timestamp"):
        captured.capture.store_records([{"timestamp": "tomorrow"}])
    captured.outbox.close()
    with pytest.raises(ExecutionRefusedError, match="outbox"):
        captured.store()


def test_refusals_are_warned_of_once_a_minute_and_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = [0.0]
    warnings = Warnings(lambda: clock[0])
    for second in range(90):
        clock[0] = second
        warnings.tried()
        warnings.refused("no success")
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "1 of 1 records refused: no success",
        "61 of 61 records refused: no success",
    ]
    warnings.close()
    warnings.close()
    assert caplog.records[-1].getMessage() == "90 of 90 records refused: no success"
    assert len(caplog.records) == 3


def test_a_capture_warns_of_what_it_refuses(
    captured: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(12):
        captured.store(result={"quality_score": "good"})
    captured.store()
    with caplog.at_level(logging.WARNING):
        captured.capture.close()
    assert caplog.records[-1].getMessage().startswith("12 of 13 records refused: quality_score: ")


def test_keys_that_are_not_read_are_counted_and_warned_of_once(
    captured: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        captured.store({"prompt": "mend it", "seed": 1}, {"success": True, "actual_cots": 1})
    captured.capture.capture_routing_decision("a", {"cost": 1}, {"polcy": "p"}, {"plam": "x"})
    captured.capture.capture_execution_outcome("a", {"output": "done", "success": True})
    with captured.capture.execution({"id": 1}) as run:
        run.result = MappingProxyType({"ok": True, "exit_code": 0})
    assert captured.capture.unread_keys() == {
        "seed": 2,
        "actual_cots": 2,
        "polcy": 1,
        "plam": 1,
        "cost": 1,
        "output": 1,
        "exit_code": 1,
    }
    assert captured.capture.counts()["kept"] == 5
    first, *others = [record.getMessage() for record in caplog.records]
    assert first == (
        "keys that are not read: actual_cots (is it actual_cost?); "
        "docs/recording.md has those that are, and metadata keeps any"
    )
    assert len(others) == 3


def test_of_a_tasks_own_keys_only_one_that_looks_misspelt_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unread = UnreadKeys()
    for _ in range(3):
        unread.of_execution({"seed": 1, "task_typo": "fix"}, None)
    unread.of_execution(None, {"seed": 1})
    said = [record.getMessage().partition(";")[0] for record in caplog.records]
    assert said == [
        "keys that are not read: task_typo (is it task_type?)",
        "keys that are not read: seed",
    ]
    assert unread.counts() == {"seed": 4, "task_typo": 3}


def test_keys_that_are_not_read_are_data(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    captured = Captured(tmp_path / "outbox", redact=lambda text: text.replace("SECRET", "*"))
    keys = ["\x1b[2J", "k" * 1_000, ("a", 1), "", "SECRET", *(f"key {n}" for n in range(200))]
    assert captured.store(dict.fromkeys(keys, 1))
    assert not [one for one in caplog.text if not one.isprintable() and one != "\n"]
    assert "SECRET" not in caplog.text
    counts = captured.capture.unread_keys()
    assert len(counts) == MOST_NAMES + 1
    assert max(map(len, counts)) == LONGEST_NAME + 1
    assert sum(counts.values()) == len(keys) + 1  # one of the result
    assert counts[OTHERS] > 1


def test_keys_of_a_mapping_that_raises_lose_no_record(captured: Captured) -> None:
    class Broken(dict[str, Any]):
        def __iter__(self) -> Iterator[str]:
            raise RuntimeError

    assert captured.store(Broken(prompt="mend it", seed=1), RESULT)


def test_a_strict_capture_takes_keys_that_are_not_read(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", strict=True)
    assert captured.store({**TASK, "seed": 1})


def test_a_share_in_place_of_a_score_says_what_to_give(captured: Captured) -> None:
    captured.store(result={"success": True, "quality_score": 0.9})
    assert captured.dead_letter()["reason"].endswith(
        "(a whole number from zero to a hundred; give a share times a hundred)"
    )


SECRETS = {
    "mail": "write to jane.doe@example.org now",
    "key": "use sk-abcdefghijklmnopqrstuv now",
    "github": "ghp_abcdefghijklmnopqrstuvwxyz012345",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "header": "Authorization: Bearer abc.def.ghi-jkl-mno",
    "assigned": 'password = "hunter2 and more"',
    "url": "postgres://jane:pass@host/db",
    "jwt": "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4",
    "after another": "sk-abcdefghijklmnopqrstuv.jane@example.org",
    "private": "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_of_known_forms_are_redacted(kind: str) -> None:
    redacted = redact_secrets(SECRETS[kind])
    assert "[redacted]" in redacted
    for word in ("jane", "abcdefgh", "IOSFODNN", "def.ghi", "hunter2", "eyJz", "abc\n"):
        assert word not in redacted


@pytest.mark.parametrize(
    "part", ["a.", "a-", "%+", "eyJaaaaaaaaa-", "eyJaaaaaaaa.", "://a:b", "a@b-"]
)
def test_the_time_of_redaction_grows_with_a_text_not_its_square(part: str) -> None:
    """A square of this length would be a minute."""
    began = time.process_time()
    redact_secrets(part * (300_000 // len(part)))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("text", ["mend the token bucket", "task-7 of risk-management", "a@b", ""])
def test_plain_words_are_not_redacted(text: str) -> None:
    assert redact_secrets(text) == text


PIECES = st.sampled_from(
    [
        "sk-", "pk_", "ghp_", "hf_", "xoxb-", "npm_", "AKIA", "AIza", "eyJ", "://", "@", ":", ".",
        "Bearer ", "BASIC ", "api_key", "To\u212aen", "secret", "password", "=", ": ", "\"", "'",
        " ", "abcdefghijklmnopqrst", "ABCDEFGHIJ123456", "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----", "\u0131", "\u017fecret", "ü", "x", "\n",
    ]
)  # fmt: skip


@settings(max_examples=1_500, deadline=None)
@given(pieces=st.lists(PIECES, max_size=12), after=st.integers(0, 100))
def test_hints_leave_out_no_secret(pieces: list[str], after: int) -> None:
    whole = re.compile("|".join(secret.pattern for secret in redaction.SECRETS))
    text = "".join(pieces) + " " * after
    assert redact_secrets(text) == whole.sub("[redacted]", text)


def test_no_text_of_a_record_is_written_before_it_is_redacted(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", redact=lambda text: text.replace("SECRET", "*"))

    class Holder:
        def __repr__(self) -> str:
            return "SECRET"

    task = {"prompt": "p" * 497 + "SECRET", "metadata": {"SECRET": [Holder(), "SECRET"]}}
    captured.store(task, {"error": ValueError("SECRET"), "solution_summary": "SECRET"})
    captured.store(task, {"success": "SECRET", "file_count": Holder()})
    captured.capture.capture_routing_decision(uuid.uuid4(), task, {"candidates": ["SECRET"]})
    captured.capture.store_records([{"repo": "SECRET"}, {"repo": Holder(), "metadata": "SECRET"}])
    captured.capture.store_records([Holder()])  # type: ignore[list-item]
    for task_id in ("SECRET-7", ["SECRET"], Holder(), "SECRET" * 200_000):
        captured.store({"id": task_id, "prompt": "mend it", "task_id": task_id}, RESULT)
        captured.capture.capture_execution_outcome(task_id, RESULT)
        captured.capture.store_records([{"task_id": task_id, "embedding": ["SECRET"]}])
    captured.store({**TASK, "embedding": ["SECRET"], "task_id": "SECRET-8"}, RESULT, "SECRET")
    captured.capture.store_records([{"timestamp": "SECRET", "task_id": "SECRET-9"}])
    captured.outbox.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "outbox").iterdir())
    assert b"SECRE" not in written
    assert captured.payloads()[0]["task_description"] == "p" * 497 + "*"
    counts = captured.capture.counts()
    assert counts["kept"] == 3 + 2 * 2  # ids of two texts, as an execution and as an outcome
    assert counts["redacted"] > 10


def test_an_id_that_is_redacted_is_still_the_tasks_own(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", redact=redact_secrets)
    assert captured.store({**TASK, "task_id": "jane@example.org/7"})
    [kept] = captured.payloads()
    assert kept["task_id"] == str(task_uuid("jane@example.org/7"))
    assert kept["metadata"]["external_id"] == "[redacted]/7"


def test_what_cannot_be_redacted_is_not_kept(tmp_path: Path) -> None:
    def redact(text: str) -> str:
        raise RuntimeError(text)

    captured = Captured(tmp_path / "outbox", redact=redact)
    assert not captured.store()
    assert captured.capture.store_records([{"repo": "a"}]) == 0
    assert captured.capture.store_records([cast("Any", "no record, so it is a dead letter")]) == 0
    assert captured.capture.counts() == {"failed RedactionError": 3, "kept": 0}
    assert not captured.payloads("dead_letter")


def test_what_is_lost_before_the_outbox_is_told_to_status(tmp_path: Path) -> None:
    captured = Captured(tmp_path / "outbox", redact=lambda _: 1 / 0)
    assert not captured.store()
    lost = {"reason": "failed RedactionError", "count": 1}
    assert captured.payloads("refused") == [lost]
    captured.outbox.close()
    assert not captured.store()  # nothing takes it now; it comes with the next
    captured.outbox.open()
    assert not captured.store()
    assert captured.payloads("refused") == [lost, lost | {"count": 2}]


def test_the_types_name_what_is_read() -> None:
    read = set(Task.__annotations__) | set(Result.__annotations__)
    assert read == READ_OF_TASK | READ_OF_RESULT
    assert set(Decision.__annotations__) - read == set(ROUTING_NAMES)


def test_values_of_other_mappings_are_read(captured: Captured) -> None:
    task: Task = {"id": 1, "prompt": "mend it", "model": "claude-opus-4.5"}
    result: Result = {"success": True, "cost": 0.25}
    assert captured.store(task, result)
    payload: dict[str, Any] = captured.payloads()[0]
    assert payload["metadata"]["model"] == "claude-opus-4.5"
    assert datetime.fromisoformat(payload["timestamp"]).tzinfo is UTC or payload["timestamp"]
