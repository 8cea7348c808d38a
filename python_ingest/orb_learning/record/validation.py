"""Errors of validation in words."""

from __future__ import annotations

from pydantic import ValidationError


def describe_error(error: Exception) -> str:
    """Return an error in one line: a ValidationError by its fields, others as they are."""
    if not isinstance(error, ValidationError):
        return str(error)
    items = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'record'}: {item['msg']}" for item in items
    )
