"""Whatever differs from what was backed up is found, by the bytes and by the rows."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from backup_cases import change, problems, put, sign_again

from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import (
    Backup,
)
from orb_learning.backup.verify import check_backup
from orb_learning.errors import (
    BackupError,
    InvalidBackupError,
)
from orb_learning.ingest.relay import load_once
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import load_settings


@pytest.mark.parametrize("named", ["", "learning.db", "manifest.json"])
def test_a_backup_is_named_by_its_folder_or_a_file_in_it(
    database: Path, make: Callable[..., Backup], named: str
) -> None:
    change(database)
    backup = make()
    found = check_backup(backup.folder / named)
    assert (found.folder, found.file_count) == (backup.folder, 2)
    with pytest.raises(BackupError, match="does not exist; `orb backups` lists"):
        check_backup(backup.folder / "other.db")


@pytest.fixture(scope="module")
def signed_backup(tmp_path_factory: pytest.TempPathFactory) -> Backup:
    folder = tmp_path_factory.mktemp("signed")
    outbox = Outbox(folder / "outbox")
    put(outbox, 1, 2)
    load_once(folder / "learning.db", outbox.folder)
    change(
        folder / "learning.db",
        "create table t as select 1 as a",
        "create view v as from t",
        "create macro m(x) as table select a + x from t",
    )
    return make_backup(load_settings(database_path=folder / "learning.db")).backup


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update raw.executions set file_count = 3 where file_count = 1", "rows of table raw.exec"),
        ("update raw.executions set repo = '' where file_count = 1", "rows of table raw.exec"),
        ("delete from raw.executions where file_count = 1", "raw.executions has 1 rows, not 2"),
        ("drop table raw.forgotten", "table raw.forgotten is missing"),
        ("create table raw.strange (a int)", "table raw.strange is too many"),
        ("drop view v", "missing or too many: main.v"),
        ("create or replace view v as select error(a::varchar) from t", "main.v cannot be queried"),
        ("drop table t", "main.v cannot be queried"),
        ("drop macro table m", r"missing or too many: main.m\(\)"),
        ("drop table t", r"main.m\(\) cannot be queried"),
    ],
)
def test_a_changed_copy_is_found_though_all_its_files_were_signed_again(
    signed_backup: Backup, tmp_path: Path, statement: str, said: str
) -> None:
    backup = Backup(tmp_path / signed_backup.folder.name)
    shutil.copytree(signed_backup.folder, backup.folder)
    with duckdb.connect(backup.folder / "learning.db") as connection:
        connection.execute(statement)
    assert "learning.db is not what it was" in problems(backup)
    sign_again(backup)
    with pytest.raises(InvalidBackupError, match=said):
        check_backup(backup.folder)


def test_a_view_that_is_broken_in_the_database_too_does_not_forbid_backups(
    database: Path, make: Callable[..., Backup]
) -> None:
    change(
        database,
        "create table t as select 1 as a",
        "create view v as from t",
        "create macro m() as table from t",
        "drop table t",
    )
    found = check_backup(make().folder)
    assert len([note for note in found.notes if "in the database either" in note]) == 2


def test_rows_are_only_counted_where_another_duckdb_made_the_backup(
    database: Path, outbox: Outbox, make: Callable[..., Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(outbox, 1)
    load_once(database, outbox.folder)
    with monkeypatch.context() as patch:
        patch.setattr(duckdb, "__version__", "2.9.9")
        backup = make()
    hashes = [{"rows": table.rows, "hash": "7"} for table in backup.manifest.tables.values()]
    noted = json.loads((backup.folder / "manifest.json").read_text())
    noted["tables"] = dict(zip(noted["tables"], hashes, strict=True))
    (backup.folder / "manifest.json").write_text(json.dumps(noted))
    sign_again(backup)
    found = check_backup(backup.folder)
    assert "not hashed: DuckDB 2.9.9 made the backup" in found.notes[0]
    noted["tables"]["raw.executions"]["rows"] = 2
    (backup.folder / "manifest.json").write_text(json.dumps(noted))
    sign_again(backup)
    assert "has 1 rows, not 2" in problems(backup)


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS", "learning.db"])
def test_a_pipe_in_a_backup_is_waited_for_by_nobody(signed_backup: Backup, name: str) -> None:
    copy = signed_backup.folder.with_name(f"{signed_backup.folder.name}-with-{name}")
    shutil.copytree(signed_backup.folder, copy)
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(InvalidBackupError, match=name):
        check_backup(copy)


@pytest.mark.parametrize(
    ("part", "outside"),
    [("stem", "../../mine"), ("files", "../../mine.db"), ("files", "outbox/../../mine.sqlite")],
)
def test_a_manifest_names_no_file_outside_its_folder(
    signed_backup: Backup, tmp_path: Path, part: str, outside: str
) -> None:
    backup = Backup(tmp_path / signed_backup.folder.name)
    shutil.copytree(signed_backup.folder, backup.folder)
    manifest = json.loads((backup.folder / "manifest.json").read_text())
    if part == "stem":
        manifest["stem"] = outside
    else:
        manifest["files"][outside] = manifest["files"].pop("learning.db")
    (backup.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidBackupError, match=rf"manifest.json is no manifest: {part}"):
        check_backup(backup.folder)
