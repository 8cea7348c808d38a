"""What is asked of a file's rows, in SQL: each value, what is wrong with it, and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orb_learning.ingest.files.casts import (
    NEEDED,
    Cast,
    cast,
    is_of_any_id,
    metadata,
    storable,
    vector,
)
from orb_learning.ingest.files.times import NAIVE
from orb_learning.record import (
    COLUMNS,
    EXTERNAL_ID,
    LONG_TEXTS,
    LONGEST_TEXT,
    is_uuid_sql,
    length_note,
)
from orb_learning.store import identifier, literal

NO_ENTRIES = "[]::struct(key varchar, value varchar)[]"


@dataclass(frozen=True)
class Source:
    """Rows of a file as a relation, a whole file or a batch of it; the texts are SQL over it."""

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
    parameters: dict[str, str | int] = field(default_factory=dict)
    """What ``relation`` is bound to."""
    naive_is_utc: bool = False
    """Whether a time without a zone is in UTC."""
    decimal_comma: bool = False
    """Whether 1,5 is one and a half."""
    is_ours: bool = False
    """Whether this project wrote the file, so that its values come back as they are."""
    has_ids: bool = False
    """Whether each row is known to have a task_id."""


LOAD = "(select $sha256 as sha256, $file as file, $now as now, $first as first) as load"
"""What the statements need beside the file, in one row, so that each binds the same parameters."""


HELPERS = ("_said", "_external")
"""What is among the columns and is not stored: what an identity covers, and whose id is no UUID."""


def plan(source: Source, id_scope: str) -> tuple[str, dict[str, str], str | None]:
    """Return the relation to read, each column's SQL, and that of why a row is unreadable.

    The relation has what the file says of a column under the column's name, and the value beside
    it, because DuckDB takes long to plan what stands in many places. The reason is None where the
    file's types leave nothing to check.
    """
    casts = {
        name: cast(
            name,
            identifier(name),
            source.columns[name],
            naive_is_utc=source.naive_is_utc,
            decimal_comma=source.decimal_comma,
            is_exact=source.is_ours,
            id_scope=id_scope,
        )
        for name in COLUMNS
        if name in source.columns and name not in ("embedding", "metadata")
    }
    if "embedding" in source.columns:
        casts["embedding"] = vector("embedding", source.columns["embedding"])
    problems = ["_problem"] if source.problem is not None else []
    aside = {}
    for name, one in casts.items():
        if one.why is None:
            continue
        is_wrong = f"{identifier(name)} is not null and {_value(name)} is null"
        if name in NEEDED:
            problems.append(f"case when {is_wrong} then {_says(name, one.why)} end")
        elif COLUMNS[name] == "TIMESTAMP":
            # A naive time costs the row in any column, so that the row can be read again as UTC.
            is_naive = f"({one.why}) = {literal(NAIVE)}"
            problems.append(f"case when {is_wrong} and {is_naive} then {_says(name, one.why)} end")
            aside[name] = f"case when {is_wrong} then {_shown(name)} end"
        else:
            aside[name] = f"case when {is_wrong} then {_shown(name)} end"
    values = {name: _value(name) for name in casts}
    values.setdefault("task_id", "null::uuid")
    if has_any_ids(source):
        values["_external"] = "_external"
    for name in _long_texts(source):
        values[name] = f"left({_value(name)}, {LONGEST_TEXT})"
    if "embedding" in casts:
        values["embedding"] = storable(_value("embedding"))
    if _may_be_joined(source):
        values["metadata"] = "import_json(_joined)"
        if not source.has_ids:
            values["_said"] = "_said"
    elif "metadata" in source.columns:
        values["metadata"] = "_own"
    return (
        _relation(source, casts, aside),
        values,
        f"nullif(concat_ws('; ', {', '.join(problems)}), '')" if problems else None,
    )


def _relation(source: Source, casts: Mapping[str, Cast], aside: Mapping[str, str]) -> str:
    """Return the rows level by level: what the file says, the values, notes on them, metadata."""
    tokens = [f"{one.token} as {identifier(name)}" for name, one in casts.items()]
    tokens += [
        "load.sha256 as _sha256",
        f"{source.row_number} as _row",
        f"{source.content} as _content",
        f"{source.extra} as _extra",
        f"{source.problem or 'null'} as _problem",
        f"{_own_metadata(source)} as _own",
    ]
    values = [f"{one.value} as {_value(name)}" for name, one in casts.items()]
    if has_any_ids(source):
        values.append(f"coalesce(not {is_uuid_sql('task_id')}, false) as _external")
    noted = [f"{_notes(casts, aside)} as _notes", f"{_others(source)} as _others"]
    levels = [values, [f"{_entries(aside)} as _aside"], noted]
    if _may_be_joined(source):
        levels += [["import_joined(_own, _others, _notes, _sha256) as _joined"]]
        if not source.has_ids:
            levels[-1] += [f"import_joined(_own, _extra, {NO_ENTRIES}, '') as _said"]
    relation = f"select {', '.join(tokens)} from {source.relation}, {LOAD}"  # noqa: S608
    for level in levels:
        relation = f"select {', '.join(['*', *level])} from ({relation})"  # noqa: S608
    return f"({relation}) as file_row"


def _own_metadata(source: Source) -> str:
    if "metadata" not in source.columns:
        return "null::json"
    return metadata("metadata", source.columns["metadata"], is_object=source.is_ours)


def _notes(casts: Mapping[str, Cast], aside: Mapping[str, str]) -> str:
    """Return the SQL of what metadata says of the vector and of what is set aside, as entries."""
    notes = []
    if "embedding" in casts:
        notes.append(_vector_notes(_value("embedding")))
    if aside:
        said = "[{'key': 'set_aside', 'value': '{' || import_entries(_aside) || '}'}]"
        notes.append(f"case when len(_aside) > 0 then {said} else {NO_ENTRIES} end")
    return f"list_concat({', '.join(notes)})" if len(notes) > 1 else (*notes, NO_ENTRIES)[0]


def _may_be_joined(source: Source) -> bool:
    """Return whether metadata needs a look: not where this project wrote it and nothing else."""
    return (
        not source.is_ours
        or source.extra != NO_ENTRIES
        or "embedding" in source.columns
        or bool(_long_texts(source))
    )


def _long_texts(source: Source) -> list[str]:
    return [name for name in LONG_TEXTS if name in source.columns]


def has_any_ids(source: Source) -> bool:
    """Return whether a source may hold ids that are no UUIDs."""
    return not source.is_ours and is_of_any_id(source.columns.get("task_id", ""))


def _others(source: Source) -> str:
    """Return what goes into metadata beside the file's own, an id that is no UUID first."""
    entries = _extra_and_lengths(source)
    if not has_any_ids(source):
        return entries
    is_taken = f"list_contains(list_transform(_extra, lambda e: e.key), {literal(EXTERNAL_ID)})"
    key = f"case when {is_taken} then 'task_id' else {literal(EXTERNAL_ID)} end"
    entry = f"{{'key': {key}, 'value': to_json(task_id)::varchar}}"
    return f"case when _external then list_prepend({entry}, {entries}) else {entries} end"


def _extra_and_lengths(source: Source) -> str:
    """Return the file's other columns, and how long each text was that is cut, as entries."""
    long_texts = _long_texts(source)
    if not long_texts:
        return "_extra"
    lengths = ", ".join(
        f"{{'key': '{length_note(name)}', 'value': "
        f"case when {_is_long(name)} then length({_value(name)})::varchar end}}"
        for name in long_texts
    )
    noted = f"list_concat(_extra, list_filter([{lengths}], lambda e: e.value is not null))"
    return f"case when {' or '.join(map(_is_long, long_texts))} then {noted} else _extra end"


def _is_long(name: str) -> str:
    # The bytes first, which are known: most texts are shorter, and their characters not counted.
    text = _value(name)
    return f"coalesce(strlen({text}) > {LONGEST_TEXT} and length({text}) > {LONGEST_TEXT}, false)"


def _value(name: str) -> str:
    return f"_read_{name}"


def _shown(name: str) -> str:
    return f"left({identifier(name)}::varchar, 100)"


def _says(name: str, why: str) -> str:
    return f"{literal(f'{name}: ')} || '''' || {_shown(name)} || ''' ' || {why}"


def _entries(texts: Mapping[str, str]) -> str:
    """Return the SQL of entries (key, value) of the texts that are known."""
    if not texts:
        return NO_ENTRIES
    listed = ", ".join(
        f"{{'key': {literal(name)}, 'value': to_json({text})::varchar}}"
        for name, text in texts.items()
    )
    return f"list_filter([{listed}], lambda e: e.value <> 'null')"


def _vector_notes(floats: str) -> str:
    """Return what metadata says of a vector that is set aside, as entries; none for a good one."""
    nulls = f"nullif(len({floats}) - list_count({floats}), 0)"
    return (
        f"case when {_is_unstorable(floats)} then list_filter(["
        f"{{'key': 'embedding_dimensions', 'value': len({floats})::varchar}}, "
        f"{{'key': 'embedding_nulls', 'value': {nulls}::varchar}}], "
        f"lambda e: e.value is not null) else {NO_ENTRIES} end"
    )


def _is_unstorable(floats: str) -> str:
    return f"({floats} is not null and {storable(floats)} is null)"
