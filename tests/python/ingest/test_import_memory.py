"""The memory of an import: at most 1 GB and three times the longest line."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

MB = 2**20
FILE_MB = 96
"""Of text. To read a file at once took 9 to 24 times as much."""
BOUND_MB = 1024
LONGEST_LINE_MB = 15

pytestmark = pytest.mark.soak


def row(number: int) -> str:
    text = f"the log of execution {number} says nothing new, " * 20
    return json.dumps({"repo": f"r{number % 7}", "task_description": text, "model": number})


def rows() -> Iterator[str]:
    size = number = 0
    while size < FILE_MB * MB:
        line = row(number)
        yield line
        size, number = size + len(line) + 1, number + 1


def json_lines(file: Path) -> None:
    with file.open("w") as stream:
        stream.writelines(f"{line}\n" for line in rows())


def zipped(file: Path) -> None:
    with gzip.open(file, "wt", compresslevel=1) as stream:
        stream.writelines(f"{line}\n" for line in rows())


def pretty_array(file: Path) -> None:
    with file.open("w") as stream:
        stream.write('{\n "traces": [\n')
        for number, line in enumerate(rows()):
            stream.write((",\n" if number else "") + json.dumps(json.loads(line), indent=2))
        stream.write("\n]}\n")


def quoted(file: Path) -> None:
    with file.open("w") as stream:
        stream.write("repo,task_description\n")
        for number, line in enumerate(rows()):
            text = line.replace('"', '""').replace(",", "\n")
            stream.write(f'r{number % 7},"{text}"\n')


def never_closed(file: Path) -> None:
    with file.open("w") as stream:
        stream.write('repo,task_description\nr,"never closed\n')
        stream.writelines(
            f"r,{line[:200].replace(chr(34), '').replace(',', ' ')}\n" for line in rows()
        )


def long_lines(file: Path) -> None:
    with file.open("w") as stream:
        for character in "aé🦆":
            width = len(character.encode())
            text = character * (LONGEST_LINE_MB * MB // width)
            stream.write(
                json.dumps({"repo": "r", "error_message": text}, ensure_ascii=False) + "\n"
            )
        stream.write('{"repo": "' + "x" * (FILE_MB * MB) + '"}\n')


def short_lines(file: Path) -> None:
    """Write many lines that are unreadable, each a few bytes of a block of megabytes."""
    file.write_text("repo,task_description\n" + "r,t\n" * 3 + "x,y,z\n" * 4_000_000)


VECTORS = """
select {task_id} timestamptz '2026-01-01 00:00:00+00' + interval (n) second as timestamp,
    true as success, 'fix ' || n as task_description, 'r' || n % 7 as repo,
    list_transform(range(384), lambda x: (random() - 0.5)::float) as embedding
from range({count}) as rows (n)
"""


def vectors(file: Path, *, task_id: str = "uuid() as task_id,", count: int = 150_000) -> None:
    """Write vectors in one row group, as tools do that know nothing of who reads it."""
    query = VECTORS.format(task_id=task_id, count=count)
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '2GB'; set preserve_insertion_order = false")
        connection.execute(f"copy ({query}) to '{file}' (format parquet, row_group_size 1000000)")


def vectors_without_ids(file: Path) -> None:
    vectors(file, task_id="", count=20_000)


def database_of_vectors(file: Path) -> None:
    with duckdb.connect(file) as connection:
        query = VECTORS.format(task_id="uuid() as task_id,", count=100_000)
        connection.execute(f"create table executions as {query}")


MADE: list[tuple[str, Callable[[Path], None]]] = [
    ("x.jsonl", json_lines),
    ("x.jsonl.gz", zipped),
    ("x.json", pretty_array),
    ("quoted.csv", quoted),
    ("open.csv", never_closed),
    ("long.jsonl", long_lines),
    ("short.csv", short_lines),
    ("vectors.parquet", vectors),
    ("no-ids.parquet", vectors_without_ids),
    ("vectors.db", database_of_vectors),
]


@pytest.mark.parametrize(("name", "make"), MADE)
def test_an_import_stays_within_its_memory(
    database: Path,
    tmp_path: Path,
    name: str,
    make: Callable[[Path], None],
    tell: Callable[..., None],
) -> None:
    file = tmp_path / name
    make(file)
    code = (
        "import pathlib, re, sys; from orb_learning.ingest import import_file\n"
        "result = import_file(*map(pathlib.Path, sys.argv[1:]))\n"
        # getrusage would count the process that started this one, too.
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', status)[1]\n"
        "print(peak, result.row_count, result.unreadable_count)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(database), str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    peak_kb, loaded, unreadable = map(int, done.stdout.split())
    longest = LONGEST_LINE_MB if name == "long.jsonl" else 0
    tell(f"import of {name}: {peak_kb // 1024:,} MB, {loaded:,} rows, {unreadable:,} unreadable")
    assert peak_kb / 1024 <= BOUND_MB + 3 * longest
    assert loaded >= 3
