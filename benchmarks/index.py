"""The index of vectors, on the real model's vectors of realistic texts, as many as are kept.

`python -m benchmarks.vectors` makes the vectors, up to a million; the headings say of how many the
figures are. The queries are texts that the index does not hold. Recall is measured against numpy
over all vectors, in thousandths of the nearest ten that were missed. Below stands, for growing
numbers of texts, a search in the index beside DuckDB's exact one: where the index begins to pay.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import numpy
import pyarrow

from benchmarks import databases, vectors
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from benchmarks.texts import realistic_texts
from orb_learning.embeddings.encoder import DEFAULT_MODEL, Encoder
from orb_learning.record.vector_codec import DIMENSIONS
from orb_learning.search.vector_index import VectorIndex, find_index, index_folder, update_index

TITLE = "The index of vectors"
NEAREST = 10
SIZES = (1_000, 10_000, 20_000, 40_000, 100_000)
"""At which the index is compared with DuckDB, besides all that there are."""
INSERTED_AT_ONCE = 10_000
MB = 2**20

Vectors = numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float32]]


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    if full:
        known = vectors.kept()
        if known is None:
            raise RuntimeError("there are no vectors; make them: python -m benchmarks.vectors")
    else:
        known = Encoder().encode(list(realistic_texts(2_000)))
    queries = known[: 1_000 if full else 100]
    indexed = known[len(queries) :]
    with databases.new_folder() as folder:
        for size in itertools.takewhile(lambda size: size < len(indexed), SIZES):
            yield from _pays(folder, indexed[:size], queries[:100])
        yield from _index(folder, indexed, queries)


def _pays(folder: Path, indexed: Vectors, queries: Vectors) -> Iterator[Figure]:
    database = _database(folder / f"{len(indexed)}.db", indexed)
    with duckdb.connect(database, read_only=True) as connection:
        place = index_folder(database)
        update_index(connection, place, DEFAULT_MODEL)
        index = _opened(place, connection)
        yield Figure(
            f"search {len(indexed):,} texts, p50",
            statistics.median(_seconds(lambda query: index.search(query, NEAREST), queries)),
            baseline=statistics.median(_seconds(_exactly(connection), queries)),
            baseline_name="DuckDB, exact",
        )


def _index(folder: Path, indexed: Vectors, queries: Vectors) -> Iterator[Figure]:
    added = len(indexed) // 100
    count = len(indexed) - added
    database = _database(folder / "all.db", indexed[:count])
    place = index_folder(database)
    with duckdb.connect(database, read_only=True) as connection:
        built = update_index(connection, place, DEFAULT_MODEL)
    yield Figure(f"build it of {count:,} texts", built.seconds)
    with duckdb.connect(database) as connection:
        _insert(connection, indexed[count:], first=count)
        updated = update_index(connection, place, DEFAULT_MODEL)
    if updated.rebuilt or updated.added != added:
        raise RuntimeError(f"it was not updated: {updated}")
    yield Figure(
        f"add {added:,} texts", updated.seconds, baseline=built.seconds, baseline_name="build"
    )
    size = sum(file.stat().st_size for file in place.iterdir())
    yield Figure("its files", size / MB, "MB", baseline=indexed.nbytes / MB, baseline_name="bare")
    with duckdb.connect(database, read_only=True) as connection:
        first, *again = _seconds(lambda _: _opened(place, connection), queries[:50])
        yield Figure("open it, the first time in a process", first)
        yield Figure("open it again: whether it fits the table, p50", statistics.median(again))
        index = _opened(place, connection)
        times = _seconds(lambda query: index.search(query, NEAREST), queries)
        exact = _seconds(_exactly(connection), queries[:50])
        for percent, most in ((50, 0.005), (99, None)):
            yield Figure(
                f"search {len(indexed):,} texts, p{percent}",
                statistics.quantiles(times, n=100)[percent - 1],
                baseline=statistics.quantiles(exact, n=100)[percent - 1],
                baseline_name="DuckDB, exact",
                most=most,
            )
        for nearest, most_missed in ((NEAREST, 20), (10 * NEAREST, None)):
            found = [{text_id for text_id, _ in index.search(one, nearest)} for one in queries]
            exact_ids = _nearest(indexed, queries, nearest)
            common = sum(len(one & other) for one, other in zip(found, exact_ids, strict=True))
            yield Figure(
                f"missed of the nearest {nearest}",
                1000 * (1 - common / (nearest * len(queries))),
                "‰",
                most=most_missed,
            )


def _database(path: Path, indexed: Vectors) -> Path:
    with duckdb.connect(path) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.database_id as select uuid() as database_id")
        connection.execute(
            f"""
            create table text_embeddings (
                text_id ubigint, text_number bigint, embedding float[{DIMENSIONS}],
                model varchar, embedded_at timestamp
            )
            """
        )
        _insert(connection, indexed, first=0)
    return path


def _insert(connection: duckdb.DuckDBPyConnection, added: Vectors, first: int) -> None:
    """Insert the vectors; the id of each is its row number."""
    for begin in range(0, len(added), INSERTED_AT_ONCE):
        part = added[begin : begin + INSERTED_AT_ONCE]
        places = numpy.arange(first + begin, first + begin + len(part))
        rows = pyarrow.table(
            {
                "text_id": places.astype(numpy.uint64),
                "text_number": places + 1,
                "embedding": pyarrow.FixedSizeListArray.from_arrays(
                    pyarrow.array(part.reshape(-1)), DIMENSIONS
                ),
            }
        )
        connection.register("added_rows", rows)
        connection.execute(
            "insert into text_embeddings select *, ?, ? from added_rows",
            [DEFAULT_MODEL, datetime(2026, 4, 1)],  # noqa: DTZ001
        )
        connection.unregister("added_rows")


def _opened(place: Path, connection: duckdb.DuckDBPyConnection) -> VectorIndex:
    index, reason = find_index(place, connection, DEFAULT_MODEL)
    if index is None:
        raise RuntimeError(reason)
    return index


def _exactly(connection: duckdb.DuckDBPyConnection) -> Callable[[Vectors], object]:
    statement = f"""
        select text_id, array_inner_product(embedding, ?::float[{DIMENSIONS}]) as similarity
        from text_embeddings order by similarity desc limit {NEAREST}
        """
    return lambda query: connection.execute(statement, [query.tolist()]).fetchall()


def _nearest(indexed: Vectors, queries: Vectors, count: int) -> list[set[int]]:
    """Return the row numbers of the nearest, by comparing all, part after part."""
    best = numpy.full((len(queries), count), -2, numpy.float32)
    places = numpy.full((len(queries), count), -1)
    for begin in range(0, len(indexed), INSERTED_AT_ONCE):
        similarities = queries @ indexed[begin : begin + INSERTED_AT_ONCE].T
        best = numpy.hstack([best, similarities])
        here = numpy.broadcast_to(begin + numpy.arange(similarities.shape[1]), similarities.shape)
        places = numpy.hstack([places, here])
        kept = numpy.argpartition(-best, count, axis=1)[:, :count]
        best = numpy.take_along_axis(best, kept, axis=1)
        places = numpy.take_along_axis(places, kept, axis=1)
    return [set(row) for row in places.tolist()]


def _seconds(call: Callable[[Vectors], object], queries: Vectors) -> list[float]:
    times = []
    for query in queries:
        began = time.perf_counter()
        call(query)
        times.append(time.perf_counter() - began)
    return times
