"""Building an index, and adding to it what is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from orb_learning.errors import VectorIndexError
from orb_learning.search.vector_index import faiss_index
from orb_learning.search.vector_index.manifest import IndexManifest, UnusableError
from orb_learning.search.vector_index.on_disk import exclusive_build, load, publish
from orb_learning.search.vector_index.table import Table, snapshot

GROWTH_UNTIL_MEASURED = 2
"""By what factor an index grows before the breadth of a search is chosen anew."""


@dataclass(frozen=True)
class IndexResult:
    """What ``update_index`` did."""

    vectors: int
    """That the index holds now."""
    added: int
    rebuilt_because: str | None
    """Why it was built from nothing; None if it was only added to."""
    seconds: float


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
    faiss_index.imported_faiss()  # or the error, before anything is read
    with exclusive_build(folder):
        with snapshot(connection) as cursor:
            change = _read_change(cursor, folder, model)
        when_read()
        before, manifest = change.before, change.manifest
        count = manifest.vector_count
        if change.reason is None and manifest == replace(before, file="", file_sha256=""):
            return IndexResult(count, 0, None, time.perf_counter() - began)
        manifest = _apply(change)
        if change.index.ntotal != count:
            raise VectorIndexError(f"{count} vectors were to be indexed, {change.index.ntotal} are")
        publish(folder, change.index, manifest)
    seconds = time.perf_counter() - began
    return IndexResult(count, count - before.vector_count, change.reason, seconds)


@dataclass(frozen=True)
class _Change:
    """An index as it was, or an empty one, and what is to be added to it."""

    index: Any
    before: IndexManifest
    manifest: IndexManifest
    """Of the index with the new vectors."""
    new: faiss_index.Parts
    reason: str | None
    """Why the index is empty."""


def _read_change(cursor: duckdb.DuckDBPyConnection, folder: Path, model: str) -> _Change:
    try:
        table = Table(cursor, model)
    except UnusableError as error:
        raise VectorIndexError(f"there is nothing to index: {error}; `orb build`") from error
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
        index, before = faiss_index.empty(count), table.manifest(last_number=0)
    manifest = table.manifest(
        last_number=table.last_number,
        vector_count=count,
        measured_count=before.measured_count,
    )
    rounded = faiss_index.has_graph(index)
    new = list(table.batches(after=before.last_number, rounded=rounded))
    return _Change(index, before, manifest, new, reason)


def _apply(change: _Change) -> IndexManifest:
    """Add the new vectors; returns the manifest of the index that it becomes."""
    index, manifest = change.index, change.manifest
    measured = change.before.measured_count
    if faiss_index.has_graph(index) and manifest.vector_count >= GROWTH_UNTIL_MEASURED * measured:
        new, held_out = faiss_index.hold_out(change.new)
        faiss_index.add(index, new)
        faiss_index.choose_breadth(index, held_out)
        faiss_index.add(index, held_out)
        return replace(manifest, measured_count=manifest.vector_count)
    faiss_index.add(index, change.new)
    return manifest


def _check_kind(manifest: IndexManifest, count: int) -> None:
    """Raise UnusableError when the table has outgrown an index without a graph."""
    if not manifest.measured_count and count >= faiss_index.FLAT_BELOW:
        raise UnusableError(f"it was made for less than {faiss_index.FLAT_BELOW:,} vectors")
