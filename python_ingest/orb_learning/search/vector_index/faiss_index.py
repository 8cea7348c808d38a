"""The index in memory: of few vectors, which are all compared, or a graph.

It is faiss's IndexIDMap; faiss has signed numbers where text_ids are unsigned.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orb_learning.errors import VectorIndexError
from orb_learning.record import DIMENSIONS

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]
    Parts = list[tuple[Array, Array]]
    """Ids and vectors, part after part."""

FLAT_BELOW = 20_000
"""Vectors below which all are compared, which takes a millisecond; from there on a graph (HNSW) is
searched. Lists (IVF) are built faster, but texts that differ in single words lie in no clusters: a
third of all lists hold 95 % of the nearest ten."""

LINKS = 32
"""Neighbours of a vector in the graph."""

BUILD_BREADTH = 80
"""Candidates that are looked at to find a new vector's neighbours."""

LEAST_RECALL = 0.995
"""Of the ten nearest, measured with vectors before they are added: a vector in the graph finds its
neighbours by its own links, and would make 0.94 look like 0.99."""

MARGIN = 1.25
"""Times the candidates that LEAST_RECALL needs are looked at, because new texts may be unlike the
others: a thousand, a third of them written by people, found 0.984 without it and 0.993 with twice
as many, which take more than 5 ms among a million."""

MEASURED_VECTORS = 256
NEAREST = 10
FIRST_BREADTH, LAST_BREADTH = 32, 4_096
"""Candidates of a search: as many as LEAST_RECALL needs are chosen, by steps from the first."""
STEP = 1.25


def imported_faiss() -> Any:
    """Return the library.

    Raises:
        VectorIndexError: it is not installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise VectorIndexError(
            "the index needs `pip install 'orb-learning[index]'`; without it, search is exact"
        ) from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Search by this thread alone.

    It is a millisecond's work. Where others use the processors, waiting until each of several
    threads has had one takes up to a hundred.
    """
    faiss = imported_faiss()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def empty(count: int) -> Any:
    """Return an index without vectors, made for so many."""
    faiss = imported_faiss()
    metric = faiss.METRIC_INNER_PRODUCT
    if count < FLAT_BELOW:
        return faiss.IndexIDMap(faiss.IndexFlat(DIMENSIONS, metric))
    # 16 bits a number: half the file and memory, and similarities that are right to 5 places.
    half = faiss.ScalarQuantizer.QT_fp16
    graph = faiss.IndexHNSWSQ(DIMENSIONS, half, LINKS, metric)
    graph.hnsw.efConstruction = BUILD_BREADTH
    graph.is_trained = True
    index = faiss.IndexIDMap(graph)
    graph.this.disown()
    index.own_fields = True
    return index


def has_graph(index: Any) -> bool:
    """Return whether a search follows a graph, and may miss vectors."""
    return hasattr(_inner(index), "hnsw")


def _inner(index: Any) -> Any:
    return imported_faiss().downcast_index(index.index)


def _breadth(index: Any, count: int) -> Any:
    """Return for how many candidates to search a graph: more than chosen when more are wanted."""
    if not has_graph(index):
        return None
    chosen = _inner(index).hnsw.efSearch
    wider = round(chosen * max(1, count / NEAREST) ** 0.5)
    return imported_faiss().SearchParametersHNSW(efSearch=max(wider, 2 * count))


def nearest(index: Any, vector: Sequence[float] | Array, count: int) -> list[tuple[int, float]]:
    """Return the text_ids of nearest vectors and their cosine similarities, nearest first."""
    import numpy

    query = numpy.ascontiguousarray(vector, numpy.float32).reshape(1, DIMENSIONS)
    with _one_thread():
        similarities, ids = index.search(query, count, params=_breadth(index, count))
    return [
        (int(text_id), float(similarity))
        # Where faiss finds too few, it fills up with the least float.
        for text_id, similarity in zip(ids[0].view(numpy.uint64), similarities[0], strict=True)
        if similarity >= -2
    ]


def add(index: Any, parts: Parts) -> None:
    """Add vectors."""
    for ids, vectors in parts:
        index.add_with_ids(vectors.astype("float32"), ids)


def hold_out(parts: Parts) -> tuple[Parts, Parts]:
    """Part the vectors in those that are added at once and some to measure with before."""
    import numpy

    every = slice(0, None, max(1, sum(len(ids) for ids, _ in parts) // MEASURED_VECTORS))
    held_out = [(ids[every], vectors[every]) for ids, vectors in parts]
    others = [
        (numpy.delete(ids, every), numpy.delete(vectors, every, axis=0)) for ids, vectors in parts
    ]
    return others, held_out


def choose_breadth(index: Any, held_out: Parts) -> None:
    """Let a search look at as few candidates as find LEAST_RECALL of what comparing all does."""
    import numpy

    graph = _inner(index)
    queries = numpy.concatenate([vectors for _, vectors in held_out]).astype(numpy.float32)

    def found_by(searched: Any) -> list[set[int]]:
        return [set(row) for row in searched.search(queries, NEAREST)[1].tolist()]

    exact = found_by(imported_faiss().downcast_index(graph.storage))
    graph.hnsw.efSearch = FIRST_BREADTH
    while graph.hnsw.efSearch < LAST_BREADTH:
        found = found_by(graph)
        common = sum(len(a & b) for a, b in zip(exact, found, strict=True))
        if common >= LEAST_RECALL * NEAREST * len(queries):
            break
        graph.hnsw.efSearch = round(graph.hnsw.efSearch * STEP)
    graph.hnsw.efSearch = round(graph.hnsw.efSearch * MARGIN)
