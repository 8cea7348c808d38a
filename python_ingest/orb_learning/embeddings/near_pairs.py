"""Which vectors are similar: found exactly, while most pairs are never multiplied in full.

Each vector has a sketch: its part along the few directions that hold most of the vectors' length,
and the length of what remains. By Cauchy and Schwarz, the product of two sketches is at least the
product of the vectors. So only pairs whose sketches reach the wanted product are multiplied in
full, and what is found depends on the vectors alone: the directions change the time it takes.

Products are exact: a vector's numbers are rounded to whole multiples of 1/4,000, and the sums of
their products are whole numbers below 2^24, which 32-bit floats add without an error in any order.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

SCALE = 4_000
"""Of unit vectors; rounding moves a similarity by about 0.0001."""
ONE = SCALE * SCALE
"""The product of a vector and itself. Rounding can make it larger, which is cut off."""

DIRECTIONS = 47
"""Of a sketch. Fewer are quicker to multiply and let more pairs through."""
SAMPLE = 4_096
"""Vectors that the directions are taken from."""
ROUNDING = 1e-4 * ONE
"""More than 32-bit floats can lose in the product of two sketches, by a factor of ten."""

ROWS_AT_ONCE, COLUMNS_AT_ONCE = 256, 1_024
"""The products of so many sketches, 1 MB, stay in a processor's cache."""
TILE = 4_096
"""Vectors on each side of what a thread works on."""
DENSE = 1 / 64
"""From this share of pairs on, multiplying all of a block is quicker than picking them."""


class Pairs(NamedTuple):
    """Places of two vectors, and their product."""

    one: Array
    other: Array
    product: Array


class Vectors:
    """Vectors whose similar pairs are looked for.

    Args:
        exact: one row a vector, int16, whole multiples of 1 / SCALE.
        threshold: the least cosine similarity of a pair.
    """

    def __init__(self, exact: Array, threshold: float):
        self._exact = exact
        self._least = threshold * ONE
        self._sketches = _sketches(exact)

    def __len__(self) -> int:
        return len(self._exact)

    def pairs(self, ones: Array, others: Array) -> Iterator[Pairs]:
        """Yield the pairs of the vectors at these and those places that are similar, in parts."""
        tiles = list(itertools.product(_cut(others, TILE), _cut(ones, TILE)))
        if len(tiles) <= 1:
            yield from itertools.chain(*map(self._pairs_of_tile, tiles))
            return
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for parts in pool.map(self._pairs_of_tile, tiles):
                yield from parts

    def _pairs_of_tile(self, tile: tuple[Array, Array]) -> list[Pairs]:
        import numpy

        parts = []
        for columns in _cut(tile[0], COLUMNS_AT_ONCE):
            sketches = numpy.ascontiguousarray(self._sketches[columns].T)
            for rows in _cut(tile[1], ROWS_AT_ONCE):
                bounds = self._sketches[rows] @ sketches
                hits = numpy.flatnonzero(bounds >= self._least - ROUNDING)
                if len(hits) > DENSE * bounds.size:
                    products = _products(self._exact[rows], self._exact[columns])
                    hits = numpy.flatnonzero(products >= self._least)
                    one, other = numpy.divmod(hits, len(columns))
                    parts.append(Pairs(rows[one], columns[other], products.ravel()[hits]))
                elif len(hits):
                    one, other = numpy.divmod(hits, len(columns))
                    parts.append(self._similar(rows[one], columns[other]))
        return parts

    def _similar(self, one: Array, other: Array) -> Pairs:
        """Return those of the pairs that are similar."""
        import numpy

        products = numpy.einsum(
            "ij,ij->i",
            self._exact[one].astype(numpy.float32),
            self._exact[other].astype(numpy.float32),
        )
        numpy.minimum(products, ONE, out=products)
        is_similar = products >= self._least
        return Pairs(one[is_similar], other[is_similar], products[is_similar])


def _cut(places: Array, size: int) -> Iterator[Array]:
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _sketches(exact: Array) -> Array:
    """Return for each vector its part along some directions, and the length of the rest."""
    import numpy

    count, dimensions = exact.shape
    sample = exact[:: max(1, count // SAMPLE)].astype(numpy.float64)
    _, directions = numpy.linalg.eigh(sample.T @ sample)
    kept = min(DIRECTIONS, dimensions)
    directions = directions[:, dimensions - kept :].astype(numpy.float32)
    sketches = numpy.empty((count, kept + 1), numpy.float32)
    for start in range(0, count, TILE):
        part = exact[start : start + TILE].astype(numpy.float32)
        along = part @ directions
        rest = (part**2).sum(axis=1, dtype=float) - (along**2).sum(axis=1, dtype=float)
        here = sketches[start : start + len(part)]
        here[:, :-1], here[:, -1] = along, numpy.sqrt(numpy.maximum(rest, 0))
    return sketches


def _products(ones: Array, others: Array) -> Array:
    import numpy

    products: Array = ones.astype(numpy.float32) @ others.astype(numpy.float32).T
    numpy.minimum(products, ONE, out=products)
    return products
