"""What the orchestrator's pools call: each call keeps one record, and none ever fails.

A call maps what it is given to an ExecutionRecord and commits it to the outbox, in this thread,
before it returns True. What is no record is kept as a dead letter with its reason; what could not
be kept at all is counted. DuckDB is never touched.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from orb_learning.capture.coercion import as_json, error_text, jsonable
from orb_learning.capture.mapping import check_routing, drop_non_finite, map_execution, map_routing
from orb_learning.outbox import Kind, Outbox
from orb_learning.record import (
    ExecutionRecord,
    cut_texts,
    describe_error,
    length_note,
    quick_json,
    record_json,
)

LONGEST_PAYLOAD = 1_000_000
"""Characters of one record's JSON; a larger one is a dead letter, cut."""
LONGEST_KEPT_VALUE = 1_000
"""Characters of a field's value in the dead letter of a record that is too large."""


class TelemetryCapture:
    """Records executions; threads may share one, and a fork may inherit it.

    Args:
        outbox: where the records go.
        enabled: whether to record at all.
        naive_is_utc: whether times without a zone are UTC; they are refused otherwise.
        now: the clock.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        enabled: bool = True,
        naive_is_utc: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._outbox = outbox
        self._enabled = enabled
        self._naive_is_utc = naive_is_utc
        self._now = now
        self._counts: Counter[str] = Counter()
        self._lock = threading.RLock()  # re-entrant: a signal handler may record, too
        _captures.add(self)

    def store_execution_telemetry(
        self, pool_id: Any, task: Any, result: Any, start_time: Any, end_time: Any
    ) -> bool:
        """Record an execution.

        Args:
            pool_id: goes into metadata.
            task: what was asked for: a mapping, or an object with attributes.
            result: what came of it, the same, or the exception that ended it.
            start_time: a datetime with its zone, an ISO text, or seconds since 1970.
            end_time: the same.

        Returns:
            True when the record is committed. False when it is a dead letter or lost; ``counts``
            says why.
        """

        def values() -> dict[str, Any]:
            return self._map(task, result, start_time, end_time, {"pool_id": pool_id})

        return self._never_raising("execution", values)

    def capture_routing_decision(self, task_id: Any, task: Any, decision: Any) -> bool:
        """Record what was decided about a task; its outcome may come before or after.

        The outcome is recorded once, by ``capture_execution_outcome``; what
        ``store_execution_telemetry`` records is an execution of its own, and is not correlated.

        Args:
            task_id: the task's UUID, by which it is correlated with its outcome.
            task: what is asked for: a mapping, or an object with attributes.
            decision: the chosen model_tier, pool_type and the like, and for learning from logs
                ``candidates``, the ``policy``'s name and the ``propensity`` of the choice.
        """

        def values() -> dict[str, Any]:
            partial = self._map(task, decision, self._now(), None, {}) | {"task_id": task_id}
            metadata = partial.get("metadata", {})
            partial["metadata"] = metadata | {"routing": map_routing(decision, partial)}
            return partial

        return self._never_raising("routing", values)

    def capture_execution_outcome(
        self,
        task_id: Any,
        result: Any,
        start_time: Any = None,
        end_time: Any = None,
        *,
        pool_id: Any = None,
    ) -> bool:
        """Record what came of a task, once; its routing decision may come before or after."""

        def values() -> dict[str, Any]:
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
        self._count("kept", kept)
        return kept

    def counts(self) -> dict[str, int]:
        """Return how many records were kept, and what was not, by reason.

        - ``kept``: committed records.
        - ``invalid``, ``too_large``: kept as dead letters.
        - ``refused …``: not taken by the outbox, dead letters too.
        - ``failed …``: errors that were swallowed.
        - ``disabled``: calls while capturing was switched off.
        - ``not_finite``, ``end_before_start``: values that were no measurements, and are unknown
          in a record that was kept.
        - ``cut task_description`` and the like: texts over 65,536 characters, of which the
          beginning is kept. ``metadata`` says how long each was. ``cut metadata``: parts of a
          caller's metadata that JSON has no form for, or that were too many or too deep.
        """
        refused = {f"refused {name}": count for name, count in self._outbox.refused().items()}
        with self._lock:
            return dict(self._counts) | refused

    def _never_raising(self, kind: Kind, values: Callable[[], dict[str, Any]]) -> bool:
        """Keep a record: the one place that swallows errors, because the orchestrator goes on."""
        try:
            if self._enabled:
                return self._keep(kind, values())
            self._count("disabled")
            return False
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self._count(f"failed {type(error).__name__}")
            return False

    def _map(
        self, task: Any, result: Any, start_time: Any, end_time: Any, notes: dict[str, Any]
    ) -> dict[str, Any]:
        return map_execution(
            task,
            result,
            start_time,
            end_time,
            notes,
            naive_is_utc=self._naive_is_utc,
            count=self._count,
        )

    def _checked(self, execution: ExecutionRecord | Mapping[str, Any]) -> str | None:
        try:
            values = dict(execution)
            self._note_cut_texts(values)
            check_routing(values)
            return record_json(values)
        except Exception as error:
            original = dict(execution) if isinstance(execution, Mapping) else execution
            self._keep_dead_letter("invalid", _reason(error), "execution", jsonable(original))
            return None

    def _keep(self, kind: Kind, values: dict[str, Any]) -> bool:
        try:
            payload = quick_json(values) or self._careful_json(values)
        except Exception as error:
            return self._keep_dead_letter("invalid", _reason(error), kind, jsonable(values))
        if len(payload) > LONGEST_PAYLOAD:
            cut = {name: _cut(value) for name, value in jsonable(values).items()}
            reason = f"the record has {len(payload)} characters, {LONGEST_PAYLOAD} are the most"
            return self._keep_dead_letter("too_large", reason, kind, cut)
        kept = self._outbox.put(kind, payload)
        if kept:
            self._count("kept")
        return kept

    def _careful_json(self, values: dict[str, Any]) -> str:
        """Return the JSON of what is not so plain; a routing decision never is."""
        values = drop_non_finite(values, self._count)
        check_routing(values)
        try:
            return record_json(values)
        except Exception:
            if "metadata" not in values:
                raise
        # Metadata may hold anything; what JSON has no form for is kept as text.
        cuts: list[str] = []
        metadata = jsonable(values["metadata"], cut=cuts.append)
        if cuts:
            self._count("cut metadata")
            metadata["metadata_cut"] = sorted(set(cuts))
        return record_json(values | {"metadata": metadata})

    def _note_cut_texts(self, values: dict[str, Any]) -> None:
        lengths = cut_texts(values)
        if lengths:
            notes = {length_note(name): length for name, length in lengths.items()}
            values["metadata"] = dict(values.get("metadata") or {}) | notes
            for name in lengths:
                self._count(f"cut {name}")

    def _keep_dead_letter(self, count_as: str, reason: str, kind: Kind, original: Any) -> bool:
        dead_letter = as_json({"kind": kind, "reason": reason, "payload": original})
        if len(dead_letter) > LONGEST_PAYLOAD:
            dead_letter = as_json({"kind": kind, "reason": reason, "payload": _cut(dead_letter)})
        if self._outbox.put("dead_letter", dead_letter):
            self._count(count_as)
        return False

    def _count(self, reason: str, count: int = 1) -> None:
        with self._lock:
            self._counts[reason] += count


def _reason(error: Exception) -> str:
    return describe_error(error) if isinstance(error, ValidationError) else error_text(error)


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else as_json(value)
    return value if len(text) <= LONGEST_KEPT_VALUE else f"{text[:LONGEST_KEPT_VALUE]}…"


_captures: weakref.WeakSet[TelemetryCapture] = weakref.WeakSet()


def _after_fork() -> None:
    for capture in _captures:
        capture._lock = threading.RLock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork)
