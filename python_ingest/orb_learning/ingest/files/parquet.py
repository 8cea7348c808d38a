"""Parquet: rows with types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.filesystem import held_open
from orb_learning.ingest.files.names import check_duplicates, column_of, unit_of
from orb_learning.ingest.files.plan import NO_ENTRIES, Source
from orb_learning.record import UNITS
from orb_learning.store import identifier, literal, with_whole_digits

MARK = "orb_learning"
"""The key-value metadata of a Parquet file whose naive times are UTC: ``orb_learning = 'utc'``."""
BATCH_BYTES, MOST_ROWS = 8 * 2**20, 50_000
"""Of rows that are numbered by their content, together."""
_COUNTED = "row_number() over ()"
"""Where a column of the file hides the reader's own file_row_number."""


class _Column(NamedTuple):
    name: str
    """As the file has it."""
    identifier: str
    """As DuckDB has it, which renames one that differs from another in case only."""
    sql: str
    kind: str


def parquet_sources(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    names_found: Callable[[Iterable[str]], None],
) -> Iterator[Source]:
    """Yield a Parquet file's rows, at once or in batches; its row numbers begin at 1.

    Raises:
        ImportFileError: its columns are not those of executions, or two mean the same.
        duckdb.Error: it is not a Parquet file, or is damaged.
    """
    with held_open(file) as held:
        yield from _sources(
            connection, file, held, naive_is_utc=naive_is_utc, names_found=names_found
        )


def _sources(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    held: Path,
    *,
    naive_is_utc: bool,
    names_found: Callable[[Iterable[str]], None],
) -> Iterator[Source]:
    path = _unglobbed(held)
    relation = "read_parquet($path, hive_partitioning = false)"
    described = connection.execute(f"describe select * from {relation}", {"path": path})  # noqa: S608
    kinds = [(str(row[0]), str(row[1])) for row in described.fetchall()]
    columns = _columns(connection, held, path, kinds)
    names = [column.name for column in columns]
    check_duplicates(file, names)
    names_found(names)
    is_ours = _has_key(connection, path, MARK, "utc")
    [(count, size, without_id)] = connection.execute(
        """
        select any_value(num_rows), sum(total_uncompressed_size),
            sum(stats_null_count) filter (lower(trim(path_in_schema)) = 'task_id')
        from parquet_metadata($path), parquet_file_metadata($path)
        """,
        {"path": path},
    ).fetchall()
    own = {found: column for column in columns if (found := column_of(column.name)) is not None}
    extra = [column for column in columns if column_of(column.name) is None]
    counter = "file_row_number" not in {column.identifier.lower() for column in columns}
    source = Source(
        relation=_relation(relation, own, extra, "file_row_number + 1" if counter else _COUNTED),
        columns={name: column.kind for name, column in own.items()},
        last_row_number=int(count or 0),
        content="coalesce(try(to_json(_file_row)::varchar), _file_row::varchar)",
        row_number="_number",
        extra=_entries(extra),
        parameters={"path": path},
        naive_is_utc=naive_is_utc or is_ours,
        is_ours=is_ours,
        has_ids="task_id" in own and own["task_id"].kind == "UUID" and without_id == 0,
    )
    if source.has_ids:
        yield source
    else:
        yield from _batches(source, int(count or 0), int(size or 0))


def _batches(source: Source, count: int, size: int) -> Iterator[Source]:
    """Cut rows into batches of a bounded size, because what is numbered is kept beside the file."""
    rows = max(1, min(MOST_ROWS, count * BATCH_BYTES // max(size, 1)))
    for first in range(0, max(count, 1), rows):
        yield replace(
            source,
            relation=f"(from {source.relation} where _number > $after and _number <= $until)",
            last_row_number=min(first + rows, count),
            parameters=source.parameters | {"after": first, "until": first + rows},
        )


def _columns(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    path: str,
    described: list[tuple[str, str]],
) -> list[_Column]:
    """Return the file's columns, durations as seconds: Parquet itself has only their ticks."""
    columns = []
    ticks = _ticks(file) if _has_key(connection, path, "ARROW:schema") else {}
    names = _names(connection, path)
    if len(names) != len(described):
        names = [name for name, _ in described]
    for place, (name, (known_as, kind)) in enumerate(zip(names, described, strict=True)):
        sql = identifier(known_as)
        if place in ticks:
            sql, kind = f"{sql} / {ticks[place]}::double", "DOUBLE"
        elif kind == "INTERVAL":
            sql, kind = f"epoch({sql})", "DOUBLE"
        elif (unit := unit_of(name)) is not None:
            sql, kind = f"{sql}::varchar || ' {unit}'", "VARCHAR"
        elif (whole := with_whole_digits(kind)) != kind:
            sql, kind = f"{sql}::{whole}", whole
        columns.append(_Column(name, known_as, sql, kind))
    return columns


def _names(connection: duckdb.DuckDBPyConnection, path: str) -> list[str]:
    """Return the columns' names as the file has them, without those inside of nested ones."""
    found = connection.execute(
        "select name, coalesce(num_children, 0) from parquet_schema(?)", [path]
    ).fetchall()
    names, inside = [], 0
    for name, children in found[1:]:
        if inside:
            inside += children - 1
        else:
            names.append(str(name))
            inside = children
    return names


def _ticks(file: Path) -> dict[int, int]:
    """Return the columns, by their places, that Arrow wrote as durations, and ticks a second."""
    import pyarrow
    import pyarrow.parquet

    try:
        with file.open("rb") as opened:
            schema = pyarrow.parquet.read_schema(opened)
    except pyarrow.ArrowException:
        return {}
    return {
        place: UNITS[field.type.unit]
        for place, field in enumerate(schema)
        if pyarrow.types.is_duration(field.type)
    }


def _relation(
    relation: str, own: Mapping[str, _Column], extra: Sequence[_Column], number: str
) -> str:
    """Return the rows with the record's columns, others as _x0 …, their number and the whole."""
    selected = [f"{column.sql} as {identifier(name)}" for name, column in own.items()]
    selected += [f"{column.sql} as _x{place}" for place, column in enumerate(extra)]
    columns = ", ".join([*selected, f"{number} as _number", "file_rows as _file_row"])
    return f"(select {columns} from {relation} as file_rows)"  # noqa: S608


def _entries(extra: Sequence[_Column]) -> str:
    if not extra:
        return NO_ENTRIES
    entries = ", ".join(
        f"{{'key': {literal(column.name)}, 'value': {_as_json(f'_x{place}', column.kind)}}}"
        for place, column in enumerate(extra)
    )
    return f"list_filter([{entries}], lambda e: e.value <> 'null')"


def _as_json(source: str, kind: str) -> str:
    text = f"import_text({source})" if kind == "VARCHAR" else source
    return f"to_json({text})::varchar"


def _has_key(
    connection: duckdb.DuckDBPyConnection, path: str, key: str, value: str | None = None
) -> bool:
    """Return whether the file's metadata has a key, of a value if one is given."""
    found = connection.execute(
        "select value from parquet_kv_metadata(?) where decode(key) = ?", [path, key]
    )
    return any(value in (None, bytes(one).decode(errors="replace")) for (one,) in found.fetchall())


def _unglobbed(file: Path) -> str:
    """Return the path as read_parquet takes it: a name with * ? [ is no pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(file.absolute()))
