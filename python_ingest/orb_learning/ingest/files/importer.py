"""One file into the database: whole, in one transaction, or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.filesystem import sha256_of
from orb_learning.ingest.files.csv_lines import csv_source
from orb_learning.ingest.files.database_file import copy_executions
from orb_learning.ingest.files.jsonl import jsonl_source
from orb_learning.ingest.files.ledger import known_file, record_file
from orb_learning.ingest.files.parquet import parquet_source
from orb_learning.ingest.files.progress import progress_bar
from orb_learning.ingest.files.rows import Source, store
from orb_learning.store import connect, transaction, utc_now

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
JSONL = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
PARQUET = (".parquet",)
DATABASE = (".db", ".duckdb")
ENDINGS = (*PARQUET, *CSV, *JSONL, *DATABASE)


@dataclass(frozen=True)
class ImportResult:
    """What came of one file: rows that went into raw.executions, rows that are unreadable."""

    file: Path
    sha256: str
    already_known: bool
    row_count: int
    unreadable_count: int


def import_file(
    database_path: Path,
    file: Path,
    *,
    again: bool = False,
    naive_is_utc: bool = False,
    now: datetime | None = None,
    show_progress: bool = False,
) -> ImportResult:
    """Load a file of executions into ``raw.executions``, whole or not at all.

    Args:
        database_path: the database; it is created where there is none.
        file: Parquet, CSV or JSON lines (the last two gzipped, too), or a DuckDB database with
            ``executions``; its name's ending says which.
        again: whether to load a file that has been loaded before.
        naive_is_utc: whether a time without a zone is one in UTC; its row is unreadable otherwise.
        now: the rows' ``_loaded_at``, naive UTC; None is the present.
        show_progress: whether to draw a bar on standard error.

    Returns:
        the counts, both 0 for a file that was known already.

    Raises:
        ImportFileError: the file cannot be read, or is damaged; nothing of it was loaded.
        DatabaseError: a database, the one to write or the one to read, cannot be opened, or the
            disk is full; nothing of the file was loaded.
    """
    check_file(file, database_path)
    with read_errors(file):
        before = file.stat()
        sha256 = sha256_of(file)
    with (
        connect(database_path) as connection,
        progress_bar(file.name, before.st_size, show=show_progress) as bar,
    ):
        if not again and known_file(connection, sha256):
            return ImportResult(file, sha256, True, 0, 0)
        loaded_at = now or utc_now()
        with transaction(connection), read_errors(file):
            with (
                _source(
                    connection, file, naive_is_utc=naive_is_utc, read_bytes=bar.read_bytes
                ) as source,
                bar.loading(connection),
            ):
                counts = store(connection, source, sha256, file, loaded_at)
            record_file(connection, sha256, file, *counts, loaded_at)
            after = file.stat()
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise ImportFileError(
                    f"{file} changed while it was read; import it when it is complete"
                )
    return ImportResult(file, sha256, False, *counts)


def check_file(file: Path, database_path: Path) -> None:
    """Refuse what is no file of a known kind, with the reason.

    Raises:
        ImportFileError: it is missing, a directory, empty, of an unknown ending, or the database.
    """
    if not file.exists():
        raise ImportFileError(f"{file} does not exist; check the path")
    if file.is_dir():
        raise ImportFileError(f"{file} is a directory; name the files in it: {file}/*.parquet")
    if not file.is_file():
        raise ImportFileError(f"{file} is not a regular file; save what it gives to one first")
    if not file.name.lower().endswith(ENDINGS):
        raise ImportFileError(
            f"{file}: the name's ending says what a file is, and this one is not known; "
            f"it must be one of {', '.join(ENDINGS)}"
        )
    if database_path.exists() and file.samefile(database_path):
        raise ImportFileError(
            f"{file} is the database itself; its executions are in it already. "
            f"Set ORB_DATABASE to the database that they should go to"
        )
    if file.stat().st_size == 0:
        raise ImportFileError(f"{file} is empty, 0 bytes; write it again")


@contextmanager
def read_errors(file: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into an ImportFileError.

    Errors about the disk and the database's own file stay what they are, and so do errors in our
    SQL, which no file should cause.

    Raises:
        ImportFileError: names the file and what is wrong.
    """
    try:
        yield
    except OSError as error:
        raise ImportFileError(
            f"{file} cannot be read: {error.strerror or error}; check its permissions and its disk"
        ) from error
    except (
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.ParserException,
        duckdb.OutOfMemoryException,
        duckdb.InternalException,
        duckdb.TransactionException,
    ):
        raise
    except duckdb.Error as error:
        text = str(error)
        if "No space left" in text or "not enough space" in text.lower():
            raise
        raise ImportFileError(
            f"{file} is damaged, incomplete, or not what its name's ending says: "
            f"{text.splitlines()[0]}; copy it again from where it came from"
        ) from error


@contextmanager
def _source(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    read_bytes: Callable[[int], object],
) -> Iterator[Source]:
    name = file.name.lower()
    if name.endswith(PARQUET):
        yield parquet_source(connection, file, naive_is_utc=naive_is_utc)
    elif name.endswith(CSV):
        yield csv_source(connection, file, naive_is_utc=naive_is_utc, read_bytes=read_bytes)
    elif name.endswith(JSONL):
        yield jsonl_source(connection, file, naive_is_utc=naive_is_utc, read_bytes=read_bytes)
    else:
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(folder) / "executions.parquet"
            copy_executions(file, copied)
            source = parquet_source(connection, copied, naive_is_utc=True)
            # The mark is about times; what its metadata holds is not this project's word.
            yield replace(source, is_ours=False)
