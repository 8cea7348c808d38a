"""What the macro archive_and_retain needs of the file system, as SQL functions."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import duckdb

from orb_learning.errors import OrbError
from orb_learning.filesystem import held_open, make_folder, open_private, open_regular, sync
from orb_learning.store import (
    SEALED_CONFIG,
    EndedError,
    StoppedError,
    answer_apart,
    ask_apart,
    limits_of,
    unglobbed,
)

_prepared: dict[str, int] = {}
"""The descriptors of the files that are written just now, by their names."""


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the functions to a connection and its cursors."""
    known = connection.execute(
        "select function_name from duckdb_functions() where function_name = 'publish_file'"
    ).fetchall()
    if known:
        return  # dbt opened the database again in the same process
    for function in (prepare_folder, names_in_archive, may_be_archived, prepare_file, publish_file):
        connection.create_function(function.__name__, function, side_effects=True)


def prepare_folder(folder: str) -> bool:
    """Make a folder where there is none, durably; returns True.

    Raises:
        ValueError: DuckDB would take its name for a pattern of several.
    """
    if any(sign in folder for sign in "*?["):
        raise ValueError(f"archive_path is {folder!r}: it may not contain *, ? or [")
    path = Path(folder)
    make_folder(path)
    sync(path.parent)
    return True


def names_in_archive(folder: str, stem: str) -> list[str]:
    """Return the names of what is in a folder for a day, whatever it is."""
    names = (path.name for path in Path(folder).iterdir())
    return sorted(name for name in names if name.startswith(stem) and name.endswith(".parquet"))


def may_be_archived(file: str, columns: list[str]) -> bool:
    """Whether a file may be one that a run before wrote: another may have put anything there.

    It is read whole, by a process of its own: what cannot be read, or takes too much, is none.
    """
    import pyarrow
    import pyarrow.parquet

    path = Path(file)
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False  # a pipe would be waited for, and a link may have no end
        with open_regular(path) as opened:
            found = pyarrow.parquet.read_metadata(opened)
        schema = found.schema.to_arrow_schema()
        is_alike = sorted(schema.names) == sorted(columns) and found.num_rows > 0
        if not is_alike or schema.field("_load_seq").type != pyarrow.int64():
            return False
        ask_apart(__name__, [file], limits_of(path))
    except (OSError, KeyError, pyarrow.ArrowException, OrbError, StoppedError, EndedError):
        return False
    return True


def prepare_file(file: str) -> str:
    """Make an empty file, for its owner alone, in the place of one of that name.

    Returns:
        where to write it: by its descriptor, because another may put a link in the place of its
        name. DuckDB itself would write through that, and by the umask.
    """
    path = Path(file)
    path.unlink(missing_ok=True)
    _close(file)
    _prepared[file] = open_private(path, os.O_RDWR | os.O_EXCL)
    return f"/proc/self/fd/{_prepared[file]}"


def publish_file(file: str, name: str) -> bool:
    """Give a complete file its own name, which none may have yet, durably; returns True.

    Raises:
        FileExistsError: that name is taken, or what has the file's is another one.
    """
    path = Path(file)
    published = path.with_name(name)
    if published.exists():  # nobody else makes files here while dbt has the database
        raise FileExistsError(f"{published} exists already")
    if file in _prepared and not os.path.samestat(path.lstat(), os.fstat(_prepared[file])):
        raise FileExistsError(f"{file} was exchanged for another while it was written")
    sync(path)
    path.rename(published)
    sync(path.parent)
    _close(file)
    return True


def _close(file: str) -> None:
    if (descriptor := _prepared.pop(file, None)) is not None:
        os.close(descriptor)


def _read_whole(arguments: list[str]) -> None:
    file = Path(arguments[0])
    with held_open(file) as held, duckdb.connect(config=SEALED_CONFIG) as connection:
        connection.execute(
            "select bit_xor(hash(archived)) from read_parquet(?) as archived",
            [unglobbed(held)],
        )


if __name__ == "__main__":
    answer_apart(_read_whole)
