"""CSV, read line by line, so that a malformed line costs that line and has its number.

The quotes are RFC 4180's: a field that begins with one ends with one, and "" stands for one in it;
such a field may hold newlines. The delimiter is , ; | or a tab, whichever the header has. An empty
field is NULL; "" is the empty text in a text column and NULL in every other. Where a quote is never
closed, the lines that it would swallow are read one by one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
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
    plain = rf'[^"{_escaped(delimiter)}][^{_escaped(delimiter)}]*'
    one_field = f"(?:{_QUOTED}|{plain}|)"
    separator = _escaped(delimiter)
    _join_lines(connection, header_number, one_field, separator)
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
    connection.execute(
        """
        create or replace temp macro unquoted_field(field) as case
            when field = '' then null
            when starts_with(field, '"') then replace(field[2:-2], '""', '"')
            else field
        end
        """
    )
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
            "whole": f"{one_field}(?:{separator}{one_field})*",
            "field": f"({one_field}){separator}",
            "delimiter": delimiter,
        },
    )
    return Source(
        relation="file_records",
        columns={name: "VARCHAR" for name in names if name in COLUMNS},
        last_row_number=count,
        content="record",
        extra="extra" if others else NO_ENTRIES,
        problem="problem",
        naive_is_utc=naive_is_utc,
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
    """Fill ``file_joined`` (row_number, record, is_utf8): lines, joined where a field has newlines.

    Whether a quoted field is open at a line's end depends on whether one was open at its start:
    the line opens and closes by itself (``fixed``), or leaves it as it was, or turns it round.
    """
    connection.execute(
        """
        create or replace temp table file_joined as
        with lines as (
            select number, line, is_utf8,
                contains(line, '"') and regexp_full_match(line, $opens) as open_after_closed,
                not contains(line, '"') or regexp_full_match(line, $stays)
                    or regexp_full_match(line, $reopens) as open_after_open
            from file_lines
            where number > $header
        ),
        turns as (
            select *,
                case when open_after_closed = open_after_open then open_after_closed end as fixed,
                -- a running count(*) with a filter takes time in the square of the lines
                sum((open_after_closed and not open_after_open)::integer)
                    over (order by number rows unbounded preceding) as turned
            from lines
        ),
        ends as (
            select *,
                coalesce(last_value(fixed ignore nulls) over upto, false) <> (
                    (turned - coalesce(last_value(
                        case when fixed is not null then turned end ignore nulls
                    ) over upto, 0)) % 2 = 1
                ) as open_after
            from turns
            window upto as (order by number rows unbounded preceding)
        ),
        starts as (
            select *, not coalesce(lag(open_after) over (order by number), false) as begins
            from ends
        ),
        numbered as (
            select *,
                max(case when begins then number end)
                    over (order by number rows unbounded preceding) as row_number
            from starts
        ),
        joined as (
            select row_number, string_agg(line, chr(10) order by number) as record
            from numbered
            where open_after or not begins
            group by row_number
            having not max_by(open_after, number)
        ),
        good as (
            select * from joined where regexp_full_match(rtrim(record, chr(13)), $whole)
        )
        select
            case when good.record is null then number else row_number end as row_number,
            rtrim(coalesce(any_value(good.record), any_value(line)), chr(13)) as record,
            bool_and(is_utf8) as is_utf8
        from numbered
        left join good using (row_number)
        where good.record is not null or regexp_matches(line, '[^ \t\r]')
        group by all
        order by row_number
        """,
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
