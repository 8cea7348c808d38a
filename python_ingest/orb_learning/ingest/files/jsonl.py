"""JSON: one object a line, or documents; read as text and cast by our own rules.

read_json with ignore_errors would turn a value of the wrong type into NULL without a word.
Names count as in the other formats (names.py); every other key is an extra one. A value of any JSON
type is taken as its text, so "3" is an INTEGER and an object in a text column is its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb

from orb_learning.ingest.files.documents import document_rows, is_document
from orb_learning.ingest.files.names import (
    MOST_COLUMNS,
    TOO_MANY_KEYS,
    column_of,
    spellings,
    unit_of,
)
from orb_learning.ingest.files.plan import NO_ENTRIES, Source
from orb_learning.ingest.files.rows import has_ids
from orb_learning.ingest.files.text import (
    BLOCK_BYTES,
    NOT_UTF8,
    Block,
    load_block,
    text_blocks,
)
from orb_learning.store import literal

_MACROS = r"""
create or replace temp macro json_problem(line) as case
    when contains(line, chr(0)) then 'a zero byte stands in it, which JSON does not allow'
    when regexp_matches(
        regexp_replace(
            -- an escaped backslash is no beginning of an escape, and a whole pair is a character
            replace(line, '\\', ''), '\\u[dD][89abAB]..\\u[dD][c-fC-F]..', '', 'g'
        ),
        '\\u[dD][89a-fA-F]'
    ) then 'it has half a surrogate pair, such as a cut emoji; neither JSON nor UTF-8 has that'
    else 'it is not a JSON object'
end;
"""


def json_sources(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    read_bytes: Callable[[int], object],
    names_found: Callable[[Iterable[str]], None],
) -> Iterator[Source]:
    """Yield the file's objects as rows, batch by batch.

    A row's number is its line's; in a document, its place among the rows.

    Args:
        connection: a writable connection.
        file: the file.
        naive_is_utc: whether a time without a zone is one in UTC.
        read_bytes: called with the file's position in bytes as the reading goes on.
        names_found: called with each batch's keys.

    Raises:
        ImportFileError: its keys are not those of executions, or it cannot be read.
    """
    connection.execute(_MACROS)
    for last in _lines(connection, file, read_bytes):
        names = _parse(connection)
        names_found(names)
        yield _source(connection, names, last, naive_is_utc=naive_is_utc)


def _source(
    connection: duckdb.DuckDBPyConnection, names: list[str], last: int, *, naive_is_utc: bool
) -> Source:
    known = spellings(names)
    _read_objects(connection, names, known)
    return Source(
        relation="file_objects",
        columns=dict.fromkeys(known, "VARCHAR"),
        last_row_number=last,
        content="line",
        extra="extra" if len(names) > sum(map(len, known.values())) else NO_ENTRIES,
        problem="problem",
        naive_is_utc=naive_is_utc,
        has_ids=has_ids(connection, "file_objects", known),
    )


def _lines(
    connection: duckdb.DuckDBPyConnection, file: Path, read_bytes: Callable[[int], object]
) -> Iterator[int]:
    """Fill ``file_lines`` (number, line, problem) batch by batch; yield each one's last number."""
    blocks = text_blocks(file, read_bytes)
    first = next(blocks, None)
    if first is None:
        return
    if is_document(first):
        blocks.close()
        yield from _document_lines(connection, document_rows(file, read_bytes))
        return
    block: Block | None = first
    while block is not None:
        load_block(connection, block)
        yield block.lines_before + block.text.count(b"\n") + 1
        block = next(blocks, None)


def _document_lines(connection: duckdb.DuckDBPyConnection, rows: Iterator[str]) -> Iterator[int]:
    last, size = 0, 0
    batch: list[str] = []

    def load() -> None:
        encoded = [text.encode("utf-8", "surrogateescape") for text in batch]
        lines = [text.decode(errors="replace") for text in encoded]
        connection.execute(
            """
            create or replace temp table file_lines as
            select $before + position as number, line, problem
            from (
                select unnest($lines::varchar[]) as line, unnest($problems::varchar[]) as problem,
                    generate_subscripts($lines::varchar[], 1) as position
            )
            """,
            {
                "before": last - len(batch),
                "lines": lines,
                "problems": [
                    None if line.encode() == text else NOT_UTF8
                    for line, text in zip(lines, encoded, strict=True)
                ],
            },
        )

    for text in rows:
        last, size = last + 1, size + len(text)
        batch.append(text)
        if size > BLOCK_BYTES:
            load()
            yield last
            batch, size = [], 0
    if batch:
        load()
        yield last


def _parse(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Fill ``file_parsed`` (number, line, problem, keys), and return all keys."""
    connection.execute(
        f"""
        create or replace temp table file_parsed as
        with parsed as (
            select number, line, problem, case
                when problem is null and json_type(try_cast(line as json)) = 'OBJECT'
                    then json_keys(line)
            end as keys
            from file_lines
            where regexp_matches(line, '[^ \t\r]')
        )
        select
            number,
            line,
            case when len(keys) > {MOST_COLUMNS} then {literal(TOO_MANY_KEYS)} else problem end
                as problem,
            case when len(keys) <= {MOST_COLUMNS} then keys end as keys
        from parsed
        """  # noqa: S608
    )
    found = connection.execute("select distinct unnest(keys) as key from file_parsed order by key")
    return [str(key) for (key,) in found.fetchall()]


def _read_objects(
    connection: duckdb.DuckDBPyConnection, names: list[str], known: dict[str, list[str]]
) -> None:
    """Fill ``file_objects``: row_number, line, problem, the record's columns, and ``extra``."""
    texts = {name: found for name, found in known.items() if name != "metadata"}
    exact = [name for name, found in texts.items() if name in found]
    values = ", ".join(
        f"{_value(name, found, is_exact=name in exact)} as {json.dumps(name)}"
        for name, found in texts.items()
    )
    doubled = " ".join(map(_says_doubled, (found for found in known.values() if len(found) > 1)))
    metadata = _metadata(known.get("metadata", []))
    connection.execute(
        f"""
        create or replace temp table file_objects as
        with objects as (
            select number, line, keys, case
                when problem is not null then problem
                when keys is null then json_problem(line)
                when len(keys) <> len(list_distinct(keys)) then 'a key stands twice in the object'
                {doubled}
            end as problem
            from file_parsed
        ),
        read as (
            select *, case when problem is null then from_json(line, $record) end as own
            from objects
        )
        select number as row_number, line, problem, {values or "null"}, {metadata} as metadata, case
            when problem is not null or len(list_filter(
                keys, lambda key: not list_contains($known, key)
            )) = 0 then {NO_ENTRIES}
            else list_filter(
                [
                    {{'key': entry.key, 'value': entry.value::varchar}}
                    for entry in map_entries(from_json(line, '"MAP(VARCHAR,JSON)"'))
                ],
                lambda entry: entry.value is not null and not list_contains($known, entry.key)
            )
        end as extra
        from read
        """,  # noqa: S608
        {
            "record": json.dumps(dict.fromkeys(exact or ["repo"], "VARCHAR")),
            "known": [name for name in names if column_of(name) is not None] or ["repo"],
        },
    )


def _says_doubled(found: list[str]) -> str:
    """Return the branch of a CASE that names two keys of one meaning in one object."""
    reason = f"its keys {' and '.join(map(json.dumps, found))} mean the same; keep one"
    return f"when len(list_intersect(keys, {_list(found)})) > 1 then {literal(reason)}"


def _value(column: str, found: list[str], *, is_exact: bool) -> str:
    """Return the SQL of a column's text, by whichever of its names the object has."""
    read = [f"own.{json.dumps(column)}"] if is_exact else []
    for name in found:
        if name != column:
            text = f"line ->> {literal(_path(name))}"
            unit = unit_of(name)
            read.append(f"({text}) || ' {unit}'" if unit else text)
    whole = f"coalesce({', '.join(read)})" if len(read) > 1 else read[0]
    if column == "task_id":
        # The number 7.0 is the id 7, as everywhere; the text "7.0" is another one.
        numbers = " or ".join(
            f"json_type(line, {literal(_path(name))}) = 'DOUBLE'" for name in found
        )
        return (
            f"case when problem is null then case "
            f"when regexp_full_match({whole}, '-?[0-9]+[.]0+') and ({numbers}) "
            f"then split_part({whole}, '.', 1) else {whole} end end"
        )
    return whole if is_exact and len(read) == 1 else f"case when problem is null then {whole} end"


def _metadata(found: list[str]) -> str:
    if not found:
        return "null::varchar"
    # An object that was written as a string is one.
    read = [
        f"case when json_type(try_cast(line ->> {path} as json)) = 'OBJECT' "
        f"then line ->> {path} else line -> {path} end"
        for path in (literal(_path(name)) for name in found)
    ]
    return f"case when problem is null then coalesce({', '.join(read)}) end"


def _path(name: str) -> str:
    return "$." + json.dumps(name, ensure_ascii=False)


def _list(names: list[str]) -> str:
    return f"[{', '.join(map(literal, names))}]"
