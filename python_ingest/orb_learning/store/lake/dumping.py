"""A dump of a lake's catalog: made, opened beside the lake, and put in the catalog's place.

The rows stay in their files, which a dump only names. So a dump is worth what those files are, and
whoever deletes files asks the backups first (tending.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from orb_learning.errors import DatabaseError, LakeError
from orb_learning.filesystem import open_private
from orb_learning.locator import catalog_words
from orb_learning.store.lake.attaching import CONFIG, attach
from orb_learning.store.lake.catalog import LakeFiles, live_files
from orb_learning.store.lake.door import Door
from orb_learning.store.lake.lake_errors import translated_lake_errors
from orb_learning.store.lake.lake_store import LakeStore
from orb_learning.store.lake.postgres import (
    lock_number,
    open_postgres,
    other_database,
    translated_postgres_errors,
)
from orb_learning.store.lake.programs import run_program
from orb_learning.store.protocol import remember_store

CHECKS = "orb-check"
NAMED = 3
"""Of missing files, in an error."""

EMPTIED = """
set lock_timeout = '60s';
drop schema if exists orb cascade;
do $$
declare name text;
begin
    for name in
        select tablename from pg_tables
        where schemaname = 'public' and tablename like 'ducklake\\_%'
    loop
        execute format('drop table public.%I', name);
    end loop;
end $$;
"""
GONE_ON_WITH = """
insert into public.ducklake_snapshot
select
    greatest(max(snapshot_id), {snapshot_id}) + 1,
    now(),
    greatest(max(schema_version), {schema_version}) + 1,
    greatest(max(next_catalog_id), {next_catalog_id}),
    greatest(max(next_file_id), {next_file_id})
from public.ducklake_snapshot;
insert into public.ducklake_snapshot_changes (snapshot_id, changes_made)
select max(snapshot_id), '' from public.ducklake_snapshot;
delete from public.ducklake_files_scheduled_for_deletion;
select setval('orb.load_seq', greatest(last_value, {load_seq})) from orb.load_seq;
select setval('orb.dead_letter_id', greatest(last_value, {dead_letter_id})) from orb.dead_letter_id;
"""
"""No number is given twice: clients keep what they know of a snapshot, and files have load numbers.
What was to be deleted may be gone; what is still there is an orphan."""
LAST = """
    select
        max(snapshot_id) as snapshot_id,
        max(schema_version) as schema_version,
        max(next_catalog_id) as next_catalog_id,
        max(next_file_id) as next_file_id,
        (select last_value from orb.load_seq) as load_seq,
        (select last_value from orb.dead_letter_id) as dead_letter_id
    from public.ducklake_snapshot
"""


def dump_catalog(locator: Path | str, file: Path) -> LakeFiles:
    """Dump a lake's catalog as of one moment.

    Args:
        locator: the lake's.
        file: the dump, which is made.

    Returns:
        the files that it names.

    Raises:
        LakeError: Postgres is away, or its program is missing or fails.
        OSError: the file cannot be made.
    """
    os.close(open_private(file, os.O_WRONLY | os.O_EXCL))
    with closing(open_postgres(locator, CHECKS)) as connection, translated_postgres_errors(locator):
        connection.execute("begin isolation level repeatable read read only")
        [(moment,)] = connection.execute("select pg_export_snapshot()").fetchall()
        files = live_files(connection)
        run_program(
            locator,
            "pg_dump",
            *("--format=custom", "--no-owner", f"--snapshot={moment}", f"--file={file}"),
            f"--dbname={catalog_words(locator)}",
        )
    return files


@contextmanager
def open_dump(
    locator: Path | str, file: Path, expected: LakeFiles
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a dump read only, in a database of its own beside the lake's, which goes at the end.

    Args:
        locator: of a lake on the same server.
        file: the dump.
        expected: the files that it must name, and that must be there.

    Raises:
        DatabaseError: it names other files, some are gone, or it cannot be opened, and why.
    """
    with ExitStack() as stack:
        admin = stack.enter_context(closing(open_postgres(locator, CHECKS)))
        stack.enter_context(translated_postgres_errors(locator, "the check of a dump"))
        [(own,)] = admin.execute("select current_database()").fetchall()
        name = f"orb_check_{sha256(own.encode()).hexdigest()[:12]}"
        admin.execute("select pg_advisory_lock(%s)", [lock_number("check")])
        admin.execute(f'drop database if exists "{name}" with (force)')  # of one that was killed
        admin.execute(f'create database "{name}" template template0')
        stack.callback(admin.execute, f'drop database if exists "{name}" with (force)')
        beside = other_database(locator, name)
        run_program(
            locator,
            "pg_restore",
            *("--no-owner", "--no-acl", "--exit-on-error", f"--dbname={catalog_words(beside)}"),
            file,
        )
        with closing(open_postgres(beside, CHECKS)) as connection:
            if live_files(connection) != expected:
                raise LakeError(f"{file} names other files than when it was made")
        connection = stack.enter_context(closing(duckdb.connect(config=CONFIG)))
        attach(connection, beside, read_only=True, application_name=CHECKS)
        remember_store(connection, LakeStore(None, appends=False))
        stack.enter_context(translated_lake_errors(locator))
        _require_files(connection, file, expected)
        yield connection


def _require_files(connection: duckdb.DuckDBPyConnection, file: Path, expected: LakeFiles) -> None:
    place = expected.place
    rows = connection.execute("select file from glob(?)", [f"{place}**"]).fetchall()
    there = {path for (path,) in rows}
    # One that was added from elsewhere has a path of its own.
    needed = {
        path if "://" in path or path.startswith("/") else f"{place}{path}"
        for path in expected.files
    }
    gone = sorted(needed - there)
    if gone:
        more = f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else ""
        raise DatabaseError(
            f"{len(gone):,} of the {len(expected.files):,} files that {file} names are gone: "
            f"{', '.join(gone[:NAMED])}{more}"
        )


def put_back(locator: Path | str, door: Door, file: Path) -> None:
    """Put a dump in the catalog's place, in one transaction of Postgres.

    Args:
        locator: the lake's.
        door: has the lake alone.
        file: the dump.

    Raises:
        LakeError: Postgres refuses it; the catalog is as it was.
    """
    last = dict.fromkeys(
        (
            *("snapshot_id", "schema_version", "next_catalog_id", "next_file_id"),
            *("load_seq", "dead_letter_id"),
        ),
        0,
    )
    with closing(open_postgres(locator, CHECKS)) as connection, translated_postgres_errors(locator):
        if door.has_lake():
            found = connection.execute(LAST)
            assert found.description is not None
            names = [column.name for column in found.description]
            last |= dict(zip(names, found.fetchall()[0], strict=True))
    door.end_others()
    with TemporaryDirectory(prefix="orb-") as folder:
        scripts = [Path(folder, name) for name in ("before.sql", "dump.sql", "after.sql")]
        scripts[0].write_text(EMPTIED)
        run_program(locator, "pg_restore", "--no-owner", f"--file={scripts[1]}", file)
        scripts[2].write_text(GONE_ON_WITH.format(**{name: int(last[name]) for name in last}))
        run_program(
            locator,
            "psql",
            *("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
            *(f"--file={script}" for script in scripts),
            f"--dbname={catalog_words(locator)}",
        )
