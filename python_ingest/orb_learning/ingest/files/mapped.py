"""A file of another system, by its mapping, as rows of the record's columns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.plan import Source
from orb_learning.ingest.spans import IS_SPAN, insert_spans
from orb_learning.mappings import (
    SystemMapping,
    derive_executions,
    finish_rows,
    map_records,
)

_NOT_JSON = """
    select 'record ' || row_number || ' is not JSON, or longer than 16 MB' as problem
    from source where record is null order by row_number
"""
_NO_SPAN = f"""
    select 'record ' || row_number || ' has a span without a trace, an id or a start' as problem
    from mapped where not coalesce({IS_SPAN}, false) order by row_number
"""  # noqa: S608


def mapped_source(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    mapping: SystemMapping,
    *,
    score: str | None,
    now: datetime,
) -> Source:
    """Return a file's executions by a mapping; spans go into raw.spans, too.

    Its records are in ``source`` already, and in ``mapped`` by a mapping that is not ours.

    Args:
        connection: a writable connection, inside a transaction.
        file: the file, for what is said of it.
        mapping: the mapping.
        score: the name of the score that is the quality.
        now: the ``_loaded_at`` of spans, naive UTC.

    Raises:
        ImportFileError: nothing in the file is a record of that system.
    """
    problems = connection.sql(_NOT_JSON).fetchall()
    connection.execute("delete from source where record is null")
    # What is not ours has been mapped elsewhere, and gives executions.
    are_spans = mapping.is_ours and map_records(connection, mapping).are_spans
    if are_spans:
        problems += connection.sql(_NO_SPAN).fetchall()
        found = f"select count(*) from mapped where {IS_SPAN}"  # noqa: S608
    else:
        found = 'select count(*) from mapped where "timestamp" is not null'
    if connection.sql(found).fetchall() == [(0,)]:
        raise ImportFileError(
            f"{file}: no record of it is one of {mapping.name}'s; "
            f"`orb mappings` lists whose files can be read"
        )
    if are_spans:
        insert_spans(connection, now, refuse_late=False)
        derive_executions(connection)
    columns = finish_rows(connection, score)
    [(rows,)] = connection.sql("select count(*) from mapped_rows").fetchall()
    if problems:
        connection.executemany(
            "insert into mapped_rows by name select ? as row_number, ? as problem",
            [(rows + place, problem) for place, (problem,) in enumerate(problems, 1)],
        )
    return Source(
        relation="mapped_rows",
        columns=columns,
        last_row_number=rows + len(problems),
        content="to_json(mapped_rows)::varchar",
        problem="problem",
        naive_is_utc=True,
    )
