"""Clusters of texts: the first clustering of a million, and a thousand new texts among them.

The vectors are synthetic, around centres with the mean and covariance of the real model's vectors
of 2,000 tasks: their spectrum decides how much the search spares. A centre has 1 to 4 texts, so
about 400,000 of a million lead. Measured are the rows of the model `int_text_clusters`, from a
DuckDB table of vectors, without dbt's start. The processor's seconds stand below, for when others
use the cores. Ids are random, as hashes are, so the new texts come in the midst of the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy
import pyarrow

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from benchmarks.texts import realistic_texts
from orb_learning.embeddings.encoder import DEFAULT_MODEL, Encoder
from orb_learning.embeddings.text_clusters import new_rows
from orb_learning.record.vector_codec import DIMENSIONS

TITLE = "Clusters of texts"
TEXTS = {"full": 1_000_000, "small": 3_000}
NEW = 1_000
THRESHOLD = 0.86
SPREAD = 0.25
"""Of a centre's texts, against the spread of the centres."""
CENTRES_AT_ONCE = 10_000

Vectors = numpy.ndarray[Any, numpy.dtype[numpy.float32]]


def run(scale: Scale) -> Iterator[Figure]:
    count = TEXTS[scale.name]
    real = Encoder().encode(list(realistic_texts(2_000 if scale.name == "full" else 500)))
    yield from measure(real, count)


def measure(real: Vectors, count: int) -> Iterator[Figure]:
    """Measure with so many texts, whose vectors are like these."""
    with databases.new_folder() as folder, duckdb.connect(folder / "texts.db") as connection:
        _insert(connection, real, count)
        connection.execute(f"create view embedded as from vectors where text_number > {NEW}")
        first, cpu = _timed(lambda: _cluster(connection, None))
        connection.execute("create table clustered as from changed")
        row = connection.execute(
            "select count(*) filter (text_id = cluster_id) from changed"
        ).fetchone()
        assert row is not None
        yield Figure(f"first clustering of {count - NEW:,} texts", first, most=900)
        yield Figure("of it, processor seconds", cpu)
        yield Figure("leaders", row[0], "texts")
        connection.execute("create or replace view embedded as from vectors")
        seconds, cpu = _timed(lambda: _cluster(connection, "clustered"))
        yield Figure(f"{NEW:,} new texts among {count:,}", seconds, most=10)
        yield Figure("of it, processor seconds", cpu)


def _cluster(connection: duckdb.DuckDBPyConnection, clustered: str | None) -> None:
    rows = new_rows(
        connection,
        texts="(select 'solution' as kind, text_id from embedded)",
        embedded="embedded",
        clustered=clustered,
        model=DEFAULT_MODEL,
        threshold=THRESHOLD,
    )
    connection.register("changed", rows)


def _insert(connection: duckdb.DuckDBPyConnection, real: Vectors, count: int) -> None:
    connection.execute(
        f"create table vectors (text_id ubigint, text_number bigint, model varchar, "
        f"embedding float[{DIMENSIONS}])"
    )
    number = 0
    for part in like(real, count):
        connection.register(
            "added",
            pyarrow.table(
                {
                    "text_number": numpy.arange(number + 1, number + 1 + len(part)),
                    "embedding": pyarrow.FixedSizeListArray.from_arrays(
                        pyarrow.array(part.reshape(-1)), DIMENSIONS
                    ),
                }
            ),
        )
        connection.execute(
            "insert into vectors select hash(text_number), text_number, ?, embedding from added",
            [DEFAULT_MODEL],
        )
        number += len(part)


def like(real: Vectors, count: int) -> Iterator[Vectors]:
    """Yield so many vectors, part after part, that are spread as real ones and lie in groups."""
    random = numpy.random.default_rng(databases.SEED)
    mean = real.mean(axis=0)
    lengths, directions = numpy.linalg.eigh(numpy.cov(real.T))
    spread = (directions * numpy.sqrt(numpy.maximum(lengths, 0))).astype(numpy.float32).T

    def around(centres: Vectors, share: float) -> Vectors:
        noise = random.standard_normal(centres.shape, dtype=numpy.float32)
        vectors = centres + numpy.float32(share) * (noise @ spread)
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)

    made = 0
    while made < count:
        centres = around(numpy.tile(mean, (CENTRES_AT_ONCE, 1)), 1)
        texts = numpy.repeat(centres, random.integers(1, 5, len(centres)), axis=0)
        part = around(random.permutation(texts)[: count - made], SPREAD)
        made += len(part)
        yield part


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that the work took, and those of the processor."""
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu_began
