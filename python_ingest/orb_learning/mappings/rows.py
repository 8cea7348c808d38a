"""From ``source`` by a mapping to rows of the record's columns."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import NamedTuple

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.mappings.catalog import SystemMapping, text_of
from orb_learning.record import COLUMNS
from orb_learning.store import identifier, literal

ERROR_TYPES = ("timeout", "quality_gate", "crash", "validation", "unknown")
SPAN_COLUMNS = frozenset({"trace_id", "span_id", "started_at"})
"""A mapping with these gives spans, not executions."""


class Mapped(NamedTuple):
    """What a mapping gave: the temporary table ``mapped``, of spans or of executions."""

    columns: dict[str, str]
    """Names and DuckDB types."""

    @property
    def are_spans(self) -> bool:
        """Whether its rows are spans."""
        return self.columns.keys() >= SPAN_COLUMNS


def map_records(connection: duckdb.DuckDBPyConnection, mapping: SystemMapping) -> Mapped:
    """Fill the temporary table ``mapped`` from ``source`` by a mapping.

    Raises:
        ImportFileError: the mapping is no query over ``source``, or gives other columns.
    """
    define_macros(connection)
    try:
        if mapping.is_by_record:
            _map_by_parts(connection, mapping.sql)
        else:
            connection.execute(f"create or replace temp table mapped as\n{mapping.sql}\n")
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise ImportFileError(
            f"the mapping {mapping.name} is no SELECT over source: {str(error).splitlines()[0]}; "
            f"`orb mappings litellm` prints one to start from"
        ) from error
    found = Mapped(_columns(connection, "mapped"))
    unknown = found.columns.keys() - COLUMNS.keys() - {"row_number"}
    gives_spans = mapping.is_ours and found.are_spans
    if not gives_spans and (unknown or "timestamp" not in found.columns):
        raise ImportFileError(
            f"the mapping {mapping.name} must give timestamp, and only columns of an execution; "
            f"it gives {', '.join(found.columns)}; put what else there is into metadata"
        )
    return found


CHARACTERS_A_PART = 2**23
"""Of records that are mapped together. A mapping takes some 90 times what its records have, and
DuckDB works on 2,048 records at once, however long they are."""


def _map_by_parts(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    parts = connection.execute(
        """
        select min(row_number), max(row_number)
        from (
            select row_number, sum(length(record::varchar)) over (order by row_number) // ? as part
            from source
        )
        group by part
        order by part
        """,
        [CHARACTERS_A_PART],
    ).fetchall()
    if len(parts) < 2:
        connection.execute(f"create or replace temp table mapped as\n{sql}\n")
        return
    connection.execute("drop table if exists all_records; alter table source rename to all_records")
    for place, (first, last) in enumerate(parts):
        connection.execute(
            f"create or replace temp table source as from all_records "
            f"where row_number between {int(first)} and {int(last)}"
        )
        into = "insert into mapped" if place else "create or replace temp table mapped as"
        connection.execute(f"{into}\n{sql}\n")
    connection.execute("drop table source; alter table all_records rename to source")


COUNTED_ATTRIBUTES = (
    "gen_ai", "llm", "openinference", "input", "output", "error", "exception", "agent", "session",
    "user", "tool", "traceloop", "tag", "metadata", "operation", "pydantic_ai", "final_result",
)  # fmt: skip
"""The first words of the names of attributes that are kept of a span."""
LONGEST_TEXT = 8_000
"""Characters; a longer text of another system is cut."""


def derive_executions(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the temporary table ``mapped`` with the executions of the relation ``spans``."""
    define_macros(connection)
    connection.execute(
        f"create or replace temp table mapped as\n{text_of('spans_to_executions')}\n"
    )


def finish_rows(connection: duckdb.DuckDBPyConnection, score: str | None = None) -> dict[str, str]:
    """Fill the temporary table ``mapped_rows`` from the executions in ``mapped``.

    error_type becomes one of the five by the seed error_types.csv, by its own text or that of
    error_message. A score from 0 to 1 fills quality_score. The original error_type stays in
    metadata. Ids are texts, as the other system has them.

    Args:
        connection: one on which a mapping has run.
        score: the name of the score in metadata.scores that is the quality.

    Returns:
        the columns of the record that it has, with their types. It also has row_number, and
        problem, why a row cannot be read.
    """
    define_macros(connection)
    columns = _columns(connection, "mapped")
    given = {name: f"given.{identifier(name)}" if name in columns else "null" for name in COLUMNS}
    given["error_type"] += "::varchar"
    given["metadata"] = _as_json(given["metadata"], columns.get("metadata", "JSON"))
    values = {name: given[name] for name in columns if name in COLUMNS}
    failed = f"coalesce(try_cast({given['success']} as boolean) = false, false)"
    values["task_id"] = f"{given['task_id']}::varchar"
    values["error_type"] = f"case when {failed} then coalesce(_error_type, 'unknown') end"
    values["error_message"] = f"nullif({given['error_message']}::varchar, '')"
    values["metadata"] = _metadata(given, failed)
    if score is not None:
        value = f"({given['metadata']} -> '$.scores' ->> {literal(score)})"
        number = f"coalesce(try_cast({value} as double), try_cast({value} as boolean)::integer)"
        values["quality_score"] = (
            f"case when {number} between 0 and 1 then round({number} * 100)::integer "
            f"else try_cast({given['quality_score']} as integer) end"
        )
    order = "row_number" if "row_number" in columns else "timestamp, task_id"
    selected = ", ".join(f"{value} as {identifier(name)}" for name, value in values.items())
    kinds = ", ".join(map(literal, ERROR_TYPES))
    connection.execute(
        f"""
        create or replace temp table mapped_rows as
        with typed as (
            select *, coalesce(
                case when {given["error_type"]} in ({kinds}) then {given["error_type"]} end,
                {_looked_up(given["error_type"])}, {_looked_up(given["error_message"])}
            ) as _error_type
            from mapped as given
        ),
        numbered as (select row_number() over (order by {order}) as _row, * from typed)
        select _row as row_number, null::varchar as problem, {selected} from numbered as given
        """  # noqa: S608
    )
    return {
        name: kind for name, kind in _columns(connection, "mapped_rows").items() if name in COLUMNS
    }


def define_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define what the mappings share, once a connection."""
    defined = "select 1 from duckdb_tables() where temporary and table_name = 'error_types'"
    if connection.execute(defined).fetchall():
        return
    seeds = files(__package__).joinpath("seeds")
    with (
        as_file(seeds.joinpath("error_types.csv")) as error_types,
        as_file(seeds.joinpath("model_prices.csv")) as model_prices,
    ):
        connection.execute(
            text_of("macros")
            .replace("$error_types", literal(error_types))
            .replace("$model_prices", literal(model_prices))
            .replace("$longest_text", str(LONGEST_TEXT))
        )
    counted = ", ".join(map(literal, COUNTED_ATTRIBUTES))
    connection.execute(
        text_of("span_macros")
        .replace("$counted", counted)
        .replace("$longest_text", str(LONGEST_TEXT))
    )


def _looked_up(words: str) -> str:
    return (
        "(select any_value(error_type order by seed_row) from error_types "  # noqa: S608
        f"where regexp_matches(lower({words}::varchar), pattern))"
    )


def _as_json(value: str, kind: str) -> str:
    """Return the SQL of a value as JSON; a text that is none is a text of JSON."""
    if kind == "JSON":
        return f"{value}::json"
    return (
        f"coalesce(try_cast({value} as json), to_json({value}))"
        if kind == "VARCHAR"
        else (f"to_json({value})")
    )


def _metadata(given: dict[str, str], failed: str) -> str:
    """Return the SQL of metadata with the error's type as it was."""
    own = f"coalesce({given['metadata']}, '{{}}'::json)"
    notes = f"json_object('error_type', case when {failed} then {given['error_type']} end)"
    patched = f"nullif(json_merge_patch({own}, {notes}), '{{}}'::json)"
    return f"case when json_type({own}) = 'OBJECT' then {patched} else {own} end"


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    described = connection.execute(f"describe {table}").fetchall()
    return {str(row[0]): str(row[1]) for row in described}
