"""``orb sample``: the real trials of Terminal-Bench, replayed over the last 90 days.

The source has no times. Each trial gets one, evenly spaced, in the order of the MD5 of the
trials' ids, so that models and tasks are mixed; metadata says that the times are assigned.
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import duckdb

from orb_learning.dbt import packaged_project
from orb_learning.errors import ImportFileError
from orb_learning.filesystem import sha256_of
from orb_learning.ingest.files import known_file, record_file
from orb_learning.store import connect, count_received, store_of, transaction, utc_now

SAMPLE_FILE = Path("data/sample/terminal_bench_trials.csv")


class SampleLoad(NamedTuple):
    """What ``load`` did: the rows that it loaded, and why if there are none."""

    rows: int
    skipped_because: str | None = None


def load_sample(
    database_path: Path,
    *,
    file: Path | None = None,
    if_empty: bool = False,
    now: datetime | None = None,
) -> SampleLoad:
    """Load the trials into ``raw.executions``, all or none; a second time changes nothing.

    Args:
        database_path: the database; it is made if it does not exist.
        file: the CSV of the trials; the one that came with the package if None.
        if_empty: whether to leave a database alone that holds any execution.
        now: the end of the replay and the ``_loaded_at``, naive UTC; the present time if None.

    Raises:
        ImportFileError: the file is missing or is not the sample.
        DatabaseError: the database cannot be written.
    """
    file = file or packaged_project() / SAMPLE_FILE
    if not file.is_file():
        raise ImportFileError(f"{file} is not a file; name the sample by --file")
    now = now or utc_now()
    sha256 = sha256_of(file)
    with connect(database_path) as connection:
        if known_file(connection, sha256):
            return SampleLoad(0, f"{file} has been loaded already")
        if if_empty and connection.execute("select 1 from raw.executions limit 1").fetchone():
            return SampleLoad(0, f"{database_path} holds executions already")
        with transaction(connection):
            rows = count_received(connection, _insert(connection, file, now), now)
            record_file(connection, sha256, file, rows, 0, now)
    return SampleLoad(rows)


def _insert(connection: duckdb.DuckDBPyConnection, file: Path, now: datetime) -> int:
    connection.execute("set variable file = ?::varchar", [str(file)])
    connection.execute("set variable now = ?::timestamp", [now])
    statement = files(__package__).joinpath("sample.sql").read_text("utf-8")
    try:
        [(count,)] = connection.execute(
            "select count(*) from read_csv(getvariable('file'), header = true, delim = ',')"
        ).fetchall()
        first = store_of(connection).reserve(connection, max(1, count))
        connection.execute("set variable first = ?::bigint", [first])
        row = connection.execute(statement).fetchone()
    except (
        duckdb.BinderException,
        duckdb.ConversionException,
        duckdb.InvalidInputException,
    ) as error:
        reason = str(error).splitlines()[0]
        raise ImportFileError(f"{file} is not the sample of trials: {reason}") from error
    return int(row[0]) if row else 0
