"""What is erased is nowhere any more, and nothing brings it back."""

from __future__ import annotations

import base64
import glob
import gzip
import json
import re
import shutil
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import REPOSITORY, DbtProject
from histories import ORDINARY
from traces import request, span
from typer.testing import CliRunner

from orb_learning.archive.files import check_archive
from orb_learning.archive.restore_days import unarchive
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import Backup, backups_in
from orb_learning.backup.offsite import copies_of
from orb_learning.backup.prune import remove_backups
from orb_learning.backup.verify import validate_backup
from orb_learning.cli.app import app
from orb_learning.errors import DbtError
from orb_learning.feedback.submit import submit_feedback
from orb_learning.ingest.files import import_file
from orb_learning.ingest.relay import load_once
from orb_learning.operations import erasure
from orb_learning.operations.erasure import erase
from orb_learning.operations.export import export_for_reading
from orb_learning.operations.exported_files import read_erased_content
from orb_learning.operations.load import load_outbox
from orb_learning.operations.mentions import ErasureTarget
from orb_learning.outbox.writer import Outbox
from orb_learning.page.writing import write_page
from orb_learning.search import index_folder, update_index
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.compaction import compact
from orb_learning.store.connection import connect

SECRET = "the secret of the vault is 4711"  # noqa: S105 (no password, but a text)
NOW = datetime(2026, 3, 31, 12)  # noqa: DTZ001 (naive UTC, as the package has it)
LATER = NOW + timedelta(seconds=1)
"""When files are imported: by its time of loading retention knows what a file brought."""


@pytest.fixture
def settings(database: Path) -> LearningSettings:
    """Of a database that is yet to be made, in which no model is built."""
    return load_settings(database_path=database, project_path=REPOSITORY)


@pytest.fixture
def built_settings(settings: LearningSettings, empty_database: Path) -> LearningSettings:
    shutil.copy(empty_database, settings.database_path)
    return settings


def retain(project: DbtProject, settings: LearningSettings) -> None:
    given = {"days_to_keep": 30, "archive_path": str(settings.archive_folder)}
    as_of = NOW.isoformat()
    project.operate(settings.database_path, "archive_and_retain", given, as_of=as_of)


@pytest.fixture
def outbox(settings: LearningSettings) -> Iterator[Outbox]:
    outbox = Outbox(settings.outbox_folder)
    yield outbox
    outbox.close()


def record(task: int, days_old: int = 1, **values: Any) -> dict[str, Any]:
    known = {**ORDINARY, "timestamp": NOW - timedelta(days=days_old), **values}
    return {**known, "task_id": str(uuid.UUID(int=task))}


def payload(*arguments: Any, **values: Any) -> str:
    return json.dumps(record(*arguments, **values), default=lambda time: time.isoformat() + "Z")


def put(outbox: Outbox, *arguments: Any, **values: Any) -> None:
    assert outbox.put("execution", payload(*arguments, **values))


def load(settings: LearningSettings) -> None:
    load_once(settings.database_path, settings.outbox_folder, now=NOW)


def tasks(settings: LearningSettings, table: str = "raw.executions") -> list[int]:
    rows = query(settings, f"select task_id from {table} order by task_id")
    return [task.int for (task,) in rows]


def query(settings: LearningSettings, statement: str) -> list[tuple[Any, ...]]:
    with connect(settings.database_path, read_only=True) as connection:
        return connection.execute(statement).fetchall()


def relations_with(settings: LearningSettings, text: str) -> set[str]:
    names = relations(settings)
    with connect(settings.database_path, read_only=True) as connection:
        return {
            name for name in names if text in str(connection.execute(f"from {name}").fetchall())
        }


def files_with(folder: Path, text: str) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    )


def make_every_trace(settings: LearningSettings, outbox: Outbox) -> None:
    """Task 1 in every place that keeps anything, and others beside it."""
    for task in (1, 2, 3):
        text = SECRET if task == 1 else "nothing to hide"
        put(outbox, task, days_old=200, task_description=text)
        put(outbox, task, task_description=text, solution_summary=text)
        put(outbox, task, task_description=text, quality_score=101)
    for task in (11, 12, 13):
        text = "nothing to hide" if task == 13 else SECRET
        put(outbox, task, days_old=200, task_description=text)
    dead_letter = {
        "kind": "execution",
        "reason": "spoilt",
        "payload": payload(1, error_message=SECRET),
    }
    outbox.put("dead_letter", json.dumps(dead_letter))
    routing = {"task_id": str(uuid.UUID(int=1)), "task_description": SECRET}
    outbox.put("routing", json.dumps(routing))
    load(settings)
    lines = [payload(1, task_description=SECRET)[1:], payload(4)]
    file = settings.database_path.parent / "some.jsonl"
    file.write_text("\n".join(lines))
    import_file(settings.database_path, file, now=LATER)
    file.unlink()


@pytest.mark.slow
def test_an_erased_task_is_in_no_file_any_more(
    built_settings: LearningSettings, outbox: Outbox, tmp_path: Path, project: DbtProject
) -> None:
    settings = built_settings
    make_every_trace(settings, outbox)
    retain(project, settings)
    put(outbox, 1, task_description=SECRET)  # not loaded yet
    assert len(files_with(tmp_path, SECRET)) >= 2  # the outbox and the database; files are packed
    ids = [uuid.UUID(int=1), uuid.UUID(int=11), uuid.UUID(int=12)]
    result = erase(settings, task_ids=ids, now=NOW)
    assert files_with(tmp_path, SECRET) == []
    assert not {1, 11, 12} & set(tasks(settings))
    archive = [str(path) for path in settings.archive_folder.glob("*.parquet")]
    [(left,)] = query(settings, f"select count(*) from read_parquet({archive})")
    assert left == 1  # task 13; the valid versions of 2 and 3 are young
    assert not list(check_archive(settings))
    assert result.task_count == 3
    assert (result.version_count, result.archived_count) == (4, 2)
    assert result.outbox_count >= 7
    for table in ("raw.dead_letters", "raw.pending_halves", "raw.unreadable_rows"):
        assert query(settings, f"select count(*) from {table}") == [(0,)]
    tombstones = query(settings, "select sum(version_count)::int from raw.forgotten")
    assert tombstones == [(6,)]


def test_nothing_brings_an_erased_task_back(
    settings: LearningSettings, outbox: Outbox, tmp_path: Path
) -> None:
    put(outbox, 1)
    put(outbox, 2)
    load(settings)
    copied = tmp_path / "of_before.db"
    shutil.copy(settings.database_path, copied)
    erase(settings, task_ids=[uuid.UUID(int=1)], now=NOW)
    put(outbox, 1)
    outbox.put("routing", json.dumps({"task_id": str(uuid.UUID(int=1))}))
    outbox.put("dead_letter", json.dumps({"kind": "execution", "payload": payload(1)}))
    load(settings)
    file = tmp_path / "records.jsonl"
    file.write_text("\n".join([payload(1), payload(5), payload(1)[1:]]))
    import_file(settings.database_path, file, now=NOW)
    assert tasks(settings) == [2, 5]
    for table in ("raw.dead_letters", "raw.pending_halves", "raw.unreadable_rows"):
        assert query(settings, f"select count(*) from {table}") == [(0,)], table
    # A database of before loads the order to erase from the outbox.
    copied.replace(settings.database_path)
    assert tasks(settings) == [1, 2]
    load(settings)
    assert tasks(settings) == [2]


@pytest.mark.slow
def test_a_repository_is_erased_with_what_names_it(
    built_settings: LearningSettings, outbox: Outbox, tmp_path: Path, project: DbtProject
) -> None:
    settings = built_settings
    for task in range(1, 4):
        put(outbox, task, days_old=1 if task < 3 else 200, repo="vault")
    put(outbox, 4, repo="vault-2")
    put(outbox, 5, days_old=200, repo="api")
    dead_letter = {"kind": "execution", "reason": "no task", "payload": '{"repo": "vault", "x": 1}'}
    outbox.put("dead_letter", json.dumps(dead_letter))
    load(settings)
    file = tmp_path / "records.csv"
    file.write_text("task_id,repo,timestamp\nno-id,vault,x\nno-id,vault-2,x\n")
    import_file(settings.database_path, file, now=LATER)
    file.unlink()
    retain(project, settings)
    erase(settings, repo="vault", now=NOW)
    assert tasks(settings) == [4]
    assert [
        task for (task,) in query(settings, "select task_id::varchar from raw.forgotten order by 1")
    ] == [str(uuid.UUID(int=task)) for task in (1, 2, 3)]
    assert query(settings, "select count(*) from raw.dead_letters") == [(0,)]
    [(content,)] = query(settings, "select content from raw.unreadable_rows")
    assert "vault-2" in content
    unarchive(settings, date.min, date.max, now=NOW)
    assert tasks(settings) == [4, 5]


def test_a_build_that_fails_leaves_no_record_and_says_what_is_left(
    built_settings: LearningSettings, outbox: Outbox, tmp_path: Path
) -> None:
    settings = built_settings
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/dbt_project.yml").write_text("name: orb_learning\nprofile: nowhere\n")
    put(outbox, 1, task_description=SECRET)
    broken = settings.model_copy(update={"project_path": tmp_path / "broken"})
    with pytest.raises(DbtError, match=r"pages and backups still hold them: .* forget again"):
        erase(broken, task_ids=[uuid.UUID(int=1)], now=NOW)
    assert tasks(settings) == []
    assert files_with(settings.outbox_folder, SECRET) == []


@pytest.mark.slow
def test_no_model_keeps_an_erased_text(
    built_settings: LearningSettings, outbox: Outbox, project: DbtProject
) -> None:
    """A solution used often enough to be a pattern, by one task more than by the rest."""
    settings = built_settings
    for task in range(1, 7):
        put(outbox, task, solution_summary=SECRET)
    load(settings)
    project.run(settings.database_path, as_of=NOW.isoformat(), embeddings_enabled=True)
    found = relations_with(settings, SECRET)
    assert {"raw.executions", "main.fct_executions", "main.text_embeddings"} <= found
    erase(settings, task_ids=[uuid.UUID(int=task) for task in range(1, 7)], now=NOW)
    assert relations_with(settings, SECRET) == set()


def test_copies_that_hold_an_erased_task_are_named_and_deleted_on_request(
    settings: LearningSettings, outbox: Outbox
) -> None:
    def back_up() -> Path:
        return make_backup(settings).backup.folder

    put(outbox, 2)
    load(settings)
    without = back_up()
    put(outbox, 1)
    waiting = back_up()  # only in its outbox
    load(settings)
    loaded = back_up()
    kept = settings.database_path.with_name("learning.before-restore-20260101T000000.db")
    shutil.copy(settings.database_path, kept)
    damaged = settings.outbox_folder / "1-1.sqlite.damaged"
    damaged.write_text(payload(1))
    wanted = [uuid.UUID(int=1)]
    result = erase(settings, task_ids=wanted, now=NOW)
    assert result.still_in == [waiting, loaded, kept, damaged]
    assert result.expires.keys() == {waiting, loaded}
    assert min(result.expires.values()) > NOW.date()
    assert all(copy.exists() for copy in result.still_in)
    result = erase(settings, task_ids=wanted, in_backups=True, now=NOW)
    assert result.still_in == []
    assert not any(copy.exists() for copy in (waiting, loaded, kept, damaged))
    new, old = sorted(settings.backup_folder.glob("2*Z"), reverse=True)
    assert old == without
    assert not validate_backup(new).problems
    assert files_with(settings.backup_folder, str(wanted[0])) == []


@pytest.mark.slow
def test_pages_are_deleted_and_exports_are_named(
    settings: LearningSettings,
    outbox: Outbox,
    tmp_path: Path,
    empty_database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(empty_database, settings.database_path)
    page = settings.database_path.with_name("report.html")
    elsewhere = tmp_path / "public" / "page.html"
    page.write_text("by an older version, which noted no pages")
    write_page(settings.database_path, elsewhere)
    put(outbox, 1, task_description=SECRET, error_message='it said "no"\nand left for good')
    put(outbox, 2)
    load(settings)
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    beside = settings.database_path.parent
    copied = beside / "copied.db"
    shutil.copy(settings.database_path, copied)
    by_id, by_text, packed = beside / "mine.json", working / "errors.json", beside / "all.csv.gz"
    by_id.write_text(f"[{payload(1)}]")
    by_text.write_text(json.dumps(['it said "no"\nand left for good']))
    packed.write_bytes(gzip.compress(f"task,{SECRET}".encode()))
    table = beside / "all.parquet"
    duckdb.sql(f"copy (select ['{SECRET}'] as texts) to '{table}' (format parquet)")
    clean = beside / "clean.json"
    clean.write_text(f"[{payload(2)}]")
    result = erase(settings, task_ids=[uuid.UUID(int=1)], now=NOW)
    assert result.removed_files == [elsewhere, page]
    assert not page.exists()
    assert not elsewhere.exists()
    assert result.exports == sorted([copied, by_id, by_text, packed, table])
    said = CliRunner().invoke(
        app,
        ["forget", "--task-id", str(uuid.UUID(int=1))],
        env={
            "ORB_DATABASE": str(settings.database_path),
            "ORB_LEARNING__PROJECT_PATH": str(REPOSITORY),
        },
    )
    assert f"still in {by_id}" in said.output.replace("\n", "")


VAULT = "vault-4711"
TEXTLESS = {
    *("schema_versions", "loaded_files", "database_id", "outbox_positions", "refused_records"),
    *("loaded_counts", "archived_files", "held_days", "forgotten", "maintenance_steps"),
    *("storage_samples", "deleted_feedback", "archived_feedback_files", "feedback_counts"),
    "external_ids",
}
"""The tables of raw in which nobody's texts are."""


def put_spans(settings: LearningSettings, trace: int) -> None:
    spans = Outbox(settings.span_outbox_folder)
    asked = span(trace, 1, gen_ai__operation__name="invoke_agent", gen_ai__prompt=SECRET)
    spans.put("spans", json.dumps(request([asked | {"name": SECRET}], service=VAULT)))
    spans.put("spans", json.dumps({"resource": VAULT, "of no span": SECRET})[:-1])
    spans.close()


def record_everything(settings: LearningSettings, outbox: Outbox) -> None:
    """A repository's executions and all else of it, in every table of raw that has texts."""
    for task in range(1, 61):
        text = f"{SECRET}, part {task % 12}"
        tier = ("small", "medium", "large")[task % 3]
        put(outbox, task, repo=VAULT, model_tier=tier, task_description=text, error_message=text)
    put(outbox, 61, days_old=200, repo=VAULT, task_description=SECRET)
    put(outbox, 99)
    submit_feedback(
        outbox,
        task_id=uuid.UUID(int=1),
        satisfaction="poor",
        issue_type="other",
        comment=f"{SECRET} of {VAULT}",
        visibility="team",
        now=NOW,
    )
    routing = {"task_id": str(uuid.UUID(int=62)), "repo": VAULT, "task_description": SECRET}
    outbox.put("routing", json.dumps(routing))
    spoilt = {"kind": "execution", "reason": "spoilt", "payload": payload(1, repo=VAULT)}
    outbox.put("dead_letter", json.dumps(spoilt))
    put_spans(settings, 70)
    load_outbox(settings, now=NOW)
    file = settings.database_path.parent / "some.jsonl"
    file.write_text(payload(63, repo=VAULT, task_description=SECRET)[1:])
    import_file(settings.database_path, file, now=LATER)
    file.unlink()


def contents_of(file: Path) -> bytes:
    """What a file says, unpacked."""
    if file.suffix == ".gz":
        return gzip.decompress(file.read_bytes())
    if file.suffix == ".html":
        said = file.read_bytes()
        packed = re.findall(rb"H4sI[\w+/=]+", said)  # base64 of what gzip packed
        return said + b"".join(gzip.decompress(base64.b64decode(part)) for part in packed)
    if file.suffix == ".parquet":
        rows = duckdb.execute("from read_parquet(?)", [glob.escape(str(file))]).fetchall()
        return repr(rows).encode()
    if file.suffix in (".db", ".duckdb"):  # its blocks are packed, too
        with duckdb.connect(file, read_only=True) as connection:
            tables = connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() where not internal"
            ).fetchall()
            found = {name: connection.execute(f"from {name}").fetchall() for (name,) in tables}
        return repr(found).encode() + file.read_bytes()
    return file.read_bytes()


@pytest.mark.slow
def test_a_forgotten_repository_is_in_no_file_of_any_kind(
    built_settings: LearningSettings, outbox: Outbox, project: DbtProject, tmp_path: Path
) -> None:
    """Database, outboxes, archive, backups, page, exports, index, and what routers draw by."""
    place = tmp_path / "elsewhere"
    settings = built_settings.model_copy(update={"backup_copy_to": str(place)})
    name, folder = VAULT, settings.database_path.parent
    record_everything(settings, outbox)
    held = {
        table: name in rows or SECRET in rows
        for (table,) in query(
            settings, "select table_name from duckdb_tables() where schema_name = 'raw'"
        )
        if (rows := repr(query(settings, f"from raw.{table}"))) is not None
    }
    assert {table for table, is_held in held.items() if not is_held} == TEXTLESS
    retain(project, settings)
    project.run(settings.database_path, as_of=NOW.isoformat(), embeddings_enabled=True)
    write_page(settings.database_path, folder / "report.html")
    for output in ("export", "copy.duckdb"):
        export_for_reading(settings.database_path, folder / output)
    index = index_folder(settings.database_path)
    with connect(settings.database_path, read_only=True) as connection:
        update_index(connection, index, settings.embedding_model)
    backup = make_backup(settings, now=NOW).backup.folder
    put_spans(settings, 71)  # not loaded yet
    put(outbox, 64, repo=name, task_description=SECRET)
    files = [path for path in folder.rglob("*") if path.is_file()]
    holding = {
        path.relative_to(folder).parts[0]
        for path in files
        if any(text.encode() in contents_of(path) for text in (name, SECRET))
    }
    every = {path.name for path in folder.iterdir()} - {index.name}  # which has vectors alone
    locks = {path for path in every if re.match(r"learning\.db\.|\..*\.lock$", path)}
    assert every - holding == locks | {"export"}  # a link
    assert index.is_dir()
    result = erase(settings, repo=name, in_backups=True, now=NOW + timedelta(hours=1))
    assert (result.exports, result.still_in, result.out_of_reach) == ([], [], [])
    outbox.close()
    for text in (name, SECRET):
        left = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path for path in left if text.encode() in contents_of(path)] == []
        assert relations_with(settings, text) == set()
    assert not backup.exists()
    assert not {index.name, "report.html", "export"} & {path.name for path in folder.iterdir()}
    assert json.loads(settings.routing_file.read_text())["version"] == 1
    assert tasks(settings) == [99]


def test_another_databases_backups_are_left_alone(tmp_path: Path) -> None:
    """Two databases share a folder of backups; a third's manifest is damaged."""
    mine, other = (
        load_settings(
            database_path=tmp_path / name,
            outbox_path=tmp_path / f"outbox of {name}",
            backup_path=tmp_path / "backups",
        )
        for name in ("learning.duckdb", "other.db")
    )
    made = {}
    for one in (mine, other):
        outbox = Outbox(one.outbox_folder)
        put(outbox, 2)
        outbox.close()
        load(one)
        for task in (2, 1):
            if task == 1:
                outbox = Outbox(one.outbox_folder)
                put(outbox, 1)
                outbox.close()
                load(one)
            made[one.database_path.stem, task] = make_backup(one).backup.folder
    kept = tmp_path / "learning.before-restore-20260101T000000.duckdb"
    shutil.copy(mine.database_path, kept)
    shutil.copy(mine.database_path, tmp_path / "learning.before-restore-20260101T000000.db")
    damaged = mine.backup_folder / "20260101T000000.000000Z"
    shutil.copytree(made["other", 1], damaged)
    (damaged / "manifest.json").write_text("{}")
    wanted = [uuid.UUID(int=1)]
    result = erase(mine, task_ids=wanted, now=NOW)
    assert result.still_in == [made["learning", 1], kept]
    assert result.out_of_reach == [damaged]
    result = erase(mine, task_ids=wanted, in_backups=True, now=NOW)
    assert (result.still_in, result.out_of_reach) == ([], [damaged])
    assert not kept.exists()
    left = {folder for folder in made.values() if folder.exists()}
    assert left == {made["learning", 2], made["other", 1], made["other", 2]}
    assert damaged.exists()
    with connect(other.database_path, read_only=True) as connection:
        assert connection.execute("select count(*) from raw.executions").fetchall() == [(2,)]


IN_REPO = {"repo": "vault", "x": 1}
TRACES: dict[str, tuple[str, str]] = {
    "executions": ("execution", payload(1, repo="vault")),
    "dead_letters": ("execution", json.dumps(IN_REPO)),
    "pending_halves": ("routing", json.dumps({"task_id": str(uuid.UUID(int=1)), "repo": "vault"})),
}


@pytest.mark.parametrize("waits", [False, True], ids=["loaded", "waiting"])
@pytest.mark.parametrize("trace", TRACES)
def test_backups_that_hold_an_erased_repository_are_named(
    settings: LearningSettings, trace: str, waits: bool
) -> None:
    """Its tasks are gone by then; it is in the backup's database, or in its copy of the outbox."""
    for kind, text in (("execution", payload(2, repo="vault-2")), TRACES[trace]):
        load(settings)
        outbox = Outbox(settings.outbox_folder)
        assert outbox.put("execution" if kind == "execution" else "routing", text)
        outbox.close()
    if not waits:
        load(settings)
    holding = make_backup(settings).backup
    load(settings)
    with connect(settings.database_path) as connection:
        for table in ("raw.executions", "raw.dead_letters", "raw.pending_halves"):
            connection.execute(f"delete from {table}")
    clean = make_backup(settings).backup
    result = erase(settings, repo="vault", now=NOW)
    assert result.still_in == [holding.folder]
    assert clean.folder.exists()


def test_an_unreadable_row_that_names_a_repository_is_in_its_backups(
    settings: LearningSettings, tmp_path: Path
) -> None:
    file = tmp_path / "records.csv"
    file.write_text("task_id,repo,timestamp\nno-id,vault,x\n")
    import_file(settings.database_path, file, now=NOW)
    holding = make_backup(settings).backup
    assert erase(settings, repo="vault", now=NOW).still_in == [holding.folder]
    assert erase(settings, repo="vaul", now=NOW).still_in == []


def test_what_arrives_meanwhile_is_not_counted_as_erased(
    settings: LearningSettings, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in (1, 1, 1, 2):
        put(outbox, task)
    order = erasure._order

    def order_while_others_record_and_load(*given: Any) -> None:
        order(*given)
        load(settings)
        for task in (3, 4, 5, 6, 7):
            put(outbox, task)

    monkeypatch.setattr(erasure, "_order", order_while_others_record_and_load)
    result = erase(settings, task_ids=[uuid.UUID(int=1)], now=NOW)
    assert result.version_count == 3
    assert tasks(settings) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("offsite", [False, True], ids=["here", "offsite"])
def test_erasing_opens_the_database_five_times(
    settings: LearningSettings,
    outbox: Outbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    offsite: bool,
) -> None:
    """Two loads around the order, one look before it, one for all deletions, one to compact."""
    put(outbox, 1, repo="vault")
    load(settings)
    if offsite:
        settings = settings.model_copy(update={"backup_copy_to": str(tmp_path / "elsewhere")})
    opened = []
    open_database = duckdb.connect

    def count(path: Path, *given: Any, **named: Any) -> Any:
        if path == settings.database_path:
            opened.append(named.get("read_only", False))
        return open_database(path, *given, **named)

    monkeypatch.setattr(duckdb, "connect", count)
    assert erase(settings, repo="vault", now=NOW).version_count == 1
    assert opened == [False, True, False, False, False]


def test_archived_files_in_another_folder_are_named(settings: LearningSettings) -> None:
    load(settings)
    folder = settings.archive_folder
    folder.mkdir()
    with connect(settings.database_path) as connection:
        for name, versions, unarchived_at in (
            *(("gone", 1, None), ("emptied", 0, None), ("back", 1, NOW), ("here", 1, None)),
        ):
            connection.execute(
                "insert into raw.archived_files values (?, '2026-01-01', ?, 1, 'x', ?, ?)",
                [f"executions_archive_{name}.parquet", versions, NOW, unarchived_at],
            )
        connection.execute(
            "insert into raw.archived_feedback_files values ('f.parquet', '2026-01-01', 1, 1, 'x', "
            "?, null)",
            [NOW],
        )
        file = folder / "executions_archive_here.parquet"
        connection.execute(f"copy (from raw.executions) to '{file}'")
    missing = [folder / "executions_archive_gone.parquet", folder / "f.parquet"]
    wanted = uuid.UUID(int=1)
    assert erase(settings, task_ids=[wanted], now=NOW).out_of_reach == missing
    environment = {"ORB_DATABASE": str(settings.database_path)}
    said = CliRunner().invoke(app, ["forget", "--task-id", str(wanted)], env=environment)
    assert said.exit_code == 1
    assert "1 task forgotten" in said.stdout
    assert "executions_archive_gone.parquet" in said.stderr


def relations(settings: LearningSettings) -> list[str]:
    rows = query(
        settings,
        "select schema_name || '.' || table_name from duckdb_tables() where not internal union all "
        "select schema_name || '.' || view_name from duckdb_views() where not internal",
    )
    return [name for (name,) in rows]


def test_a_live_producer_goes_on_while_its_file_is_cleaned(
    settings: LearningSettings, outbox: Outbox
) -> None:
    put(outbox, 1, task_description=SECRET)
    put(outbox, 2)
    erase(settings, task_ids=[uuid.UUID(int=1)], now=NOW)
    put(outbox, 3)
    load(settings)
    assert tasks(settings) == [2, 3]
    assert files_with(settings.outbox_folder, SECRET) == []


def test_a_copy_without_free_blocks_has_the_same_rows(settings: LearningSettings) -> None:
    with connect(settings.database_path) as connection:
        connection.execute(
            "create table noise as select range as n, random() as r from range(1_000_000)"
        )
        connection.execute("checkpoint")
        connection.execute("delete from noise where n >= 1000")
    tables = "select table_name, sql from duckdb_tables() order by all"
    indexes = "select index_name, sql from duckdb_indexes() order by all"
    before = [query(settings, statement) for statement in (tables, indexes, "from noise")]
    old, new = compact(settings.database_path)
    assert new < old / 2
    assert settings.database_path.stat().st_size == new
    assert [query(settings, statement) for statement in (tables, indexes, "from noise")] == before
    leftovers = {path.name for path in settings.database_path.parent.iterdir()}
    assert not [name for name in leftovers if "compacting" in name]


def test_copies_in_another_place_are_named_and_deleted_on_request(
    settings: LearningSettings, outbox: Outbox, tmp_path: Path
) -> None:
    place = str(tmp_path / "elsewhere")
    settings = settings.model_copy(update={"backup_copy_to": place})

    def back_up() -> Backup:
        return make_backup(settings).backup

    put(outbox, 2)
    load(settings)
    without, gone = back_up(), back_up()
    put(outbox, 1)
    load(settings)
    holding = back_up()
    # What was in the one that is gone, nobody can say any more.
    remove_backups(settings.backup_folder, [gone])
    copies = [f"{place}/{backup.folder.name}" for backup in (gone, holding)]
    wanted = [uuid.UUID(int=1)]
    result = erase(settings, task_ids=wanted, now=NOW)
    assert result.still_in == [holding.folder, *copies]
    assert result.expires.keys() == {holding.folder, *copies}
    result = erase(settings, task_ids=wanted, in_backups=True, now=NOW)
    assert result.still_in == []
    [new] = set(backups_in(settings.backup_folder)) - {without}
    names = copies_of(place, without.manifest.database_id)
    assert names == [without.folder.name, new.folder.name]


@pytest.mark.parametrize(
    "line",
    ["api", "1,api,fix", "{'repo': api}", "{'repo': 'api', 'n': 1}", "[api]", "repo=api;n=1"],
)
def test_a_repository_is_found_in_a_row_that_could_not_be_read(line: str) -> None:
    pattern = ErasureTarget(frozenset(), repo="api").repo_pattern
    assert pattern is not None
    found = "select regexp_matches($line, $pattern), regexp_matches($other, $pattern)"
    values = {"line": line, "other": line.replace("api", "src/api-v2"), "pattern": pattern}
    assert duckdb.execute(found, values).fetchall() == [(True, False)]


def test_an_archived_file_is_read_by_its_name_and_not_by_a_pattern(tmp_path: Path) -> None:
    target = ErasureTarget(frozenset({uuid.UUID(int=1)}))
    with connect(tmp_path / "learning.db") as connection:
        for name, said in (("a", "of another file"), ("[ab]", "of the file with brackets")):
            connection.execute(
                f"copy (select one.* replace ('{uuid.UUID(int=1)}'::uuid as task_id, "
                f"'{said * 20}' as task_description) "
                "from range(1) left join raw.executions as one on false) "
                f"to '{tmp_path}/executions_archive_{name}.parquet'"
            )
        content = read_erased_content(connection, tmp_path, target)
    assert {text[:6] for text in content.texts} == {"of ano", "of the"}
