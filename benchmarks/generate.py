"""Synthetic executions for benchmarks and tests: sql/generate.sql, written to a Parquet file."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from orb_learning.errors import OrbError

MOST_ROWS = 2**40
"""Row numbers stay exact as DOUBLE, with room to spare."""


def start_of_day() -> datetime:
    """Return the start of the present day in UTC, with its zone."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def generate(
    path: Path, *, rows: int, days: float, seed: int, until: datetime, first: int = 0
) -> None:
    """Write synthetic executions to a Parquet file, in load order, its times naive UTC.

    The same arguments write the same rows in the same order. Rows arrive in the order of time
    over the days before ``until``; about 1 % are late by 5 minutes to 2 days, 0.5 % correct an
    earlier row, and of each rule one row in 5,000 breaks it.

    Args:
        path: the file; it appears whole or not at all, and replaces an older one.
        rows: how many rows.
        days: over how many days they are spread.
        seed: whatever number; another seed gives other rows.
        until: the end of the last day, with a zone.
        first: the number of the first row. With the row count of an earlier file, its seed and
            a later ``until``, the file goes on where the other ended, and corrects rows of it.

    Raises:
        OrbError: an argument is out of its range, or the file cannot be written.
    """
    _check(path, rows, days, seed, until, first)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with duckdb.connect() as connection:
            write(connection, partial, rows=rows, days=days, seed=seed, until=until, first=first)
        partial.replace(path)
    except (duckdb.IOException, OSError) as error:
        raise OrbError(f"{path} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def write(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    rows: int,
    days: float,
    seed: int,
    until: datetime,
    first: int = 0,
) -> None:
    """Write the file by a connection of the caller's; see ``generate`` for the arguments."""
    until_time = until.astimezone(UTC).replace(tzinfo=None).isoformat()
    connection.execute(f"""
        set timezone = 'UTC';
        set variable row_count = {rows}::double;
        set variable first_row = {first}::double;
        set variable day_count = {float(days)!r}::double;
        set variable seed = {seed}::bigint;
        set variable until_time = timestamp '{until_time}';
    """)
    connection.execute(files("orb_learning").joinpath("sql/generate.sql").read_text("utf-8"))
    literal = str(path).replace("'", "''")
    connection.execute(
        f"copy (from generated_executions) to '{literal}' "
        "(format parquet, compression zstd, kv_metadata {orb_learning: 'utc'})"
    )


def _check(path: Path, rows: int, days: float, seed: int, until: datetime, first: int) -> None:
    if not 1 <= rows <= MOST_ROWS:
        raise OrbError(f"rows = {rows}: must be 1 to {MOST_ROWS}")
    if not 0 <= first <= MOST_ROWS:
        raise OrbError(f"first = {first}: must be 0 to {MOST_ROWS}")
    if not (math.isfinite(days) and 0 < days <= 36_500):
        raise OrbError(f"days = {days}: must be more than 0, and at most 36500")
    if not -(2**63) <= seed < 2**63:
        raise OrbError(f"seed = {seed}: must fit 64 bits")
    if until.tzinfo is None:
        raise OrbError(f"until = {until.isoformat()} has no time zone; add Z or +00:00")
    if path.is_dir():
        raise OrbError(f"{path} is a directory; name the file in it")
    if not path.parent.is_dir():
        raise OrbError(f"{path.parent} is not a directory; create it first")
