"""One file into the database: whole, in one transaction, or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.feedback import find_waiting_executions
from orb_learning.filesystem import printable, sha256_of
from orb_learning.ingest.files.formats import (
    ALL_ENDINGS,
    MAPPED_ENDINGS,
    ONLY_MAPPED_ENDINGS,
    check_file,
    is_text,
    sources_of,
    utf8_named,
)
from orb_learning.ingest.files.identity import forget_seen
from orb_learning.ingest.files.kinds import kind_of
from orb_learning.ingest.files.ledger import (
    has_unreadable,
    known_file,
    record_file,
    take_unreadable,
    was_named_by_row,
)
from orb_learning.ingest.files.mapped import mapped_source
from orb_learning.ingest.files.names import check_count, check_names, notes_on
from orb_learning.ingest.files.own_mapping import map_apart
from orb_learning.ingest.files.progress import ImportBar, progress_bar
from orb_learning.ingest.files.read_errors import read_errors
from orb_learning.ingest.files.result import (
    ImportResult,
    rejected,
    set_aside,
    unreadable_reasons,
)
from orb_learning.ingest.files.rows import NO_NUMBER, Load, define_macros, store
from orb_learning.ingest.files.text import check_unpacked
from orb_learning.ingest.files.times import NAIVE
from orb_learning.mappings import SystemMapping, detect_mapping, read_file
from orb_learning.store import (
    connect,
    count_received,
    drop_residual_rows,
    transaction,
    utc_now,
)

MEMORY_MB = 512
"""Of DuckDB, while it imports a text; what does not fit waits in a file beside the database."""
TABLE_MEMORY_MB = 768
"""Of DuckDB, while it imports Parquet or a database, by one thread: two need twice as much. With
512 a file with 200,000 vectors in one row group does not go in."""

MAPPED_MEMORY_MB = 1_536
"""While it imports another system's records, by one thread."""
LEAST_SPILLED_BYTES, MOST_TIMES_ITS_SIZE = 4 * 10**9, 10
"""So much of another system's records may wait on the disk, and so many times the file's size more:
Parquet of some kilobytes may have gigabytes of records."""


def import_file(
    database_path: Path,
    file: Path,
    *,
    again: bool = False,
    naive_is_utc: bool = False,
    mapping: SystemMapping | None = None,
    score: str | None = None,
    id_scope: str = "",
    rules: Mapping[str, str] | None = None,
    now: datetime | None = None,
    show_progress: bool = False,
) -> ImportResult:
    """Load a file of executions into ``raw.executions``, whole or not at all.

    Args:
        database_path: the database; it is created where there is none.
        file: Parquet, CSV or JSON (the last two gzipped, too), or a DuckDB database with
            ``executions``; its name's ending says which.
        again: whether to load a file that has been loaded before.
        naive_is_utc: whether a time without a zone is one in UTC; its row is unreadable otherwise.
            Of a file that was loaded before, the rows that lacked a zone are read then.
        mapping: of another system's records; None for the one whose they are beyond doubt, if any.
        score: the name of the score in metadata.scores that fills quality_score.
        id_scope: of task_ids that are no UUIDs; a mapping's are those of its system.
        rules: by name, the SQL that a valid execution holds; the result counts who breaks one.
        now: the rows' ``_loaded_at``, naive UTC; None is the present.
        show_progress: whether to draw a bar on standard error.

    Returns:
        the counts, all 0 for a file that was known already.

    Raises:
        ImportFileError: the file cannot be read, is damaged, or holds no executions.
        DatabaseError: a database cannot be opened, or the disk is full; nothing was loaded.
    """
    check_file(file, database_path, endings=MAPPED_ENDINGS if mapping else ALL_ENDINGS)
    with read_errors(file):
        before = file.stat()
        sha256 = sha256_of(file)
    with (
        connect(database_path) as connection,
        progress_bar(file.name, before.st_size, show=show_progress) as bar,
    ):
        is_known = known_file(connection, sha256)
        only_naive = is_known and not again
        if only_naive and not (naive_is_utc and has_unreadable(connection, sha256, NAIVE)):
            return ImportResult(file, sha256, True, 0, 0)
        by_row = is_known and was_named_by_row(connection, sha256)
        name = Path(printable(file))
        load = Load(sha256, name, now or utc_now(), by_row, only_naive, id_scope)
        _limit_memory(connection, file)
        found = _read_by_mapping(connection, file, mapping)
        with transaction(connection), read_errors(file):
            if found is None:
                result = _load(connection, file, load, naive_is_utc, rules or {}, bar)
            else:
                result = _load_mapped(connection, file, load, found, score, rules or {})
            _check_unchanged(file, before)
        return result


def _limit_memory(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    if is_text(file):
        connection.execute(f"set memory_limit = '{MEMORY_MB}MB'")
    else:  # each thread has a page of each column and a row group of ours
        connection.execute(f"set memory_limit = '{TABLE_MEMORY_MB}MB'; set threads = 1")


def _limit_mapping(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    spilled = LEAST_SPILLED_BYTES + MOST_TIMES_ITS_SIZE * file.stat().st_size
    connection.execute("set max_temp_directory_size = ?", [f"{spilled}B"])
    connection.execute(f"set memory_limit = '{MAPPED_MEMORY_MB}MB'; set threads = 1")


def _check_unchanged(file: Path, before: os.stat_result) -> None:
    after = file.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ImportFileError(f"{file} changed while it was read; import it when it is complete")


def _read_by_mapping(
    connection: duckdb.DuckDBPyConnection, file: Path, mapping: SystemMapping | None
) -> SystemMapping | None:
    """Read the file's records for a mapping, the given one or its system's; returns which."""
    with utf8_named(file) as named, read_errors(file):
        if mapping is None and file.name.lower().endswith(MAPPED_ENDINGS):
            mapping = detect_mapping(connection, named)
            if mapping is None and file.name.lower().endswith(ONLY_MAPPED_ENDINGS):
                raise ImportFileError(
                    f"{file} is no trajectory of SWE-agent; "
                    f"`orb import --from SYSTEM` says whose it is"
                )
        if mapping is not None:
            _limit_mapping(connection, file)
            check_unpacked(file)
            if mapping.is_ours:
                read_file(connection, named)
            else:
                map_apart(connection, named, mapping)
    return mapping


def _load_mapped(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    load: Load,
    mapping: SystemMapping,
    score: str | None,
    rules: Mapping[str, str],
) -> ImportResult:
    """Load the records in ``source`` by a mapping, in the transaction that the caller has open."""
    define_macros(connection)
    forget_seen(connection)
    take_unreadable(connection, load.sha256)
    source = mapped_source(connection, file, mapping, score=score, now=load.now)
    loaded, unreadable, first = store(connection, source, load._replace(id_scope=mapping.name), 0)
    return _recorded(
        connection,
        ImportResult(
            file,
            load.sha256,
            already_known=False,
            row_count=loaded,
            unreadable_count=unreadable,
            mapping=mapping.name,
        ),
        load,
        first,
        rules,
    )


def _recorded(
    connection: duckdb.DuckDBPyConnection,
    result: ImportResult,
    load: Load,
    first: int,
    rules: Mapping[str, str],
) -> ImportResult:
    """Count what came and note the file as loaded; returns the result with what it is to say."""
    counted = count_received(connection, result.row_count, load.now)
    drop_residual_rows(connection)
    find_waiting_executions(connection, load.id_scope, first)
    record_file(connection, load.sha256, load.file, counted, result.unreadable_count, load.now)
    counted_result = replace(
        result,
        row_count=counted,
        unreadable_reasons=unreadable_reasons(connection, load.sha256),
        set_aside=set_aside(connection, first, load.sha256),
    )
    return _with_rejected(connection, counted_result, first, rules)


def _load(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    load: Load,
    naive_is_utc: bool,
    rules: Mapping[str, str],
    bar: ImportBar,
) -> ImportResult:
    """Load the file's batches, in the transaction that the caller has open."""
    define_macros(connection)
    forget_seen(connection)
    take_unreadable(connection, load.sha256)
    names: dict[str, None] = {}
    notes: list[str] = []

    def names_found(found: Iterable[str]) -> None:
        new = dict.fromkeys(found)
        if new and not names:
            check_names(file, new)
        names.update(new)
        check_count(file, names)

    rows_before, loaded, unreadable, first = 0, 0, 0, NO_NUMBER
    with (
        sources_of(
            connection,
            file,
            naive_is_utc=naive_is_utc,
            read_bytes=bar.read_bytes,
            names_found=names_found,
            notes=notes,
        ) as sources,
        # Of a text the bytes read are shown; of a table, DuckDB's own progress.
        nullcontext() if is_text(file) else bar.loading(connection),
    ):
        for source in sources:
            stored = store(connection, source, load, rows_before)
            rows_before = source.last_row_number
            loaded, unreadable = loaded + stored.loaded, unreadable + stored.unreadable
            first = min(first, stored.first_number)
    result = ImportResult(
        file,
        load.sha256,
        already_known=False,
        row_count=loaded,
        unreadable_count=unreadable,
        notes=(*notes_on(names), *notes),
    )
    result = _recorded(connection, result, load, first, rules)
    _check_kind(result, names)
    return result


def _check_kind(result: ImportResult, names: Collection[str]) -> None:
    """Refuse what seems to be another system's file, of which no row can be read.

    Raises:
        ImportFileError: with what it seems to be and the commonest reason.
    """
    known = kind_of(names, is_unreadable=True)
    if not result.row_count and result.unreadable_count and known is not None:
        kind, mapping = known
        raise ImportFileError(
            f"{result.file} seems to be {kind}, not executions; try `orb import --from {mapping}`; "
            f"no row of it can be read: {result.unreadable_reasons[0][0]}"
        )


def _with_rejected(
    connection: duckdb.DuckDBPyConnection,
    result: ImportResult,
    first: int,
    rules: Mapping[str, str],
) -> ImportResult:
    count, reasons = rejected(connection, first, rules)
    return replace(result, rejected_count=count, rejected_reasons=reasons)
