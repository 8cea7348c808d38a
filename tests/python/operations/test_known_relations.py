"""A restored database brings no SQL of a stranger along."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from backup_cases import sign_again
from restore_cases import Place

from orb_learning.operations.known_relations import keep_known_tables
from orb_learning.store import literal

SECRET = "what the file's owner alone may read"  # noqa: S105


def store_with_triggers(file: Path) -> None:
    """Write a database anew as a stranger's DuckDB may: in a storage version that has triggers."""
    older = file.rename(file.with_name("older.db"))
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(older)} as older (read_only)")
        connection.execute(f"attach {literal(file)} as newer (storage_version 'v2.0.0')")
        connection.execute("copy from database older to newer")
    older.unlink()


def test_a_strangers_backup_runs_nothing_and_reads_no_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: unbuildable")
    place.settings = place.settings.model_copy(update={"project_path": tmp_path})
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    place.put(1)
    place.load()
    backup = place.back_up()
    stolen = f"select content from read_text({literal(secret)})"
    file = backup.folder / backup.manifest.database_file
    store_with_triggers(file)
    with duckdb.connect(file) as connection:
        for statement in [
            "alter table raw.forgotten rename to kept",
            f"create view raw.forgotten as select uuid() as task_id, content from ({stolen})",
            f"create view main.executions as {stolen}",
            f"create macro main.alerts_at() as table ({stolen})",
            "create macro main.abs(x) as 'wrong'",
            "create table main.strange as select 1 as a",
            "create trigger steals after insert on raw.executions for each statement "
            f"insert into raw.schema_versions select 1, now() from ({stolen})",
        ]:
            connection.execute(statement)
    sign_again(backup)
    done = place.restore(backup, validate=False)
    assert place.query("select count(*) from raw.schema_versions where version = 1") == [(0,)]
    assert place.query("select view_name from duckdb_views() where not internal") == []
    assert place.query("select function_name from duckdb_functions() where not internal") == []
    assert place.query("from duckdb_triggers()") == []
    assert "main.strange is not the project's, so it was left out" in done.notes
    assert any("views were not made anew" in problem for problem in done.problems)
    place.put(2)
    place.load()
    assert place.numbers() == [1, 2]


@pytest.mark.parametrize(
    ("table", "is_kept"),
    [
        ("build_state (a integer, b varchar default publish('x'))", False),
        ("build_state (a varchar, b varchar generated always as (publish(a)))", False),
        ("build_state (a varchar check (publish(a) = 'x'))", False),
        ("build_state (a varchar); create index b on build_state (publish(a))", True),
        ("build_state (a varchar); create index b on build_state (a)", True),
        ("build_state (a varchar check (a <> lower('X')), b varchar default upper('x'))", True),
    ],
)
def test_no_function_beyond_duckdbs_is_called_by_a_restored_table(
    place: Place, tmp_path: Path, table: str, is_kept: bool
) -> None:
    """Such as those by which dbt's connection writes files."""
    with duckdb.connect(place.database) as connection:
        connection.create_function("publish", lambda text: text, ["VARCHAR"], "VARCHAR")
        connection.execute(f"create table {table}")
    left_out = [] if is_kept else ["main.build_state"]
    assert keep_known_tables(place.database, tmp_path) == (False, left_out)
    with duckdb.connect(place.database) as connection:
        if is_kept:
            connection.execute("insert into build_state (a) values ('b')")
        indexes = connection.execute("select count(*) from duckdb_indexes()").fetchall()
    assert indexes == [(int("(a)" in table and "index" in table and "publish(" not in table),)]


def test_no_column_is_computed_in_a_restored_table(place: Place) -> None:
    """While the backup is validated, it is sealed, and the column is harmless."""
    place.put(1)
    place.load()
    backup = place.back_up()
    with duckdb.connect(backup.folder / backup.manifest.database_file) as connection:
        connection.execute(
            "create table main.build_state (a varchar, b varchar generated always as "
            "(case when current_setting('lock_configuration') then a else error(a) end))"
        )
        connection.execute("set lock_configuration = true")
        connection.execute("insert into main.build_state (a) values ('harm')")
    sign_again(backup)
    done = place.restore(backup, validate=False)
    assert "main.build_state is not the project's, so it was left out" in done.notes
    assert place.query("select * from duckdb_columns() where is_generated") == []
    assert place.numbers() == [1]


def test_known_tables_stay_with_their_rows(place: Place, tmp_path: Path) -> None:
    place.change("create table build_state as select 1 as a", "create table mine as select 2 as b")
    assert keep_known_tables(place.database, tmp_path) == (False, ["main.mine"])
    assert place.query("from build_state") == [(1,)]
    assert keep_known_tables(place.database, tmp_path) == (False, [])
