"""From any file's rows to ``raw.executions`` and ``raw.unreadable_rows``, in SQL."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from orb_learning.ingest.files.casts import cast, metadata, storable, vector
from orb_learning.record import COLUMNS, LONG_TEXTS, LONGEST_TEXT, length_note
from orb_learning.store import count_received, drop_residual_rows, identifier

ROW_NAMESPACE = uuid.UUID("0a7cf3d5-7f2e-5b1c-9d53-6f0a3c1e8b42")
"""A row without a task_id gets ``uuid5(ROW_NAMESPACE, "<sha256 of the file>:<row number>")``."""

NO_ENTRIES = "[]::struct(key varchar, value varchar)[]"


@dataclass(frozen=True)
class Source:
    """A file's rows as a relation; the texts are SQL over it."""

    relation: str
    columns: dict[str, str]
    """The columns of the record that it has, with the DuckDB types that they have there."""
    last_row_number: int
    """The highest row number, or more: numbers of the load sequence are reserved up to it."""
    content: str
    """The row as text, for whoever looks at it in raw.unreadable_rows."""
    row_number: str = "row_number"
    extra: str = NO_ENTRIES
    """Columns that the record does not have: structs (key, value), the value as JSON text."""
    problem: str | None = None
    """Why the row cannot be read at all, or NULL."""
    parameters: dict[str, str] = field(default_factory=dict)
    """What ``relation`` is bound to."""
    naive_is_utc: bool = False
    """Whether a time without a zone is in UTC."""
    is_ours: bool = False
    """Whether this project wrote the file, so that its metadata is known to be objects."""


def store(
    connection: duckdb.DuckDBPyConnection, source: Source, sha256: str, file: Path, now: datetime
) -> tuple[int, int]:
    """Load a source's rows, in the transaction that the caller has open.

    Args:
        connection: a writable connection.
        source: the rows.
        sha256: the file's hash.
        file: its name, kept beside the rows that cannot be read.
        now: the rows' ``_loaded_at``, naive UTC.

    Returns:
        how many rows went into raw.executions, and how many into raw.unreadable_rows.
    """
    rows, values, reason = _plan(source)
    connection.execute(
        files(__package__).joinpath("import_metadata.sql").read_text(encoding="utf-8")
    )
    # What the statements need beside the file, in one row, so that each binds the same parameters.
    load = "(select $sha256 as sha256, $file as file, $now as now, $first as first) as load"
    given = {
        "sha256": sha256,
        "file": str(file),
        "now": now,
        "first": _reserve(connection, source.last_row_number),
        **source.parameters,
    }
    selected = ", ".join(f"{value} as {identifier(name)}" for name, value in values.items())
    loaded = _count(
        connection.execute(
            f"""
            insert into raw.executions by name
            select {selected}, load.first + _row - 1 as _load_seq, load.now as _loaded_at
            from {rows}, {load}
            {f"where {reason} is null" if reason else ""}
            """,  # noqa: S608
            given,
        )
    )
    left = count_received(connection, loaded, now)
    whole = f"select count(*) from {source.relation}"  # noqa: S608
    if reason is None or loaded == _count(connection.execute(whole, source.parameters)):
        return left, 0
    unreadable = _count(
        connection.execute(
            f"""
            insert into raw.unreadable_rows
            select load.sha256, load.file, _row, {reason}, _content, load.now
            from {rows}, {load}
            where {reason} is not null
            """,  # noqa: S608
            given,
        )
    )
    drop_residual_rows(connection)
    return left, unreadable


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0


def _reserve(connection: duckdb.DuckDBPyConnection, count: int) -> int:
    """Take ``count`` numbers of raw.load_seq and return the first.

    nextval() beside the rows would number them in the order in which threads come to them.
    """
    row = connection.execute(
        "select min(number) from (select nextval('raw.load_seq') as number from range(?))", [count]
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _plan(source: Source) -> tuple[str, dict[str, str], str | None]:
    """Return the relation to read, each column's SQL, and that of why a row is unreadable.

    The reason is None where the file's types leave nothing to check, so that it is read once.
    """
    casts = {
        name: cast(name, identifier(name), source.columns[name], naive_is_utc=source.naive_is_utc)
        for name in COLUMNS
        if name in source.columns and name not in ("embedding", "metadata")
    }
    values = {name: one.value for name, one in casts.items()}
    values["task_id"] = f"coalesce({values.get('task_id', 'null')}, {_row_uuid('_row')})"
    problems = [one.problem for one in casts.values() if one.problem is not None]
    # What stands in many places is computed below them, or DuckDB takes long to plan it.
    long_texts = [name for name in LONG_TEXTS if name in values]
    prepared = {"_row": source.row_number, "_content": source.content, "_extra": source.extra}
    for name in long_texts:
        prepared[f"_{name}"], values[name] = values[name], f"left(_{name}, {LONGEST_TEXT})"
    if source.problem is not None:
        prepared["_problem"] = source.problem
        problems.insert(0, "_problem")

    own, notes = "null::json", NO_ENTRIES
    if "metadata" in source.columns:
        read = metadata('"metadata"', source.columns["metadata"], is_object=source.is_ours)
        own, prepared["_own"] = "_own", read.value
        problems += [read.problem] if read.problem else []
        values["metadata"] = own
    if "embedding" in source.columns:
        read = vector('"embedding"', source.columns["embedding"])
        notes, prepared["_floats"] = _vector_notes("_floats"), read.value
        problems += [read.problem] if read.problem else []
        values["embedding"] = storable("_floats")
    joined = f"import_metadata({own}, {_extra_and_lengths(long_texts)}, {notes}, load.sha256)"
    # Only what this project wrote needs no look at whether the metadata is an object.
    if source.extra != NO_ENTRIES or not source.is_ours:
        values["metadata"] = joined
    else:
        noted = [_is_long(name) for name in long_texts]
        noted += [_is_set_aside("_floats")] if "embedding" in source.columns else []
        if noted:
            values["metadata"] = f"case when {' or '.join(noted)} then {joined} else {own} end"

    columns = [identifier(name) for name in source.columns]
    columns += [f"{value} as {name}" for name, value in prepared.items()]
    return (
        f"(select {', '.join(columns)} from {source.relation}) as file_row",  # noqa: S608
        values,
        f"nullif(concat_ws('; ', {', '.join(problems)}), '')" if problems else None,
    )


def _row_uuid(row_number: str) -> str:
    """Return the SQL of uuid5(ROW_NAMESPACE, "<sha256>:<row>"), RFC 9562 section 5.5."""
    name = f"(load.sha256 || ':' || {row_number})::blob"
    digest = f"sha1(unhex('{ROW_NAMESPACE.hex}') || {name})"
    variant = f"substr('89ab', 1 + (('0x' || substr({digest}, 17, 1))::integer & 3), 1)"
    return (
        f"(substr({digest}, 1, 12) || '5' || substr({digest}, 14, 3) || {variant} "
        f"|| substr({digest}, 18, 15))::uuid"
    )


def _vector_notes(floats: str) -> str:
    """Return what metadata says of a vector that is set aside, as entries; none for a good one."""
    nulls = f"nullif(len({floats}) - list_count({floats}), 0)"
    return (
        f"case when {_is_set_aside(floats)} then list_filter(["
        f"{{'key': 'embedding_dimensions', 'value': len({floats})::varchar}}, "
        f"{{'key': 'embedding_nulls', 'value': {nulls}::varchar}}], "
        f"lambda e: e.value is not null) else {NO_ENTRIES} end"
    )


def _extra_and_lengths(long_texts: list[str]) -> str:
    """Return the file's other columns, and how long each text was that is cut, as entries."""
    lengths = ", ".join(
        f"{{'key': '{length_note(name)}', 'value': "
        f"case when {_is_long(name)} then length(_{name})::varchar end}}"
        for name in long_texts
    )
    if not lengths:
        return "_extra"
    cut = " or ".join(map(_is_long, long_texts))
    noted = f"list_concat(_extra, list_filter([{lengths}], lambda e: e.value is not null))"
    return f"case when {cut} then {noted} else _extra end"


def _is_long(name: str) -> str:
    # The bytes first, which are known: most texts are shorter, and their characters not counted.
    size = f"strlen(_{name}) > {LONGEST_TEXT} and length(_{name}) > {LONGEST_TEXT}"
    return f"coalesce({size}, false)"


def _is_set_aside(floats: str) -> str:
    return f"{floats} is not null and {storable(floats)} is null"
