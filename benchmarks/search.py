"""Searching exactly: `similar_executions` against DuckDB's bare ranking of the same vectors.

One execution a text, over 120 days in 50 repositories. The baseline is one query, `ORDER BY
array_inner_product(…) DESC LIMIT 10` over all vectors; the two in turns, medians. The vectors are
at random around 2,000 centres: an exact search takes as long whatever they mean. Below: what a
search takes for a user who types `orb similar` with a text that the database does not have.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy
import pyarrow

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.embeddings.encoder import DEFAULT_MODEL
from orb_learning.record.vector_codec import DIMENSIONS
from orb_learning.search.queries import similar_executions
from orb_learning.store.connection import connect

TITLE = "Search"
CENTRES = 2_000
TEXTS_AT_ONCE = 20_000
BARE = (
    "select text_id, array_inner_product(embedding, $vector::float[384]) as similarity "
    "from text_embeddings order by similarity desc limit 10"
)
EXECUTIONS = f"""
    insert into fct_executions by name
    select
        uuid() as task_id,
        timestamp '{databases.LOADED_AT}' - to_seconds(120 * 86400 * (1 - number / $texts))
            as timestamp,
        'refactor' as task_type,
        'task ' || number as task_description,
        'repo-' || hash(number) % 50 as repo,
        ['small', 'medium', 'large'][(1 + hash(number * 3) % 3)::bigint] as model_tier,
        'local' as pool_type,
        hash(number * 7) % 10 < 7 as success,
        timestamp '{databases.LOADED_AT}' as uploaded_at,
        timestamp '{databases.LOADED_AT}' as _loaded_at,
        number as _load_seq,
        hash(number) as _task_text_id
    from range($texts::bigint) as numbers (number)
"""
EMBEDDINGS = f"""
    insert into text_embeddings
    select
        hash(number) as text_id,
        number + 1 as text_number,
        sha256('task ' || number) as text_sha256,
        'task ' || number as text,
        vector,
        '{DEFAULT_MODEL}' as model,
        timestamp '{databases.LOADED_AT}' as embedded_at,
        null as skipped_because
    from given
"""


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    for texts in (100_000, 1_000_000) if full else (2_000,):
        with databases.new_folder() as folder:
            yield from _exact(_database(folder, texts), texts, 15 if full else 1)
    with databases.new_folder() as folder:
        yield _cold(_database(folder, 1_000), 5 if full else 1)


def _exact(database: Path, texts: int, rounds: int) -> Iterator[Figure]:
    searches: dict[str, tuple[dict[str, Any], float]] = {
        "all": ({"days_back": None}, 1.2),
        "the default 90 of 120 days": ({"days_back": 90}, 1.2),
        "a repository": ({"days_back": None, "repo": "repo-7"}, 1.0),
        "7 days": ({"days_back": 7}, 1.0),
    }
    with connect(database, read_only=True) as connection:
        row = connection.execute("select embedding from text_embeddings limit 1").fetchone()
        assert row is not None
        vector = list(row[0])
        for name, (wanted, most) in searches.items():
            bare, searched = [], []
            for _ in range(rounds):
                began = time.perf_counter()
                connection.execute(BARE, {"vector": vector}).fetchall()
                between = time.perf_counter()
                rows = similar_executions(
                    connection,
                    vector,
                    model=DEFAULT_MODEL,
                    limit=10,
                    threshold=-1,
                    now=databases.LOADED_AT,
                    **wanted,
                )
                ended = time.perf_counter()
                bare.append(between - began)
                searched.append(ended - between)
            assert rows
            yield Figure(
                f"{texts:,} texts, {name}",
                statistics.median(searched),
                baseline=statistics.median(bare),
                baseline_name="bare, all",
                most_ratio=most,
            )


def _cold(database: Path, rounds: int) -> Figure:
    times = []
    for number in range(rounds):
        began = time.perf_counter()
        subprocess.run(
            [
                *(sys.executable, "-c", "from orb_learning.cli import app; app()"),
                *("similar", f"a text that nobody has asked for, {number}"),
            ],
            env={**os.environ, "ORB_DATABASE": str(database)},
            capture_output=True,
            check=True,
        )
        times.append(time.perf_counter() - began)
    return Figure("`orb similar`, from the shell and back", statistics.median(times), most=3)


def _database(folder: Path, texts: int) -> Path:
    database = empty_database(folder)
    fill(database, texts)
    return database


def empty_database(folder: Path) -> Path:
    """Return a new database in the folder, built from no rows."""
    database = folder / "learning.db"
    databases.dbt(database, "build", "--exclude-resource-type", "test", "unit_test")
    return database


def fill(database: Path, texts: int) -> None:
    """Put so many distinct texts into it, each with its vector and one execution."""
    with duckdb.connect(database) as connection:
        connection.execute(EXECUTIONS, {"texts": texts})
        connection.register("given", vectors(texts))
        connection.execute(EMBEDDINGS)
        connection.execute("checkpoint")


def vectors(texts: int) -> pyarrow.RecordBatchReader:
    """Return so many vectors around centres, numbered from 0, in batches."""
    chance = numpy.random.default_rng(databases.SEED)
    centres = chance.standard_normal((CENTRES, DIMENSIONS), dtype=numpy.float32)

    def batches() -> Iterator[pyarrow.RecordBatch]:
        for first in range(0, texts, TEXTS_AT_ONCE):
            count = min(TEXTS_AT_ONCE, texts - first)
            noise = chance.standard_normal((count, DIMENSIONS), dtype=numpy.float32)
            drawn = centres[chance.integers(0, CENTRES, count)] + 0.45 * noise
            drawn /= numpy.linalg.norm(drawn, axis=1, keepdims=True)
            yield pyarrow.record_batch(
                [
                    pyarrow.array(numpy.arange(first, first + count)),
                    pyarrow.FixedSizeListArray.from_arrays(drawn.reshape(-1), DIMENSIONS),
                ],
                schema=schema,
            )

    vector = pyarrow.list_(pyarrow.float32(), DIMENSIONS)
    schema = pyarrow.schema({"number": pyarrow.int64(), "vector": vector})
    return pyarrow.RecordBatchReader.from_batches(schema, batches())
