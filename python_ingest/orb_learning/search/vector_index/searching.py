"""Finding the index of a database, and searching it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orb_learning.filesystem import get_logger
from orb_learning.locator import beside
from orb_learning.search.vector_index.faiss_index import nearest
from orb_learning.search.vector_index.manifest import IndexManifest, UnusableError, read_manifest
from orb_learning.search.vector_index.on_disk import loaded
from orb_learning.search.vector_index.table import Table, snapshot

if TYPE_CHECKING:
    from orb_learning.search.vector_index.faiss_index import Array

log = get_logger(__name__)


class VectorIndex:
    """An index that fits the table of the connection that it was opened with.

    It does so as long as nobody writes the database, so as long as a read-only connection stays
    open. Open it again with the next connection: the file is read only once in a process.
    """

    def __init__(self, index: Any, manifest: IndexManifest):
        self._index = index
        self._manifest = manifest

    @property
    def last_number(self) -> int:
        """Rows with a larger text_number are not in it, and have to be searched beside it."""
        return self._manifest.last_number

    @property
    def vectors(self) -> int:
        """How many vectors it holds."""
        return self._manifest.vector_count

    def search(self, vector: Sequence[float] | Array, count: int) -> list[tuple[int, float]]:
        """Return the text_ids of nearest vectors and their cosine similarities, nearest first.

        Args:
            vector: 384 numbers, of unit length.
            count: how many at most.
        """
        if not self.vectors:
            return []
        return nearest(self._index, vector, min(count, self.vectors))


def index_folder(database: Path) -> Path:
    """Return the folder of a database's index."""
    return beside(database, ".index")


def open_index(
    folder: Path, connection: duckdb.DuckDBPyConnection, model: str
) -> VectorIndex | None:
    """Return the index if it can be trusted with the table; else None, and say why in the log."""
    index, reason = find_index(folder, connection, model)
    if reason is not None:
        log.info("vector index not used: %s", reason)
    return index


def find_index(
    folder: Path, connection: duckdb.DuckDBPyConnection, model: str
) -> tuple[VectorIndex | None, str | None]:
    """Return the index if it can be trusted with the table, else why it cannot."""
    try:
        manifest = read_manifest(folder)
        with snapshot(connection) as cursor:
            # Before the file, which takes a second for a million vectors.
            Table(cursor, model).check_fits(manifest)
            index, found = loaded(folder)
            if found != manifest:
                # Another was put in its place meanwhile.
                Table(cursor, model).check_fits(found)
    except UnusableError as error:
        return None, str(error)
    return VectorIndex(index, found), None
