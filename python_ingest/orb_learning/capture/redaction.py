"""What must not be kept, taken out of a record's texts before they are written anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from orb_learning.capture.coercion import jsonable
from orb_learning.record import EXTERNAL_ID, with_task_uuid

REDACTED = "[redacted]"
LONGEST_KEPT_IN_MIND = 64
_PLAIN = frozenset({int, float, bool, datetime, UUID, type(None)})
_NUMBERS = frozenset({int, float})


class Secret(NamedTuple):
    """A kind of secret: its pattern, and texts of which one stands in every text that has it."""

    pattern: str
    hints: tuple[str, ...]
    ignores_case: bool = False


SECRETS = (
    Secret(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        ("PRIVATE KEY-----",),
    ),
    Secret(r"\b(?:sk|rk|pk)[-_][A-Za-z0-9_-]{16,}", ("k-", "k_")),
    Secret(
        r"\b(?:gh[oprsu]_|github_pat_|glpat-|hf_|xox[abeoprs]-|npm_|pypi-)[A-Za-z0-9_-]{16,}",
        ("gh", "glpat-", "hf_", "xox", "npm_", "pypi-"),
    ),
    Secret(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", ("AKIA", "ASIA")),
    Secret(r"\bAIza[A-Za-z0-9_-]{30,}", ("AIza",)),
    Secret(r"\beyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", ("eyJ",)),
    Secret(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)", ("://",)),
    Secret(
        r"(?i:(?<=bearer )|(?<=basic ))[A-Za-z0-9._~+/=-]{12,}",
        ("bearer ", "basic "),
        ignores_case=True,
    ),
    Secret(
        r"(?i:\b(?:api[_-]?key|access[_-]?key|token|secret|passw(?:or)?d)\b[\"']?\s*[=:]\s*)"
        r"(?:\"[^\"]+\"|'[^']+'|[^\s,;\"']+)",
        ("key", "token", "secret", "passw"),
        ignores_case=True,
    ),
    Secret(r"\b[A-Za-z0-9._%+-]{1,256}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b", ("@",)),
)
"""Private keys, tokens of well-known services, credentials in addresses and headers, what is
assigned to a name such as api_key or password, and e-mail addresses. What can begin again within
itself has a bound: the time must grow with a text's length, not with its square."""


class RedactionError(Exception):
    """A text could not be redacted; its record is not kept, as it may hold what it must not."""


def redact_secrets(text: str) -> str:
    """Return a text with each match of ``SECRETS`` replaced."""
    return _redact_short(text) if len(text) <= LONGEST_KEPT_IN_MIND else _redact(text)


def _redact(text: str) -> str:
    # Most texts have no hint of a secret, and looking for one takes a tenth of a match.
    lowered = text.lower() if text.isascii() else None
    possible = []
    for secret in SECRETS:
        # Without regard to case, letters beyond ASCII match some of ASCII.
        searched = lowered if secret.ignores_case else text
        if searched is None:
            possible.append(secret)
            continue
        for hint in secret.hints:
            if hint in searched:
                possible.append(secret)
                break
    return _pattern(tuple(possible)).sub(REDACTED, text) if possible else text


_redact_short = lru_cache(4_096)(_redact)
"""The names of models and tools come again and again."""


@cache
def _pattern(secrets: tuple[Secret, ...]) -> re.Pattern[str]:
    return re.compile("|".join(secret.pattern for secret in secrets))


class Redactor:
    """Redacts the texts of records.

    Args:
        redact: returns a text without what must not be kept; it is called with each text.
        count: called once for each text that it changed.
    """

    def __init__(self, redact: Callable[[str], str], count: Callable[[], None]):
        self._redact = redact
        self._count = count

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record's fields with their texts redacted, but its id's: ``identified`` does.

        Raises:
            RedactionError: ``redact`` raised, or returned no text.
        """
        return {
            name: value if name == "task_id" else self.anything(value)
            for name, value in values.items()
        }

    def identified(self, values: dict[str, Any], scope: str) -> dict[str, Any]:
        """Return what ``with_task_uuid`` does, with the id that it keeps in metadata redacted.

        Raises:
            ValueError: the task_id is none.
            RedactionError: ``redact`` raised, or returned no text.
        """
        found = with_task_uuid(values, scope)
        metadata = found.get("metadata")
        if metadata is not None and metadata is not values.get("metadata"):
            found["metadata"] = metadata | {EXTERNAL_ID: self.anything(metadata[EXTERNAL_ID])}
        return found

    def anything(self, value: Any) -> Any:
        """Return a value that JSON can hold, with its texts and keys redacted."""
        if type(value) is str:
            return self._text(value)
        if type(value) in _PLAIN or (type(value) is list and _NUMBERS.issuperset(map(type, value))):
            return value
        return self._inside(jsonable(value))

    def _inside(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._text(key): self._inside(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._inside(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        try:
            redacted = self._redact(text)
        except Exception as error:
            raise RedactionError(f"redact raised {type(error).__name__}") from None
        if not isinstance(redacted, str):
            raise RedactionError(f"redact returned {type(redacted).__name__}, not str")
        if redacted != text:
            self._count()
        return redacted
