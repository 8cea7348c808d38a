"""A stranger's mapping is a query over a file's records: it reaches nothing else, ends nobody."""

from __future__ import annotations

import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from orb_learning.errors import ImportFileError
from orb_learning.ingest import import_file
from orb_learning.ingest.files import own_mapping
from orb_learning.mappings import SystemMapping, mapping_from_file, named_mapping
from orb_learning.store import connect

NOW = datetime.fromisoformat("2026-11-26T12:00:00")
GIVEN = "field(record, ['$.no']) as task_id, field(record, ['$.at']) as \"timestamp\""
MAPPING = f"select {GIVEN}, true as success from source"
BRACKETS = "(repeat('[', 100000) || repeat(']', 100000))"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with one execution, which a mapping must not touch."""
    path = tmp_path / "a.db"
    import_file(path, records(tmp_path, 1), mapping=SystemMapping("first", MAPPING), now=NOW)
    return path


def records(folder: Path, count: int) -> Path:
    file = folder / f"{count}.jsonl"
    found = [{"no": f"task-{n}", "at": "2026-11-20T10:00:00"} for n in range(count)]
    file.write_text("".join(json.dumps(one) + "\n" for one in found))
    return file


def count_of(database: Path) -> int:
    with connect(database, read_only=True) as connection:
        [(count,)] = connection.execute("select count(*) from raw.executions").fetchall()
    return int(count)


@pytest.mark.parametrize(
    "sql",
    [
        f"select {GIVEN}, (select content from read_text('SECRET')) as error_message from source",
        f"select {GIVEN}, (select min(file) from glob('FOLDER/*')) as error_message from source",
        f"select {GIVEN}, (from read_csv('SECRET', header = false)) as error_message from source",
        f"{MAPPING}; delete from raw.executions",
        f"{MAPPING}; commit; drop table raw.executions; begin",
        f"{MAPPING}; copy (select 1) to 'FOLDER/written.csv'",
        "copy (select 1) to 'FOLDER/written.csv'",
        f"{MAPPING}; attach 'FOLDER/written.db' as other",
        'delete from raw.executions returning task_id, "timestamp"',
        f"with gone as (delete from raw.executions returning 1) {MAPPING}",
        f"select {GIVEN}, (select any_value(task_type) from raw.executions) as repo from source",
    ],
)
def test_a_mapping_reaches_the_records_of_its_file_alone(
    tmp_path: Path, database: Path, sql: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the password")
    sql = sql.replace("SECRET", str(secret)).replace("FOLDER", str(tmp_path))
    before = {path.name for path in tmp_path.iterdir()} | {"2.jsonl"}
    with pytest.raises(ImportFileError, match="own") as refused:
        import_file(database, records(tmp_path, 2), mapping=SystemMapping("own", sql), now=NOW)
    assert "the password" not in str(refused.value)
    assert count_of(database) == 1
    assert {path.name for path in tmp_path.iterdir()} <= before


def test_a_mapping_that_ends_its_process_or_lasts_is_a_refused_file(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = f"select {GIVEN}, {BRACKETS}::json::variant::varchar as error_message from source"
    endless = f"with recursive n as (select 1 as i union all from n) select {GIVEN} from source, n"
    monkeypatch.setattr(own_mapping, "LEAST_SECONDS", 3.0)
    for sql, reason in ((deep, "ended the process"), (endless, "longer than 3 s")):
        with pytest.raises(ImportFileError, match=reason):
            import_file(database, records(tmp_path, 2), mapping=SystemMapping("own", sql), now=NOW)
    assert count_of(database) == 1


def test_what_a_mapping_fails_at_is_said_of_it_and_not_of_the_file(
    tmp_path: Path, database: Path
) -> None:
    file = records(tmp_path, 2)
    failing = f"select {GIVEN}, (record ->> '$.no')::integer as file_count from source"
    spans = "select uuid() as trace_id, 'a' as span_id, timestamp '2026-01-01' as started_at"
    for sql, said in (
        (failing, "the mapping own fails: Conversion Error"),
        (f"{spans} from source", "only columns of an execution"),
        ("", "no SELECT"),
    ):
        with pytest.raises(ImportFileError, match=said):
            import_file(database, file, mapping=SystemMapping("own", sql), now=NOW)


@pytest.mark.parametrize("kind", ["a pipe", "endless", "no text", "missing"])
def test_a_mapping_is_a_file_of_text_and_nothing_is_waited_for(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "own.sql"
    if kind == "a pipe":
        os.mkfifo(file)
    elif kind == "endless":
        file.symlink_to("/dev/zero")
    elif kind == "no text":
        file.write_bytes(b"\xff\xfe")
    with pytest.raises(ImportFileError, match="cannot be read"):
        mapping_from_file(file)


def test_ids_that_a_mapping_gives_twice_and_types_of_its_own_are_read(
    tmp_path: Path, database: Path
) -> None:
    sql = tmp_path / "own.sql"
    sql.write_text(
        "select 'same' as task_id, timestamptz '2026-11-20 10:00:00+02' as \"timestamp\", "
        "interval 90 second as duration_seconds, {'a': [1, 2]} as metadata, 'yes' as success, "
        "'crash' as error_type, [1, 2] as file_count from source -- the end"
    )
    result = import_file(database, records(tmp_path, 2), mapping=mapping_from_file(sql), now=NOW)
    assert (result.row_count, result.unreadable_count) == (2, 0)
    with connect(database, read_only=True) as connection:
        found = connection.execute(
            "select \"timestamp\", duration_seconds, success, metadata ->> '$.a', "
            "metadata ->> '$.external_id' from raw.executions offset 1"
        ).fetchall()
    assert found == [(datetime.fromisoformat("2026-11-20T08:00"), 90.0, True, "[1,2]", "same")] * 2


def test_a_line_that_is_no_json_is_unreadable_and_no_row(tmp_path: Path) -> None:
    """It was both: a row of nothing, and an unreadable one."""
    file = records(tmp_path, 2)
    with file.open("a") as cut:
        cut.write('{"no": "task-3", "at')
    spent = {"request_id": "a", "call_type": "c", "spend": 1, "startTime": "2026-11-20T10:00:00"}
    log = tmp_path / "spend.jsonl"
    log.write_text(json.dumps(spent) + "\n" + json.dumps(spent)[:20])
    for given, mapping, count in ((file, SystemMapping("own", MAPPING), 2), (log, None, 1)):
        result = import_file(tmp_path / "a.db", given, mapping=mapping, now=NOW)
        assert (result.row_count, result.unreadable_count) == (count, 1)


def test_values_of_other_types_are_what_they_say(tmp_path: Path) -> None:
    sql = (
        f"select {GIVEN}, false as success, 500 as error_type, 'no JSON' as metadata, "
        "'high' as quality_score from source"
    )
    file, mapping = records(tmp_path, 1), SystemMapping("own", sql)
    result = import_file(tmp_path / "b.db", file, mapping=mapping, score="q", now=NOW)
    assert (result.row_count, result.unreadable_count) == (1, 0)
    with connect(tmp_path / "b.db", read_only=True) as connection:
        [(kind, metadata)] = connection.execute(
            "select error_type, metadata::varchar from raw.executions"
        ).fetchall()
    assert kind == "crash"
    assert "no JSON" in metadata


def test_a_zipped_log_of_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """3.7 MB took a gigabyte beside the database, and 36 s."""
    file = tmp_path / "spend.jsonl.gz"
    said = {"request_id": "a", "call_type": "c", "spend": 1, "startTime": "2026-11-20T10:00:00"}
    line = json.dumps(said | {"messages": "x" * 2**20}).encode() + b"\n"
    with gzip.open(file, "wb", compresslevel=9) as packed:
        for _ in range(100):
            packed.write(line)
    for mapping in (None, named_mapping("litellm"), SystemMapping("own", MAPPING)):
        with pytest.raises(ImportFileError, match="100 times its size"):
            import_file(tmp_path / "a.db", file, mapping=mapping, now=NOW)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(line)[:-9])
    with pytest.raises(ImportFileError, match="not a whole gzip file"):
        import_file(tmp_path / "a.db", cut, mapping=named_mapping("litellm"), now=NOW)
