"""Parquet of some kilobytes that unpacks to gigabytes is refused, and takes no more than 1 GB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orb_learning.ingest import import_file

MB = 2**20
MOST_MB = 1024

MAKE = """
import sys
import pyarrow as pa, pyarrow.parquet as pq

entries, size, rows, has_dictionary = map(int, sys.argv[2:])
values = [f"{number}".ljust(size, "x") for number in range(entries)]
numbers = pa.array([number % entries for number in range(rows)], pa.int32())
table = pa.table({
    "task_description": pa.DictionaryArray.from_arrays(numbers, pa.array(values)),
    "success": [True] * rows,
    "timestamp": pa.array([1_750_000_000_000_000] * rows, pa.timestamp("us", tz="UTC")),
})
limit = 2**31 - 1
pq.write_table(table, sys.argv[1], compression="zstd", use_dictionary=bool(has_dictionary),
    dictionary_pagesize_limit=limit, data_page_size=limit, write_statistics=False)
"""

IMPORT = """
import pathlib, re, sys
from orb_learning.errors import OrbError
from orb_learning.ingest import import_file
try:
    import_file(*map(pathlib.Path, sys.argv[1:]))
    print("loaded")
except OrbError as error:
    print(error)
status = pathlib.Path("/proc/self/status").read_text()
print(re.search(r"VmHWM:\\s+(\\d+)", status)[1])
"""


def bomb(file: Path, *, entries: int, size: int, rows: int, has_dictionary: bool = True) -> Path:
    """Write a file of rows that have so many distinct texts of a size."""
    numbers = map(str, (entries, size, rows, int(has_dictionary)))
    subprocess.run([sys.executable, "-c", MAKE, str(file), *numbers], check=True)
    return file


@pytest.mark.parametrize(
    ("entries", "size", "rows", "has_dictionary"),
    [
        pytest.param(100, 8 * MB, 100, True, id="a dictionary of 800 MB"),
        pytest.param(1, 32 * MB, 2000, True, id="64 GB by one value of a dictionary"),
        pytest.param(8, 100 * MB, 8, False, id="a page of 800 MB"),
    ],
)
@pytest.mark.slow
def test_a_file_that_unpacks_to_more_than_memory_is_refused(
    tmp_path: Path, entries: int, size: int, rows: int, has_dictionary: bool
) -> None:
    file = bomb(
        tmp_path / "x.parquet",
        entries=entries,
        size=size,
        rows=rows,
        has_dictionary=has_dictionary,
    )
    assert file.stat().st_size < MB
    database = tmp_path / "data/learning.db"
    database.parent.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(database), str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    said, peak_kb = done.stdout.strip().splitlines()
    assert "that needs more memory than an import takes; write it anew in smaller records" in said
    assert int(peak_kb) / 1024 <= MOST_MB
    with duckdb.connect(database) as connection:
        assert connection.sql("select count(*) from raw.executions").fetchall() == [(0,)]
    assert not [path.name for path in database.parent.iterdir() if "tmp" in path.name]


def test_a_dictionary_that_fits_is_loaded(tmp_path: Path) -> None:
    file = bomb(tmp_path / "x.parquet", entries=5, size=MB, rows=10)
    database = tmp_path / "learning.db"
    assert import_file(database, file).row_count == 10
