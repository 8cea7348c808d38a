"""What happens inside ``execution(…)`` is recorded, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_telemetry import START, TASK, Captured

from orb_learning.capture import success_of


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[Captured]:
    clock = iter(START + timedelta(seconds=number) for number in range(100))
    captured = Captured(tmp_path / "outbox", now=lambda: next(clock))
    yield captured
    captured.outbox.close()


def only(captured: Captured) -> dict[str, Any]:
    (payload,) = captured.payloads()
    return payload


def test_a_block_that_ends_is_a_success_with_its_times(captured: Captured) -> None:
    async def work() -> None:
        async with captured.capture.execution(TASK, pool="pool-1") as run:
            run.result = {"cost": 0.5}
        assert run.kept

    asyncio.run(work())
    record = captured.record()
    assert (record.timestamp, record.duration_seconds) == (START, 1.0)
    assert (record.success, record.actual_cost) == (True, 0.5)
    assert record.metadata == {"pool_id": "pool-1"}


def test_a_clock_that_raises_is_replaced_by_the_systems(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> datetime:
        raise OSError("no clock")

    captured = Captured(tmp_path / "outbox", now=broken)
    before = datetime.now(UTC)
    with captured.capture.execution(TASK) as run:
        pass
    captured.capture.capture_routing_decision("task-7", TASK, {"model_tier": "small"})
    captured.outbox.close()
    assert run.kept
    assert before <= captured.record().timestamp <= datetime.now(UTC)
    assert captured.capture.counts() == {"kept": 2, "clock_failed": 3}
    assert caplog.messages == ["the clock raised OSError; the system's time is taken"]


def test_the_result_says_whether_it_failed(captured: Captured) -> None:
    with captured.capture.execution(TASK) as run:
        run.result = {"status": "failed"}
    assert only(captured)["success"] is False


def test_a_run_that_is_entered_again_has_no_result_yet(captured: Captured) -> None:
    run = captured.capture.execution(TASK)
    with run:
        run.result = {"status": "failed", "cost": 0.5}
    with run:
        assert (run.result, run.kept) == (None, None)
    first, second = captured.payloads()
    assert (first["success"], second["success"]) == (False, True)
    assert "actual_cost" not in second


def test_an_exception_is_recorded_and_goes_on(captured: Captured) -> None:
    def work() -> None:
        with captured.capture.execution(TASK) as run:
            run.result = {"success": True, "cost": 0.5}
            raise KeyError("a")

    with pytest.raises(KeyError):
        work()
    payload = only(captured)
    assert (payload["success"], payload["error_message"]) == (False, "KeyError: 'a'")
    assert payload["actual_cost"] == 0.5


def test_a_timeout_and_a_cancellation_are_recorded(captured: Captured) -> None:
    async def wait(limit: float) -> None:
        async with captured.capture.execution(TASK):
            async with asyncio.timeout(limit):
                await asyncio.sleep(10)

    async def cancelled() -> None:
        task = asyncio.create_task(wait(10))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with pytest.raises(TimeoutError):
        asyncio.run(wait(0.01))
    asyncio.run(cancelled())
    assert [(one["success"], one["error_type"]) for one in captured.payloads()] == [
        (False, "timeout"),
        (False, "unknown"),
    ]
    assert captured.payloads()[1]["error_message"] == "CancelledError"


def test_each_call_of_a_decorated_function_is_an_execution(captured: Captured) -> None:
    @captured.capture.execution(lambda number: {**TASK, "id": number}, pool="p")
    def work(number: int) -> dict[str, int]:
        """Work."""
        return {"quality_score": number}

    @captured.capture.execution(TASK)
    async def work_later() -> str:
        return "done"

    assert work(7) == {"quality_score": 7}
    assert asyncio.run(work_later()) == "done"
    assert work.__doc__ == "Work."
    first, second = captured.payloads()
    assert (first["metadata"]["external_id"], first["quality_score"]) == ("7", 7)
    assert second["success"] is True
    assert datetime.fromisoformat(second["timestamp"]) > datetime.fromisoformat(first["timestamp"])


@pytest.mark.parametrize(
    ("result", "success"),
    [
        ({"ok": False}, False),
        ({"ok": True}, True),
        ({"passed": 0}, False),
        ({"passed": 1.0}, True),
        ({"passed": "no"}, False),
        ({"passed": False, "ok": True}, False),
        ({"success": True, "passed": False}, True),
        ({"status": "done", "passed": False}, False),
        ({"error": True}, False),
        (False, False),
        (True, True),
        ({"error": False}, True),
        ({"error": "", "status": None}, True),
        ({"error": "None", "success": "N/A"}, True),
        ({"solution_summary": "a patch", "verdict": "bad"}, True),
        (None, True),
    ],
)
def test_the_outcome_is_what_the_result_says_else_how_the_block_ended(
    captured: Captured, result: Any, success: bool
) -> None:
    with captured.capture.execution(TASK) as run:
        run.result = result
    assert only(captured)["success"] is success
    assert success_of(result) in ({success} if success is False else {True, None})


@pytest.mark.parametrize("result", [{"status": "resolved"}, {"error_type": "crash"}])
def test_a_word_of_no_known_outcome_is_no_success(captured: Captured, result: Any) -> None:
    with captured.capture.execution(TASK) as run:
        run.result = result
    assert "success" not in only(captured)


@pytest.mark.parametrize("result", [{"passed": 12}, {"ok": [1]}, {"passed": "12 of 15"}])
def test_what_is_no_outcome_is_a_dead_letter_that_says_what_is_one(
    captured: Captured, result: Any
) -> None:
    with captured.capture.execution(TASK) as run:
        run.result = result
    assert not run.kept
    assert captured.dead_letter()["reason"].startswith("success: ")
    assert "True or False" in captured.dead_letter()["reason"]


@pytest.mark.parametrize("error", [False, "", "None", None])
def test_no_error_says_nothing_of_a_result_that_is_stored(captured: Captured, error: Any) -> None:
    captured.store(result={"error": error})
    assert not {"success", "error_message", "error_type"} & only(captured).keys()


def test_a_method_says_nothing_by_being_there(captured: Captured) -> None:
    class Reply:
        def ok(self) -> bool:
            return False

        passed = True

    captured.store(result=Reply())
    assert only(captured)["success"] is True


def test_a_timeout_around_a_block_is_a_cancellation_and_one_within_it_a_timeout(
    captured: Captured,
) -> None:
    async def around() -> None:
        async with asyncio.timeout(0.01), captured.capture.execution(TASK):
            await asyncio.sleep(10)

    async def within() -> None:
        async with captured.capture.execution(TASK), asyncio.timeout(0.01):
            await asyncio.sleep(10)

    for work in (around, within):
        with pytest.raises(TimeoutError):
            asyncio.run(work())
    assert [(one["error_message"], one["error_type"]) for one in captured.payloads()] == [
        ("CancelledError", "unknown"),
        ("TimeoutError", "timeout"),
    ]


async def fail_later() -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"success": False}


class Agent:
    async def __call__(self) -> dict[str, Any]:
        return await fail_later()


@pytest.mark.parametrize(
    "function",
    [
        fail_later,
        functools.partial(fail_later),
        Agent(),
        lambda: fail_later(),
        lambda: asyncio.ensure_future(fail_later()),
    ],
)
def test_a_call_lasts_until_what_it_returned_is_done(
    captured: Captured, function: Callable[[], Any]
) -> None:
    work = captured.capture.execution(TASK)(function)

    async def run() -> Any:
        begun = work()
        assert captured.payloads() == []
        return await begun

    assert asyncio.run(run()) == {"success": False}
    assert only(captured)["success"] is False


@pytest.mark.parametrize("ending", ["cancelled", "raised"])
def test_a_future_that_a_call_returned_is_the_callers_to_handle(
    captured: Captured, ending: str
) -> None:
    async def run() -> None:
        future = captured.capture.execution(TASK)(asyncio.get_running_loop().create_future)()
        if ending == "cancelled":
            future.cancel()
        else:
            future.set_exception(ValueError("validation"))
        with pytest.raises((asyncio.CancelledError, ValueError)):
            await future

    asyncio.run(run())
    expected = {"cancelled": ("CancelledError", "unknown")}.get(
        ending, ("ValueError: validation", "validation")
    )
    assert (only(captured)["error_message"], only(captured)["error_type"]) == expected


def test_a_generator_is_recorded_when_it_ends(captured: Captured) -> None:
    @captured.capture.execution(TASK)
    def work(says: Any) -> Any:
        said = yield 1
        try:
            yield said
        except LookupError:
            yield "caught"
        if isinstance(says, Exception):
            raise says
        return says

    assert inspect.isgeneratorfunction(work)
    steps = work({"success": False, "quality_score": 7})
    assert captured.payloads() == []
    assert (next(steps), steps.send(2), steps.throw(KeyError())) == (1, 2, "caught")
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == {"success": False, "quality_score": 7}
    with pytest.raises(ValueError, match="bad"):
        list(work(ValueError("bad")))
    with contextlib.closing(work(None)) as left:
        next(left)
    assert [
        (one["success"], one.get("quality_score"), one.get("error_message"))
        for one in captured.payloads()
    ] == [(False, 7, None), (False, None, "ValueError: bad"), (False, None, "GeneratorExit")]
    assert captured.payloads()[0]["duration_seconds"] == 1.0


def test_an_asynchronous_generator_is_recorded_when_it_ends(captured: Captured) -> None:
    @captured.capture.execution(TASK)
    async def work(ends: Exception | None) -> Any:
        said = yield 1
        try:
            yield said
        except LookupError:
            yield "caught"
        if ends is not None:
            raise ends

    async def run() -> None:
        steps = work(None)
        assert await anext(steps) == 1
        assert await steps.asend(2) == 2
        assert await steps.athrow(KeyError()) == "caught"
        assert captured.payloads() == []
        assert [item async for item in steps] == []
        with pytest.raises(ValueError, match="bad"):
            async for _ in work(ValueError("bad")):
                pass
        async with contextlib.aclosing(work(None)) as left:
            await anext(left)

    assert inspect.isasyncgenfunction(work)
    asyncio.run(run())
    assert [(one["success"], one.get("error_message")) for one in captured.payloads()] == [
        (True, None),
        (False, "ValueError: bad"),
        (False, "GeneratorExit"),
    ]


def test_a_task_that_cannot_be_told_of_a_call_is_a_dead_letter(captured: Captured) -> None:
    @captured.capture.execution(lambda task: task["prompt"])
    def work(task: dict[str, str]) -> int:
        return len(task)

    assert work({}) == 0
    assert captured.dead_letter()["reason"].startswith("task_id: ")
    assert captured.dead_letter()["payload"]["task_description"] == "<unreadable: KeyError>"


def test_a_result_that_cannot_be_looked_at_is_returned(captured: Captured) -> None:
    class Proxy:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    proxy = Proxy()
    assert captured.capture.execution(TASK)(lambda: proxy)() is proxy
