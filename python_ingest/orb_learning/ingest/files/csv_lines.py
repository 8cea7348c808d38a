"""CSV, read line by line, so that a malformed line costs that line and has its number.

The quotes are RFC 4180's: a field that begins with one ends with one, and "" stands for one in it;
such a field may hold newlines. The delimiter is , ; | or a tab, whichever the header has. An empty
field is NULL; "" is the empty text in a text column and NULL in every other. Where a quote is never
closed, the lines that it would swallow are read one by one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.parquet import check_columns
from orb_learning.ingest.files.rows import NO_ENTRIES, Source
from orb_learning.ingest.files.text import NOT_UTF8, load_lines
from orb_learning.record import COLUMNS
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


def csv_source(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    read_bytes: Callable[[int], object],
) -> Source:
    """Return the file's records as rows; a row's number is that of its first line.

    Raises:
        ImportFileError: the header lacks the record's names or repeats one, or load_lines
            refuses the file.
    """
    count = load_lines(connection, file, read_bytes)
    header_number, delimiter, names = _header(connection, file)
    separator = _escaped(delimiter)
    one_field = f'(?:{_QUOTED}|[^"{separator}][^{separator}]*|)'
    _join_lines(connection, header_number, one_field, separator)
    _split_records(connection, names, delimiter, one_field)
    return Source(
        relation="file_records",
        columns={name: "VARCHAR" for name in names if name in COLUMNS},
        last_row_number=count,
        content="record",
        extra=NO_ENTRIES if set(names) <= set(COLUMNS) else "extra",
        problem="problem",
        naive_is_utc=naive_is_utc,
    )


def _split_records(
    connection: duckdb.DuckDBPyConnection, names: list[str], delimiter: str, one_field: str
) -> None:
    """Fill ``file_records``: row_number, record, problem, the record's columns, and ``extra``."""
    fields = ", ".join(
        f"unquoted_field(fields[{position}]) as {identifier(name)}"
        for position, name in enumerate(names, 1)
        if name in COLUMNS
    )
    others = ", ".join(
        f"{{'key': {literal(name)}, 'value': to_json(unquoted_field(fields[{position}]))::varchar}}"
        for position, name in enumerate(names, 1)
        if name not in COLUMNS
    )
    extra = f"list_filter([{others}], lambda e: e.value <> 'null')" if others else NO_ENTRIES
    connection.execute(_UNQUOTED_FIELD)
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
                    when not is_utf8 then '{NOT_UTF8}'
                    when not well_quoted
                        then 'a quote is not closed, or text stands beside a quoted field'
                    when len(found) <> {len(names)}
                        then 'it has ' || len(found) || ' fields and the header {len(names)}'
                end as problem
            from split
        ),
        good as (
            select row_number, record, problem, if(problem is null, found, null) as fields
            from checked
        )
        select row_number, record, problem, {fields}, {extra} as extra
        from good
        """,  # noqa: S608
        {
            "whole": f"{one_field}(?:{_escaped(delimiter)}{one_field})*",
            "field": f"({one_field}){_escaped(delimiter)}",
            "delimiter": delimiter,
        },
    )


def _header(connection: duckdb.DuckDBPyConnection, file: Path) -> tuple[int, str, list[str]]:
    row = connection.execute(
        "select number, rtrim(line, chr(13)) from file_lines "
        "where regexp_matches(line, '[^ \t\r]') order by number limit 1"
    ).fetchone()
    if row is None:
        raise ImportFileError(f"{file} has no line with anything in it; it needs a header")
    number, line = int(row[0]), str(row[1])
    if "\r" in line:
        raise ImportFileError(
            f"{file}: its lines end in a carriage return alone; write it with newlines"
        )
    try:
        split = {
            mark: [name.strip() for name in next(csv.reader([line], delimiter=mark))]
            for mark in ",;\t|"
        }
    except csv.Error as error:
        raise ImportFileError(f"{file}: the header in line {number} is no CSV: {error}") from error
    delimiter = max(split, key=lambda mark: sum(name in COLUMNS for name in split[mark]))
    names = split[delimiter]
    check_columns(file, names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ImportFileError(
            f"{file}: the header has more than one column named {', '.join(map(repr, twice))}; "
            f"rename or drop all but one"
        )
    return number, delimiter, names


def _join_lines(
    connection: duckdb.DuckDBPyConnection, header_number: int, one_field: str, separator: str
) -> None:
    """Fill ``file_joined`` (row_number, record, is_utf8)."""
    connection.execute(
        files(__package__).joinpath("join_lines.sql").read_text("utf-8"),
        {
            "header": header_number,
            "opens": f"(?:{one_field}{separator})*{_OPEN}",
            "stays": _OPEN[1:],
            "reopens": f'{_OPEN[1:]}"{separator}(?:{one_field}{separator})*{_OPEN}',
            "whole": f"{one_field}(?:{separator}{one_field})*",
        },
    )


def _escaped(delimiter: str) -> str:
    return rf"\x{ord(delimiter):02x}"
