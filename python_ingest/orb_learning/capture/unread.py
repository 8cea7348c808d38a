"""Keys that no field is read from: counted, and warned of, so that a misspelt one is seen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from orb_learning.capture.coercion import key_text
from orb_learning.capture.mapping import READ_OF_RESULT, READ_OF_TASK
from orb_learning.capture.redaction import Redactor
from orb_learning.capture.routing import READ_OF_DECISION, READ_OF_ROUTING
from orb_learning.filesystem import get_logger, without_controls

MOST_NAMES = 50
"""Names that are told apart; later ones count as one."""
LONGEST_NAME = 60
MOST_KEYS = 1_000
"""Keys of one mapping that are looked at."""
OTHERS = "(other keys)"

logger = get_logger("orb_learning")


class UnreadKeys:
    """Counts in how many mappings each key was not read, and warns once of each; for threads, too.

    A task has keys of its orchestrator's own, so of those it warns only where one looks misspelt.
    An object has attributes of its own for much else, so they are not looked at.

    Args:
        redactor: takes out of the keys what must not be shown.
    """

    def __init__(self, redactor: Redactor | None = None):
        self._redactor = redactor
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        self._judged: set[tuple[str, bool]] = set()

    def of_execution(self, task: Any, result: Any) -> None:
        """Note the keys of a task and of its result."""
        self._note(_unread(task, READ_OF_TASK), _unread(result, READ_OF_RESULT))

    def of_decision(self, task: Any, decision: Any, routing: Any) -> None:
        """Note the keys of a task, of what was decided about it, and of what is known of that."""
        decided = [*_unread(decision, READ_OF_DECISION), *_unread(routing, READ_OF_ROUTING)]
        self._note(_unread(task, READ_OF_TASK), decided)

    def counts(self) -> dict[str, int]:
        """Return in how many tasks, results and decisions each key was not read."""
        with self._lock:
            return dict(self._counts)

    def _note(self, of_task: list[Any], others: list[Any]) -> None:
        if not of_task and not others:
            return
        own, names = self._shown(of_task), self._shown(others)
        with self._lock:
            due = [*self._due(own, only_misspelt=True), *self._due(names, only_misspelt=False)]
        if due:
            logger.warning(
                "keys that are not read: %s; docs/recording.md has those that are, and metadata "
                "keeps any",
                ", ".join(due),
            )

    def _shown(self, keys: list[Any]) -> list[str]:
        return [_name(key) for key in (self._redactor.anything(keys) if self._redactor else keys)]

    def _due(self, names: Iterable[str], *, only_misspelt: bool) -> list[str]:
        """Count names, and return how those are told that are to be warned of."""
        from difflib import get_close_matches  # only where there is something to say

        due = []
        for shown in names:
            is_new = shown not in self._counts
            name = OTHERS if is_new and len(self._counts) >= MOST_NAMES else shown
            self._counts[name] += 1
            if (name, only_misspelt) in self._judged:
                continue
            self._judged.add((name, only_misspelt))
            near = get_close_matches(name, READ_OF_TASK | READ_OF_DECISION, 1, 0.8)
            if near or not only_misspelt:
                due.append(
                    f"{name} ({_guess(name, near[0], of_task=only_misspelt)})" if near else name
                )
        return due

    def after_fork(self) -> None:
        """Forget the lock, which another thread of the parent may have held."""
        self._lock = threading.RLock()


def _unread(source: Any, read: frozenset[str]) -> list[Any]:
    """Return the keys of a mapping that are not among those that are read; none of an object."""
    if type(source) is dict:
        return [] if source.keys() <= read else [key for key in source if key not in read]
    if not isinstance(source, Mapping):
        return []
    try:
        return [key for key in islice(source, MOST_KEYS) if key not in read]
    except Exception:
        return []  # what can be read of it is read by its names


def _guess(name: str, near: str, *, of_task: bool) -> str:
    if near != name:
        return f"is it {near}?"
    return f"it is read of a {'result' if of_task else 'task'}"


def _name(key: Any) -> str:
    name = without_controls(key_text(key)).strip() or "(no name)"
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
