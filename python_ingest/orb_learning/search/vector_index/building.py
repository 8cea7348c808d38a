"""Building an index, and adding to it what is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from orb_learning.errors import VectorIndexError
from orb_learning.search.vector_index.faiss_index import (
    FLAT_BELOW,
    add,
    choose_breadth,
    empty,
    has_graph,
    hold_out,
    imported_faiss,
)
from orb_learning.search.vector_index.manifest import IndexManifest, UnusableError
from orb_learning.search.vector_index.on_disk import load, only_builder, publish
from orb_learning.search.vector_index.table import Table, snapshot

GROWTH_UNTIL_MEASURED = 2
"""By what factor an index grows before the breadth of a search is chosen anew."""


@dataclass(frozen=True)
class IndexResult:
    """What ``build_or_update`` did."""

    vectors: int
    """That the index holds now."""
    added: int
    rebuilt_because: str | None
    """Why it was built from nothing; None if it was only added to."""
    seconds: float

    @property
    def rebuilt(self) -> bool:
        """Whether it was built from nothing."""
        return self.rebuilt_because is not None


def update_index(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    model: str,
    *,
    when_read: Callable[[], object] = lambda: None,
) -> IndexResult:
    """Add the vectors that the index does not hold yet; build it anew where it does not fit.

    Who builds while another does waits, and finds the other's index. The new vectors are in memory
    together with the index, 768 bytes each.

    Args:
        connection: to a database with text_embeddings; it is only read.
        folder: of the index; made if it is missing.
        model: whose vectors to take.
        when_read: called as soon as the database is not needed any more, for example to close it:
            building takes minutes for a million texts, and nobody can write while it is open.

    Raises:
        VectorIndexError: faiss or the table is missing, or the index cannot be written.
    """
    began = time.perf_counter()
    imported_faiss()  # or the error, before anything is read
    with only_builder(folder):
        with snapshot(connection) as cursor:
            try:
                table = Table(cursor, model)
            except UnusableError as error:
                raise VectorIndexError(
                    f"there is nothing to index: {error}; `dbt build`"
                ) from error
            count = table.vector_count(table.last_number)
            reason = None
            try:
                index, before = load(folder)
                table.check_fits(before)
                _check_kind(before, count)
                if table.vector_count(before.last_number) != before.vector_count:
                    raise UnusableError("vectors that it knows are gone")
            except UnusableError as error:
                reason = str(error)
                index, before = empty(count), table.manifest(last_number=0)
            manifest = table.manifest(
                last_number=table.last_number,
                vector_count=count,
                measured_count=before.measured_count,
            )
            new = list(table.batches(after=before.last_number, rounded=has_graph(index)))
        when_read()
        if reason is None and manifest == replace(before, file="", file_sha256=""):
            return IndexResult(count, 0, None, time.perf_counter() - began)
        if has_graph(index) and count >= GROWTH_UNTIL_MEASURED * before.measured_count:
            new, held_out = hold_out(new)
            add(index, new)
            choose_breadth(index, held_out)
            add(index, held_out)
            manifest = replace(manifest, measured_count=count)
        else:
            add(index, new)
        if index.ntotal != count:
            raise VectorIndexError(f"{count} vectors were to be indexed, {index.ntotal} are")
        publish(folder, index, manifest)
    return IndexResult(count, count - before.vector_count, reason, time.perf_counter() - began)


def _check_kind(manifest: IndexManifest, count: int) -> None:
    """Raise UnusableError when the table has outgrown an index without a graph."""
    if not manifest.measured_count and count >= FLAT_BELOW:
        raise UnusableError(f"it was made for less than {FLAT_BELOW:,} vectors")
