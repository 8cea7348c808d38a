"""What must not be kept, taken out of a record's texts before they are written anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from orb_learning.capture.coercion import jsonable

REDACTED = "[redacted]"
KEPT_FIELDS = frozenset({"task_id", "timestamp", "uploaded_at", "embedding"})
"""Fields that hold no text of anybody."""
_PLAIN = frozenset({int, float, bool, type(None)})

SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|rk|pk)[-_][A-Za-z0-9_-]{16,}"
    r"|\b(?:gh[oprsu]_|github_pat_|glpat-|hf_|xox[abeoprs]-|npm_|pypi-)[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
    r"|(?i:(?<=bearer )|(?<=basic ))[A-Za-z0-9._~+/=-]{12,}"
    r"|(?i:\b(?:api[_-]?key|access[_-]?key|token|secret|passw(?:or)?d)\b[\"']?\s*[=:]\s*)"
    r"(?:\"[^\"]+\"|'[^']+'|[^\s,;\"']+)"
    r"|\b[A-Za-z0-9._%+-]{1,256}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b"
)
"""Private keys, tokens of well-known services, credentials in addresses and headers, what is
assigned to a name such as api_key or password, and e-mail addresses. What can begin again within
itself has a bound: the time must grow with a text's length, not with its square."""


class RedactionError(Exception):
    """A text could not be redacted; its record is not kept, as it may hold what it must not."""


def redact_secrets(text: str) -> str:
    """Return a text with each match of ``SECRETS`` replaced."""
    return SECRETS.sub(REDACTED, text)


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
        """Return a record's fields with their texts redacted.

        Raises:
            RedactionError: ``redact`` raised, or returned no text.
        """
        return {
            name: value if name in KEPT_FIELDS else self.anything(value)
            for name, value in values.items()
        }

    def anything(self, value: Any) -> Any:
        """Return a value that JSON can hold, with its texts and keys redacted."""
        if type(value) is str:
            return self._text(value)
        return value if type(value) in _PLAIN else self._inside(jsonable(value))

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
