"""A mapping that is not the package's, over a file's records, in a process of its own.

Whoever wrote it may be a stranger. It is one SELECT that reaches the file's records and nothing
else, and that process may use only so much time, memory and disk.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.ingest.files.database_file import (
    BYTES_A_SECOND,
    LEAST_COPIED_BYTES,
    LEAST_SECONDS,
    LIMITS,
    MOST_MEMORY_BYTES,
    MOST_TIMES_ITS_SIZE,
    parquet_value,
)
from orb_learning.ingest.files.read_errors import read_errors
from orb_learning.mappings import SystemMapping, define_macros, map_records, read_file
from orb_learning.store import (
    SEALED_CONFIG,
    EndedError,
    Limits,
    StoppedError,
    answer_apart,
    ask_apart,
    identifier,
    literal,
    seal,
    spilled_in,
)

MEMORY_LIMIT = "1GB"
"""Of DuckDB: such a mapping is run on all records together."""
_SQL = "mapping.sql"
_NOT_JSON = "select row_number, record::varchar as record from source where record is null"


def map_apart(connection: duckdb.DuckDBPyConnection, file: Path, mapping: SystemMapping) -> None:
    """Fill the temporary tables ``source`` and ``mapped`` from a file by a mapping.

    Of ``source``, only the records that are not JSON are there.

    Raises:
        ImportFileError: the file cannot be read; or the mapping is no SELECT over ``source``, gives
            other columns than an execution's, fails, or takes too much time, memory or disk.
    """
    size = file.stat().st_size
    limits = Limits(
        LEAST_SECONDS + size / BYTES_A_SECOND,
        LEAST_COPIED_BYTES + MOST_TIMES_ITS_SIZE * size,
        MOST_MEMORY_BYTES,
    )
    with TemporaryDirectory(prefix="orb-") as folder:
        Path(folder, _SQL).write_text(mapping.sql, encoding="utf-8")
        try:
            ask_apart(__name__, [str(file), mapping.name, folder], limits)
        except StoppedError as error:
            raise ImportFileError(
                f"{file}: the mapping {mapping.name} took longer than {limits.seconds:,.0f} s and "
                f"was stopped"
            ) from error
        except EndedError as error:
            raise ImportFileError(
                f"{file}: the mapping {mapping.name} ended the process that ran it"
            ) from error
        for table in ("source", "mapped"):
            made = literal(_parquet(Path(folder), table))
            connection.execute(f"create or replace temp table {table} as from read_parquet({made})")


def _parquet(folder: Path, table: str) -> Path:
    return folder / f"{table}.parquet"


def _mapped_apart(arguments: list[str]) -> None:
    file, name, folder = Path(arguments[0]), arguments[1], Path(arguments[2])
    mapping = SystemMapping(name, (folder / _SQL).read_text(encoding="utf-8"))
    config = (
        SEALED_CONFIG
        | LIMITS
        | {"memory_limit": MEMORY_LIMIT}
        | {"temp_directory": str(spilled_in(folder))}
    )
    with duckdb.connect(config=config) as connection:
        with read_errors(file):
            read_file(connection, file)
        define_macros(connection)
        seal(connection, folder)
        _check_select(mapping)
        try:
            _copy(connection, _NOT_JSON, _parquet(folder, "source"))
            connection.execute("delete from source where record is null")
            columns = map_records(connection, mapping).columns
            values = ", ".join(_value(column, kind) for column, kind in columns.items())
            _copy(connection, f"select {values} from mapped", _parquet(folder, "mapped"))  # noqa: S608
        except duckdb.Error as error:
            raise ImportFileError(
                f"{file}: the mapping {name} fails: {str(error).splitlines()[0]}"
            ) from error


def _value(column: str, kind: str) -> str:
    """Return a column's SQL as Parquet has it; an object may be metadata."""
    if column == "metadata" and kind not in ("JSON", "VARCHAR"):
        return f"to_json({identifier(column)}) as {identifier(column)}"
    return parquet_value(column, kind)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    connection.execute(f"copy ({query}) to {literal(file)} (format parquet)")


def _check_select(mapping: SystemMapping) -> None:
    """Refuse what is not one SELECT.

    Raises:
        ImportFileError: it is not.
    """
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(mapping.sql)]
    except duckdb.Error:
        return  # whoever runs it says what is wrong with it
    if kinds != [duckdb.StatementType.SELECT]:
        raise ImportFileError(
            f"the mapping {mapping.name} is no SELECT over source: it must be one, and nothing else"
        )


if __name__ == "__main__":
    answer_apart(_mapped_apart)
