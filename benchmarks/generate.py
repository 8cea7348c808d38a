"""Synthetic executions for benchmarks and tests: `python -m benchmarks.generate FILE.parquet`.

The rows are those of generate.sql, written to a Parquet file.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orb_learning.errors import OrbError
from orb_learning.store.sql_text import literal

SQL = Path(__file__).with_suffix(".sql")
MOST_ROWS = 2**40
"""Row numbers stay exact as DOUBLE, with room to spare."""


def start_of_day() -> datetime:
    """Return the start of the current day in UTC, with its zone."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def generate(
    path: Path, *, rows: int, days: float, seed: int, until: datetime, first: int = 0
) -> None:
    """Write synthetic executions to a Parquet file, in load order, with naive UTC times.

    The same arguments write the same rows in the same order. Rows arrive in time order over the
    days before ``until``. About 1 % arrive late, by 5 minutes to 2 days. 0.5 % correct an earlier
    row. One row in 5,000 breaks each rule.

    Args:
        path: the file; it appears whole or not at all, and replaces an older one.
        rows: how many rows.
        days: the number of days that the rows span.
        seed: any number; another seed gives other rows.
        until: the end of the last day, with a zone.
        first: the number of the first row. Pass an earlier file's row count, its seed and a later
            ``until``: the file continues the earlier one and corrects some of its rows.

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
    """Write the file through the caller's connection; ``generate`` describes the arguments."""
    until_time = until.astimezone(UTC).replace(tzinfo=None).isoformat()
    connection.execute(f"""
        set timezone = 'UTC';
        set variable row_count = {rows}::double;
        set variable first_row = {first}::double;
        set variable day_count = {float(days)!r}::double;
        set variable seed = {seed}::bigint;
        set variable until_time = timestamp '{until_time}';
    """)
    connection.execute(SQL.read_text("utf-8"))
    connection.execute(
        f"copy (from generated_executions) to {literal(path)} "
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


def main() -> None:
    """Write the file that the command line asks for; exit with 1 and the reason if it fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE.parquet")
    parser.add_argument("--rows", type=int, required=True, help="the number of rows")
    parser.add_argument("--days", type=float, required=True, help="the days that the rows span")
    parser.add_argument("--seed", type=int, required=True, help="the same seed, the same rows")
    parser.add_argument(
        "--until",
        type=datetime.fromisoformat,
        default=start_of_day(),
        metavar="ISO-TIME",
        help="the end of the last day, with a zone (default: the start of the current UTC day)",
    )
    given = parser.parse_args()
    try:
        generate(given.file, rows=given.rows, days=given.days, seed=given.seed, until=given.until)
    except OrbError as error:
        sys.exit(f"error: {error}")
    print(
        f"{given.rows:,} rows over {given.days:g} days until {given.until.isoformat()} "
        f"are in {given.file}"
    )


if __name__ == "__main__":
    main()
