"""The copy for reading holds what the database shows, and nobody waits for it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import DbtProject
from serving import SECRET, make_site

from orb_learning.errors import ExportError, NotBuiltError
from orb_learning.operations import export
from orb_learning.operations.export import export_for_reading, remove_written
from orb_learning.operations.exported_files import remove_written_files
from orb_learning.operations.maintenance import maintain
from orb_learning.operations.maintenance_steps import MaintenanceSteps
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect

TABLES = ["executions", "tier_performance_mv", "pool_performance_mv", "solution_patterns_mv"]
"""Whose rows do not depend on the clock."""
DIES_BEFORE_THE_END = """
import os, signal, sys
from pathlib import Path
from orb_learning.operations import export
export._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
export.export_for_reading(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def built(small_database: Path, database: Path) -> Path:
    return Path(shutil.copy(small_database, database))


def read(output: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every relation of an export, in its order of columns."""
    with duckdb.connect() as connection:
        if output.is_dir():
            sources = {file.stem: f"read_parquet('{file}')" for file in output.iterdir()}
        else:
            connection.execute(f"attach '{output}' as export (read_only)")
            tables = "select table_name from duckdb_tables() where database_name = 'export'"
            names = [name for (name,) in connection.execute(tables).fetchall()]
            sources = {name: f"export.{name}" for name in names}
        return {
            name: connection.execute(f"from {source} order by all").fetchall()
            for name, source in sources.items()
        }


@pytest.mark.parametrize("name", ["copy.duckdb", "copy.db", "folder"])
def test_an_export_holds_what_the_database_shows(built: Path, tmp_path: Path, name: str) -> None:
    done = export_for_reading(built, tmp_path / name)
    held = read(done.output)
    with connect(built, read_only=True) as connection:
        for table in TABLES:
            shown = f"select columns('^[^_]') from {table} order by all"
            assert held[table] == connection.execute(shown).fetchall()
        reports = connection.execute(
            "select view_name from duckdb_views() where starts_with(view_name, 'rpt_') "
            "and not starts_with(view_name, 'rpt_page_')"
        ).fetchall()
    assert held["executions"]
    assert {report for (report,) in reports} < held.keys()
    assert not any(name.startswith(("stg_", "int_", "fct_", "rpt_page_")) for name in held)
    assert done.relation_count == len(held)
    assert done.row_count == sum(map(len, held.values()))
    written = [done.output, *done.output.glob("*.parquet")]
    assert {file.stat().st_mode & 0o077 for file in written} == {0}


def test_an_export_of_one_file_has_the_storage_version_of_1_4(built: Path, tmp_path: Path) -> None:
    output = export_for_reading(built, tmp_path / "copy.duckdb").output
    with duckdb.connect(output, read_only=True) as connection:
        [(version,)] = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where not internal"
        ).fetchall()
    assert version.startswith("v1.4")


def test_nothing_private_is_in_an_export(
    project: DbtProject, small_database: Path, tmp_path: Path
) -> None:
    site = make_site(project, small_database, tmp_path / "site")
    held = read(export_for_reading(site.database, tmp_path / "folder").output)
    assert site.rows(f"select count(*) from raw.feedback where comment = '{SECRET}'") == [(1,)]
    assert SECRET not in str(held)


@pytest.mark.parametrize("name", ["copy.duckdb", "folder"])
def test_an_earlier_export_is_replaced_while_it_is_read(
    built: Path, tmp_path: Path, name: str
) -> None:
    output = export_for_reading(built, tmp_path / name).output
    one = output if output.is_file() else output / "executions.parquet"
    before = read(output)["executions"]
    with one.open("rb") as reading:
        with connect(built) as connection:
            connection.execute("delete from fct_executions where model_tier = 'small'")
        export_for_reading(built, output)
        assert reading.read(4)
    assert 0 < len(read(output)["executions"]) < len(before)
    assert len([file for file in tmp_path.iterdir() if file.is_dir()]) == (name == "folder") * 2


def test_what_is_no_export_is_left_as_it_is(built: Path, tmp_path: Path) -> None:
    file, folder = tmp_path / "mine.db", tmp_path / "mine"
    file.write_text("mine")
    folder.mkdir()
    for output in (file, folder, built):
        with pytest.raises(ExportError, match="is there and is no export of"):
            export_for_reading(built, output)
    assert file.read_text() == "mine"
    assert list(folder.iterdir()) == []
    with connect(built, read_only=True) as connection:
        connection.execute("from executions")


def test_what_another_put_behind_an_exports_link_stays(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "shared" / "export"
    victim = tmp_path / "victim"
    victim.mkdir()
    kept = victim / "kept"
    kept.write_text("another's")
    export_for_reading(built, output)
    output.unlink()
    output.symlink_to(victim)
    export_for_reading(built, output)
    assert (output / "executions.parquet").exists()
    output.unlink()
    output.symlink_to(victim)
    remove_written(output)
    assert not output.is_symlink()
    assert kept.read_text() == "another's"


def test_a_database_without_models_is_not_exported(database: Path, tmp_path: Path) -> None:
    with connect(database):
        pass
    with pytest.raises(NotBuiltError, match="run `orb build` first"):
        export_for_reading(database, tmp_path / "copy.duckdb")
    assert not (tmp_path / "copy.duckdb").exists()


def test_who_writes_does_not_wait_for_the_reports(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = export._write_tables, []

    def beside_a_writer(*arguments: Any) -> int:
        with connect(built, wait_seconds=0) as connection:
            written.append(connection.execute("delete from raw.executions").fetchall())
        return write(*arguments)

    monkeypatch.setattr(export, "_write_tables", beside_a_writer)
    export_for_reading(built, tmp_path / "copy.duckdb")
    assert len(written) == 1


@pytest.mark.slow
def test_a_killed_export_leaves_the_earlier_one(built: Path, tmp_path: Path) -> None:
    output = export_for_reading(built, tmp_path / "copy.duckdb").output
    before = output.read_bytes()
    dying = [sys.executable, "-c", DIES_BEFORE_THE_END, str(built), str(output)]
    assert subprocess.run(dying, check=False).returncode == -signal.SIGKILL
    assert output.read_bytes() == before
    assert len(list(tmp_path.glob(".copy.duckdb.export-*"))) == 1
    export_for_reading(built, output)
    assert not list(tmp_path.glob(".copy.duckdb.export-*"))


def test_forgetting_deletes_exports_wherever_they_are(built: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "elsewhere" / name for name in ("copy.duckdb", "folder")]
    for output in outputs:
        export_for_reading(built, output)
    assert remove_written_files(load_settings(database_path=built)) == outputs
    left = [file for file in (tmp_path / "elsewhere").rglob("*") if file.suffix != ".lock"]
    assert left == []


def test_maintenance_exports_where_a_setting_names_a_place(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("load", "build", "retain", "back_up", "prune"):
        monkeypatch.setattr(MaintenanceSteps, step, lambda _: None)
    now = datetime(2026, 4, 1, tzinfo=UTC).replace(tzinfo=None)
    places = {"database_path": built, "export_path": tmp_path / "copy.duckdb"}
    run = maintain(load_settings(**places), now=lambda: now)
    assert run.steps[-1].step == "export"
    assert run.steps[-1].outcome == "succeeded", run.steps[-1].message
    assert read(tmp_path / "copy.duckdb")["executions"]
