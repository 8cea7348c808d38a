"""Names of files and other texts that need not be fit for a terminal; on Linux names are bytes."""

from __future__ import annotations

from pathlib import Path


def printable(name: Path | str) -> str:
    """Return a name as text that can be printed: what is no UTF-8 as its escape."""
    try:
        whole = str(name).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which is no byte
        whole = str(name).encode("utf-8", "backslashreplace")
    return whole.decode("utf-8", "backslashreplace")


def without_controls(text: str, *, kept: str = "") -> str:
    """Return a text with a space for each character that is not printable.

    Args:
        text: a value, a name, a message.
        kept: characters that stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in kept else " " for one in text)
