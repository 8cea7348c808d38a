"""A stranger's file beside the database does not end an erasure; what is not read is named."""

from __future__ import annotations

import gzip
import os
import time
import uuid
from pathlib import Path

import duckdb
import pytest

from orb_learning.operations import exported_files
from orb_learning.operations.exported_files import ErasedContent
from orb_learning.operations.mentions import ErasureTarget
from orb_learning.store import Limits

TASK = uuid.UUID(int=1)
TEXT = "what only its author may read"
CONTENT = ErasedContent(ErasureTarget(frozenset([TASK]), "api"), (TEXT,))


def made(folder: Path, what: str) -> Path:
    if what == "unpacks to gigabytes":
        file = folder / "a.jsonl.gz"
        with gzip.open(file, "wb", 1) as opened:
            for _ in range(200):
                opened.write(bytes(2**20))
    elif what == "is larger than the memory":
        file = folder / "a.json"
        file.touch()
        os.truncate(file, 2**36)
    else:
        file = folder / "a.parquet"
        value = "repeat('x', 400000000) as a from range(4)"
        duckdb.sql(f"copy (select {value}) to '{file}' (format parquet, row_group_size 2048)")
    return file


@pytest.mark.parametrize(
    "what",
    ["unpacks to gigabytes", "is larger than the memory", "has values of gigabytes"],
)
def test_a_file_that_cannot_be_searched_is_named(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_files, "limits_of", lambda _: Limits(20.0, 2**30))
    file = made(tmp_path, what)
    began = time.monotonic()
    assert CONTENT.is_in(file)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("ending", ["json", "csv.gz"])
@pytest.mark.parametrize("found", [str(TASK), TEXT, " api,", ""])
def test_what_stands_across_two_blocks_is_found(
    ending: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_files, "BLOCK_BYTES", 2_000)
    file = tmp_path / f"a.{ending}"
    for before in range(1_980, 2_001, 4):
        text = ("x" * before + found + "x" * 5_000).encode()
        file.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
        assert CONTENT.is_in(file) is bool(found)


@pytest.mark.parametrize("ending", ["parquet", "db"])
@pytest.mark.parametrize("text", [TEXT, f"task {TASK}", "in api, too", "another text"])
def test_rows_are_searched_by_another_process(ending: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    with duckdb.connect(file if ending == "db" else ":memory:") as connection:
        connection.execute("create table t as select [?] as texts, 'api2' as repo", [text])
        if ending == "parquet":
            connection.execute(f"copy t to '{file}'")
    assert CONTENT.is_in(file) is (text != "another text")
