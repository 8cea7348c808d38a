"""Which SQL from outside may run: one SELECT over what this database shows.

DuckDB's own parser decides what the text is, and its syntax tree what it reads. The file is opened
read only and sandboxed besides: what got past this could neither write nor reach another file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

from orb_learning.errors import QueryRefusedError
from orb_learning.mcp.sql_functions import ALLOWED_FUNCTIONS

LONGEST_SQL = 20_000

TABLE_FUNCTION = "TABLE_FUNCTION"
"""The kind of node that calls one."""

READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Kinds of query; the others insert, update, delete or merge."""

TABLE_FUNCTIONS = {
    "unnest",
    "range",
    "generate_series",
    "repeat",
    "json_each",
    "json_tree",
    "generate_subscripts",
}
"""Those that make rows of their arguments alone; the others read files, settings or relations that
are named by a text. The database's own (similar_executions and the like) are allowed, too."""

HIDDEN_RELATIONS = {"stg_feedback", "int_feedback_ratings"}
"""Relations of main by which public feedback, which is nobody's, would be found on its task."""


def check_sql(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the one statement of a text, if it may run.

    Args:
        connection: of the database that it is to read.
        sql: the text, from outside.

    Raises:
        QueryRefusedError: it is not SQL, not exactly one SELECT, or reads what it may not.
    """
    if len(sql) > LONGEST_SQL:
        raise QueryRefusedError(f"the query has {len(sql):,} characters; {LONGEST_SQL:,} may be")
    try:
        statements = connection.extract_statements(sql)
    except (duckdb.Error, ValueError) as error:
        raise QueryRefusedError(f"this is not SQL that DuckDB understands: {error}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise QueryRefusedError(f"exactly one SELECT may run, and this is: {kinds}")
    statement = statements[0]
    if statement.named_parameters:
        raise QueryRefusedError("the query has parameters; write the values into it")
    _check_reads(connection, _tree(statement))
    return statement


def in_brackets(statement: duckdb.Statement) -> str:
    """Return a statement that was checked as what another one selects from."""
    text = statement.query.encode()  # the offsets of tokens count bytes
    end = len(text)
    for offset, kind in reversed(duckdb.tokenize(statement.query)):
        if kind != duckdb.token_type.comment and text[offset : offset + 1] != b";":
            break
        end = offset
    return f"({text[:end].decode()})"


def readable_relations(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the relations that a query may read, in order."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'main' order by table_name"
    ).fetchall()
    return [str(name) for (name,) in rows if name not in HIDDEN_RELATIONS]


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """Return a connection without a file: on one of an older storage version, trees differ."""
    return duckdb.connect()


def _tree(statement: duckdb.Statement) -> Any:
    serialize = "select json_serialize_sql($1)"
    (text,) = _parser().cursor().execute(serialize, [statement.query]).fetchall()[0]
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise QueryRefusedError("the query is nested too deeply") from error
    if tree["error"]:
        raise QueryRefusedError(f"exactly one SELECT may run: {tree['error_message']}")
    return tree["statements"]


def _check_reads(connection: duckdb.DuckDBPyConnection, tree: Any) -> None:
    (catalog,) = connection.execute("select current_database()").fetchall()[0]
    readable = {name.lower() for name in readable_relations(connection)}
    # A WITH may not take another's name: where it is not in scope, the other would be read.
    others = {
        str(name).lower()
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() union select view_name from duckdb_views()"
        ).fetchall()
    } - readable
    named_here = {
        str(entry["key"]).lower()
        for node in _nodes(tree)
        for entry in (node.get("cte_map") or {}).get("map", [])
    }
    if named_here & others:
        raise QueryRefusedError(f"give {', '.join(sorted(named_here & others))} another name")
    of_tables = {
        id(node["function"]) for node in _nodes(tree) if node.get("type") == TABLE_FUNCTION
    }
    for node in _nodes(tree):
        kind = node.get("type")
        if not isinstance(kind, str):
            continue
        if kind.endswith("_NODE") and kind not in READING_NODES:
            raise QueryRefusedError(f"exactly one SELECT may run, and in it is a {kind}")
        if "function_name" in node and id(node) not in of_tables:
            _check_function(_function_name(node))
        if kind == "BASE_TABLE":
            if node.get("at_clause"):  # what was erased since could be read there
                raise QueryRefusedError("only the present may be read, so AT may not be used")
            _check_relation(_path(node, "table_name"), catalog, readable, named_here)
        elif kind == TABLE_FUNCTION:
            _check_table_function(connection, _function_name(node["function"]))
        elif kind == "SHOW_REF" and node["query"] is None and node["table_name"] != '"tables"':
            raise QueryRefusedError("of SHOW, only SHOW TABLES and DESCRIBE may run")


def _check_function(name: str) -> None:
    if name not in ALLOWED_FUNCTIONS:
        raise QueryRefusedError(f"the function {name} may not be used")


def _check_table_function(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    if name in TABLE_FUNCTIONS:
        return
    rows = connection.execute(  # it takes as long as a small query
        "select function_name from duckdb_functions() where function_type = 'table_macro' "
        "and not internal and schema_name = 'main' and database_name = current_database()"
    ).fetchall()
    allowed = TABLE_FUNCTIONS | {str(own) for (own,) in rows}
    if name not in allowed:
        raise QueryRefusedError(
            f"the table function {name} may not be used; these may: {', '.join(sorted(allowed))}"
        )


def _check_relation(
    path: list[str], catalog: str, readable: set[str], named_here: set[str]
) -> None:
    *before, name = (part.lower() for part in path)
    is_here = before in ([], ["main"], [catalog.lower(), "main"])
    if (is_here and name in readable) or (not before and name in named_here):
        return
    raise QueryRefusedError(
        f"{'.'.join(path)} may not be read, or does not exist; these may: "
        f"{', '.join(sorted(readable))}"
    )


def _function_name(node: Any) -> str:
    return _path(node, "function_name")[-1].lower()


def _path(node: Any, name: str) -> list[str]:
    """Return the parts of a name; DuckDB before 2.0 has each in a field of its own."""
    if "qualified_name" in node:
        return [str(part) for part in node["qualified_name"]["path"]]
    schema = node.get("schema_name", node.get("schema"))
    parts = [node.get("catalog_name", node.get("catalog")), schema, node[name]]
    return [str(part) for part in parts if part]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
