"""The formats of files, known by the endings of their names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from orb_learning.errors import ImportFileError
from orb_learning.filesystem import printable
from orb_learning.ingest.files.csv_lines import csv_sources
from orb_learning.ingest.files.database_file import copy_executions
from orb_learning.ingest.files.jsonl import json_sources
from orb_learning.ingest.files.parquet import parquet_sources
from orb_learning.ingest.files.plan import Source
from orb_learning.mappings import JSON_ENDINGS

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
JSONL = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
PARQUET = (".parquet",)
DATABASE = (".db", ".duckdb")
ENDINGS = (*PARQUET, *CSV, *JSONL, *DATABASE)
MAPPED_ENDINGS = (*PARQUET, *CSV, *JSON_ENDINGS)
"""Those of files that a mapping can read."""
ALL_ENDINGS = tuple(dict.fromkeys(ENDINGS + MAPPED_ENDINGS))
ONLY_MAPPED_ENDINGS = tuple(ending for ending in MAPPED_ENDINGS if ending not in ENDINGS)


def is_text(file: Path) -> bool:
    """Return whether a file is read as text, block by block."""
    return file.name.lower().endswith((*CSV, *JSONL))


def check_file(file: Path, database_path: Path, *, endings: tuple[str, ...] = ENDINGS) -> None:
    """Refuse what is no file of a known kind, with the reason.

    Args:
        file: the file.
        database_path: the database that it is to go to.
        endings: those of the kinds that are known.

    Raises:
        ImportFileError: it is missing, a directory, empty, of an unknown ending, or the database.
    """
    if not file.exists():
        raise ImportFileError(f"{file} does not exist; check the path")
    if file.is_dir():
        raise ImportFileError(f"{file} is a directory; name the files in it: {file}/*.parquet")
    if not file.is_file():
        raise ImportFileError(f"{file} is not a regular file; save what it gives to one first")
    if not file.name.lower().endswith(endings):
        raise ImportFileError(
            f"{file}: the name's ending says what a file is, and this one is not known; "
            f"it must be one of {', '.join(endings)}"
        )
    if database_path.exists() and file.samefile(database_path):
        raise ImportFileError(
            f"{file} is the database itself; its executions are in it already. "
            f"Set ORB_DATABASE to the database that they should go to"
        )
    if file.stat().st_size == 0:
        raise ImportFileError(f"{file} is empty, 0 bytes; write it again")


@contextmanager
def utf8_named(file: Path) -> Iterator[Path]:
    """Give the file under a name that DuckDB takes: in UTF-8."""
    if printable(file) == str(file):
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        linked = Path(folder) / f"linked{file.suffix}"
        linked.symlink_to(file.absolute())
        yield linked


@contextmanager
def sources_of(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    *,
    naive_is_utc: bool,
    read_bytes: Callable[[int], object],
    names_found: Callable[[Iterable[str]], None],
    notes: list[str],
) -> Iterator[Iterator[Source]]:
    """Give the file's batches, by the ending of its name."""
    name = file.name.lower()
    if name.endswith(CSV):
        yield csv_sources(
            connection,
            file,
            naive_is_utc=naive_is_utc,
            read_bytes=read_bytes,
            names_found=names_found,
            notes=notes,
        )
        return
    if name.endswith(JSONL):
        yield json_sources(
            connection,
            file,
            naive_is_utc=naive_is_utc,
            read_bytes=read_bytes,
            names_found=names_found,
        )
        return
    with tempfile.TemporaryDirectory() as folder, utf8_named(file) as file:
        if name.endswith(PARQUET):
            yield parquet_sources(
                connection, file, naive_is_utc=naive_is_utc, names_found=names_found
            )
            return
        copied = Path(folder) / "executions.parquet"
        notes += copy_executions(file, copied)
        sources = parquet_sources(connection, copied, naive_is_utc=True, names_found=names_found)
        try:
            # The mark is about times; what its values hold is not this project's word.
            yield (replace(source, is_ours=False) for source in sources)
        except ImportFileError as error:
            raise ImportFileError(str(error).replace(str(copied), str(file))) from error
