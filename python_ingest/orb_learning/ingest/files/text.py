"""Text files into a table of numbered lines.

read_csv would skip empty lines, and miscounts the lines that it rejects, so the file is cut into
blocks of whole lines here, and DuckDB cuts the blocks into lines.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb

from orb_learning.errors import ImportFileError

BLOCK_BYTES = 8 * 2**20

NOT_UTF8 = "the line is not UTF-8"


def load_lines(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    read_bytes: Callable[[int], object],
) -> int:
    """Fill the temporary table ``file_lines`` (number, line, is_utf8) from a text file.

    Numbers begin at 1. A carriage return at a line's end stays in the line.

    Args:
        connection: a writable connection.
        file: the file; it is unzipped where its name ends in .gz.
        read_bytes: called with the file's position in bytes as the reading goes on.

    Returns:
        how many lines there are.

    Raises:
        ImportFileError: the gzip stream is damaged or ends too soon, or it is no text.
    """
    connection.execute(
        "create or replace temp table file_lines (number bigint, line varchar, is_utf8 boolean)"
    )
    count = 0
    try:
        for block in _blocks(file, read_bytes):
            if count == 0 and b"\0" in block:
                raise ImportFileError(
                    f"{file} is not text in UTF-8: it has a zero byte near its beginning; "
                    f"is its name's ending right?"
                )
            text, not_utf8 = _decoded(block, first=count == 0)
            connection.execute(
                """
                insert into file_lines
                select $lines_before + position, line, not list_contains($not_utf8, position)
                from (
                    select unnest(lines) as line, generate_subscripts(lines, 1) as position
                    from (select string_split($text, chr(10)) as lines)
                )
                """,
                {"lines_before": count, "text": text, "not_utf8": not_utf8},
            )
            count += block.count(b"\n") + 1
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportFileError(
            f"{file} is not a whole gzip file, after line {count}: {error}; "
            f"copy it again from where it came from"
        ) from error
    return count


def _blocks(file: Path, read_bytes: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the file in blocks that end where a line ends, without that newline."""
    with file.open("rb") as raw:
        zipped = file.name.lower().endswith(".gz")
        stream: BinaryIO = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment]
        parts: list[bytes] = []
        while block := stream.read(BLOCK_BYTES):
            read_bytes(raw.tell())
            head, newline, tail = block.rpartition(b"\n")
            if newline:
                yield b"".join([*parts, head])
                parts = []
            if tail:
                parts.append(tail)
        if parts:
            yield b"".join(parts)


def _decoded(block: bytes, *, first: bool) -> tuple[str, list[int]]:
    """Return the block as text, and the positions from 1 of the lines that are not UTF-8."""
    if first:
        block = block.removeprefix(b"\xef\xbb\xbf")
    try:
        return block.decode(), []
    except UnicodeDecodeError:
        bad = [i for i, line in enumerate(block.split(b"\n"), 1) if not _is_utf8(line)]
        return block.decode(errors="replace"), bad


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
