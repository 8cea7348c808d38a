"""What an index is made of: rows of text_embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from orb_learning.record import DIMENSIONS
from orb_learning.search.vector_index.manifest import FORMAT, IndexManifest, UnusableError

if TYPE_CHECKING:
    from orb_learning.search.vector_index.faiss_index import Array

BATCH_ROWS = 8_192
"""Rows that are read at a time: 12 MB of vectors."""


class Table:
    """The rows of text_embeddings that belong in the index, in one snapshot."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, model: str):
        self._cursor = cursor
        self.model = model
        try:
            (identity,) = self._row("select any_value(database_id)::varchar from raw.database_id")
            (last,) = self._row("select coalesce(max(text_number), 0) from text_embeddings")
        except duckdb.CatalogException as error:
            raise UnusableError(str(error).splitlines()[0]) from error
        self.database_id = str(identity)
        self.last_number = int(last)

    def check_fits(self, manifest: IndexManifest) -> None:
        """Raise UnusableError unless an index of this manifest holds the rows up to its last."""
        if manifest.model != self.model:
            raise UnusableError(f"it is of the model {manifest.model!r}, not of {self.model!r}")
        if manifest.database_id != self.database_id:
            raise UnusableError("it is of another database")
        if self.fingerprint(manifest.last_number) != (manifest.row_count, manifest.fingerprint):
            raise UnusableError("texts that it knows were deleted or embedded anew")

    def fingerprint(self, last_number: int) -> tuple[int, int]:
        """Return count and exclusive or of hashes of the rows up to a number.

        A vector is not hashed, which would take a second for a million: a row whose vector is made
        anew has another embedded_at.
        """
        rows, fingerprint = self._row(
            "select count(*), coalesce(bit_xor(hash(text_number, text_id, embedded_at)), 0) "
            "from text_embeddings where model = ? and text_number <= ?",
            self.model,
            last_number,
        )
        return int(rows), int(fingerprint)

    def manifest(
        self, *, last_number: int, vector_count: int = 0, measured_count: int = 0
    ) -> IndexManifest:
        """Return the manifest of an index of the rows up to a number, without its file."""
        rows, fingerprint = self.fingerprint(last_number)
        return IndexManifest(
            format=FORMAT,
            model=self.model,
            database_id=self.database_id,
            last_number=last_number,
            row_count=rows,
            fingerprint=fingerprint,
            vector_count=vector_count,
            measured_count=measured_count,
            file="",
            file_sha256="",
        )

    def vector_count(self, last_number: int) -> int:
        """Return how many rows up to a number have a vector."""
        (count,) = self._row(
            "select count(*) from text_embeddings "
            "where model = ? and embedding is not null and text_number <= ?",
            self.model,
            last_number,
        )
        return int(count)

    def batches(self, *, after: int, rounded: bool) -> Iterator[tuple[Array, Array]]:
        """Yield ids, as faiss has them, and vectors of the rows after a number.

        Args:
            after: the largest number that is left out.
            rounded: whether to return floats of 16 bits, of which a graph consists anyway.
        """
        import numpy

        rows = self._cursor.sql(
            "select text_id, embedding from text_embeddings "
            "where model = ? and embedding is not null and text_number > ?",
            params=[self.model, after],
        )
        for batch in rows.to_arrow_reader(BATCH_ROWS):
            ids = batch.column(0).to_numpy().view(numpy.int64)
            vectors = batch.column(1).flatten().to_numpy().reshape(-1, DIMENSIONS)
            yield ids, vectors.astype(numpy.float16) if rounded else vectors

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        # All rows: a cursor with an unfinished result takes no other query.
        (row,) = self._cursor.execute(query, list(values)).fetchall()
        return tuple(row)


@contextmanager
def snapshot(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a cursor that sees one state of the database, whatever the connection is doing."""
    with connection.cursor() as cursor:
        cursor.execute("begin transaction read only")
        try:
            yield cursor
        finally:
            cursor.rollback()
