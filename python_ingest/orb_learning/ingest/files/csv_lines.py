"""CSV, read line by line, so that a malformed line costs that line and has its number.

The quotes are RFC 4180's: a field that begins with one ends with one, and "" stands for one in it;
such a field may hold newlines. The delimiter is , ; | or a tab, whichever the header has, or that
of a first line ``sep=;``. With ; as the delimiter, 1,5 is one and a half. An empty field is NULL;
"" is the empty text in a text column and NULL in every other. Spaces around a value that is no long
text are none of it. Where a quote is never closed, the
lines that it would swallow are read one by one. Columns without a name may be empty; what stands in
one goes into metadata. A row without anything in it is none.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.decimals import DecimalMarks
from orb_learning.ingest.files.names import check_duplicates, column_of, unit_of
from orb_learning.ingest.files.plan import NO_ENTRIES, Source
from orb_learning.ingest.files.rows import has_ids
from orb_learning.ingest.files.text import LONGEST_LINE, Block, load_block, text_blocks
from orb_learning.record import LONG_TEXTS
from orb_learning.store import identifier, literal

_QUOTED = r'"(?:[^"]|"")*"'
_OPEN = r'"(?:[^"]|"")*'
_UNQUOTED_FIELD = """
    create or replace temp macro unquoted_field(field) as case
        when field = '' then null
        when starts_with(field, '"') then replace(field[2:-2], '""', '"')
        else field
    end
"""


class _Header(NamedTuple):
    line_number: int
    delimiter: str
    names: list[str]

    @property
    def columns(self) -> dict[str, int]:
        """The record's columns and the positions of their fields, from 1."""
        found = ((column_of(name), place) for place, name in enumerate(self.names, 1))
        return {column: place for column, place in found if column is not None}

    @property
    def least_fields(self) -> int:
        """The fields that a row has at least: those up to the last with a name."""
        return max(place for place, name in enumerate(self.names, 1) if name)


def csv_sources(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    read_bytes: Callable[[int], object],
    names_found: Callable[[Iterable[str]], None],
    notes: list[str],
) -> Iterator[Source]:
    """Yield the file's records as rows, batch by batch; a row's number is that of its first line.

    Args:
        connection: a writable connection.
        file: the file.
        naive_is_utc: whether a time without a zone is one in UTC.
        read_bytes: called with the file's position in bytes as the reading goes on.
        names_found: called with the header's names.
        notes: filled with what is to be said of the file.

    Raises:
        ImportFileError: the header lacks the record's names or repeats one, or the file is no text.
    """
    header: _Header | None = None
    rows_begin_after = 0
    marks = DecimalMarks()
    connection.execute(_UNQUOTED_FIELD)
    for block in text_blocks(file, read_bytes):
        load_block(connection, block, add=header is not None)
        if header is None:
            header = _header(connection, file, is_last=block.is_last)
            if header is None:
                continue
            names_found(name for name in header.names if name)
            rows_begin_after = header.line_number
        last = block.lines_before + block.text.count(b"\n") + 1
        carried = _join_lines(connection, header, rows_begin_after, block)
        rows_begin_after = carried - 1 if carried else last
        _split_records(connection, header)
        connection.execute("delete from file_lines where number <= ?", [rows_begin_after])
        if header.delimiter == ";":
            marks.count(connection, "file_records", header.columns)
        yield Source(
            relation="file_records",
            columns=dict.fromkeys(header.columns, "VARCHAR"),
            last_row_number=rows_begin_after,
            content="record",
            extra="extra" if len(header.columns) < len(header.names) else NO_ENTRIES,
            problem="problem",
            naive_is_utc=naive_is_utc,
            decimal_comma=header.delimiter == ";",
            has_ids=has_ids(connection, "file_records", header.columns),
        )
    notes += marks.notes()


def _one_field(delimiter: str) -> str:
    separator = _escaped(delimiter)
    return f'(?:{_QUOTED}|[^"{separator}][^{separator}]*|)'


def _split_records(connection: duckdb.DuckDBPyConnection, header: _Header) -> None:
    """Fill ``file_records``: row_number, record, problem, the record's columns, and ``extra``."""
    fields = ", ".join(
        f"{_field(header.names[place - 1], place)} as {identifier(column)}"
        for column, place in header.columns.items()
    )
    others = ", ".join(
        f"{{'key': {literal(name or f'column {place}')}, "
        f"'value': to_json(import_text(unquoted_field(fields[{place}])))::varchar}}"
        for place, name in enumerate(header.names, 1)
        if place not in header.columns.values()
    )
    extra = f"list_filter([{others}], lambda e: e.value <> 'null')" if others else NO_ENTRIES
    count, least = len(header.names), header.least_fields
    one_field, delimiter = _one_field(header.delimiter), _escaped(header.delimiter)
    connection.execute(
        f"""
        create or replace temp table file_records as
        with split as (
            select *, regexp_full_match(record, $whole) as well_quoted,
                regexp_extract_all(record || $delimiter, $field, 1) as found
            from file_joined
        ),
        checked as (
            select *,
                case
                    when problem is not null then problem
                    when not well_quoted
                        then 'a quote is not closed, or text stands beside a quoted field'
                    when len(found) < {least} or len(found) > {count}
                        and len(list_filter(found[{count + 1}:], lambda one: one <> '')) > 0
                        then 'it has ' || len(found) || ' fields and the header {count}'
                end as reason
            from split
        ),
        good as (
            select row_number, record, reason as problem, if(reason is null, found, null) as fields
            from checked
            where reason is not null or len(found) = 1
                or len(list_filter(found, lambda one: one <> '')) > 0
        )
        select row_number, record, problem, {fields}, {extra} as extra
        from good
        """,  # noqa: S608
        {
            "whole": f"{one_field}(?:{delimiter}{one_field})*",
            "field": f"({one_field}){delimiter}",
            "delimiter": header.delimiter,
        },
    )


def _field(name: str, place: int) -> str:
    text, column, unit = f"unquoted_field(fields[{place}])", column_of(name), unit_of(name)
    if column is not None and column not in LONG_TEXTS:
        return f"trim({text} || ' {unit}')" if unit else f"trim({text})"
    return f"{text} || ' {unit}'" if unit else text


def _header(connection: duckdb.DuckDBPyConnection, file: Path, *, is_last: bool) -> _Header | None:
    lines = connection.execute(
        "select number, rtrim(line, chr(13)), problem from file_lines "
        "where regexp_matches(line, '[^ \t\r]') order by number limit 2"
    ).fetchall()
    delimiters = ",;\t|"
    told = str(lines[0][1]).strip(" ").strip('"') if lines else ""
    if told.lower()[:-1] == "sep=":
        delimiters = told[-1]
        del lines[0]
    if not lines:
        if not is_last:
            return None
        raise ImportFileError(f"{file} has no line with anything in it; it needs a header")
    number, line, problem = int(lines[0][0]), str(lines[0][1]), lines[0][2]
    if "\0" in line:
        problem = "a zero byte stands in it"
    if problem is not None:
        raise ImportFileError(f"{file}: the header in line {number} cannot be read: {problem}")
    if "\r" in line:
        raise ImportFileError(
            f"{file}: its lines end in a carriage return alone; write it with newlines"
        )
    try:
        split = {
            mark: [name.strip() for name in next(csv.reader([line], delimiter=mark))]
            for mark in delimiters
        }
    except csv.Error as error:
        raise ImportFileError(f"{file}: the header in line {number} is no CSV: {error}") from error
    delimiter = max(
        split, key=lambda mark: sum(column_of(name) is not None for name in split[mark])
    )
    names = split[delimiter]
    if not any(names):
        raise ImportFileError(f"{file}: the header in line {number} has no names")
    check_duplicates(file, names)
    return _Header(number, delimiter, names)


def _join_lines(
    connection: duckdb.DuckDBPyConnection, header: _Header, begin_after: int, block: Block
) -> int | None:
    """Fill ``file_joined`` (row_number, record, problem).

    Returns:
        the number of the first line that is kept for the next block, because its record may go on
        there; None if there is none.
    """
    one_field, separator = _one_field(header.delimiter), _escaped(header.delimiter)
    connection.execute(
        files(__package__).joinpath("number_lines.sql").read_text("utf-8"),
        {
            "begin_after": begin_after,
            "opens": f"(?:{one_field}{separator})*{_OPEN}",
            "stays": _OPEN[1:],
            "reopens": f'{_OPEN[1:]}"{separator}(?:{one_field}{separator})*{_OPEN}',
        },
    )
    [(open_from, size)] = connection.execute(
        """
        select any_value(row_number), sum(strlen(line)) from file_numbered
        where row_number = (
            select max_by(case when open_after then row_number end, number) from file_numbered
        )
        """
    ).fetchall()
    if block.is_last or block.is_too_long or (size or 0) > LONGEST_LINE:
        open_from = None
    connection.execute(
        files(__package__).joinpath("join_lines.sql").read_text("utf-8"),
        {
            "whole": f"{one_field}(?:{separator}{one_field})*",
            "end": open_from if open_from is not None else 2**62,
        },
    )
    return None if open_from is None else int(open_from)


def _escaped(delimiter: str) -> str:
    return rf"\x{ord(delimiter):02x}"
