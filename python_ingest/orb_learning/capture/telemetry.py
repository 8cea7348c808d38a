"""What the orchestrator's pools call: each call keeps one record, and none ever fails.

A call maps what it is given to an ExecutionRecord and commits it to the outbox, in this thread,
before it returns True. What is no record is kept as a dead letter with its reason; what could not
be kept at all is counted. DuckDB is never touched.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orb_learning.capture.coercion import parse_timestamp
from orb_learning.capture.keeper import NOT_TAKEN, Keeper
from orb_learning.capture.mapping import NO_ID, ended_result, map_execution
from orb_learning.capture.redaction import RedactionError, Redactor
from orb_learning.capture.routing import check_routing, map_routing
from orb_learning.capture.run import ExecutionRun
from orb_learning.capture.shapes import Decision, Result, Task, TaskId, Time
from orb_learning.capture.times import NaiveTimes, never_failing, with_zones
from orb_learning.capture.unread import UnreadKeys
from orb_learning.errors import ExecutionRefusedError
from orb_learning.outbox import Kind, Outbox
from orb_learning.record import ExecutionRecord, record_json


class TelemetryCapture:
    """Records executions; threads may share one, and a fork may inherit it.

    Args:
        outbox: where the records go.
        enabled: whether to record at all.
        naive_times: what a time without a zone is in: local, the machine's zone; utc; or refuse.
        id_scope: keeps ids that are no UUIDs apart from another orchestrator's.
        redact: returns a text without what must not be kept; ``redact_secrets`` is one. It is
            called with every text before it is written anywhere.
        strict: whether to raise what is swallowed otherwise; for tests.
        now: the clock; the system's is read where it raises.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        enabled: bool = True,
        naive_times: NaiveTimes = "local",
        id_scope: str = "",
        redact: Callable[[str], str] | None = None,
        strict: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._outbox = outbox
        self._enabled = enabled
        self._with_zone = with_zones(naive_times, self._count_naive)
        self._id_scope = id_scope
        redacted = functools.partial(self._count, "redacted")
        self._redactor = Redactor(redact, redacted) if redact else None
        self._keeper = Keeper(outbox, id_scope, self._redactor, strict=strict)
        self._unread = UnreadKeys(self._redactor)
        self._now = never_failing(now, self._count_failed_clock)
        _captures.add(self)

    def store_execution_telemetry(
        self,
        pool_id: object,
        task: Task | object,
        result: Result | object,
        start_time: Time | None,
        end_time: Time | None,
    ) -> bool:
        """Record an execution.

        Args:
            pool_id: goes into metadata.
            task: what was asked for: a mapping, or an object with attributes.
            result: what came of it, the same, or the exception that ended it.
            start_time: a datetime, an ISO text, or seconds since 1970.
            end_time: the same.

        Returns:
            True when the record is committed. False when it is a dead letter or lost; ``counts``
            says why.

        Raises:
            ExecutionRefusedError: the same, where capturing is strict.
        """

        def values() -> dict[str, Any]:
            self._unread.of_execution(task, result)
            return self._map(task, result, start_time, end_time, {"pool_id": pool_id})

        return self._never_raising("execution", values)

    def execution(self, task: Task | object = None, *, pool: object = None) -> ExecutionRun:
        """Return a context manager and decorator that records what happens inside it.

        Args:
            task: what is asked for; for a decorator, or a function of the call's arguments.
            pool: the pool's id.
        """

        def store(
            pool: Any,
            task: Any,
            result: Any,
            start: datetime,
            end: datetime,
            *,
            error: BaseException | None,
        ) -> bool:
            def values() -> dict[str, Any]:
                self._unread.of_execution(task, result)
                ended = ended_result(result, error)
                return self._map(task, ended, start, end, {"pool_id": pool})

            return self._never_raising("execution", values)

        return ExecutionRun(store, self._now, task, pool)

    def capture_routing_decision(
        self,
        task_id: TaskId,
        task: Task | object,
        decision: Decision | object,
        routing: Mapping[str, Any] | None = None,
    ) -> bool:
        """Record what was decided about a task; its outcome may come before or after.

        The outcome is recorded once, by ``capture_execution_outcome``; what
        ``store_execution_telemetry`` records is an execution of its own, and is not correlated.

        Args:
            task_id: the task's id, by which it is correlated with its outcome.
            task: what is asked for: a mapping, or an object with attributes.
            decision: the chosen model_tier, pool_type and the like.
            routing: for learning from logs, a mapping of the ``candidates`` (each plan that could
                be drawn, with its ``propensity``), the ``plan`` drawn, the ``policy``'s name, the
                ``attempt``'s number, and on later attempts the ``first_task_id``. The decision
                may have them itself. Chances that are missing or wrong are recorded as they are,
                and count as not logged.

        Raises:
            ExecutionRefusedError: they are missing or wrong, and capturing is strict.
        """

        def values_of() -> dict[str, Any]:
            self._unread.of_decision(task, decision, routing)
            values = self._map(task, decision, self._now(), None, {}) | {"task_id": task_id}
            known = map_routing(decision, values, routing, id_scope=self._id_scope)
            if self._redactor is not None:
                known = self._redactor.anything(known)
            values["metadata"] = values.get("metadata", {}) | {"routing": known}
            return values

        return self._never_raising("routing", values_of)

    def capture_execution_outcome(
        self,
        task_id: TaskId,
        result: Result | object,
        start_time: Time | None = None,
        end_time: Time | None = None,
        *,
        pool_id: object = None,
    ) -> bool:
        """Record what came of a task, once; its routing decision may come before or after."""

        def values() -> dict[str, Any]:
            self._unread.of_execution(None, result)
            notes = {"pool_id": pool_id}
            return self._map(None, result, start_time, end_time, notes) | {"task_id": task_id}

        return self._never_raising("outcome", values)

    def store_records(self, executions: Sequence[ExecutionRecord | Mapping[str, Any]]) -> int:
        """Record executions that have the record's fields already, in one transaction.

        Returns:
            how many are committed; of the others, ``counts`` says why.
        """
        payloads = []
        for execution in executions:
            payload = self._checked(execution)
            if payload is not None:
                payloads.append(payload)
        kept = self._outbox.put_many("execution", payloads) if payloads else 0
        self._keeper.count("kept", kept)
        if kept < len(payloads):
            self._keeper.refuse(NOT_TAKEN, len(payloads))
        return kept

    def counts(self) -> dict[str, int]:
        """Return how many records were kept, and what was not, by reason.

        - ``kept``: committed records.
        - ``invalid``, ``too_large``: kept as dead letters.
        - ``refused …``: not taken by the outbox, dead letters too.
        - ``failed …``: records lost by errors that were swallowed.
        - ``clock_failed``: times that the clock did not tell, and the system's did.
        - ``disabled``: calls while capturing was switched off.
        - ``not_finite``, ``end_before_start``: values that were no measurements, and are unknown
          in a record that was kept.
        - ``cut task_description`` and the like: texts over 65,536 characters, of which the
          beginning is kept. ``metadata`` says how long each was. ``cut metadata``: parts of a
          caller's metadata that JSON has no form for, or that were too many or too deep.
        - ``no_id``: tasks whose ``id`` is of a kind that no id is; their records have a new UUID.
        - ``naive_time``: times without a zone. ``redacted``: texts that were.
        """
        return self._keeper.counts()

    def unread_keys(self) -> dict[str, int]:
        """Return how often each key of a mapping was given and not read, 50 names at most."""
        return self._unread.counts()

    def close(self) -> None:
        """Warn of what was refused since the last warning; the outbox stays open."""
        self._keeper.warnings.close()

    def _never_raising(self, kind: Kind, values: Callable[[], dict[str, Any]]) -> bool:
        """Keep a record: the one place that swallows errors, because the orchestrator goes on."""
        try:
            if self._enabled:
                self._keeper.warnings.tried()
                return self._keeper.keep(kind, values())
            self._keeper.count("disabled")
            return False
        except (KeyboardInterrupt, SystemExit):
            raise
        except ExecutionRefusedError:
            raise  # strict
        except BaseException as error:
            return self._keeper.fail(error)

    def _map(
        self, task: Any, result: Any, start_time: Any, end_time: Any, notes: dict[str, Any]
    ) -> dict[str, Any]:
        return map_execution(
            task,
            result,
            start_time,
            end_time,
            notes,
            with_zone=self._with_zone,
            count=self._count,
            redactor=self._redactor,
        )

    def _checked(self, execution: ExecutionRecord | Mapping[str, Any]) -> str | None:
        self._keeper.warnings.tried()
        values = execution
        try:
            values = dict(execution)
            for name in ("timestamp", "uploaded_at"):
                if values.get(name) is not None:
                    values[name] = parse_timestamp(values[name], self._with_zone)
            if self._redactor is not None:
                values = self._redactor.values(values)
            values = self._keeper.identified(values)
            self._keeper.note_cut_texts(values)
            check_routing(values)
            return record_json(values)
        except RedactionError as error:
            self._keeper.fail(error)
        except Exception as error:
            original = values if isinstance(values, Mapping) else execution
            self._keeper.refuse_invalid(error, "execution", original)
        return None

    def _count(self, reason: str) -> None:
        if reason == NO_ID:
            self._keeper.note(NO_ID, "an id is no UUID, text or whole number: a new UUID is made")
        else:
            self._keeper.count(reason)

    def _count_failed_clock(self, error: Exception) -> None:
        what = f"the clock raised {type(error).__name__}; the system's time is taken"
        self._keeper.note("clock_failed", what)

    def _count_naive(self) -> None:
        self._keeper.note(
            "naive_time",
            "times without a zone are taken as the local zone's; give datetime.now(UTC), or set "
            "ORB_LEARNING__NAIVE_TIMES=utc",
        )


_captures: weakref.WeakSet[TelemetryCapture] = weakref.WeakSet()


def _after_fork() -> None:
    for capture in _captures:
        capture._keeper.after_fork()
        capture._unread.after_fork()


os.register_at_fork(after_in_child=_after_fork)
