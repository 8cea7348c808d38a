"""JSON lines: one object a line, read as text and cast by our own rules.

read_json with ignore_errors would turn a value of the wrong type into NULL without a word.
A column counts by its exact name; every other key is an extra one. A value of any JSON type is
taken as its text, so "3" is an INTEGER and an object in a text column is its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.rows import NO_ENTRIES, Source
from orb_learning.ingest.files.text import NOT_UTF8, load_lines
from orb_learning.record import COLUMNS


def jsonl_source(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    read_bytes: Callable[[int], object],
) -> Source:
    """Return the file's lines as rows; a row's number is its line's.

    Raises:
        ImportFileError: it is one JSON array, or load_lines refuses it.
    """
    count = load_lines(connection, file, read_bytes)
    first = connection.execute(
        "select regexp_extract(line, '[^ \t\r]') from file_lines "
        "where regexp_matches(line, '[^ \t\r]') order by number limit 1"
    ).fetchone()
    if first is not None and first[0] == "[":
        raise ImportFileError(
            f"{file} is a JSON array, not JSON lines; write one object a line: "
            f"jq -c '.[]' {file.name} > {file.stem}.jsonl"
        )
    _read_objects(connection)
    return Source(
        relation="file_objects",
        columns=dict.fromkeys(COLUMNS, "VARCHAR"),
        last_row_number=count,
        content="line",
        extra="extra",
        problem="problem",
        naive_is_utc=naive_is_utc,
    )


def _read_objects(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``file_objects``: row_number, line, problem, the record's columns, and ``extra``."""
    names = [name for name in COLUMNS if name != "metadata"]
    connection.execute(
        f"""
        create or replace temp table file_objects as
        with objects as (
            select number, line,
                case
                    when not is_utf8 then '{NOT_UTF8}'
                    when coalesce(json_type(try_cast(line as json)), '') <> 'OBJECT'
                        then 'the line is not a JSON object'
                    when len(json_keys(line)) <> len(list_distinct(json_keys(line)))
                        then 'a key stands twice in the object'
                end as problem
            from file_lines
            where regexp_matches(line, '[^ \t\r]')
        )
        select
            number as row_number,
            line,
            problem,
            unnest(case when problem is null then from_json(line, $record) end),
            case
                when problem is not null then null
                -- an object that was written as a string
                when json_type(try_cast(line ->> '$.metadata' as json)) = 'OBJECT'
                    then line ->> '$.metadata'
                else line -> '$.metadata'
            end as metadata,
            case
                when problem is not null or len(list_filter(
                    json_keys(line), lambda key: not list_contains($known, key)
                )) = 0 then {NO_ENTRIES}
                else list_filter(
                    [
                        {{'key': entry.key, 'value': entry.value::varchar}}
                        for entry in map_entries(from_json(line, '"MAP(VARCHAR,JSON)"'))
                    ],
                    lambda entry: entry.value is not null and not list_contains($known, entry.key)
                )
            end as extra
        from objects
        """,  # noqa: S608
        {
            "record": json.dumps(dict.fromkeys(names, "VARCHAR")),
            "known": list(COLUMNS),
        },
    )
