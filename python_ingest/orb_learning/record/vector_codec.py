"""Vectors in a record's JSON, and on their way from there into DuckDB.

In JSON a vector is one text, the base64 of its numbers as little-endian 32-bit floats: a quarter
of a list of numbers, and read in a tenth of the time. A list is read, too.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

DIMENSIONS = 384
LARGEST = 3.4028234663852886e38
"""The largest 32-bit float; NaN is not within it either."""
_FLOATS = struct.Struct(f"<{DIMENSIONS}f")


class VectorError(ValueError):
    """What should be a vector is none."""


def vector_to_text(vector: Sequence[float]) -> str:
    """Return the text of a vector.

    Raises:
        VectorError: it has another length, or a number that is no 32-bit float.
    """
    return base64.b64encode(_packed(vector)).decode()


def vector_from_text(text: str) -> list[float]:
    """Return the vector of a text.

    Raises:
        VectorError: it is the text of none.
    """
    return list(_FLOATS.unpack(_decoded(text)))


def pack_vector(vector: str | list[float]) -> bytes:
    """Return the bytes of a vector that came as its text or as a list of numbers.

    Raises:
        VectorError: it is neither.
    """
    return _decoded(vector) if isinstance(vector, str) else _packed(vector)


def arrow_lists(vectors: Sequence[bytes | None]) -> pyarrow.ListArray:
    """Return packed vectors as Arrow has them, without looking at their numbers."""
    import pyarrow

    known = [vector for vector in vectors if vector is not None]
    ends = accumulate((DIMENSIONS * (vector is not None) for vector in vectors), initial=0)
    numbers = [None, pyarrow.py_buffer(b"".join(known))]
    return pyarrow.ListArray.from_arrays(
        pyarrow.array(ends, pyarrow.int32()),
        pyarrow.Array.from_buffers(pyarrow.float32(), DIMENSIONS * len(known), numbers),
        mask=pyarrow.array([vector is None for vector in vectors]),
    )


def _packed(vector: Any) -> bytes:
    try:
        return _FLOATS.pack(*vector)
    except (struct.error, TypeError, OverflowError) as error:
        raise VectorError(f"embedding: {DIMENSIONS} 32-bit floats are needed: {error}") from error


def _decoded(text: str) -> bytes:
    try:
        numbers = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise VectorError(f"embedding: {error}") from error
    if len(numbers) != _FLOATS.size:
        raise VectorError(f"embedding: {DIMENSIONS} 32-bit floats are needed")
    return numbers
