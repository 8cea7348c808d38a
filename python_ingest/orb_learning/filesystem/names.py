"""Names of files, which on Linux are bytes and need not be UTF-8."""

from __future__ import annotations

from pathlib import Path


def printable(name: Path | str) -> str:
    """Return a name as text that can be printed: what is no UTF-8 as its escape."""
    try:
        whole = str(name).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which is no byte
        whole = str(name).encode("utf-8", "backslashreplace")
    return whole.decode("utf-8", "backslashreplace")
