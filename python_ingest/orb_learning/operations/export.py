"""A copy for reading: the public relations and the reports as tables, for whatever tool reads them.

The database's file is copied first, so that who writes it waits for a copy of bytes and no more.
The reports are worked out on that copy. What is there of an earlier export is replaced at once.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from orb_learning.errors import ExportError, NotBuiltError
from orb_learning.filesystem import is_full, make_folder, make_private, sync
from orb_learning.locator import only_on_a_file
from orb_learning.outbox import try_lock
from orb_learning.store import (
    IS_PUBLIC,
    built_by_this_version,
    check_path,
    connect,
    connect_without_lock,
    identifier,
    literal,
    note_written,
    written_files,
)

PUBLIC = f"""
select table_name as relation_name from information_schema.tables
where table_catalog = current_database() and table_schema = 'main' and ({IS_PUBLIC})
order by relation_name
"""  # noqa: S608

PUBLIC_COLUMNS = "select columns(lambda name: not starts_with(name, '_'))"
"""The others are the models' own; one of them has a type that Parquet has not."""

ONE_FILE = {".db", ".duckdb"}


@dataclass(frozen=True)
class Export:
    """What was written."""

    output: Path
    relation_count: int
    row_count: int
    size_bytes: int


def export_for_reading(database: Path, output: Path, *, wait_seconds: float = 30.0) -> Export:
    """Write the public relations and reports as tables.

    Args:
        database: the database file.
        output: a name in .db or .duckdb is one file that DuckDB 1.4 and later opens; any other is a
            folder with one Parquet file a relation. An earlier export there is replaced.
        wait_seconds: for how long to wait while another process writes the database.

    Raises:
        ExportError: it cannot be written, another export is at work on it, or what is there
            is no export of this database.
        DatabaseError: there is no database, it cannot be read, or it was never built.
    """
    only_on_a_file(
        database,
        "An export",
        "its data is Parquet already, and DuckDB 1.5 attaches it: docs/lake.md",
    )
    check_path(database, must_exist=True)
    _check_place(database, output)
    try:
        with _work_folder(output) as work:
            copy = work / database.name
            _copy_file(database, copy, wait_seconds)
            made = work / ("export.duckdb" if output.suffix in ONE_FILE else "export")
            with connect_without_lock(copy, scratch=work) as connection:
                names = [str(name) for (name,) in connection.execute(PUBLIC).fetchall()]
                if "executions" not in names:
                    raise NotBuiltError(f"{database} was never built; run `orb build` first")
                write = _write_tables if output.suffix in ONE_FILE else _write_parquet
                with built_by_this_version(database):
                    row_count = write(connection, names, made)
            size = _publish(made, output)
    except OSError as error:
        full = "the disk is full" if is_full(error) else error.strerror or str(error)
        raise ExportError(f"{output} cannot be written: {full}; nothing there changed") from error
    note_written(database, output)
    return Export(output, len(names), row_count, size)


def _check_place(database: Path, output: Path) -> None:
    place = output.parent.resolve() / output.name
    if os.path.lexists(output) and place not in written_files(database):
        raise ExportError(
            f"{output} is there and is no export of {database}; name another file, or move it away"
        )


@contextmanager
def _work_folder(output: Path) -> Iterator[Path]:
    """Make a folder beside the output, for its owner alone, and remove it in the end."""
    folder = output.parent
    make_folder(folder)
    lock = try_lock(folder / f".{output.name}")
    if lock is None:
        raise ExportError(f"another export to {output} is at work; run it again when that is done")
    try:
        for left in folder.glob(f".{escape(output.name)}.export-*"):
            # By a run that was killed; another may have put a link there.
            left.unlink() if left.is_symlink() else shutil.rmtree(left)
        work = Path(mkdtemp(dir=folder, prefix=f".{output.name}.export-"))
        opened = _open_own(work)
        try:
            # By its descriptor: another may put a folder of theirs in the place of its name, and
            # would read what is written there.
            yield Path(f"/proc/self/fd/{opened}")
        finally:
            os.close(opened)
            shutil.rmtree(work, ignore_errors=True)
    finally:
        os.close(lock)


def _open_own(folder: Path) -> int:
    """Return the descriptor of a folder that was just made, if it is still that.

    Raises:
        OSError: it was exchanged for another.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    found = os.fstat(opened)
    is_ours = found.st_uid == os.geteuid() and found.st_mode & 0o777 == 0o700
    if not is_ours or any(Path(f"/proc/self/fd/{opened}").iterdir()):
        os.close(opened)
        raise FileExistsError(errno.EEXIST, "its working folder was exchanged", str(folder))
    return opened


def _copy_file(database: Path, copy: Path, wait_seconds: float) -> None:
    """Copy the file's bytes while it is open to be read, which is while nobody writes it."""
    with connect(database, read_only=True, wait_seconds=wait_seconds):
        log = Path(f"{database}.wal")
        for file in [database, *([log] if log.exists() else [])]:
            # Another process's: closing the file in this one would end DuckDB's lock on it.
            copying = ["cp", "--", str(file), f"{copy}{file.name.removeprefix(database.name)}"]
            done = subprocess.run(
                copying,
                capture_output=True,
                text=True,
                check=False,
                pass_fds=[int(copy.parent.name)],
            )
            if done.returncode:
                raise ExportError(f"{file} cannot be copied: {done.stderr.strip()}")


def _write_tables(connection: duckdb.DuckDBPyConnection, names: list[str], file: Path) -> int:
    """Write a table for each relation into a new database; returns the number of rows."""
    rows = 0
    connection.execute(f"attach {literal(file)} as export (read_write)")
    for name in names:
        table = identifier(name)
        [(count,)] = connection.execute(
            f"create table export.main.{table} as {PUBLIC_COLUMNS} from main.{table}"
        ).fetchall()
        rows += count
    connection.execute("detach export")
    return rows


def _write_parquet(connection: duckdb.DuckDBPyConnection, names: list[str], folder: Path) -> int:
    """Write a Parquet file for each relation into a new folder; returns the number of rows."""
    make_folder(folder)
    rows = 0
    for name in names:
        file = literal(folder / f"{name}.parquet")
        rows_of_one = f"{PUBLIC_COLUMNS} from main.{identifier(name)}"
        copying = f"copy ({rows_of_one}) to {file} (format parquet)"
        [(count,)] = connection.execute(copying).fetchall()
        rows += count
    return rows


def _publish(made: Path, output: Path) -> int:
    """Put what was made into the output's place, in one step; returns its size."""
    files = [made] if made.is_file() else sorted(made.iterdir())
    for file in files:
        make_private(file)
        sync(file)
    size = sum(file.stat().st_size for file in files)
    if made.is_file():
        made.replace(output)
    else:
        _exchange_folder(made, output)
    sync(output.parent)
    return size


def _exchange_folder(made: Path, output: Path) -> None:
    """A folder that is not empty cannot be replaced; a link to it can."""
    before = _folder_behind(output)
    place = Path(mkdtemp(dir=output.parent, prefix=_prefix_of(output)))
    made.replace(place)
    link = made.with_name("link")
    link.symlink_to(place.name)
    link.replace(output)
    if before is not None:
        shutil.rmtree(before, ignore_errors=True)


def remove_written(written: Path) -> None:
    """Delete a page or an export."""
    if (folder := _folder_behind(written)) is not None:
        shutil.rmtree(folder, ignore_errors=True)
    written.unlink()


def _folder_behind(output: Path) -> Path | None:
    """Return the folder that an export made behind its link; another may have put one there."""
    if not output.is_symlink():
        return None
    folder = output.parent / output.readlink()
    is_ours = folder.parent.resolve() == output.parent.resolve() and not folder.is_symlink()
    return folder if is_ours and folder.name.startswith(_prefix_of(output)) else None


def _prefix_of(output: Path) -> str:
    return f".{output.name}.of-"
