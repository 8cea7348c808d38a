"""Which pages were written from a database, so that erasing reaches them wherever they are."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def note_page(database: Path, page: Path) -> None:
    """Note where a page was written; where the database's folder cannot be written, it is not."""
    pages = sorted({*written_pages(database), page.resolve()})
    with suppress(OSError):
        _list_of(database).write_text("".join(f"{page}\n" for page in pages), encoding="utf-8")


def written_pages(database: Path) -> list[Path]:
    """Return the pages that were written from a database and are still there."""
    try:
        lines = _list_of(database).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [page for page in map(Path, lines) if page.is_file()]


def _list_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.pages")
