"""A file's records as the relation ``source``, read by DuckDB's own readers.

``source`` has ``row_number``, from 1; ``record``, the row as a JSON object, or NULL where a line is
not JSON; and of the file ``file_name`` and ``file_modified_at``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from orb_learning.filesystem import held_open
from orb_learning.store import append_rows, identifier, literal, with_whole_digits

JSON_ENDINGS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz", ".traj")
T = TypeVar("T")
LONGEST_LINE_BYTES, LARGEST_DOCUMENT_BYTES = 2**24, 2**28


def read_file(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Fill the temporary table ``source`` from Parquet, CSV or JSON.

    Raises:
        duckdb.Error: the file is damaged, or not what its name's ending says.
    """
    modified = datetime.fromtimestamp(file.stat().st_mtime, UTC).replace(tzinfo=None)
    name = file.name.removesuffix(".gz")
    _in_any_form(connection, file, lambda records: _read(connection, records, name, modified))
    # Of several records one that is too long is unreadable; a document is one.
    connection.execute(
        "update source set record = null where length(record::varchar) > ? "
        "and (select count(*) > 1 from source)",
        [LONGEST_LINE_BYTES],
    )


def first_records(
    connection: duckdb.DuckDBPyConnection, file: Path, count: int
) -> list[tuple[str | None]]:
    """Return the first records of a file, as JSON texts.

    Raises:
        duckdb.Error: as of ``read_file``.
    """
    return _in_any_form(
        connection,
        file,
        lambda records: connection.execute(
            f"select record from ({records}) limit {count}"  # noqa: S608
        ).fetchall(),
    )


def _in_any_form(connection: duckdb.DuckDBPyConnection, file: Path, read: Callable[[str], T]) -> T:
    with held_open(file) as held:
        try:
            return read(records_of(connection, held))
        except duckdb.InvalidInputException:
            if not file.name.lower().endswith(JSON_ENDINGS):
                raise
            # Only lines can be bad one by one; a document is whole, and a long line is like one.
            return read(_json(held, by_line=False))


def read_payloads(connection: duckdb.DuckDBPyConnection, payloads: Sequence[str]) -> None:
    """Fill the temporary table ``source`` from JSON texts."""
    connection.execute("create or replace temp table payloads (number bigint, payload varchar)")
    append_rows(connection, "payloads", list(enumerate(payloads, 1)))
    connection.execute(
        """
        create or replace temp table source as
        select
            number as row_number,
            try_cast(payload as json) as record,
            null::varchar as file_name,
            null::timestamp as file_modified_at
        from payloads
        """
    )


def records_of(connection: duckdb.DuckDBPyConnection, file: Path) -> str:
    """Return the SQL of a file's records, in their order."""
    ending = file.name.lower()
    if ending.endswith(JSON_ENDINGS):
        return _json(file, by_line=True)
    path = literal(re.sub(r"([*?\[])", r"[\1]", str(file.absolute())))
    if not ending.endswith(".parquet"):
        # A row that was cut lacks its last values, and is none that DuckDB may take for a dialect.
        rows = (
            f"read_csv({path}, header = true, all_varchar = true, max_line_size = 67108864, "
            f"null_padding = true)"
        )
        return f"select to_json(file_row) as record from {rows} as file_row"  # noqa: S608
    rows = f"read_parquet({path}, hive_partitioning = false)"
    types = connection.execute(f"describe select * from {rows}").fetchall()  # noqa: S608
    changed = [
        f"{value} as {identifier(name)}"
        for name, kind, *_ in types
        if (value := _of_json(identifier(name), kind)) is not None
    ]
    replaced = f"replace ({', '.join(changed)})" if changed else ""
    return (
        f"select to_json(file_row) as record "  # noqa: S608
        f"from (select * {replaced} from {rows}) as file_row"
    )


def _of_json(column: str, kind: str) -> str | None:
    """Return the SQL of a value as JSON has it, None where it is that already."""
    if kind in ("FLOAT", "DOUBLE"):
        return f"case when isfinite({column}) then {column} end"
    whole = with_whole_digits(kind)
    return None if whole == kind else f"{column}::{whole}"


def _read(
    connection: duckdb.DuckDBPyConnection, records: str, name: str, modified: datetime
) -> None:
    connection.execute(
        f"""
        create or replace temp table source as
        select
            row_number() over () as row_number,
            record,
            $name as file_name,
            $modified::timestamp as file_modified_at
        from ({records})
        """,  # noqa: S608
        {"name": name, "modified": modified},
    )


def _json(file: Path, *, by_line: bool) -> str:
    path = literal(re.sub(r"([*?\[])", r"[\1]", str(file.absolute())))
    # DuckDB takes twice the room in memory, so only a document gets as much as it may need.
    zipped = 8 if file.name.endswith(".gz") else 1
    whole = min(zipped * file.stat().st_size + 1024, LARGEST_DOCUMENT_BYTES)
    room = LONGEST_LINE_BYTES if by_line else max(whole, LONGEST_LINE_BYTES)
    errors = ", ignore_errors = true" if by_line else ""
    return (
        f"select json as record "  # noqa: S608
        f"from read_json_objects({path}, format = 'auto', maximum_object_size = {room}{errors})"
    )
