"""The real model's vectors of realistic texts: `python -m benchmarks.vectors [COUNT]` makes them.

A million take from thirty minutes to some hours, so data/bench/ keeps them. They are made in
pieces: a run after a kill continues where the killed one was. The benchmark of the index takes as
many as there are. The texts are kept beside them, so that an edited vocabulary never mixes vectors
of other texts into the file.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

import numpy

from benchmarks import databases
from benchmarks.texts import realistic_texts
from orb_learning.embeddings.encoder import Encoder
from orb_learning.record.vector_codec import DIMENSIONS

MOST = 1_000_000
PIECE = 4_096
"""Texts that are encoded at once, and lost by a kill."""

BYTES = 4 * DIMENSIONS


def kept() -> numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float32]] | None:
    """Return the vectors that are there, mapped from the file; None without any."""
    file = _file("vectors")
    count = min(MOST, file.stat().st_size // BYTES) if file.exists() else 0
    if not count:
        return None
    return numpy.memmap(file, numpy.float32, "r", shape=(count, DIMENSIONS))


def make(count: int) -> None:
    texts = _texts()
    file = _file("vectors")
    done = file.stat().st_size // BYTES if file.exists() else 0
    encoder = Encoder()
    with texts.open(encoding="utf-8") as lines, file.open("ab") as vectors:
        vectors.truncate(done * BYTES)
        waiting = itertools.islice(lines, done, count)
        while piece := [line.rstrip("\n") for line in itertools.islice(waiting, PIECE)]:
            began = time.perf_counter()
            vectors.write(encoder.encode(piece).tobytes())
            vectors.flush()
            done += len(piece)
            speed = len(piece) / (time.perf_counter() - began)
            print(f"{done:,} vectors, {speed:,.0f} texts/s", file=sys.stderr, flush=True)


def _texts() -> Path:
    file = _file("texts")
    if not file.exists():
        databases.CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{text}\n" for text in realistic_texts(MOST, databases.SEED))
        unfinished.replace(file)
    return file


def _file(kind: str) -> Path:
    return databases.CACHE / f"realistic.{kind}"


if __name__ == "__main__":
    os.nice(19)
    make(int(sys.argv[1]) if len(sys.argv) > 1 else MOST)
