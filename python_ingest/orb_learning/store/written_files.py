"""Which pages and exports were written from a database, so that erasing reaches them anywhere."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from orb_learning.filesystem import read_regular, write_private
from orb_learning.locator import beside


def note_written(database: Path, file: Path) -> None:
    """Note where a file was written; where the database's folder cannot be written, it is not."""
    files = sorted({*written_files(database), file.parent.resolve() / file.name})
    with suppress(OSError):
        write_private(_list_of(database), "".join(f"{one}\n" for one in files).encode())


def written_files(database: Path) -> list[Path]:
    """Return what was written from a database and is still there: pages, exports, their folders."""
    try:
        lines = read_regular(_list_of(database)).decode(errors="replace").splitlines()
    except OSError:
        return []
    return [file for file in map(Path, lines) if file.exists()]


def _list_of(database: Path) -> Path:
    return beside(database, ".pages")
