"""Errors of validation in words."""

from __future__ import annotations

from pydantic import ValidationError

SCORE = "a whole number from zero to a hundred; give a share times a hundred"
"""In words: the funnel leaves the digits out of a reason, so that it counts as one."""
MOST_ERRORS = 5
"""Errors of one record that are told; a vector may have hundreds."""
HINTS = {
    "quality_score": SCORE,
    "complexity_score": SCORE,
    "success": "True or False, or a word for it such as completed or failed",
}
"""What a field takes, where what was given tells that its giver cannot know."""


def describe_error(error: Exception) -> str:
    """Return an error in one line: a ValidationError by its fields, others as they are."""
    if not isinstance(error, ValidationError):
        return str(error)
    items = error.errors(include_url=False, include_context=False, include_input=False)
    told = [
        f"{'.'.join(map(str, item['loc'])) or 'record'}: {item['msg']}{_hint(item['loc'])}"
        for item in items[:MOST_ERRORS]
    ]
    more = len(items) - len(told)
    return "; ".join([*told, f"and {more} more"] if more else told)


def _hint(place: tuple[int | str, ...]) -> str:
    hint = HINTS.get(str(place[0])) if place else None
    return f" ({hint})" if hint else ""
