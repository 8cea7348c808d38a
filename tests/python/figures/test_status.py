"""`orb status`: what is there, what is not yet, and what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import orb
from rights import bound_by_modes
from traces import chat, request_json

from orb_learning.errors import DatabaseMissingError, NotBuiltError
from orb_learning.figures.status import read_contents
from orb_learning.operations import load_outbox
from orb_learning.outbox import files_of
from orb_learning.outbox.writer import Outbox
from orb_learning.settings import load_settings
from orb_learning.store.connection import connect


def in_a_process(database: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "orb", *words],
        env={**os.environ, "ORB_DATABASE": str(database), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_database_that_was_built_shows_its_relations_and_facts(empty_database: Path) -> None:
    contents = read_contents(empty_database)
    assert list(contents.relations) == [
        "executions",
        "pool_performance_mv",
        "solution_patterns_mv",
        "tier_performance_mv",
    ]
    assert contents.facts["execution_count"] == "0"
    said = orb(empty_database, "status").stdout
    assert "tier_performance_mv" in said
    assert "orb import" in said


def test_models_of_unknown_tier_and_ids_that_came_again_are_said(
    empty_database: Path, database: Path
) -> None:
    shutil.copy(empty_database, database)
    with connect(database) as connection:
        connection.execute(
            "insert into fct_executions by name select uuid() as task_id, "
            "timestamp '2026-03-01' as timestamp, 'mend it' as task_description, "
            "'unknown' as task_type, 'unknown' as repo, 'unknown' as model_tier, "
            "'unknown' as pool_type, true as success, "
            """'{"model": "My-LLM \\u001b[31m"}' as metadata, number as _load_seq, """
            "timestamp '2026-03-01' as _loaded_at from range(3) as numbers (number)"
        )
        connection.execute(
            "insert into raw.external_ids by name select uuid() as task_id, "
            "uuid() as external_task_id, timestamp '2026-03-01' as started_at"
        )
    said = orb(database, "status").stdout
    assert "add the line to seeds/model_tiers.csv" in said
    assert '  3 executions: "my-llm' in said
    assert "\x1b" not in said
    assert re.search(r"ids that came again │ +1 │", said)


def test_a_database_that_was_never_built_says_what_to_run(database: Path) -> None:
    with connect(database):
        pass
    with pytest.raises(NotBuiltError):
        read_contents(database)
    outcome = in_a_process(database, "status")
    assert outcome.returncode == 1
    assert "0 loaded rows: run `orb build`" in outcome.stdout
    with connect(database) as connection:
        connection.execute(
            "insert into raw.executions by name select uuid() as task_id, "
            "nextval('raw.load_seq') as _load_seq, now()::timestamp as _loaded_at from range(1234)"
        )
    assert "1,234 loaded rows: run `orb build`" in orb(database, "status").stdout


def test_spans_that_wait_are_shown_and_those_of_another_database_by_their_path(
    tmp_path: Path,
) -> None:
    """Of a collector that was killed, `orb status` said that nothing waited."""
    settings = load_settings(database_path=tmp_path / "learning.db")
    load_outbox(settings)
    outbox = Outbox(settings.span_outbox_folder)
    assert outbox.put_many("spans", [request_json([chat(n, 1)]) for n in (1, 2, 3)]) == 3
    outbox.close()
    said = orb(settings.database_path, "status").stdout
    of_spans = said.partition("outbox_spans")[2]
    assert re.search(r"pending\W+3\b", of_spans)
    assert re.search(r"oldest pending\W+20\d\d-", of_spans)
    assert orb(settings.database_path, "load").returncode == 0
    [segment] = files_of(settings.span_outbox_folder)
    other = tmp_path / "other/learning.db"
    assert orb(other, "load").returncode == 0
    there = load_settings(database_path=other).span_outbox_folder
    shutil.copytree(settings.span_outbox_folder, there)
    refused = orb(other, "load", width=1000)
    assert f"{there / segment.name} feeds another database" in refused.stderr


def test_a_missing_database_is_an_error_that_says_what_to_do(database: Path) -> None:
    with pytest.raises(DatabaseMissingError, match=r"does not exist.*ORB_DATABASE"):
        read_contents(database)
    outcome = in_a_process(database, "status")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: ")
    assert "Traceback" not in outcome.stderr


WITHOUT_RIGHTS = """
import sys
from pathlib import Path
from orb_learning.figures import read_outbox_status
print(read_outbox_status(Path(sys.argv[1]), Path(sys.argv[2])).facts())
"""


def test_whoever_may_only_read_gets_the_figures(tmp_path: Path) -> None:
    database, folder = tmp_path / "learning.db", tmp_path / "outbox"
    with connect(database):
        pass
    outbox = Outbox(folder)
    assert outbox.put("execution", "{}")
    outbox.close()
    for lock in tmp_path.glob("learning.db.*"):
        lock.unlink()
    database.chmod(0o444)
    folder.chmod(0o000)
    tmp_path.chmod(0o555)
    command = [sys.executable, "-c", WITHOUT_RIGHTS, str(database), str(folder)]
    try:
        done = subprocess.run(
            bound_by_modes(*command),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        tmp_path.chmod(0o700)
        folder.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert "'pending': 'not readable by this user'" in done.stdout
    assert "'dead letters': '0'" in done.stdout


def test_records_that_wait_for_a_first_load_are_told_of(tmp_path: Path) -> None:
    """It named `orb sample`, beside a collector that was killed before its first load."""
    settings = load_settings(database_path=tmp_path / "learning.db")
    outbox = Outbox(settings.span_outbox_folder)
    outbox.put_many("spans", [request_json([chat(1, 1)])])
    outbox.close()
    said = orb(settings.database_path, "status")
    assert (said.returncode, "1 record in the outbox: run `orb load`" in said.stderr) == (1, True)
