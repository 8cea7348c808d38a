"""How long a text of a record may be: one rule for what is captured and what is imported."""

from __future__ import annotations

from typing import Any

LONGEST_TEXT = 65_536
"""Characters; as UTF-8 they are 64 KB or more. A vector sees the first 256 tokens."""

LONG_TEXTS = ("task_description", "error_message", "solution_summary")
"""The fields that are cut to it. Names and types are short, or they are no names."""


def length_note(name: str) -> str:
    """Return the key in metadata that says how many characters a text had before it was cut."""
    return f"{name}_characters"


def cut_texts(values: dict[str, Any]) -> dict[str, int]:
    """Cut the texts of a record that are too long.

    Args:
        values: the fields of a record; long texts are replaced.

    Returns:
        how many characters each text had that was cut, by its field.
    """
    lengths = {}
    for name in LONG_TEXTS:
        text = values.get(name)
        if isinstance(text, str) and len(text) > LONGEST_TEXT:
            lengths[name] = len(text)
            values[name] = text[:LONGEST_TEXT]
    return lengths
