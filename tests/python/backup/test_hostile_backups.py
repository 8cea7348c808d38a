"""What a stranger's backup runs ends in time, and neither validating nor restoring ends with it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from backup_cases import change, sign_again

from orb_learning.backup.manifests import Backup, readable_backups
from orb_learning.backup.offsite import copies_of
from orb_learning.backup.verify import validate_backup
from orb_learning.errors import RestoreError
from orb_learning.operations.known_relations import keep_known_tables
from orb_learning.store import Limits, contents

NEVER_STOPS = "levenshtein(repeat('a', 3000000), repeat('b', 3000000))"
"""DuckDB cannot interrupt it, so its time is the process's."""
KILLS = "(repeat('[', 100000) || repeat(']', 100000))::json::variant::varchar"
HOSTILE = {
    "kills its process": (f"create view v as select {KILLS}", "ended the process"),
    "cannot be interrupted": (f"create view v as select {NEVER_STOPS}", "longer than 4 s"),
    "never ends": (
        "create view v as with recursive r as (select 1 as a union all select a + 1 from r) "
        "select max(a) from r",
        "longer than 4 s",
    ),
    "takes all memory": (
        "create view v as select length(repeat('x', 4000000000 + range)) from range(2)",
        "Out of Memory",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_a_backup_runs_ends_with_a_reason(
    what: str, database: Path, make: Callable[..., Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database)
    backup = make()
    statement, reason = HOSTILE[what]
    with duckdb.connect(backup.folder / "learning.db") as connection:
        connection.execute(statement)
    sign_again(backup)
    limits = Limits(20.0, 2**30, 2**30) if what == "takes all memory" else Limits(4.0, 2**30)
    monkeypatch.setattr(contents, "limits_of", lambda _: limits)
    began = time.monotonic()
    problems = "; ".join(validate_backup(backup.folder).problems)
    assert time.monotonic() - began < 30
    assert reason in problems


@pytest.mark.parametrize("made_at", ["0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00Z", 1e12])
def test_a_time_that_is_none_of_ours_is_a_problem_of_the_backup(
    made_at: object, database: Path, make: Callable[..., Backup]
) -> None:
    """It would be compared with times of this database."""
    change(database)
    backup = make()
    file = backup.folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"created_at": made_at}))
    sign_again(backup)
    assert "created_at" in "; ".join(validate_backup(backup.folder).problems)


@pytest.mark.parametrize(("default", "reason"), [(KILLS, "ended"), (NEVER_STOPS, "longer than")])
def test_a_tables_default_does_not_end_a_restore(
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    default: str,
    reason: str,
) -> None:
    """DuckDB computes what is constant where an insertion is only planned."""
    with duckdb.connect(database) as connection:
        connection.execute(f"create table build_state (a varchar default ({default}))")
    monkeypatch.setattr(contents, "LEAST_SECONDS", 4.0)
    with pytest.raises(RestoreError, match=f"{reason}.*nothing was changed"):
        keep_known_tables(database, tmp_path)


@pytest.mark.parametrize("name", ["99999999T999999.999999Z", "\u0662" * 8 + "T000000.000000Z"])
def test_a_folder_of_no_time_is_no_backup_and_holds_none_up(
    name: str, database: Path, make: Callable[..., Backup]
) -> None:
    """Its manifest may be another backup's, and its time was asked for."""
    change(database)
    backup = make()
    shutil.copytree(backup.folder, backup.folder.with_name(name))
    assert readable_backups(backup.folder.parent) == [backup]
    place = backup.folder.parent
    assert copies_of(str(place), backup.manifest.database_id) == [backup.folder.name]
