"""Files into raw: what goes in, what is kept aside, what is refused, and that nothing is lost."""
# ruff: noqa: DTZ001 - what DuckDB gives back is UTC without a zone

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from orb_learning.cli.app import app
from orb_learning.errors import ImportFileError
from orb_learning.filesystem.durable import sha256_of
from orb_learning.ingest.files import ImportResult, import_file, importer
from orb_learning.ingest.files.casts import NEEDED
from orb_learning.record.model import COLUMNS, ExecutionRecord
from orb_learning.record.text_limits import LONGEST_TEXT, cut_texts
from orb_learning.store.connection import connect

NOW = datetime(2026, 4, 1, 12)
VALUES: dict[str, Any] = {
    "task_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "timestamp": "2026-03-01T09:30:00.123456+09:00",
    "task_type": "bugfix",
    "task_description": 'say "hello",\nthen leave; ünïcode 漢字',
    "repo": "a/b",
    "file_count": 3,
    "estimated_tokens": 2147483647,
    "model_tier": "small",
    "pool_type": "runpod",
    "swarm_topology": "mesh",
    "routing_confidence": 0.5,
    "complexity_score": -5,
    "success": True,
    "duration_seconds": 12.25,
    "quality_score": 100,
    "cost_estimate": 0.0,
    "actual_cost": 1e-5,
    "error_type": "timeout",
    "error_message": "",
    "user_accepted": False,
    "user_rating": 9,
    "peak_memory_mb": 1e30,
    "cpu_time_seconds": 0.1,
    "solution_summary": " spaces kept ",
    "embedding": [i / 512 for i in range(384)],
    "metadata": {"model": "m", "nested": {"a": None, "b": [1, 2.5]}},
    "uploaded_at": "2026-03-01T00:31:00Z",
}
TIMES = ("timestamp", "uploaded_at")


def rows_of(database: Path, query: str) -> list[tuple[Any, ...]]:
    with connect(database, read_only=True) as connection:
        return connection.execute(query).fetchall()


def unreadable(database: Path) -> list[tuple[int, str]]:
    return [
        (int(number), str(reason))
        for number, reason in rows_of(
            database, "select row_number, reason from raw.unreadable_rows order by row_number"
        )
    ]


def counts(database: Path) -> tuple[int, int, int]:
    if not database.exists():
        return (0, 0, 0)
    [found] = rows_of(
        database,
        "select (select count(*) from raw.executions), (select count(*) from raw.unreadable_rows),"
        " (select count(*) from raw.loaded_files)",
    )
    return found


def csv_text(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    names = list(rows[0])
    return "".join(
        delimiter.join(cells) + "\n"
        for cells in [names, *([csv_cell(row[name]) for name in names] for row in rows)]
    )


def csv_cell(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value) if isinstance(value, list | dict | bool) else str(value)
    return '"' + text.replace('"', '""') + '"'


def write_parquet(file: Path, select: str, *, marked: bool = False) -> Path:
    mark = ", kv_metadata {orb_learning: 'utc'}" if marked else ""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"copy ({select}) to '{file}' (format parquet{mark})")
    return file


def write_values(file: Path, rows: list[dict[str, Any]]) -> Path:
    """Write the rows in the format that the file's name says."""
    jsonl = "".join(json.dumps(row) + "\n" for row in rows)
    name = file.name
    if name.endswith(".parquet"):
        plain = file.with_suffix(".ndjson")
        plain.write_text(jsonl)
        columns = {n: "TIMESTAMPTZ" if n in TIMES else COLUMNS[n] for n in rows[0]}
        write_parquet(file, f"select * from read_json('{plain}', columns = {columns})")
    else:
        text = csv_text(rows) if ".csv" in name else jsonl
        data = text.encode()
        file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return file


def only_row(database: Path) -> dict[str, Any]:
    names = [*COLUMNS, "_load_seq", "_loaded_at"]
    [row] = rows_of(database, f"select {', '.join(names)} from raw.executions")
    return dict(zip(names, row, strict=True))


FORMATS = ["x.parquet", "x.csv", "x.csv.gz", "x.jsonl", "x.ndjson.gz", "x.json"]
TEXT_FORMATS = ["x.csv", "x.jsonl"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_27_columns_as_the_record_has_them(
    database: Path, tmp_path: Path, name: str
) -> None:
    shuffled = dict(sorted(VALUES.items()))
    result = import_file(database, write_values(tmp_path / name, [shuffled]), now=NOW)

    assert (result.row_count, result.unreadable_count, result.already_known) == (1, 0, False)
    found = only_row(database)
    expected = dict(zip(COLUMNS, ExecutionRecord(**VALUES).as_row(), strict=True))
    assert found["_loaded_at"] == NOW
    assert json.loads(found.pop("metadata")) == json.loads(expected.pop("metadata"))
    assert found.pop("embedding") == expected.pop("embedding")
    for column, value in expected.items():
        wanted = pytest.approx(value) if isinstance(value, float) else value
        assert found[column] == wanted, column


@pytest.mark.parametrize("name", FORMATS)
def test_missing_columns_are_null_and_unknown_ones_go_into_metadata(
    database: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    row = {"repo": "r", 'odd "name"': "it's", "model": "gpt"}
    if name.endswith(".parquet"):
        write_parquet(file, """select 'r' as repo, 'it''s' as "odd ""name\""", 'gpt' as model""")
    elif ".csv" in name:
        text = b'repo,"odd ""name""",model\nr,it\'s,gpt\n'
        file.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    else:
        write_values(file, [row])

    import_file(database, file)

    found = only_row(database)
    assert json.loads(found["metadata"]) == {'odd "name"': "it's", "model": "gpt"}
    present = ("task_id", "repo", "metadata", "_load_seq", "_loaded_at")
    assert [n for n, value in found.items() if value is not None] == list(present)


@pytest.mark.parametrize(
    ("own", "stored"),
    [
        ({"model": "own"}, {"model": "own", "_import": {"columns": {"model": {"n": None}}}}),
        ({"_import": 1}, {"_import": 1, "model": {"n": None}}),
        ([1, 2], {"model": {"n": None}, "_import": {"metadata": [1, 2]}}),
        ("text", {"model": {"n": None}, "_import": {"metadata": "text"}}),
        ({}, {"model": {"n": None}}),
        (None, {"model": {"n": None}}),
    ],
)
def test_metadata_loses_nothing_where_names_collide_or_it_is_no_object(
    database: Path, tmp_path: Path, own: Any, stored: dict[str, Any]
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"repo": "r", "metadata": own, "model": {"n": None}}))
    import_file(database, file)
    assert json.loads(only_row(database)["metadata"]) == stored


@pytest.mark.parametrize(
    ("extra", "stored"), [("", '{"a":[1,2]}'), ("x", '{"a":[1,2],"model":"x"}')]
)
def test_metadata_that_only_duckdb_reads_is_stored_as_strict_json(
    database: Path, tmp_path: Path, extra: str, stored: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(f'model,repo,metadata\n{extra},r," {{ ""a"" : [1, 2,], }} "\n')
    import_file(database, file)
    assert only_row(database)["metadata"] == stored


def test_a_note_of_an_earlier_import_stays_beside_the_new_one(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"metadata": {"_import": {"a": 1}}, "embedding": [1, None]}))
    result = import_file(database, file)
    assert json.loads(only_row(database)["metadata"]) == {
        "_import": {"a": 1},
        f"_import_{result.sha256[:8]}": {"embedding_dimensions": 2, "embedding_nulls": 1},
    }


WRONG = [
    ("success", "maybe", "BOOLEAN"),
    ("success", "2", "BOOLEAN"),
    ("timestamp", "2026-02-30T00:00:00Z", "time of ISO 8601"),
    ("timestamp", "170000000", "time of ISO 8601"),
    ("timestamp", "infinity", "time of ISO 8601"),
    ("timestamp", "yesterday", "time of ISO 8601"),
    ("timestamp", "2026-03-01T00:00:00", "--naive-is-utc"),
    ("timestamp", "2026-03-01T00:00:00+16:00", "beyond ±15:59"),
    ("timestamp", "2026-03-01T00:00:00+99:99", "beyond ±15:59"),
    ("timestamp", "0001-01-01T00:00:00+01:00", "years 1 to 9999"),
    ("timestamp", "9999-12-31T23:00:00-02:00", "years 1 to 9999"),
    ("uploaded_at", "2026-03-01", "--naive-is-utc"),
]
ASIDE = [
    ("file_count", "3.7"),
    ("file_count", "9223372036854775808"),
    ("quality_score", "2147483648"),
    ("file_count", "true"),
    ("file_count", "0x10"),
    ("file_count", "many"),
    ("actual_cost", "1e39"),
    ("actual_cost", "-1e400"),
    ("actual_cost", "cheap"),
    ("actual_cost", "Infinity"),
    ("user_accepted", "perhaps"),
    ("uploaded_at", "yesterday"),
    ("embedding", "[1, 2"),
    ("embedding", '[1, "x"]'),
    ("embedding", "[1e39]"),
    ("embedding", "5"),
]


def write_texts(file: Path, rows: list[dict[str, str | None]]) -> Path:
    """Write rows of texts, those of Parquet as VARCHAR."""
    if not file.name.endswith(".parquet"):
        return write_values(file, rows)
    plain = file.with_suffix(".ndjson")
    plain.write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = dict.fromkeys(rows[0], "VARCHAR")
    return write_parquet(file, f"select * from read_json('{plain}', columns = {columns})")


@pytest.mark.parametrize("name", [*TEXT_FORMATS, "x.parquet"])
def test_a_bad_optional_value_is_set_aside_with_a_note(
    database: Path, tmp_path: Path, name: str
) -> None:
    blank: dict[str, str | None] = {"repo": "good"} | dict.fromkeys([row[0] for row in ASIDE])
    file = write_texts(tmp_path / name, [blank | {column: value} for column, value in ASIDE])
    result = import_file(database, file)
    assert (result.row_count, result.unreadable_count) == (len(ASIDE), 0)
    assert dict(result.set_aside) == Counter(column for column, _ in ASIDE)
    query = f"select metadata, {', '.join(blank)} from raw.executions order by _load_seq"
    for (column, value), (noted, *found) in zip(ASIDE, rows_of(database, query), strict=True):
        assert json.loads(noted)["_import"] == {"set_aside": {column: value}}
        assert found == ["good", *[None] * (len(blank) - 1)], column


@pytest.mark.parametrize("name", [*TEXT_FORMATS, "x.parquet"])
def test_a_bad_needed_value_makes_its_row_unreadable_and_no_other(
    database: Path, tmp_path: Path, name: str
) -> None:
    """Each wrong value stands in a row of its own, and a good row after it."""
    blank: dict[str, str | None] = {"repo": "good"} | dict.fromkeys([row[0] for row in WRONG])
    rows = [row for column, value, _ in WRONG for row in (blank | {column: value}, blank)]
    file = write_texts(tmp_path / name, rows)

    result = import_file(database, file)

    assert (result.row_count, result.unreadable_count) == (len(WRONG), len(WRONG))
    found = unreadable(database)
    first = 2 if name.endswith(".csv") else 1
    assert [number for number, _ in found] == [first + 2 * i for i in range(len(WRONG))]
    for (column, value, reason), (_, said) in zip(WRONG, found, strict=True):
        assert said.startswith(f"{column}: '{value}' "), (column, value)
        assert reason in said, (column, value)
    query = (
        "select distinct file_sha256, file_name, contains(content, 'good') from raw.unreadable_rows"
    )
    assert rows_of(database, query) == [(sha256_of(file), str(file), True)]


@pytest.mark.parametrize(
    ("column", "kind", "bad", "good"),
    [
        ("file_count", "double", "3.7", "3.0"),
        ("quality_score", "bigint", "3000000000", "7"),
        ("file_count", "boolean", "true", "null"),
        ("file_count", "decimal(9, 2)", "3.75", "3.00"),
        ("actual_cost", "double", "1e39", "'nan'"),
        ("embedding", "double[]", "[1e39]", "[0.5]"),
        ("error_message", "blob", r"'\xFF'", "'text'"),
        ("task_description", "blob", r"'\xFF'", "'text'"),
        ("timestamp", "timestamp", "'2026-01-01'", "null"),
        ("timestamp", "date", "'2026-01-01'", "null"),
        ("timestamp", "timestamptz", "'0001-12-31 (BC) 23:00:00+00'", "null"),
        ("timestamp", "timestamptz[]", "['2026-01-01 00:00:00+00']", "null"),
        ("success", "integer", "2", "1"),
    ],
)
def test_a_parquet_column_of_another_type_is_taken_where_nothing_is_lost(
    database: Path, tmp_path: Path, column: str, kind: str, bad: str, good: str
) -> None:
    select = (
        f"select 'bad' as repo, ({bad})::{kind} as {column} "
        f"union all select 'good', ({good})::{kind} union all select 'null', null"
    )
    result = import_file(database, write_parquet(tmp_path / "x.parquet", select))
    if column in NEEDED:
        assert (result.row_count, result.unreadable_count) == (2, 1)
        assert [number for number, _ in unreadable(database)] == [1]
    else:
        assert (result.row_count, result.unreadable_count) == (3, 0)
        assert (column, 1) in result.set_aside


def test_metadata_that_is_no_json_is_kept_as_its_text(database: Path, tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "x.parquet", "select 'r' as repo, '{a' as metadata")
    import_file(database, file)
    assert only_row(database)["metadata"] == '{"_import":{"metadata":"{a"}}'


EXACT = [
    ("file_count", "3.0", 3),
    ("file_count", " 3 ", 3),
    ("file_count", "", None),
    ("task_type", "", ""),
    ("success", "f", False),
    ("actual_cost", "NaN", None),
    ("file_count", "N/A", None),
    ("repo", "None", None),
    ("task_type", r"\N", None),
    ("success", "OK", True),
    ("success", "failed", False),
    ("success", "1.0", True),
    ("file_count", "9223372036854775807", 2**63 - 1),
    ("timestamp", "1772323200", datetime(2026, 3, 1)),
    ("timestamp", "1772323200123.4567", datetime(2026, 3, 1, 0, 0, 0, 123_456)),
    ("timestamp", "1772323200123456", datetime(2026, 3, 1, 0, 0, 0, 123_456)),
    ("timestamp", "1772323200123456999", datetime(2026, 3, 1, 0, 0, 0, 123_456)),
    ("timestamp", "2026-03-01T00:00:00.123456999Z", datetime(2026, 3, 1, 0, 0, 0, 123_456)),
    ("timestamp", "2026-03-01T00:00:00-15:59", datetime(2026, 3, 1, 15, 59)),
    ("timestamp", "2026-03-01 00:00:00+05:30", datetime(2026, 2, 28, 18, 30)),
    ("timestamp", "2026-03-01T00:00Z", datetime(2026, 3, 1)),
    ("timestamp", "1969-12-31T23:59:59.5Z", datetime(1969, 12, 31, 23, 59, 59, 500_000)),
]


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_a_text_that_says_a_value_exactly_is_taken(
    database: Path, tmp_path: Path, name: str
) -> None:
    blank: dict[str, str | None] = dict.fromkeys([column for column, _, _ in EXACT])
    file = write_values(tmp_path / name, [blank | {column: value} for column, value, _ in EXACT])
    assert import_file(database, file).unreadable_count == 0
    for line, (column, value, stored) in enumerate(EXACT, 2 if name.endswith(".csv") else 1):
        query = f"select {column} from raw.executions where _load_seq = {line}"
        assert rows_of(database, query) == [(stored,)], (column, value)


def test_presence_ranges_and_sets_are_not_checked_here(database: Path, tmp_path: Path) -> None:
    row = {"repo": "", "timestamp": None, "user_rating": 99, "model_tier": "huge"}
    result = import_file(database, write_values(tmp_path / "x.jsonl", [row]))
    assert (result.row_count, result.unreadable_count) == (1, 0)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet"])
def test_a_long_text_is_cut_as_capturing_cuts_it(database: Path, tmp_path: Path, name: str) -> None:
    issue = "ü" * (LONGEST_TEXT - 2) + "🙂🙂🙂"
    rows = [
        {"task_description": text, "success": True, "metadata": {"own": 1}}
        for text in (issue, issue[:-1])
    ]
    file = write_values(tmp_path / name, rows)
    if name.endswith(".parquet"):  # one of this project, whose metadata is not looked at
        source = write_values(tmp_path / "source.parquet", rows)
        write_parquet(file, f"from '{source}'", marked=True)
    import_file(database, file)
    captured = dict(rows[0])
    assert cut_texts(captured) == {"task_description": LONGEST_TEXT + 1}
    found = rows_of(
        database, "select task_description, metadata from raw.executions order by _load_seq"
    )
    assert [text for text, _ in found] == [captured["task_description"]] * 2
    assert [json.loads(metadata) for _, metadata in found] == [
        {"own": 1, "task_description_characters": LONGEST_TEXT + 1},
        {"own": 1},
    ]


def test_an_object_where_a_text_belongs_is_kept_as_its_json(database: Path, tmp_path: Path) -> None:
    import_file(database, write_values(tmp_path / "x.jsonl", [{"repo": {"a": [1, None]}}]))
    assert only_row(database)["repo"] == '{"a":[1,null]}'


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_naive_times_are_utc_where_the_caller_says_so(
    database: Path, tmp_path: Path, name: str
) -> None:
    file = write_values(
        tmp_path / name,
        [{"repo": "r", "timestamp": "2026-03-01T05:00:00", "uploaded_at": "2026-03-01T05:00+01"}],
    )
    import_file(database, file, naive_is_utc=True)
    found = only_row(database)
    assert (found["timestamp"], found["uploaded_at"]) == (
        datetime(2026, 3, 1, 5),
        datetime(2026, 3, 1, 4),
    )


@pytest.mark.parametrize("marked", [True, False])
def test_a_parquet_file_of_this_project_has_naive_times_in_utc(
    database: Path, tmp_path: Path, marked: bool
) -> None:
    select = "select 'r' as repo, timestamp '2026-03-01 05:00:00' as \"timestamp\""
    import_file(database, write_parquet(tmp_path / "x.parquet", select, marked=marked))
    found = rows_of(database, "select timestamp from raw.executions")
    assert found == ([(datetime(2026, 3, 1, 5),)] if marked else [])
    assert len(unreadable(database)) == (0 if marked else 1)


@pytest.mark.parametrize("name", ["x.parquet", *TEXT_FORMATS, "x.db"])
def test_times_do_not_depend_on_the_machines_time_zone(
    database: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    row = {"repo": "r", "timestamp": "2026-03-01T05:00:00Z"}
    if name == "x.db":
        with duckdb.connect(file) as connection:
            connection.execute(
                "create table executions as "
                "select 'r' as repo, timestamp '2026-03-01 05:00:00' as \"timestamp\""
            )
    else:
        write_values(file, [row])
    code = (
        "import sys, time, pathlib; time.tzset(); from orb_learning.ingest import import_file;"
        "import_file(*map(pathlib.Path, sys.argv[1:]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(database), str(file)],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        check=True,
    )
    assert only_row(database)["timestamp"] == datetime(2026, 3, 1, 5)


@pytest.mark.parametrize("name", ["x.parquet", *TEXT_FORMATS])
def test_load_numbers_follow_the_files_order_and_are_never_used_again(
    database: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    count = 200_000 if name == "x.parquet" else 5_000  # more than one row group of Parquet
    select = f"select range as file_count, '' as repo from range({count})"
    if name == "x.parquet":
        write_parquet(file, select)
    elif name == "x.csv":
        file.write_text("file_count\n" + "\n".join(map(str, range(count))))
    else:
        file.write_text("\n".join(f'{{"file_count": {i}}}' for i in range(count)))
    import_file(database, file)
    [(first_last,)] = rows_of(database, "select max(_load_seq) from raw.executions")
    in_order = (
        "select count(*) from (select file_count, row_number() over (order by _load_seq) - 1 as n"
        " from raw.executions) where file_count <> n"
    )
    assert rows_of(database, in_order) == [(0,)]

    import_file(database, file, again=True)
    query = "select count(*), count(distinct _load_seq) from raw.executions"
    assert rows_of(database, query) == [(2 * count, 2 * count)]
    query = (
        f"select min(_load_seq) > {first_last} from raw.executions where _load_seq > {first_last}"
    )
    assert rows_of(database, query) == [(True,)]


def test_a_known_file_is_skipped_under_any_name_unless_again(
    database: Path, tmp_path: Path
) -> None:
    file = write_values(tmp_path / "x.jsonl", [{"repo": "r"}, {"success": "x"}])
    first = import_file(database, file)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(file.read_bytes())

    assert import_file(database, copy) == ImportResult(copy, first.sha256, True, 0, 0)
    assert counts(database) == (1, 1, 1)
    assert import_file(database, copy, again=True).row_count == 1
    assert counts(database) == (2, 1, 2)
    assert rows_of(database, "select sum(unreadable_count) from raw.loaded_files") == [(1,)]
    assert rows_of(database, "select count(distinct task_id) from raw.executions") == [(1,)]


def test_malformed_csv_lines_are_kept_aside_with_their_line_numbers(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(
        b"\xef\xbb\xbfrepo,file_count,task_description\r\n"  # 1: a byte order mark
        b"a,1,x\r\n"
        b"\r\n"
        b"b,1\r\n"  # 4: too few
        b"c,1,x,y\r\n"  # 5: too many
        b'd,"1"2,x\r\n'  # 6: text beside a quoted field
        b"e,1,\xff\r\n"  # 7: not UTF-8
        b'f,1,"two\r\n'  # 8 to 10: one record
        b"\r\n"
        b'lines, ""quoted"""\r\n'
        b'g,1,"never closed\r\n'  # 11
        b"h,1,x\r\n"
        b'i,1,"y"\r\n'
        b'j,1,a 5" pipe\r\n'
        b'"k"\r\n'  # 15: a quoted field and nothing else
        b'l,1,"open at the end'  # 16
    )
    result = import_file(database, file)
    found = rows_of(
        database, "select repo, task_description, _load_seq from raw.executions order by _load_seq"
    )
    assert [row[:2] for row in found] == [
        ("a", "x"),
        ("f", 'two\r\n\r\nlines, "quoted"'),
        ("h", "x"),
        ("i", "y"),
        ("j", 'a 5" pipe'),
    ]
    assert [row[2] for row in found] == [2, 8, 12, 13, 14]
    assert [number for number, _ in unreadable(database)] == [4, 5, 6, 7, 11, 15, 16]
    assert result.unreadable_count == 7
    reasons = dict(unreadable(database))
    assert "has 2 fields and the header 3" in reasons[4]
    assert "has 4 fields and the header 3" in reasons[5]
    assert "quote" in reasons[6]
    assert "UTF-8" in reasons[7]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_the_one_that_splits_the_header(
    database: Path, tmp_path: Path, delimiter: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(csv_text([{"repo": f"a{delimiter}b", "file_count": 1}], delimiter))
    import_file(database, file)
    found = only_row(database)
    assert (found["repo"], found["file_count"]) == (f"a{delimiter}b", 1)


def test_malformed_json_lines_are_kept_aside_with_their_line_numbers(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(
        b'{"repo": "a"}\n'
        b"\n"
        b"  \r\n"
        b'{"repo": "b"\n'  # 4: not closed
        b"[1, 2]\n"
        b'"text"\n'
        b'{"repo": "c", "repo": "d"}\n'  # 7: which one?
        b'{"repo": "\xff"}\n'
        b"null\n"
        b'{"repo": "e"}'
    )
    import_file(database, file)
    found = rows_of(database, "select repo, _load_seq from raw.executions order by _load_seq")
    assert found == [("a", 1), ("e", 10)]
    assert [number for number, _ in unreadable(database)] == [4, 5, 6, 7, 8, 9]
    assert "twice" in dict(unreadable(database))[7]


@pytest.mark.parametrize("name", ["x.csv.gz", "x.jsonl.gz", "x.json.gz"])
def test_a_gzip_file_that_unpacks_to_many_times_its_size_is_refused(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("orb_learning.ingest.files.text.MOST_UNPACKED_BYTES", 2**24)
    file = tmp_path / name
    header = b"task_id,timestamp,success\n" if "csv" in name else b""
    for megabytes in (15, 17):
        file.write_bytes(gzip.compress(header + b" " * (megabytes * 2**20)))
        with (
            suppress(ImportFileError)
            if megabytes < 16
            else pytest.raises(ImportFileError, match="more than 100 times its size")
        ):
            import_file(database, file)


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.jsonl.gz"])
def test_line_numbers_are_right_and_long_lines_whole_across_blocks(
    database: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orb_learning.ingest.files.text.BLOCK_BYTES", 400_000)
    count = 5_000
    texts = ["x" * 300 if i % 10 else "z" for i in range(count)]
    texts[4_000] = "y" * 3_000_000
    bad = {7, 2_999, 4_001, count - 1}
    rows = [(str(i), text, "true" if i not in bad else "oops") for i, text in enumerate(texts)]
    if ".csv" in name:
        text = "file_count,repo,success\n" + "".join(f"{','.join(row)}\n" for row in rows)
    else:
        text = "\n" + "".join(
            f'{{"file_count": "{n}", "repo": "{repo}", "success": "{success}"}}\n'
            for n, repo, success in rows
        )
    data = text.encode()
    file = tmp_path / name
    file.write_bytes(gzip.compress(data, 1) if name.endswith("gz") else data)

    import_file(database, file)

    assert {number for number, _ in unreadable(database)} == {i + 2 for i in bad}
    query = "select count(*), max(len(repo)) from raw.executions where _load_seq = file_count + 2"
    assert rows_of(database, query) == [(count - len(bad), 3_000_000)]


def truncated_gzip(file: Path) -> Path:
    file = file.with_name("x.jsonl.gz")
    rows = "".join(f'{{"repo": "{uuid.uuid4()}"}}\n' for _ in range(50_000)).encode()
    data = gzip.compress(rows)
    file.write_bytes(data[: len(data) // 2])
    return file


def damaged_gzip(file: Path) -> Path:
    file = truncated_gzip(file)
    data = bytearray(file.read_bytes())
    data[1000:1100] = bytes(100)
    file.write_bytes(data)
    return file


def half_written_parquet(file: Path) -> Path:
    write_parquet(file, "select range as file_count, uuid()::varchar as repo from range(100000)")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    return file


def damaged_parquet(file: Path) -> Path:
    write_parquet(file, "select range as file_count, uuid()::varchar as repo from range(300000)")
    data = bytearray(file.read_bytes())
    middle = len(data) * 3 // 4
    data[middle : middle + 200] = b"\xff" * 200
    file.write_bytes(data)
    return file


def binary(name: str) -> Callable[[Path], Path]:
    def make(file: Path) -> Path:
        file = file.with_name(name)
        file.write_bytes(bytes(range(256)) * 100)
        return file

    return make


def text(name: str, content: str) -> Callable[[Path], Path]:
    def make(file: Path) -> Path:
        file = file.with_name(name)
        file.write_text(content)
        return file

    return make


def folder(file: Path) -> Path:
    file.mkdir()
    return file


def other_database(file: Path) -> Path:
    file = file.with_name("other.db")
    with duckdb.connect(file) as connection:
        connection.execute("create table other as select 1 as x")
    return file


def sqlite_database(file: Path) -> Path:
    file = file.with_name("x.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table executions (repo text)")
        connection.commit()
    return file


def half_a_database(file: Path) -> Path:
    file = original(file.with_name("x.db"))
    file.write_bytes(file.read_bytes()[:6_000])
    return file


def log_beside(file: Path) -> Path:
    file = other_database(file)
    file.with_name("other.db.wal").write_bytes(b"x")
    return file


BROKEN: list[tuple[Callable[[Path], Path], str]] = [
    (truncated_gzip, "not a whole gzip file"),
    (damaged_gzip, "not a whole gzip file"),
    (text("x.csv.gz", "repo\nr\n"), "not a whole gzip file"),
    (half_written_parquet, "damaged, incomplete"),
    (damaged_parquet, "damaged, incomplete"),
    (text("x.parquet", "repo\nr\n"), "damaged, incomplete"),
    (binary("x.parquet"), "damaged, incomplete"),
    (binary("x.csv"), "not text in UTF-8"),
    (binary("x.jsonl"), "not text in UTF-8"),
    (binary("x.db"), "not a DuckDB database"),
    (text("x.json", '[{"repo": "r"}, {"repo": ]'), "no JSON from line 1 on"),
    (
        text("x.json", '{"a": [{"repo": "r"}], "b": [{"repo": "s"}]}'),
        "arrays of objects in it: a, b",
    ),
    (text("x.json", '{\n"a": 1}'), "arrays of objects in it: none"),
    (text("x.csv", "PAR1"), "is a Parquet file by its first bytes"),
    (text("x.csv", "a,b\n1,2\n"), "no column or key has a name"),
    (text("x.csv", "repo,REPO\n1,2\n"), "'repo' and 'REPO' both mean repo"),
    (text("x.csv", "repo,file_count,repo\n1,2,3\n"), "more than one column named 'repo'"),
    (text("x.csv", "repo,file_count\ra,1\r"), "carriage return"),
    (text("x.csv", "\n\n"), "needs a header"),
    (text("x.csv", ""), "is empty, 0 bytes"),
    (text("x.parquet", ""), "is empty, 0 bytes"),
    (text("x.xlsx", "x"), ".parquet, .csv, .csv.gz"),
    (folder, "is a directory"),
    (lambda file: file, "does not exist"),
    (sqlite_database, "not a DuckDB database"),
    (half_a_database, "damaged"),
    (other_database, "no table or view named executions"),
    (log_beside, "write-ahead log"),
]


@pytest.mark.parametrize(("make", "message"), BROKEN)
def test_a_broken_file_is_refused_by_name_and_nothing_of_it_is_loaded(
    database: Path, tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    import_file(database, write_values(tmp_path / "good.jsonl", [{"repo": "r"}]))
    file = make(tmp_path / "x.parquet")

    with pytest.raises(ImportFileError) as caught:
        import_file(database, file)

    assert str(file) in str(caught.value)
    assert message in str(caught.value)
    assert counts(database) == (1, 0, 1)


def test_a_file_that_grows_while_it_is_read_is_refused(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orb_learning.ingest.files import importer

    file = write_values(tmp_path / "x.jsonl", [{"repo": "r"}])
    store = importer.store

    def store_and_grow(*given: Any) -> tuple[int, int]:
        with file.open("a") as stream:
            stream.write("{}\n")
        return store(*given)

    monkeypatch.setattr(importer, "store", store_and_grow)
    with pytest.raises(ImportFileError, match="changed while it was read"):
        import_file(database, file)
    assert counts(database) == (0, 0, 0)


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_a_file_of_zero_rows_is_loaded(database: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name == "x.csv":
        file.write_text("repo,file_count\n")
    else:
        write_parquet(file, "select '' as repo limit 0")
    assert import_file(database, file).row_count == 0
    assert counts(database) == (0, 0, 1)


@pytest.mark.parametrize(
    "name", ["a'b.parquet", "a[1]*?.parquet", "repo=x.parquet", 'q".csv', "%s$1.jsonl", "é 漢.db"]
)
def test_any_file_name_is_only_a_name(database: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "repo=wrong"
    folder.mkdir()
    file = folder / name
    if name.endswith(".db"):
        with duckdb.connect(file) as connection:
            connection.execute("create table executions as select 'r' as repo")
    else:
        plain = write_values(tmp_path / f"plain{file.suffix}", [{"repo": "r", "file_count": None}])
        plain.rename(file)
    # What the name would find if it were a pattern.
    write_values(folder / "a1xy.parquet", [{"repo": "wrong", "file_count": None}])
    import_file(database, file)
    assert only_row(database)["repo"] == "r"
    assert rows_of(database, "select file_name from raw.loaded_files") == [(str(file),)]


def test_a_parquet_column_named_file_row_number_is_an_extra_one(
    database: Path, tmp_path: Path
) -> None:
    select = "select 'r' || range as repo, 99 as file_row_number from range(3)"
    file = write_parquet(tmp_path / "x.parquet", select)
    import_file(database, file)
    query = "select repo, metadata from raw.executions order by _load_seq"
    assert rows_of(database, query) == [(f"r{row}", '{"file_row_number":99}') for row in range(3)]


def original(file: Path, dimensions: int = 768) -> Path:
    """Write a database as the original's init script and its writers do."""
    kinds = {**COLUMNS, "task_id": "VARCHAR", "embedding": "FLOAT[]"}
    with duckdb.connect(file) as connection:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        connection.execute(f"create table executions ({columns})")
        connection.execute(
            "insert into executions by name select uuid()::varchar as task_id, "
            "timestamp '2026-03-01 05:00:00' as \"timestamp\", 'r' || range as repo, "
            f"case when range > 0 then list_transform(range({dimensions}), lambda x: 0.5) end "
            "as embedding, '{\"a\": 1}' as metadata from range(3)"
        )
    return file


def test_the_originals_database_imports_and_a_vector_of_768_is_noted(
    database: Path, tmp_path: Path
) -> None:
    result = import_file(database, original(tmp_path / "original.duckdb"))
    assert (result.row_count, result.unreadable_count) == (3, 0)
    query = "select repo, timestamp, embedding, metadata from raw.executions order by _load_seq"
    note = '{"a":1,"_import":{"embedding_dimensions":768}}'
    time = datetime(2026, 3, 1, 5)
    assert rows_of(database, query) == [
        ("r0", time, None, '{"a":1}'),
        ("r1", time, None, note),
        ("r2", time, None, note),
    ]


def test_naive_times_and_vectors_of_a_database_are_said(database: Path, tmp_path: Path) -> None:
    _, output = run_cli(database, str(original(tmp_path / "original.duckdb")))
    assert (
        "the times of timestamp and uploaded_at have no zone and were taken as UTC"
        in output.replace("\n", " ")
    )
    assert "768" in output


def test_a_database_of_the_same_name_whose_executions_is_a_view_imports(
    database: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    file = other / database.name
    original(file, dimensions=384)
    with duckdb.connect(file) as connection:
        connection.execute("alter table executions rename to facts")
        connection.execute("create view executions as from learning.main.facts")
    assert import_file(database, file).row_count == 3
    query = "select count(embedding), count(metadata) from raw.executions"
    assert rows_of(database, query) == [(2, 3)]


def test_an_odd_type_of_a_database_loses_nothing(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute(
            "create table executions as select 'r' as repo, 5::hugeint as file_count, "
            "170141183460469231731687303715884105727::hugeint as big, map {'k': 1} as tags"
        )
    import_file(database, file)
    found = only_row(database)
    assert found["file_count"] == 5
    wanted = '"big":170141183460469231731687303715884105727'
    assert wanted in found["metadata"]
    assert json.loads(found["metadata"])["tags"] == {"k": 1}


def test_the_database_cannot_be_imported_into_itself(database: Path, tmp_path: Path) -> None:
    import_file(database, write_values(tmp_path / "x.jsonl", [{"repo": "r"}]))
    link = tmp_path / "link.db"
    link.symlink_to(database)
    with pytest.raises(ImportFileError, match="is the database itself"):
        import_file(database, link)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(database: Path, tmp_path: Path) -> None:
    file = write_values(tmp_path / "x.jsonl", [{"repo": "r"}])
    file.chmod(0)
    with pytest.raises(ImportFileError, match="Permission denied"):
        import_file(database, file)


def run_cli(database: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["import", *arguments], env={"ORB_DATABASE": str(database), "COLUMNS": "1000"}
    )
    return result.exit_code, result.output


def test_the_command_goes_on_after_a_broken_file_and_exits_with_1(
    database: Path, tmp_path: Path
) -> None:
    good = write_values(tmp_path / "good[1].jsonl", [{"repo": "r"}, {"success": "x"}])
    missing = tmp_path / "missing[2].csv"
    code, output = run_cli(database, str(missing), str(good))
    assert code == 1
    assert f"error: {missing} does not exist" in output
    assert f"{good}: 1 row loaded, 1 UNREADABLE" in output
    assert "unreadable: success: is not of type BOOLEAN (1); see raw.unreadable_rows" in output
    assert counts(database) == (1, 1, 1)


VALID = {
    "timestamp": "2026-03-01T00:00:00Z",
    "task_type": "bugfix",
    "task_description": "fix it",
    "repo": "r",
    "model_tier": "small",
    "pool_type": "local",
    "success": True,
}


def test_the_command_says_what_the_build_will_reject(database: Path, tmp_path: Path) -> None:
    bad = write_values(tmp_path / "bad.jsonl", [VALID | {"success": None}] * 2)
    code, output = run_cli(database, str(bad))
    assert (code, "2 rows loaded, 2 WILL BE REJECTED" in output) == (3, True)
    assert "will be rejected: success_missing (2)" in output
    assert "nothing of it is usable" in output
    mixed = write_values(tmp_path / "mixed.jsonl", [VALID, VALID | {"user_rating": 9}])
    code, output = run_cli(database, str(mixed))
    assert (code, "will be rejected: user_rating_out_of_range (1)" in output) == (0, True)
    assert "wait for a build: run `orb build`" in output
    code, output = run_cli(database, str(bad))
    assert (code, "loaded before, skipped; --again" in output) == (0, True)


def test_naive_rows_are_read_by_the_advised_second_try(database: Path, tmp_path: Path) -> None:
    rows = [VALID, VALID | {"timestamp": "2026-03-01T00:00:00"}, VALID | {"success": "?"}]
    file = write_values(tmp_path / "x.csv", [row | {"uploaded_at": None} for row in rows])
    code, output = run_cli(database, str(file))
    assert (code, "--naive-is-utc takes such times as UTC" in output) == (0, True)
    assert counts(database) == (1, 2, 1)
    code, output = run_cli(database, "--naive-is-utc", str(file))
    assert (code, f"{file}: 1 row loaded, 1 UNREADABLE" in output) == (0, True)
    assert counts(database) == (2, 1, 2)
    sums = "select sum(row_count), sum(unreadable_count) from raw.loaded_files"
    assert rows_of(database, sums) == [(2, 1)]
    assert [number for number, _ in unreadable(database)] == [4]
    code, output = run_cli(database, "--naive-is-utc", str(file))
    assert (code, "loaded before" in output) == (0, True)


@pytest.mark.parametrize("name", ["x.parquet", "x.jsonl"])
def test_a_terminal_sees_a_bar_and_anything_else_sees_none(
    database: Path, tmp_path: Path, name: str
) -> None:
    file = write_values(tmp_path / name, [VALID])
    command = [sys.executable, "-c", "from orb_learning.cli import app; app()", "import", "--again"]
    for terminal in ({}, {"FORCE_COLOR": "1"}):
        run = subprocess.run(
            [*command, str(file)],
            env={**os.environ, "ORB_DATABASE": str(database), "COLUMNS": "200", **terminal},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (name in run.stderr and "━" in run.stderr) == bool(terminal)
    assert counts(database) == (2, 0, 2)


def test_the_present_is_the_loading_time_in_utc(database: Path, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    import_file(database, write_values(tmp_path / "x.jsonl", [{"repo": "r"}] * 3))
    [(loaded_at, times)] = rows_of(
        database, "select min(_loaded_at), count(distinct _loaded_at) from raw.executions"
    )
    assert times == 1
    assert before <= loaded_at <= datetime.now(UTC).replace(tzinfo=None)


def test_a_page_that_needs_too_much_memory_is_refused_with_advice(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "TABLE_MEMORY_MB", 40)
    values = "true as success, repeat('x', 60000000 + n) as task_description from range(2) r (n)"
    file = write_parquet(tmp_path / "x.parquet", f"select 'r' as repo, {values}")
    with pytest.raises(ImportFileError, match="smaller row groups"):
        import_file(database, file)
    with connect(database, read_only=True) as connection:
        assert connection.execute("from raw.loaded_files").fetchall() == []


def test_decimals_without_a_digit_before_the_point_are_numbers(
    database: Path, tmp_path: Path
) -> None:
    """Of those, DuckDB 2.0.0 writes .5 into JSON, which is none and ends its instance."""
    file = tmp_path / "shares.parquet"
    row = "now() as timestamp, 'fix' as task_type, true as success"
    share = "0.5::decimal(18, 18)"
    duckdb.sql(
        f"copy (select {row}, {share} as actual_cost, -{share} as share, "
        f"{{'DECIMAL(2,2)': [0.25::decimal(38, 38)], 'a\"b': 1}} as metadata "
        f"union all by name select {row}, {{'a\"b': 2}} as metadata) to '{file}' (format parquet)"
    )
    assert import_file(database, file).row_count == 2
    assert rows_of(database, "select actual_cost, metadata from raw.executions limit 1") == [
        (0.5, '{"DECIMAL(2,2)":[0.25],"a\\"b":1,"share":-0.500000000000000000}')
    ]
    with duckdb.connect(tmp_path / "theirs.db") as theirs:
        theirs.execute(
            f"create table executions as select {row}, union_value(one := {share}) as share"
        )
    assert import_file(database, tmp_path / "theirs.db").row_count == 1


def test_a_value_at_which_duckdb_fails_is_said_of_its_file(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "before.parquet"
    times = pyarrow.array([0, -(2**63)], pyarrow.int64()).cast(pyarrow.timestamp("us"))
    pyarrow.parquet.write_table(pyarrow.table({"timestamp": times, "success": [True] * 2}), file)
    with pytest.raises(ImportFileError, match="has a value at which DuckDB fails"):
        import_file(database, file)
    assert rows_of(database, "select count(*) from raw.executions") == [(0,)]
