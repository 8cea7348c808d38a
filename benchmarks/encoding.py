"""Embedding texts: the package's encoder, and what the dbt model saves by embedding no text twice.

Encoding: `Encoder.encode` against `SentenceTransformer.encode` with its defaults. Both have the
same weights and the same realistic texts, part after part in turns. Ours converts the model for
ONNX Runtime on the way, which counts. With 90 % repeated texts: the rows of text_embeddings against
`SentenceTransformer.encode` of each row's text. Both include the loading of the model. bf16: the
time for the same texts, and the distance of its vectors from those of fp32, in millionths. Cosine
compares the vectors, Spearman's correlation the order of all pairs' similarities.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import duckdb
import numpy
from scipy.stats import spearmanr

from benchmarks.figures import Figure
from benchmarks.scales import Scale
from benchmarks.texts import realistic_texts
from orb_learning.embeddings.encoder import DEFAULT_MODEL, Encoder
from orb_learning.embeddings.text_embeddings import new_rows

TITLE = "Embedding texts"
PART = 256
"""Texts that each encodes in turn."""
REPEATS = 10
"""How often each text is there where 90 % are repeated."""
MILLION = 1_000_000


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    texts = list(realistic_texts(4_096 if full else PART))
    encoder = Encoder()
    defaults = encoder._model
    defaults.encode(texts[:32])  # the first call is slower
    yield from _in_turns(texts, encoder.encode, defaults.encode)
    yield from _bf16(texts[: 4 * PART], defaults)
    yield from _repeated(texts[:2_000])


def _in_turns(
    texts: list[str],
    ours: Callable[[list[str]], object],
    defaults: Callable[[list[str]], object],
) -> Iterator[Figure]:
    times = {ours: 0.0, defaults: 0.0}
    for begin in range(0, len(texts), PART):
        for encode in times:
            times[encode] += _seconds(partial(encode, texts[begin : begin + PART]))
    yield Figure(
        f"encode {len(texts):,} texts",
        times[ours],
        baseline=times[defaults],
        baseline_name="SentenceTransformer.encode",
        most_ratio=0.5,
    )
    yield Figure(
        "texts a second",
        len(texts) / times[ours],
        "texts/s",
        baseline=len(texts) / times[defaults],
        baseline_name="SentenceTransformer.encode",
    )


def _bf16(texts: list[str], exact: Any) -> Iterator[Figure]:
    import torch

    halved = Encoder()._model.to(torch.bfloat16)

    def encode() -> Any:
        # numpy has no bf16.
        vectors = halved.encode(texts, convert_to_tensor=True, normalize_embeddings=True)
        return vectors.float().numpy()

    yield Figure(
        f"encode {len(texts):,} texts in bf16",
        _seconds(encode),
        baseline=_seconds(lambda: exact.encode(texts)),
        baseline_name="fp32",
    )
    ours, theirs = encode(), exact.encode(texts, normalize_embeddings=True)
    cosines = (ours * theirs).sum(axis=1) / numpy.linalg.norm(ours, axis=1)
    pairs = numpy.triu_indices(len(texts), 1)
    ranks = spearmanr((ours @ ours.T)[pairs], (theirs @ theirs.T)[pairs]).statistic
    yield Figure("bf16: 1 - the least cosine", float(MILLION * (1 - cosines.min())), "ppm")
    yield Figure("bf16: 1 - the rank correlation of pairs", float(MILLION * (1 - ranks)), "ppm")


def _repeated(texts: list[str]) -> Iterator[Figure]:
    rows = [text for _ in range(REPEATS) for text in texts]
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table int_texts as
            select hash(text) as text_id, text, timestamp '2026-04-01' as timestamp
            from (select unnest(?::varchar[]) as text)
            """,
            [rows],
        )
        once = _seconds(lambda: _build(connection, len(texts)))
    yield Figure(
        f"embed {len(rows):,} rows, 90 % of them repeated",
        once,
        baseline=_seconds(lambda: Encoder()._model.encode(rows)),
        baseline_name="each row",
        most_ratio=1 / 8,
    )


def _build(connection: duckdb.DuckDBPyConnection, expected: int) -> None:
    rows = new_rows(
        connection,
        texts="int_texts",
        embedded=None,
        model=DEFAULT_MODEL,
        most_texts=MILLION,
        enabled=True,
    )
    if (made := rows.read_all().num_rows) != expected:
        raise RuntimeError(f"{made} texts were embedded, not {expected}")


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
