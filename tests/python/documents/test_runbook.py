"""The runbook's failures, made to happen, and mended by the commands that stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from building import REPOSITORY, DbtProject, known_parse, untested_project
from histories import ORDINARY

from orb_learning.backup.create import make_backup
from orb_learning.capture.telemetry import TelemetryCapture
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

pytestmark = pytest.mark.slow

RUNBOOK = REPOSITORY / "docs" / "operations.md"
HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(6)
"""
"""A notebook that has the database open, for a while."""


def commands_of(heading: str) -> str:
    """Return the commands under a heading of the runbook."""
    section = RUNBOOK.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


@pytest.fixture(scope="module", autouse=True)
def without_data_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Build a project without data tests, which the rehearsals do not need."""
    folder = str(untested_project(tmp_path_factory.mktemp("untested")))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ORB_LEARNING__PROJECT_PATH", "DBT_PROJECT_DIR", "DBT_PROFILES_DIR"):
            patch.setenv(name, folder)
        yield


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY / "python_ingest"),
        "ORB_DATABASE": str(folder / "data" / "learning.db"),
        **known_parse(
            Path(os.environ["DBT_PROJECT_DIR"]), folder / "data" / "learning.db", folder / "target"
        ),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "target"),
        "COPIES": str(folder / "copies"),
        "COLUMNS": "200",
    }


def run(folder: Path, commands: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def mend(folder: Path, heading: str) -> str:
    done = run(folder, commands_of(heading))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def settings_of(folder: Path) -> LearningSettings:
    return load_settings(database_path=folder / "data" / "learning.db", project_path=REPOSITORY)


def record(
    folder: Path, count: int, days_old: int = 1, outbox: Outbox | None = None
) -> set[uuid.UUID]:
    """Record executions as the orchestrator does; returns the ids of those that were taken."""
    capture = TelemetryCapture(outbox or Outbox(settings_of(folder).outbox_folder))
    when = datetime.now(UTC) - timedelta(days=days_old)
    records = [{**ORDINARY, "timestamp": when, "task_id": uuid.uuid4()} for _ in range(count)]
    return {one["task_id"] for one in records if capture.store_records([one])}


def load(folder: Path) -> None:
    settings = settings_of(folder)
    load_once(settings.database_path, settings.outbox_folder)


def tasks(folder: Path) -> Counter[uuid.UUID]:
    with connect(settings_of(folder).database_path, read_only=True) as connection:
        rows = connection.execute("select task_id from raw.executions").fetchall()
    return Counter(task for (task,) in rows)


@pytest.fixture(scope="module")
def embedded_database(
    project: DbtProject, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database that knows the vectors of the executions here, for builds without the model."""
    folder = tmp_path_factory.mktemp("embedded")
    database = settings_of(folder).database_path
    database.parent.mkdir()
    shutil.copy(empty_database, database)
    record(folder, 1)
    load(folder)
    project.run(database, embeddings_enabled=True)
    with connect(database) as connection:
        connection.execute("delete from raw.executions; delete from raw.loaded_counts")
    return database


@pytest.fixture
def running(tmp_path: Path, embedded_database: Path) -> tuple[Path, set[uuid.UUID]]:
    """A folder with a database, a backup of it, and what came after that; and all that came."""
    settings = settings_of(tmp_path)
    settings.database_path.parent.mkdir()
    shutil.copy(embedded_database, settings.database_path)
    came = record(tmp_path, 20) | record(tmp_path, 5, days_old=200)
    load(tmp_path)
    make_backup(settings)
    came |= record(tmp_path, 10)
    load(tmp_path)
    return tmp_path, came


@contextmanager
def held(database: Path) -> Iterator[None]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, database], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    yield
    assert holder.wait() == 0


def test_a_locked_file(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    came |= record(folder, 10)
    environment(folder)  # parses the project, which takes longer than the holder holds
    with held(settings_of(folder).database_path):
        failed = run(folder, "orb load --wait 0")
        assert failed.returncode == 1
        assert "learning.db is in use by another process" in failed.stderr
        mend(folder, "A locked file")
    assert tasks(folder) == dict.fromkeys(came, 1)


def test_a_full_disk(
    running: tuple[Path, set[uuid.UUID]], small_disk: Callable[[str], Path]
) -> None:
    original, came = running
    folder = small_disk("40m")
    shutil.copytree(original / "data", folder / "data")
    outbox = Outbox(settings_of(folder).outbox_folder)
    came |= record(folder, 300, outbox=outbox)
    environment(folder)  # keeps a parse in the folder, while it has room
    with pytest.raises(OSError, match="No space left"):
        (folder / "filler").write_bytes(bytes(40 * 2**20))
    assert record(folder, 10, outbox=outbox) == set()
    failed = run(folder, "orb load")
    assert failed.returncode == 1
    assert "disk is full" in failed.stderr
    (folder / "filler").unlink()
    came |= record(folder, 10, outbox=outbox)
    assert "10 disk_full" in mend(folder, "A full disk")
    found = tasks(folder)
    assert found == dict.fromkeys(came, 1)


def test_a_corrupt_database(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    database = settings_of(folder).database_path
    with database.open("r+b") as file:
        file.seek(0)
        file.write(os.urandom(20_000))
    came |= record(folder, 10)
    failed = run(folder, "orb load")
    assert failed.returncode == 1
    assert "is not a DuckDB database, or is damaged" in failed.stderr
    mend(folder, "A corrupt database")
    assert tasks(folder) == dict.fromkeys(came, 1)
    assert_built(folder)


def test_a_lost_database(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    settings_of(folder).database_path.unlink()
    failed = run(folder, "orb status")
    assert failed.returncode == 1
    assert "does not exist" in failed.stderr
    mend(folder, "A lost database")
    assert tasks(folder) == dict.fromkeys(came, 1)
    assert_built(folder)


def test_a_lost_database_that_was_made_anew(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    settings_of(folder).database_path.unlink()
    came |= record(folder, 10)
    failed = run(folder, "orb load")
    assert "feeds another database" in failed.stderr
    assert len(tasks(folder)) < len(came)
    mend(folder, "A lost database that was made anew")
    assert tasks(folder) == dict.fromkeys(came, 1)
    assert_built(folder)


def test_a_bad_restore(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    before = tasks(folder)
    done = run(folder, 'orb restore "$(ls -d data/backups/2* | tail -1)"')
    assert done.returncode == 0, done.stderr
    came |= record(folder, 10)
    load(folder)
    mend(folder, "A bad restore")
    assert before.keys() < tasks(folder).keys()
    assert tasks(folder) == dict.fromkeys(came, 1)
    assert_built(folder)


def test_a_machine_that_is_gone(running: tuple[Path, set[uuid.UUID]], tmp_path: Path) -> None:
    folder, came = running
    commands = 'export ORB_LEARNING__BACKUP_COPY_TO="$COPIES"; orb retention && orb backup'
    assert run(folder, commands).returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(folder / "copies", elsewhere / "copies")
    shutil.rmtree(folder / "data")
    mend(elsewhere, "A machine that is gone")
    assert len(tasks(elsewhere)) == len(came) - 5
    assert run(elsewhere, "orb unarchive --from 2020-01-01 --to 2100-01-01").returncode == 0
    assert tasks(elsewhere) == dict.fromkeys(came, 1)


def test_an_archived_file_that_is_not_known(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    file = settings_of(folder).archive_folder / "executions_archive_20260101.parquet"
    file.parent.mkdir()
    gone = min(came)
    with connect(settings_of(folder).database_path) as connection:
        connection.execute(f"copy (from raw.executions where task_id = '{gone}') to '{file}'")
        connection.execute("delete from raw.executions where task_id = ?", [gone])
        connection.execute("update raw.loaded_counts set version_count = version_count - 1")
    failed = run(folder, "orb check-archive")
    assert failed.returncode == 1
    assert f"{file} is not known to the database" in failed.stderr
    mend(folder, "An archived file that is not known")
    assert tasks(folder)[gone] == 1


def test_old_executions_and_forgetting(running: tuple[Path, set[uuid.UUID]]) -> None:
    folder, came = running
    mend(folder, "Old executions")
    mend(folder, "Erasure")
    with connect(settings_of(folder).database_path, read_only=True) as connection:
        archived = connection.execute(
            "select sum(version_count)::int from raw.archived_files"
        ).fetchall()
    assert len(tasks(folder)) + archived[0][0] == len(came)


def assert_built(folder: Path) -> None:
    with connect(settings_of(folder).database_path, read_only=True) as connection:
        counted = "select (select count(*) from executions), (select count(*) from raw.executions)"
        [(built, came)] = connection.execute(counted).fetchall()
    assert built == came


def test_every_failure_of_the_runbook_is_rehearsed() -> None:
    headings = re.findall(r"^## (.*)$", RUNBOOK.read_text(), re.MULTILINE)
    failures = [heading for heading in headings if heading.startswith(("A ", "An "))]
    assert len(failures) >= 6
    for heading in failures:
        assert f"test_{heading.lower().replace(' ', '_')}" in globals()
    table = RUNBOOK.read_text().split("## What rehearses it")[1]
    for name in re.findall(r"\w+/test_\w+\.py", table):
        assert (REPOSITORY / "tests" / "python" / name).is_file(), name
