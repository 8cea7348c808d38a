"""The fields of a record into the outbox: as a record, as a dead letter, or counted."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from pydantic import ValidationError

from orb_learning.capture.coercion import as_json, error_text, jsonable
from orb_learning.capture.mapping import drop_non_finite
from orb_learning.capture.redaction import RedactionError, Redactor
from orb_learning.capture.routing import check_chances, check_routing
from orb_learning.capture.warnings import Warnings
from orb_learning.errors import ExecutionRefusedError
from orb_learning.outbox import Kind, Outbox
from orb_learning.record import (
    MADE_OF_IDS,
    cut_texts,
    describe_error,
    is_canonical_uuid,
    length_note,
    quick_json,
    record_json,
    with_task_uuid,
)

LONGEST_PAYLOAD = 1_000_000
"""Characters of one record's JSON; a larger one is a dead letter, cut."""
VERSION_OF_MADE = str(MADE_OF_IDS)
"""The digit of a UUID that may be made of another id."""
NOT_TAKEN = "the outbox did not take it"
LONGEST_KEPT_VALUE = 1_000
"""Characters of a field's value in the dead letter of a record that is too large."""


class Keeper:
    """Keeps records, and counts what became of each; threads may share it.

    Args:
        outbox: where they go.
        id_scope: keeps ids that are no UUIDs apart from another orchestrator's.
        redactor: takes out what must not be kept, if anything.
        strict: whether to raise where a record is not kept.
    """

    def __init__(self, outbox: Outbox, id_scope: str, redactor: Redactor | None, *, strict: bool):
        self.warnings = Warnings()
        self._outbox = outbox
        self._id_scope = id_scope
        self._redactor = redactor
        self._strict = strict
        self._counts: Counter[str] = Counter()
        self._lock = threading.RLock()  # re-entrant: a signal handler may record, too

    def counts(self) -> dict[str, int]:
        """Return what was counted, and what the outbox refused."""
        refused = {f"refused {name}": count for name, count in self._outbox.refused().items()}
        with self._lock:
            return dict(self._counts) | refused

    def after_fork(self) -> None:
        """Forget the locks, which another thread of the parent may have held."""
        self._lock = threading.RLock()
        self.warnings.after_fork()

    def keep(self, kind: Kind, values: dict[str, Any]) -> bool:
        """Keep the record of some fields, or a dead letter; whether the record is committed.

        Raises:
            ExecutionRefusedError: it is not, and keeping is strict.
            RedactionError: its id cannot be redacted.
        """
        try:
            task_id = values.get("task_id")
            if task_id is not None and not (
                type(task_id) is str
                and is_canonical_uuid(task_id)
                and task_id[14] != VERSION_OF_MADE
            ):
                values = self.identified(values)
            payload = quick_json(values) or self._careful_json(kind, values)
        except RedactionError:
            raise
        except Exception as error:
            return self.refuse_invalid(error, kind, values)
        if len(payload) > LONGEST_PAYLOAD:
            cut = {name: _cut(value) for name, value in jsonable(values).items()}
            reason = f"the record has {len(payload)} characters, {LONGEST_PAYLOAD} are the most"
            return self.keep_dead_letter("too_large", reason, kind, cut)
        kept = self._outbox.put(kind, payload)
        if kept:
            self.count("kept")
        else:
            self.refuse(NOT_TAKEN)
        return kept

    def identified(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with the UUID of their task_id; another id goes to metadata.

        Raises:
            ValueError: the task_id is none.
            RedactionError: it cannot be redacted.
        """
        if self._redactor is None:
            return with_task_uuid(values, self._id_scope)
        return self._redactor.identified(values, self._id_scope)

    def refuse_invalid(self, error: Exception, kind: Kind, original: object) -> bool:
        """Keep what is no record as a dead letter; returns False.

        Raises:
            ExecutionRefusedError: keeping is strict.
        """
        plain = jsonable(original)
        if self._redactor is not None:
            try:
                plain = self._redactor.anything(plain)
            except RedactionError as failure:
                return self.fail(failure)
        return self.keep_dead_letter("invalid", reason_of(error), kind, plain)

    def fail(self, error: BaseException) -> bool:
        """Count and report a record of which not even a dead letter can be kept; returns False.

        Raises:
            ExecutionRefusedError: keeping is strict.
        """
        name = type(error).__name__
        self.count(f"failed {name}")
        self._outbox.report(f"failed {name}")
        self.refuse(f"failed: {error if isinstance(error, RedactionError) else name}")
        return False

    def _careful_json(self, kind: Kind, values: dict[str, Any]) -> str:
        """Return the JSON of what is not so plain; a routing decision never is."""
        values = drop_non_finite(values, self.count)
        check_routing(values)
        if self._strict and kind == "routing":
            check_chances(values["metadata"]["routing"])
        try:
            return record_json(values)
        except Exception:
            if "metadata" not in values:
                raise
        # Metadata may hold anything; what JSON has no form for is kept as text.
        cuts: list[str] = []
        metadata = jsonable(values["metadata"], cut=cuts.append)
        if cuts:
            self.count("cut metadata")
            metadata["metadata_cut"] = sorted(set(cuts))
        return record_json(values | {"metadata": metadata})

    def note_cut_texts(self, values: dict[str, Any]) -> None:
        """Cut texts that are too long, count them, and keep their lengths in metadata."""
        lengths = cut_texts(values)
        if lengths:
            notes = {length_note(name): length for name, length in lengths.items()}
            values["metadata"] = dict(values.get("metadata") or {}) | notes
            for name in lengths:
                self.count(f"cut {name}")

    def keep_dead_letter(self, count_as: str, reason: str, kind: Kind, original: Any) -> bool:
        """Keep what is no record, with the reason; returns False.

        Raises:
            ExecutionRefusedError: keeping is strict.
        """
        dead_letter = as_json({"kind": kind, "reason": reason, "payload": original})
        if len(dead_letter) > LONGEST_PAYLOAD:
            dead_letter = as_json({"kind": kind, "reason": reason, "payload": _cut(dead_letter)})
        if self._outbox.put("dead_letter", dead_letter):
            self.count(count_as)
            self.refuse(reason)
        else:
            self.refuse(NOT_TAKEN)
        return False

    def refuse(self, reason: str, count: int = 1) -> None:
        """Warn of a record that was not kept, or raise where capturing is strict."""
        self.warnings.refused(reason, count)
        if self._strict:
            raise ExecutionRefusedError(f"the execution was not recorded: {reason}")

    def note(self, reason: str, message: str) -> None:
        """Count something by its reason, and warn of it the first time."""
        self.count(reason)
        self.warnings.once(message)

    def count(self, reason: str, count: int = 1) -> None:
        """Count something by its reason."""
        with self._lock:
            self._counts[reason] += count


def reason_of(error: Exception) -> str:
    """Return why something is no record, in one line."""
    if isinstance(error, ValidationError):
        return describe_error(error)
    return str(error) if type(error) is ValueError else error_text(error)


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else as_json(value)
    return value if len(text) <= LONGEST_KEPT_VALUE else f"{text[:LONGEST_KEPT_VALUE]}…"
