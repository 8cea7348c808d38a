"""A file's rows go into a lake and back, each once, and hosts go on recording."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from crash_worker import payload_of
from lakes import REPOSITORY, Lake
from test_histories import OF_A_FILE

from conftest import NEEDED
from orb_learning.outbox import Outbox


@pytest.fixture
def file(lake: Lake) -> Path:
    if not OF_A_FILE.exists():
        assert not NEEDED, "no .venv: run `make test` before"
        pytest.skip("THE LAKE IS NOT COMPARED: there is no .venv of the file's engine")
    file = lake.folder / "learning.db"
    on_file(lake, file, "sample")
    return file


def on_file(lake: Lake, file: Path, *words: str) -> str:
    """Run orb by the engine of a file."""
    done = subprocess.run(
        [str(OF_A_FILE.with_name("orb")), *words],
        env={**os.environ, **lake.variables, "ORB_DATABASE": str(file)},
        cwd=REPOSITORY,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def put(lake: Lake, *numbers: int) -> None:
    writer = Outbox(lake.folder / "outbox")
    for number in numbers:
        task_id = f"00000000-0000-4000-8000-{number:012d}"
        assert writer.put("execution", payload_of(task_id, number))
    writer.close()


def test_a_file_goes_into_a_lake_and_back_and_recording_goes_on(lake: Lake, file: Path) -> None:
    put(lake, 1, 2, 3)
    on_file(lake, file, "load")
    said = lake.run("orb", "copy-from", str(file)).stdout
    assert "the same on both sides" in said
    writer = Outbox(lake.folder / "outbox")
    for number in (4, 5):  # a lake keeps each offset
        task_id = f"00000000-0000-4000-8000-{number:012d}"
        assert writer.put("execution", payload_of(task_id, number))
        lake.run("orb", "load")  # what the file has is not loaded again
    writer.close()
    counts = "select count(*), count(distinct task_id), count(distinct _load_seq)"
    assert lake.rows(f"{counts} from raw.executions") == [(6204, 6204, 6204)]
    again = lake.run("orb", "copy-from", str(file), check=False)
    assert again.returncode == 1
    assert "copy into a lake that has none" in again.stderr
    back = lake.folder / "back.db"
    lake.run("orb", "copy-from", str(lake.locator), ORB_DATABASE=str(back))
    put(lake, 6)
    on_file(lake, back, "load")
    read = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())"
    found = subprocess.check_output(
        [str(OF_A_FILE), "-c", read, str(back), f"{counts} from raw.executions"], text=True
    )
    assert found.strip() == "[(6205, 6205, 6205)]"
    assert not list(lake.folder.glob(".*"))


def test_a_file_with_a_log_is_refused_and_nothing_is_copied(lake: Lake, file: Path) -> None:
    Path(f"{file}.wal").write_bytes(b"of a killed process")
    done = lake.run("orb", "copy-from", str(file), check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "run `orb load` on the file" in done.stderr
