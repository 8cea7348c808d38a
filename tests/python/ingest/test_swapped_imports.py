"""A pipe that takes a file's name while it is imported is named, and nobody waits for it."""

from __future__ import annotations

import gzip
import os
import threading
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from orb_learning.errors import ImportFileError
from orb_learning.ingest import import_file
from orb_learning.ingest.files import importer

LONGEST_SECONDS = 10.0


def made(file: Path) -> Path:
    row = "select 'task-1' as task_id, 'x' as task_description, now() as timestamp"
    if file.suffix == ".db":
        with duckdb.connect(file) as connection:
            connection.execute(f"create table executions as {row}")
    elif file.suffix == ".gz":
        file.write_bytes(gzip.compress(b'{"task_id": "task-1"}\n'))
    else:
        duckdb.sql(f"copy ({row}) to '{file}'")
    return file


def write_nothing(pipe: Path, is_done: threading.Event, waited: list[Path]) -> None:
    """End whoever waits for a pipe too long."""
    while not is_done.wait(LONGEST_SECONDS):
        with suppress(OSError):
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
            waited.append(pipe)


@pytest.mark.parametrize("name", ["a.parquet", "a.db", "a.csv", "a.jsonl.gz"])
def test_a_pipe_that_takes_a_files_name_is_not_waited_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(tmp_path / name)
    sha256_of = importer.sha256_of

    def swapped(path: Path) -> str:
        found = sha256_of(path)
        path.unlink()
        os.mkfifo(path)
        return found

    monkeypatch.setattr(importer, "sha256_of", swapped)
    waited: list[Path] = []
    is_done = threading.Event()
    ending = threading.Thread(target=write_nothing, args=[file, is_done, waited])
    ending.start()
    try:
        with pytest.raises(ImportFileError, match="it is not a regular file"):
            import_file(tmp_path / "learning.db", file)
    finally:
        is_done.set()
        ending.join()
    assert waited == []
