"""What a pool says of a task and its result, in the fields of the record.

Each field is taken by its own name from the result, else from the task, else by the name that pools
use for it. What nobody says stays out: unknown is None, never a value that looks measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any
from uuid import UUID

from orb_learning.capture.coercion import (
    Unreadable,
    coerce_scalar,
    error_text,
    known_values,
    parse_timestamp,
)
from orb_learning.capture.redaction import Redactor
from orb_learning.record import (
    COLUMNS,
    FAILED,
    NULL_MARKS,
    SUCCEEDED,
    cut_texts,
    length_note,
    outcome_of,
)

FIELDS = frozenset(COLUMNS) - {"timestamp", "uploaded_at", "metadata", "success"}
"""The fields that are looked up as they are called; the others come from more than one place."""
INTEGERS = frozenset(name for name, kind in COLUMNS.items() if kind in ("INTEGER", "BIGINT"))

TASK_NAMES = {
    "task_id": ("id",),
    "task_type": ("type", "category"),
    "task_description": ("prompt", "description"),
}
OUTCOME_NAMES = ("success", "passed", "ok")
"""The names of the outcome, the first that says something before the others."""
RESULT_NAMES = {
    "error_message": ("error",),
    "duration_seconds": ("duration",),
    "actual_cost": ("cost",),
}
METADATA_NAMES = ("worker_id", "model", "tokens", "status")
READ = FIELDS | {"metadata", *METADATA_NAMES}
"""What is read of tasks, results and decisions alike."""
READ_OF_TASK = READ.union(*TASK_NAMES.values())
READ_OF_RESULT = READ.union(OUTCOME_NAMES, *RESULT_NAMES.values())
ERROR_NAMES = ("error_message", *RESULT_NAMES["error_message"], "error_type")
IDS = (str, int, float, UUID)

NO_ID = "no_id"
"""What is counted where a task's ``id`` is of a kind that no id is."""

ERROR_WORDS = {"timeout": "timeout", "timed out": "timeout", "validation": "validation"}


def map_execution(
    task: Any,
    result: Any,
    start_time: Any,
    end_time: Any,
    notes: Mapping[str, Any],
    *,
    with_zone: Callable[[datetime], datetime],
    count: Callable[[str], None],
    redactor: Redactor | None = None,
) -> dict[str, Any]:
    """Return the known fields of a record; their types are not checked here.

    Args:
        task: what was asked for, a mapping or an object with attributes, or None.
        result: what came of it, the same, or the exception that ended it.
        start_time: a time with its zone, an ISO text, or seconds since 1970; None if unknown.
        end_time: the same of the end.
        notes: what goes into metadata, besides what task and result have for it.
        with_zone: returns the aware time of one without a zone, or the same if it is none.
        count: called with the reason why a duration is no measurement and left out, and with what
            was cut.
        redactor: takes out what must not be kept; before a text is cut, because half a secret is
            no longer known as one.
    """
    of_task, of_result = known_values(task, READ_OF_TASK), values_of_result(result)
    known = {**of_task, **of_result}
    values = {name: value for name, value in known.items() if name in FIELDS}
    add_under_other_names(values, of_task, TASK_NAMES)
    if "task_id" in values and "task_id" not in known and not _is_id(values["task_id"]):
        del values["task_id"]  # an id of another meaning
        count(NO_ID)
    add_under_other_names(values, of_result, RESULT_NAMES)
    if isinstance(result, BaseException):
        values.setdefault("error_message", result)
    add_outcome(values, of_result)
    _add_times(values, start_time, end_time, with_zone, count)
    if redactor is not None:
        values = redactor.values(values)
    metadata = _own_metadata(of_task) | _own_metadata(of_result) if "metadata" in known else {}
    for name in METADATA_NAMES:
        if name in known:
            metadata[name] = known[name]
    for name, value in notes.items():
        if value is not None:
            metadata[name] = value
    for name, length in cut_texts(values).items():
        metadata[length_note(name)] = length
        count(f"cut {name}")
    if metadata:
        values["metadata"] = metadata if redactor is None else redactor.anything(metadata)
    return values


def values_of_result(result: Any) -> dict[str, Any]:
    """Return what a result says, by name; True or False is the outcome itself."""
    if type(result) is not dict:
        result = coerce_scalar(result)
        if isinstance(result, bool):
            return {"success": result}
    return known_values(result, READ_OF_RESULT)


def ended_result(result: Any, error: BaseException | None) -> Any:
    """Return what came of a block that ended by itself, or by an exception, for ``map_execution``.

    An exception is believed, else a result that says whether it succeeded. A word or a number
    that says neither stays, so that the record is refused and not taken for a success.
    """
    known = values_of_result(result)
    if error is not None:
        return {**known, "success": False, "error_message": error}
    if any(_says(known, name) for name in (*OUTCOME_NAMES, "status", *ERROR_NAMES)):
        return known
    return {**known, "success": True}


def drop_non_finite(values: Mapping[str, Any], drop: Callable[[str], None]) -> dict[str, Any]:
    """Return the fields without null marks and numbers that are no measurements; 3.0 becomes 3.

    Args:
        values: the fields of a record.
        drop: called with the reason why a value is left out.
    """
    kept = dict(values)
    for name, value in values.items():
        if type(value) is str:
            if value in NULL_MARKS:
                del kept[name]
        elif type(value) is float:
            if not isfinite(value):
                del kept[name]
                drop("not_finite")
            elif name in INTEGERS and value.is_integer():
                kept[name] = int(value)
    return kept


def infer_error_type(text: str) -> str:
    """Return the type of an error by its text, as the original did."""
    lowered = text.lower()
    for words, error_type in ERROR_WORDS.items():
        if words in lowered:
            return error_type
    return "unknown"


def add_under_other_names(
    values: dict[str, Any], known: dict[str, Any], names: Mapping[str, tuple[str, ...]]
) -> None:
    """Add what is known under the names that pools use, where a field's own name has nothing."""
    for name, others in names.items():
        if name not in values:
            for other in others:
                if other in known:
                    values[name] = known[other]
                    break


def add_outcome(values: dict[str, Any], known: dict[str, Any]) -> None:
    """Add whether it succeeded, and the type of its error, by what a result says."""
    error = values.get("error_message")
    if isinstance(error, BaseException):
        error = values["error_message"] = error_text(error)
    fails = error is True
    if error is not None and (fails or not _says(values, "error_message")):
        del values["error_message"]
        error = None
    success = next(
        (said for name in OUTCOME_NAMES if (said := _outcome(known.get(name))) is not None), None
    )
    status = known.get("status")
    if success is None and isinstance(status, str):
        word = status.strip().lower()
        success = True if word in SUCCEEDED else False if word in FAILED else None
    if success is None and (fails or error is not None):
        success = False
    if success is not None:
        values["success"] = success
    if "error_type" not in values:
        text = error if error is not None else status if success is False else None
        if isinstance(text, str):
            values["error_type"] = infer_error_type(text)


def _outcome(value: Any) -> Any:
    """Return the outcome that a value says, None if it says none, else the value, to be refused."""
    if isinstance(value, str):
        if value == "" or value in NULL_MARKS:
            return None
        said = outcome_of(value)
        return value if said is None else said
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return value


def _says(known: Mapping[str, Any], name: str) -> bool:
    """Return whether a name says anything; an error that is False, as many write it, does not."""
    value = known.get(name)
    if isinstance(value, str):
        return value != "" and value not in NULL_MARKS
    return value is not None and not (value is False and name in ERROR_NAMES)


def _add_times(
    values: dict[str, Any],
    start: Any,
    end: Any,
    with_zone: Callable[[datetime], datetime],
    drop: Callable[[str], None],
) -> None:
    started = parse_timestamp(start, with_zone)
    ended = parse_timestamp(end, with_zone)
    if started is not None:
        values["timestamp"] = started
    if _is_aware(started) and _is_aware(ended):
        seconds = (ended - started).total_seconds()
        if seconds >= 0:
            values["duration_seconds"] = seconds
        else:
            drop("end_before_start")


def _is_id(value: Any) -> bool:
    return isinstance(value, IDS) and value == value  # a data frame's missing id is NaN


def _is_aware(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _own_metadata(known: dict[str, Any]) -> dict[str, Any]:
    own = known.get("metadata")
    if isinstance(own, Mapping):
        try:
            return dict(own)
        except Exception as error:
            own = Unreadable(error)
    return {} if own is None else {"metadata": own}
