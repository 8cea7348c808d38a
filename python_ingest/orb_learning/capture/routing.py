"""What is read of a task, a decision and a result for routing: cell, chances, outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from orb_learning.capture.coercion import coerce_scalar, known_values
from orb_learning.capture.mapping import (
    READ_OF_RESULT,
    RESULT_NAMES,
    TASK_NAMES,
    add_outcome,
    add_under_other_names,
    values_of_result,
)
from orb_learning.record import NULL_MARKS, task_uuid

TYPE_NAMES = ("task_type", *TASK_NAMES["task_type"])
CELL_NAMES = ("repo", *TYPE_NAMES, "complexity_score")
ROUTING_NAMES = ("candidates", "plan", "policy", "propensity", "attempt", "first_task_id")
READ_OF_ROUTING = frozenset(ROUTING_NAMES)
READ_OF_DECISION = READ_OF_RESULT | READ_OF_ROUTING


def map_routing(
    decision: Any, values: Mapping[str, Any], routing: Any = None, *, id_scope: str = ""
) -> dict[str, Any]:
    """Return what learning from logs needs of a decision: alternatives, policy, chance, choice.

    Args:
        decision: what was decided, a mapping or an object with attributes.
        values: the fields of the record, of which the chosen tier and pool are taken.
        routing: the same names as the decision's, which go before it.
        id_scope: what the id of the first attempt is mapped by, as every id is.
    """
    known = known_values(decision, ROUTING_NAMES) | known_values(routing, ROUTING_NAMES)
    if known.get("first_task_id") is not None:
        with suppress(ValueError):  # what is no id is kept as it is, and counts as none
            known["first_task_id"] = str(task_uuid(known["first_task_id"], id_scope))
    chosen = {name: values[name] for name in ("model_tier", "pool_type") if name in values}
    return {name: known[name] for name in ROUTING_NAMES if name in known} | {"chosen": chosen}


def check_chances(routing: Mapping[str, Any]) -> None:
    """Refuse candidates whose chances no policy could be valued by.

    Args:
        routing: what ``map_routing`` returns. Each candidate is a mapping of its ``plan`` (else
            ``model_tier``) and its ``propensity``.

    Raises:
        ValueError: no chances are there, one is no number from 0 to 1, they do not sum to 1
            within 1e-3, or what was chosen has none.
    """
    candidates = routing.get("candidates")
    where = "metadata.routing.candidates"
    if not isinstance(candidates, Sequence) or not candidates:
        raise ValueError(f"{where}: each plan that could be drawn is needed, with its propensity")
    chances: dict[Any, float] = {}
    for candidate in candidates:
        known = known_values(candidate, ("plan", "model_tier", "propensity"))
        chance = known.get("propensity")
        if not isinstance(chance, int | float) or isinstance(chance, bool) or not 0 <= chance <= 1:
            raise ValueError(f"{where}: {candidate!r} has no propensity from 0 to 1")
        name = known.get("plan", known.get("model_tier"))
        chances[name] = chances.get(name, 0) + chance
    if abs(sum(chances.values()) - 1) > 1e-3:
        raise ValueError(f"{where}: the propensities sum to {sum(chances.values()):g}, not to 1")
    choice = routing.get("plan", routing["chosen"].get("model_tier"))
    if not chances.get(choice):
        raise ValueError(f"{where}: {choice!r} was chosen, but has no propensity there")


def check_routing(values: Mapping[str, Any]) -> None:
    """Refuse a propensity that is no probability: what is learned from it would be wrong.

    Raises:
        ValueError: it is no number, not more than 0, or more than 1.
    """
    metadata = values.get("metadata")
    decided = metadata.get("routing") if metadata else None
    chance = decided.get("propensity") if isinstance(decided, Mapping) else None
    if chance is not None and not (
        isinstance(chance, int | float) and not isinstance(chance, bool) and 0 < chance <= 1
    ):
        raise ValueError("metadata.routing.propensity: must be more than 0 and at most 1")


def success_of(result: Any) -> bool | None:
    """Return whether a result says that it succeeded, as its record does; None if it says neither.

    Args:
        result: a mapping, an object with attributes, or the exception that ended it.
    """
    known = values_of_result(result)
    values = {name: known[name] for name in ("error_message",) if name in known}
    add_under_other_names(values, known, RESULT_NAMES)
    if isinstance(result, BaseException):
        values.setdefault("error_message", result)
    add_outcome(values, known)
    success = values.get("success")
    return success if isinstance(success, bool) else None


def cell_values(task: Any) -> tuple[str, str, float | None]:
    """Return the repository, task type and complexity score of a task, as its record has them.

    A text that is not known is ``unknown``; a score that is not known, or is none, is None.

    Args:
        task: a mapping, or an object with attributes.
    """
    known = task if type(task) is dict else known_values(task, CELL_NAMES)
    repo = _text_or_unknown(known.get("repo"))
    task_type = None
    for name in TYPE_NAMES:
        task_type = known.get(name)
        if task_type is not None:
            break
    score = known.get("complexity_score")
    return repo, _text_or_unknown(task_type), score if type(score) is int else _score(score)


def _score(value: Any) -> float | None:
    if value is None:
        return None
    try:
        score = float(coerce_scalar(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return score if isfinite(score) else None


def _text_or_unknown(value: Any) -> str:
    if value is None:
        return "unknown"
    if type(value) is not str:
        value = coerce_scalar(value)
        if not isinstance(value, str):
            return "unknown"
    return "unknown" if value in NULL_MARKS else value.strip(" ") or "unknown"
