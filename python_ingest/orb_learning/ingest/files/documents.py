"""JSON that is not one object a line: arrays, pretty-printed objects, documents with one array.

It is read value by value, so that a file of any size needs the memory of its longest element.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.names import GENERIC, spellings
from orb_learning.ingest.files.text import LONGEST_LINE, Block, gzip_errors, utf8_stream

# Numbers are not looked at: Python refuses integers of more than 4,300 digits.
_DECODER = json.JSONDecoder(strict=False, parse_int=len, parse_float=len, parse_constant=len)
_SPACE = " \t\r\n"


def is_document(block: Block) -> bool:
    """Return whether a file that begins with these lines is documents, not JSON lines."""
    if block.is_too_long:
        return block.text.lstrip()[:1] in (b"[", b"{")
    lines = [line.strip() for line in block.text.split(b"\n", 10) if line.strip()][:2]
    if not lines or lines[0][:1] not in (b"[", b"{"):
        return False
    if lines[0][:1] == b"[" or lines[0].endswith(b"["):
        return True
    first = _object(lines[0])
    if first is not None:
        is_only_one = block.is_last and len(lines) == 1
        return is_only_one and not _is_row(first) and bool(_arrays(first))
    return (len(lines) < 2 or _object(lines[1]) is None) and lines[0][-1:] in (b"{", b",", b":")


def document_rows(file: Path, read_bytes: Callable[[int], object]) -> Iterator[str]:
    """Yield the JSON text of each row: an array's elements, or objects by themselves.

    Args:
        file: the file; it is unzipped where its name ends in .gz.
        read_bytes: called with the file's position in bytes as the reading goes on.

    Raises:
        ImportFileError: it is no JSON, an element is too long, or which array is meant is open.
    """
    reader = _Reader(file, utf8_stream(file, read_bytes))
    with gzip_errors(file, lambda: reader.line):
        while reader.next_character():
            if reader.next_character() == "[":
                yield from reader.elements()
            else:
                yield from _of_object(file, reader)


def _of_object(file: Path, reader: _Reader) -> Iterator[str]:
    """Yield the rows of one object: itself, or the elements of its one array of objects."""
    whole = reader.value_if_small()
    if whole is None:
        yield from reader.elements_of_member()
        return
    text, value = whole
    if not isinstance(value, dict) or _is_row(value):
        yield text
        return
    arrays = _arrays(value)
    if len(arrays) != 1:
        found = f"arrays of objects in it: {', '.join(arrays) or 'none'}"
        raise ImportFileError(
            f"{file} is a JSON document with the keys {', '.join(value)[:300]}; {found}. "
            f"A document is read where it has one; write the executions into a file of their own"
        )
    inner = _Reader(file, iter([text.encode("utf-8", "surrogatepass")]))
    yield from inner.elements_of_member(arrays[0])


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value, end = _DECODER.raw_decode(line.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not line.decode()[end:].strip() else None


def _is_row(value: dict[str, Any]) -> bool:
    return bool(set(spellings(value)) - GENERIC)


def _arrays(value: dict[str, Any]) -> list[str]:
    return [
        name
        for name, item in value.items()
        if isinstance(item, list) and item and all(isinstance(one, dict) for one in item)
    ]


class _Reader:
    """A position in a stream of JSON text."""

    def __init__(self, file: Path, stream: Iterator[bytes]) -> None:
        self._file, self._stream = file, stream
        self._text, self._at, self._is_whole = "", 0, False
        self.line = 1
        self._left = b""

    def next_character(self) -> str:
        """Return the character behind the white space; empty at the end."""
        while True:
            rest = self._text[self._at : self._at + 1_000].lstrip(_SPACE)
            if rest:
                self._at = self._text.index(rest[0], self._at)
                return rest[0]
            self._at = min(self._at + 1_000, len(self._text))
            if self._at == len(self._text) and not self._fill():
                return ""

    def skip(self, expected: str) -> None:
        """Go behind a character that must be next."""
        if self.next_character() != expected:
            raise self._error(f"{expected!r} is expected")
        self._at += 1

    def value(self) -> tuple[str, Any]:
        """Return the text of the value that is next, and the value."""
        found = self._value(LONGEST_LINE)
        if found is None:
            raise self._error(f"a value has more than {LONGEST_LINE // 2**20} MB")
        return found

    def value_if_small(self) -> tuple[str, Any] | None:
        """Return the same, or None where it is too large to be looked at whole."""
        return self._value(LONGEST_LINE // 2)

    def elements(self) -> Iterator[str]:
        """Yield the texts of the elements of the array that is next."""
        self.skip("[")
        if self.next_character() == "]":
            self._at += 1
            return
        while True:
            yield self.value()[0]
            if self.next_character() == "]":
                self._at += 1
                return
            self.skip(",")

    def elements_of_member(self, wanted: str | None = None) -> Iterator[str]:
        """Yield the elements of one member of the object that is next: by name, or the only array.

        Raises:
            ImportFileError: it is no JSON, or a second array of objects follows.
        """
        self.skip("{")
        read: str | None = None
        while self.next_character() != "}":
            _, name = self.value()
            self.skip(":")
            if self.next_character() == "[" and wanted in (None, name):
                if read is not None:
                    raise self._error(f"{read!r} and {name!r} are both arrays; one is expected")
                read = str(name)
                yield from self.elements()
            else:
                self.value()
            if self.next_character() == ",":
                self._at += 1
        self._at += 1
        if read is None:
            raise self._error("an object of more than 8 MB has no array of objects")

    def _value(self, most: int) -> tuple[str, Any] | None:
        self.next_character()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise self._error("it is nested too deeply") from error
            except ValueError as error:
                if self._may_go_on(error) and len(self._text) - self._at > most:
                    return None
                if not self._may_go_on(error) or not self._fill():
                    raise self._error(str(error).partition(":")[0]) from error
                continue
            # A number may go on behind the text that is there.
            if end == len(self._text) and self._fill():
                continue
            text = self._text[self._at : end]
            self._at = end
            return text, value

    def _may_go_on(self, error: ValueError) -> bool:
        """Return whether an error is only that the text ends before the value does."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        near_the_end = len(self._text) - len("-Infinity")
        return error.pos >= near_the_end or error.msg.startswith("Unterminated string")

    def _fill(self) -> bool:
        """Read on, and drop what is behind the position; False at the end."""
        block = next(self._stream, None)
        if block is None:
            return False
        block = self._left + block
        # A character may be cut at the block's end.
        cut = next((i for i in range(1, min(4, len(block)) + 1) if block[-i] & 0xC0 == 0xC0), 0)
        self._left = block[-cut:] if cut and not _is_whole(block[-cut:]) else b""
        block = block[: len(block) - len(self._left)]
        self.line += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :] + block.decode(errors="surrogateescape")
        self._at = 0
        return True

    def _error(self, reason: str) -> ImportFileError:
        line = self.line + self._text.count("\n", 0, self._at)
        return ImportFileError(
            f"{self._file} is no JSON from line {line} on: {reason}; write one object a line, or "
            f"one array of objects"
        )


def _is_whole(character: bytes) -> bool:
    try:
        character.decode()
    except UnicodeDecodeError:
        return False
    return True
