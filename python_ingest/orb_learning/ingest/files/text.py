"""Text files, block by block, each block a table of numbered lines.

read_csv would skip empty lines, and miscounts the lines that it rejects, so the file is cut into
blocks of whole lines here, and DuckDB cuts the blocks into lines. One block is in memory at a time.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.filesystem import open_regular
from orb_learning.ingest.files.encodings import as_utf8, encoding_of

BLOCK_BYTES = 8 * 2**20
MOST_LINES = 50_000
"""Lines of a block: short ones take many times their size in memory."""
LONGEST_LINE = 16 * 2**20
"""Bytes of a line, or of a record of several lines; a longer one is unreadable."""

MOST_UNPACKED_BYTES = 64 * 2**20
MOST_TIMES_ITS_SIZE = 100
"""A gzip file that unpacks to more than both is refused; logs come to some 20 times. The first one
bounds the time of empty lines, the worst of rows, to five minutes."""

NOT_UTF8 = "the line is not UTF-8; is it in another encoding, such as Windows-1252?"
TOO_LONG = f"the line has more than {LONGEST_LINE // 2**20} MB"
_SHOWN_OF_TOO_LONG = 10_000
_BAD_CHARACTERS = 0.1
"""The share of a file without any good line from which it is no text."""


class Block(NamedTuple):
    """Whole lines of a file."""

    lines_before: int
    text: bytes
    """Without the last line's newline."""
    is_too_long: bool = False
    """Whether it is the beginning of one line that is too long to be read."""
    is_last: bool = False


def text_blocks(file: Path, read_bytes: Callable[[int], object]) -> Generator[Block]:
    """Yield the blocks of a text file as UTF-8; the last one says that it is.

    Args:
        file: the file; it is unzipped where its name ends in .gz.
        read_bytes: called with the file's position in bytes as the reading goes on.

    Raises:
        ImportFileError: the gzip stream is damaged or ends too soon, or it is no text.
    """
    lines_before, waiting = 0, None
    with gzip_errors(file, lambda: lines_before):
        for text, is_too_long in _few_lines(_whole_lines(utf8_stream(file, read_bytes))):
            if lines_before == 0 and not is_too_long:
                _check_text(file, text)
            if waiting is not None:
                yield waiting
            waiting = Block(lines_before, text, is_too_long)
            lines_before += text.count(b"\n") + 1
    if waiting is not None:
        yield waiting._replace(is_last=True)


def load_block(connection: duckdb.DuckDBPyConnection, block: Block, *, add: bool = False) -> None:
    """Fill the temporary table ``file_lines`` (number, line, problem) from a block.

    Numbers begin at 1 in the file. A carriage return at a line's end stays in the line.

    Args:
        connection: a writable connection.
        block: the lines.
        add: whether the table keeps what it has.
    """
    if not add:
        connection.execute(
            "create or replace temp table file_lines (number bigint, line varchar, problem varchar)"
        )
    text, not_utf8 = _decoded(block.text)
    connection.execute(
        """
        insert into file_lines
        select $lines_before + position, line, case
            when $too_long <> '' then $too_long
            when position in (select unnest($not_utf8::bigint[])) then $reason
        end
        from (
            select unnest(lines) as line, generate_subscripts(lines, 1) as position
            from (select string_split($text, chr(10)) as lines)
        )
        """,
        {
            "lines_before": block.lines_before,
            "text": text,
            "not_utf8": not_utf8,
            "reason": NOT_UTF8,
            "too_long": TOO_LONG if block.is_too_long else "",
        },
    )


@contextmanager
def gzip_errors(file: Path, lines_read: Callable[[], int]) -> Iterator[None]:
    """Turn what a damaged gzip file raises into an ImportFileError."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportFileError(
            f"{file} is not a whole gzip file, after line {lines_read()}: {error}; "
            f"copy it again from where it came from"
        ) from error


def utf8_stream(file: Path, read_bytes: Callable[[int], object]) -> Iterator[bytes]:
    """Yield a text file's bytes as UTF-8, in blocks, whatever its encoding.

    Raises:
        ImportFileError: it is no text, or unpacks to many times its size.
        EOFError, gzip.BadGzipFile, zlib.error: the gzip stream is damaged.
    """
    with open_regular(file) as raw:
        zipped = file.name.lower().endswith(".gz")
        stream: BinaryIO = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment]
        start = stream.read(BLOCK_BYTES)
        for block in as_utf8(stream, start, encoding_of(file, start), BLOCK_BYTES):
            read_bytes(raw.tell())
            if zipped:
                _check_ratio(file, stream.tell())
            yield block


def check_unpacked(file: Path) -> None:
    """Refuse a gzip file that unpacks to many times its size, before anything is made of it.

    Raises:
        ImportFileError: it does, or is no whole gzip file.
    """
    if not file.name.lower().endswith(".gz"):
        return
    lines = 0
    with (
        gzip_errors(file, lambda: lines),
        open_regular(file) as raw,
        gzip.GzipFile(fileobj=raw) as stream,
    ):
        while block := stream.read(BLOCK_BYTES):
            lines += block.count(b"\n")
            _check_ratio(file, stream.tell())


def _check_ratio(file: Path, unpacked: int) -> None:
    if unpacked > max(MOST_UNPACKED_BYTES, MOST_TIMES_ITS_SIZE * file.stat().st_size):
        raise ImportFileError(
            f"{file} unpacks to more than {MOST_TIMES_ITS_SIZE} times its size; if you know who "
            f"made it, unpack it first"
        )


def _whole_lines(stream: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks that end where a line ends, and whether it is a part of a line too long."""
    parts: list[bytes] = []
    size = 0
    skips = False
    ahead = next(stream, None)
    while ahead is not None:
        block, ahead = ahead, next(stream, None)
        head, newline, tail = block.rpartition(b"\n")
        if newline and skips:  # the rest of the line that was too long
            _, newline, head = head.partition(b"\n")
            skips, parts = False, []
        if ahead is None and tail and not skips:
            head, newline, tail = head + newline + tail, b"\n", b""
        if newline:
            yield b"".join([*parts, head]), False
            parts, size = [], 0
        if tail and not skips:
            parts.append(tail)
            size += len(tail)
            if size > LONGEST_LINE:
                yield b"".join(parts)[:_SHOWN_OF_TOO_LONG], True
                parts, size, skips = [], 0, True
    if parts:
        yield b"".join(parts), False


def _few_lines(blocks: Iterator[tuple[bytes, bool]]) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks of no more lines than are read at once."""
    for block, is_too_long in blocks:
        if is_too_long or block.count(b"\n") < MOST_LINES:
            yield block, is_too_long
            continue
        lines = io.BytesIO(block + b"\n")
        while few := b"".join(islice(lines, MOST_LINES)):
            yield few[:-1], False


def _check_text(file: Path, block: bytes) -> None:
    lines = [line for line in block.split(b"\n") if line.strip()]
    if not lines or any(b"\0" not in line and _is_utf8(line) for line in lines):
        return
    text = block.decode(errors="replace")
    if text.count("\ufffd") + text.count("\0") > _BAD_CHARACTERS * len(text):
        raise ImportFileError(
            f"{file} is not text in UTF-8: no line near its beginning is; is its name's ending "
            f"right, or is it in another encoding?"
        )


def _decoded(block: bytes) -> tuple[str, list[int]]:
    """Return the block as text, and the positions from 1 of the lines that are not UTF-8."""
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
