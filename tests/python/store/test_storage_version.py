"""Every file that is made has the storage version of DuckDB 1.4, and older DuckDBs read it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from building import REPORTS, DbtProject

from orb_learning.backup.create import make_backup, rewrite_other_storage
from orb_learning.operations.export import export_for_reading
from orb_learning.operations.restore import restore_backup
from orb_learning.settings import load_settings
from orb_learning.store.compaction import compact
from orb_learning.store.connection import connect

OLDER = ["1.4.4", "1.5.5"]
EVERY_VIEW = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
names = connection.execute(
    "select view_name from duckdb_views() where not internal and schema_name = 'main'"
).fetchall()
failed = []
for (name,) in names:
    try:
        connection.execute(f'select * from "{name}"').fetchall()
    except duckdb.Error as error:
        failed.append(f"{name}: {str(error).splitlines()[0]}")
print(len(names), *failed, sep="\\n")
"""
WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from orb_learning.store.connection import connect
with connect(Path(sys.argv[1])) as connection:
    connection.execute("create table kept (i integer primary key, t varchar check (i < 100))")
    connection.execute("insert into kept select i, 'a' from range(10) as r (i)")
    connection.execute("alter table kept add column added double")
    connection.execute("insert into kept values (50, 'b', 0.5)")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def storage_version(file: Path) -> str:
    with duckdb.connect(file, read_only=True) as connection:
        row = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where not internal"
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_new_files_and_copies_are_of_duckdb_1_4(tmp_path: Path) -> None:
    made, old, copied = (tmp_path / f"{name}.db" for name in ("made", "old", "copied"))
    with connect(made):
        pass
    assert storage_version(made).startswith("v1.4")
    duckdb.connect(old).close()
    assert not storage_version(old).startswith("v1.4")
    shutil.copy(old, copied)
    rewrite_other_storage(copied)
    assert storage_version(copied).startswith("v1.4")
    assert [path.name for path in tmp_path.glob("copied.*")] == ["copied.db"]
    compact(old)
    assert storage_version(old).startswith("v1.4")


def test_what_is_built_backed_up_restored_and_exported_is_of_duckdb_1_4(
    empty_database: Path, tmp_path: Path
) -> None:
    settings = load_settings(database_path=tmp_path / "data/learning.db")
    made, exported = settings.database_path, tmp_path / "copy.db"
    made.parent.mkdir()
    assert storage_version(empty_database).startswith("v1.4")  # dbt made it
    shutil.copy(empty_database, made)
    backup = make_backup(settings).backup
    made.unlink()
    restore_backup(settings, backup.folder)
    export_for_reading(made, exported)
    for file in (*backup.folder.glob("*.db"), made, exported):
        assert storage_version(file).startswith("v1.4"), file
    assert len(list(backup.folder.glob("*.db"))) == 1


def test_what_was_committed_before_a_kill_is_there(tmp_path: Path) -> None:
    file = tmp_path / "killed.db"
    died = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(file)], check=False)
    assert died.returncode == -signal.SIGKILL
    with connect(file) as connection:
        found = connection.execute("select count(*), max(added) from kept").fetchall()
        assert found == [(11, 0.5)]
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("insert into kept values (50, 'c', null)")


@pytest.mark.slow
@pytest.mark.parametrize("version", OLDER)
def test_an_older_duckdb_reads_every_view(
    version: str, project: DbtProject, small_database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "learning.db"
    shutil.copy(small_database, file)
    project.run(file, select=[REPORTS])
    compact(file)
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", python, "install"]
    subprocess.run([*pip, f"duckdb=={version}"], check=True, env={**os.environ})
    said = subprocess.run(
        [python, "-c", EVERY_VIEW, file], capture_output=True, text=True, check=True
    )
    count, *failed = said.stdout.splitlines()
    assert int(count) > 60
    assert not failed
