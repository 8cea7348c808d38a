"""What a text file's first bytes say: that it is text, in which encoding, or what else it is."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from orb_learning.errors import ImportFileError

_MAGIC = {
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip archive, such as an Excel workbook",
    b"SQLite format 3\0": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_BYTES_LOOKED_AT = 4096


def encoding_of(file: Path, start: bytes) -> str:
    """Return utf-8, utf-16-le or utf-16-be, by the mark at its start or by where zero bytes stand.

    Raises:
        ImportFileError: the bytes are those of another kind of file, which it names.
    """
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
    if start[8:12] == b"DUCK":
        kind = "a DuckDB database"
    if kind is not None:
        raise ImportFileError(f"{file} is {kind} by its first bytes; give it that ending")
    if start[:2] in _MARKS:
        return _MARKS[start[:2]]
    looked_at = start[:_BYTES_LOOKED_AT]
    pairs = len(looked_at) // 2
    for position, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = looked_at[position::2].count(0)
        if pairs and zeros > 0.4 * pairs and looked_at[1 - position :: 2].count(0) < 0.1 * pairs:
            return encoding
    return "utf-8"


def as_utf8(stream: BinaryIO, start: bytes, encoding: str, size: int) -> Iterator[bytes]:
    """Yield a stream's bytes, those of ``start`` first, as UTF-8 without a mark at the start."""
    if encoding == "utf-8":
        yield start.removeprefix(codecs.BOM_UTF8)
        while block := stream.read(size):
            yield block
        return
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    block, first = start, True
    while True:
        text = decoder.decode(block, final=not block)
        # Half a surrogate pair becomes bytes that are no UTF-8, and so costs its line.
        yield text.removeprefix("\ufeff" if first else "").encode("utf-8", "surrogatepass")
        if not block:
            return
        block, first = stream.read(size), False
