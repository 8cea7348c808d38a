"""The identity of a row without a task_id: what it says, and how many equal ones stood before it.

Its task_id is ``uuid5(ROW_NAMESPACE, "<content id>:<ordinal>")``, RFC 9562 section 5.5. So a row
that comes again in another state of its file, gzipped, with other line ends, or in another format
with the same values, is the same execution. Two equal rows are two executions within one file, and
the same two in any other file.
"""

from __future__ import annotations

import uuid

import duckdb

from orb_learning.record import COLUMNS
from orb_learning.store import identifier, literal

ROW_NAMESPACE = uuid.UUID("0a7cf3d5-7f2e-5b1c-9d53-6f0a3c1e8b42")

BY_CONTENT = "identity::varchar || ':' || ordinal"
BY_FILE_AND_ROW = "load.sha256 || ':' || _row"
"""How version 5 of the raw schema and those before named a row of a file."""


def content_id(columns: list[str], metadata: str | None) -> str:
    """Return the SQL of a row's content as 128 bits of a SHA-256.

    It covers each known value in the type that raw has it in, and metadata by its paths, so that
    neither the order of columns and keys nor how a number is written plays a part. An empty text is
    like no value, and a line's end like a newline, because formats differ in them.

    Args:
        columns: those that the row has, without task_id and metadata.
        metadata: the SQL of what the file says of others, JSON; None if there is none.
    """
    said = ", ".join(
        f"{literal(f'{name}=')} || nullif({identifier(name)}::varchar, '')"
        for name in COLUMNS
        if name in columns
    )
    listed = f"list_filter([{said}], lambda one: one is not null)" if said else "[]::varchar[]"
    whole = listed if metadata is None else f"list_concat({listed}, import_paths({metadata}))"
    return f"substr(sha256(replace(to_json({whole})::varchar, '\\r\\n', '\\n')), 1, 32)::uuid"


def forget_seen(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin a file, in which no row stood before."""
    connection.execute("create or replace temp table file_seen (identity uuid, times bigint)")


def number_equal_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``file_ordinals`` (_row, ordinal) for the rows of ``file_values`` without an id."""
    connection.execute(
        """
        create or replace temp table file_ordinals as
        with seen as (
            select identity, sum(times)::bigint as times
            from file_seen
            where identity in (select identity from file_values)
            group by all
        )
        select
            _row,
            coalesce(seen.times, 0)
                + row_number() over (partition by identity order by _row) as ordinal
        from file_values
        left join seen using (identity)
        where identity is not null
        """
    )
    connection.execute(
        "insert into file_seen select identity, count(*) from file_values "
        "where identity is not null group by all"
    )


def row_uuid(name: str) -> str:
    """Return the SQL of uuid5(ROW_NAMESPACE, name), for the SQL of a name."""
    digest = f"sha1(unhex('{ROW_NAMESPACE.hex}') || ({name})::blob)"
    variant = f"substr('89ab', 1 + (('0x' || substr({digest}, 17, 1))::integer & 3), 1)"
    return (
        f"(substr({digest}, 1, 12) || '5' || substr({digest}, 14, 3) || {variant} "
        f"|| substr({digest}, 18, 15))::uuid"
    )
