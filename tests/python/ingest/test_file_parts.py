"""Names, documents, encodings and spreadsheets: the parts of reading a file."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pyarrow.parquet
import pytest

from orb_learning.errors import DatabaseError, ImportFileError
from orb_learning.filesystem import printable
from orb_learning.ingest.files import import_file
from orb_learning.ingest.files import text as text_module
from orb_learning.ingest.files.documents import document_rows, is_document
from orb_learning.ingest.files.kinds import kind_of
from orb_learning.ingest.files.names import (
    check_duplicates,
    check_names,
    column_of,
    notes_on,
    unit_of,
)
from orb_learning.ingest.files.text import text_blocks
from orb_learning.store import connect
from orb_learning.store.connection import check_path

FILE = Path("x.csv")


def stored(database: Path, columns: str) -> list[tuple[Any, ...]]:
    with connect(database, read_only=True) as connection:
        return connection.execute(
            f"select {columns} from raw.executions order by _load_seq"
        ).fetchall()


# -- names


@pytest.mark.parametrize(
    ("name", "column", "unit"),
    [
        ("timestamp", "timestamp", None),
        (" Timestamp\u00a0", "timestamp", None),
        ("Task Type", "task_type", None),
        ("\ufeffrepo", "repo", None),
        ("TIMESTAMP_MS", "timestamp", "ms"),
        ("uploaded_at_ns", "uploaded_at", "ns"),
        ("taskType", None, None),
        ("model", None, None),
    ],
)
def test_a_name_counts_in_any_case_and_with_spaces(
    name: str, column: str | None, unit: str | None
) -> None:
    assert (column_of(name), unit_of(name)) == (column, unit)


def test_what_is_read_as_another_name_and_near_misses_are_said() -> None:
    assert notes_on(["repo", "Success", "taskType", "time_stamp", "timestamp_ms", "model"]) == [
        "'Success' is read as success",
        "'taskType' goes into metadata; if it means task_type, rename it",
        "'timestamp_ms' is read as timestamp, in ms since 1970",
    ]
    assert notes_on(["repo", "pool_typ"])[0].endswith("if it means pool_type, rename it")


@pytest.mark.parametrize("names", [["repo", "Repo "], ["timestamp", "timestamp_ms"], ["x", "x"]])
def test_two_columns_of_one_meaning_are_refused(names: list[str]) -> None:
    with pytest.raises(ImportFileError, match="rename or drop all but one"):
        check_duplicates(FILE, names)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet", "x.db"])
def test_every_format_reads_names_by_one_rule(database: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name == "x.csv":
        file.write_text("REPO,file count,timestamp_ms\nr,3,1772323200123\n")
    elif name == "x.jsonl":
        file.write_text('{"REPO": "r", "file count": 3, "timestamp_ms": 1772323200123}\n')
    else:
        select = """select 'r' as "REPO", 3 as "file count", 1772323200123 as timestamp_ms"""
        with duckdb.connect(file if name == "x.db" else ":memory:") as connection:
            if name == "x.db":
                connection.execute(f"create table executions as {select}")
            else:
                connection.execute(f"copy ({select}) to '{file}'")
    result = import_file(database, file)
    assert stored(database, "repo, file_count, timestamp::varchar, metadata") == [
        ("r", 3, "2026-03-01 00:00:00.123", None)
    ]
    assert len(result.notes) == 3


def test_parquets_own_names_are_compared_not_duckdbs(database: Path, tmp_path: Path) -> None:
    table = pyarrow.table([[["r"]], ["r"], ["s"]], names=["nested", "repo", "Repo"])
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(ImportFileError, match="'repo' and 'Repo' both mean repo"):
        import_file(database, tmp_path / "x.parquet")


def test_an_object_with_two_names_of_one_meaning_is_unreadable(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"repo": "a"}\n{"Repo": "b"}\n{"repo": "c", "Repo": "d"}\n')
    result = import_file(database, file)
    assert stored(database, "repo") == [("a",), ("b",)]
    assert '"Repo" and "repo" mean the same; keep one' in result.unreadable_reasons[0][0]


def test_what_only_any_log_has_is_no_execution() -> None:
    with pytest.raises(ImportFileError, match="it has timestamp, level; an execution's names are"):
        check_names(FILE, ["timestamp", "level"])
    assert kind_of(["resourceSpans"]) == ("an OpenTelemetry trace export (OTLP JSON)", "otlp")
    assert kind_of(["repo", "spans"]) is None


# -- documents


def rows_in(file: Path, data: bytes) -> list[Any] | None:
    """Return the rows of a file, None if it is one of JSON lines."""
    file.write_bytes(gzip.compress(data) if file.name.endswith(".gz") else data)

    def ignore(_: int) -> None:
        pass

    first = next(text_blocks(file, ignore))
    return [json.loads(row) for row in document_rows(file, ignore)] if is_document(first) else None


ROWS = [{"repo": "é 🦆", "n": [1, {"a": None}]}, {"repo": "b", "metadata": {"steps": [{"x": 1}]}}]
ONE = {"steps": [{"x": 1}], "repo": "r"}


@pytest.mark.parametrize("name", ["x.json", "x.json.gz"])
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (json.dumps(ROWS), ROWS),
        (json.dumps(ROWS, indent=2, ensure_ascii=False), ROWS),
        (json.dumps({"version": 1, "data": ROWS}, indent=1), ROWS),
        (json.dumps({"data": ROWS, "empty": [], "names": ["x"]}), ROWS),
        ("\n".join(json.dumps(row, indent=1) for row in ROWS), ROWS),
        (json.dumps(ONE, indent=1), [ONE]),
        ("[]", []),
        ('[{"repo":"a"}\n]\n[{"repo":"b"}]', [{"repo": "a"}, {"repo": "b"}]),
        ("\n".join(map(json.dumps, ROWS)), None),
        ('{"repo": \n{"repo": "a"}', None),
        (json.dumps(ONE), None),
    ],
)
def test_arrays_and_documents_are_read_and_lines_stay_lines(
    tmp_path: Path, name: str, text: str, rows: list[Any] | None
) -> None:
    assert rows_in(tmp_path / name, text.encode()) == rows


def test_a_document_is_read_over_the_edges_of_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"repo": "é🦆" * (n % 7), "n": 10**n} for n in range(30)]
    data = json.dumps({"v": 1, "data": rows}, indent=1, ensure_ascii=False).encode()
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("orb_learning.ingest.files.text.BLOCK_BYTES", size)
        (tmp_path / "x.json").write_bytes(data)
        found = [json.loads(row) for row in document_rows(tmp_path / "x.json", lambda _: None)]
        assert found == rows, size


def test_a_large_document_is_read_member_by_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orb_learning.ingest.files.text.BLOCK_BYTES", 64)
    monkeypatch.setattr("orb_learning.ingest.files.documents.LONGEST_LINE", 200)
    rows = [{"repo": f"r{n}"} for n in range(100)]
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"version": {"a": [1]}, "data": rows}))
    assert [json.loads(row) for row in document_rows(file, lambda _: None)] == rows
    file.write_text(json.dumps({"data": rows, "more": rows}))
    with pytest.raises(ImportFileError, match="'data' and 'more' are both arrays"):
        list(document_rows(file, lambda _: None))


def test_a_bad_element_is_unreadable_and_the_others_are_read(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b'[{"repo": "a"}, 7, {"repo": "\\ud83d"}, {"repo": "\xff"}, {"repo": "b"}]')
    result = import_file(database, file)
    assert (result.row_count, result.unreadable_count) == (2, 3)
    assert stored(database, "repo, _load_seq") == [("a", 1), ("b", 5)]


# -- encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.jsonl"])
def test_text_of_windows_is_read(database: Path, tmp_path: Path, name: str, encoding: str) -> None:
    text = (
        "repo,task_type\r\né🦆,t\r\n" if "csv" in name else '{"repo": "é🦆", "task_type": "t"}\r\n'
    )
    data = text.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    import_file(database, tmp_path / name)
    assert stored(database, "repo, task_type") == [("é🦆", "t")]


@pytest.mark.parametrize("text", ["a\nb\nc\nd", "a\nb\nc\nd\n", "\n\n\n\n", "a\n\n\nb\n\nc\n"])
def test_a_block_has_few_lines_and_numbers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    (whole,) = text_blocks(file, lambda _: None)
    for most in (1, 2, 3, 4):
        monkeypatch.setattr(text_module, "MOST_LINES", most)
        blocks = [block.text.split(b"\n") for block in text_blocks(file, lambda _: None)]
        begins = [block.lines_before for block in text_blocks(file, lambda _: None)]
        assert max(map(len, blocks)) == most
        assert [line for block in blocks for line in block] == whole.text.split(b"\n")
        assert begins == [sum(map(len, blocks[:place])) for place in range(len(blocks))]


def test_a_bad_byte_costs_its_line_wherever_it_stands(database: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"repo": f"r{n}"}).encode() for n in range(9)]
    for place in (0, 4, 8):
        lines[place] = lines[place].replace(b"r", b"\xe9" if place else b"\0", 1)
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    result = import_file(database, tmp_path / "x.jsonl")
    assert (result.row_count, result.unreadable_count) == (6, 3)
    assert dict(result.unreadable_reasons) == {
        "the line is not UTF-8; is it in another encoding, such as Windows-1252?": 2,
        "a zero byte stands in it, which JSON does not allow": 1,
    }


def test_a_name_that_is_no_utf8_is_only_a_name(database: Path, tmp_path: Path) -> None:
    file = tmp_path / b"x\xff.jsonl".decode(errors="surrogateescape")
    file.write_text('{"repo": "r"}')
    import_file(database, file)
    with connect(database, read_only=True) as connection:
        [(name,)] = connection.execute("select file_name from raw.loaded_files").fetchall()
    assert name == printable(file) == str(tmp_path / r"x\xff.jsonl")


def test_a_path_that_duckdb_takes_for_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="backslash"):
        check_path(tmp_path / "a\\b.db", must_exist=False)
    with pytest.raises(DatabaseError, match="must be UTF-8"):
        check_path(tmp_path / b"a\xff.db".decode(errors="surrogateescape"), must_exist=False)
    for name in ("a#b.db", "a;b.db", "a\nb.db"):
        with pytest.raises(DatabaseError, match="may not have a # or a ;"):
            check_path(tmp_path / name, must_exist=False)


def test_a_database_of_any_name_can_be_imported(database: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's #1; old.db"
    with duckdb.connect(odd) as connection:
        connection.execute("create table executions as select 7 as task_id, true as success")
    assert import_file(database, odd).row_count + import_file(database, odd).unreadable_count


# -- spreadsheets


def test_what_excel_writes_is_read(database: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "sep=;\r\n"
        "repo;actual_cost;duration_seconds;file_count;;\r\n"
        "a;0,5;1.234,5;3;;\r\n"
        "b;1.5;2;4;said;;;\r\n"  # more empty fields than the header has
        ";;;;;\r\n"
        "c;1;2;5\r\n"
    )
    result = import_file(database, tmp_path / "x.csv")
    assert (result.row_count, result.unreadable_count) == (3, 0)
    assert stored(database, "repo, actual_cost, duration_seconds, file_count, metadata") == [
        ("a", 0.5, 1234.5, 3, None),
        ("b", 1.5, 2.0, 4, '{"column 5":"said"}'),
        ("c", 1.0, 2.0, 5, None),
    ]


@pytest.mark.parametrize("told", ["sep=\t", '"sep=\t"', "SEP=\t"])
def test_a_delimiter_that_is_told_may_be_a_tab(database: Path, tmp_path: Path, told: str) -> None:
    (tmp_path / "x.csv").write_text(f"{told}\r\nrepo\tmodel\r\na,b\tc;d\r\n")
    import_file(database, tmp_path / "x.csv")
    assert stored(database, "repo, metadata") == [("a,b", '{"model":"c;d"}')]


def test_a_file_without_rows_says_nothing_of_others(database: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"repo": "a", "user_accepted": "maybe"}\n')
    first = import_file(database, tmp_path / "x.jsonl", rules={"success_missing": "false"})
    assert (first.rejected_count, first.set_aside) == (1, (("user_accepted", 1),))
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 'a' as repo limit 0) to '{tmp_path / 'x.parquet'}' (format parquet)"
        )
    empty = import_file(database, tmp_path / "x.parquet", rules={"success_missing": "false"})
    assert (empty.row_count, empty.rejected_count, empty.set_aside) == (0, 0, ())


def test_a_comma_in_a_number_is_named_where_it_may_be_anything(
    database: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text('repo,actual_cost\nr,"1,234"\n')
    result = import_file(database, tmp_path / "x.csv")
    assert result.set_aside == (("actual_cost", 1),)
    assert stored(database, "actual_cost, metadata") == [
        (None, '{"_import":{"set_aside":{"actual_cost":"1,234"}}}')
    ]


# -- durations and times of tables


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_durations_of_arrow_are_seconds(database: Path, tmp_path: Path, unit: str) -> None:
    ticks = pyarrow.array([1500 * 1_000_000_000, None]).cast(pyarrow.int64())
    seconds = ticks.cast(pyarrow.duration("ns")).cast(pyarrow.duration(unit))
    names = ["duration_seconds", "waited"]
    pyarrow.parquet.write_table(
        pyarrow.table([seconds, seconds], names=names), tmp_path / "x.parquet"
    )
    import_file(database, tmp_path / "x.parquet")
    assert stored(database, "duration_seconds, metadata") == [
        (1500.0, '{"waited":1500.0}'),
        (None, None),
    ]


@pytest.fixture
def instants(tmp_path: Path) -> Path:
    """A Parquet file of one instant, 123456999 ns after a second, in each type of a time."""
    file = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"copy (select 'r' as repo, '2026-03-01 00:00:00.123456999+00'::timestamptz_ns "
            f"as timestamp, 1772323200.123457::double as uploaded_at) to '{file}'"
        )
    return file


def test_an_instant_is_one_microsecond_in_every_type(database: Path, instants: Path) -> None:
    import_file(database, instants)
    assert stored(database, "timestamp::varchar, uploaded_at::varchar") == [
        ("2026-03-01 00:00:00.123456", "2026-03-01 00:00:00.123457")
    ]


def test_a_database_is_named_by_itself_and_not_by_its_copy(database: Path, tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "old.db") as connection:
        connection.execute("create table executions as select 'r' as repo, 'r' as \"Repo \"")
    with pytest.raises(ImportFileError, match=r"old\.db: the columns 'repo' and 'Repo ' both"):
        import_file(database, tmp_path / "old.db")


@pytest.mark.parametrize("name", ["timestamp", "Timestamp"])
def test_times_of_a_database_are_said_to_be_taken_as_utc(
    database: Path, tmp_path: Path, name: str
) -> None:
    with duckdb.connect(tmp_path / "old.db") as connection:
        connection.execute(
            f"create table executions as select 'r' as repo, timestamp '2026-03-01' as {name}, "
            "list_transform(range(768), lambda x: 0.5::float) as embedding"
        )
    result = import_file(database, tmp_path / "old.db")
    assert f"the times of {name} have no zone and were taken as UTC" in result.notes
    assert result.set_aside == (("embedding of 768 dimensions", 1),)


def test_the_advice_on_a_log_can_be_typed_whatever_the_file_is_named(
    database: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    file = folder / "$(touch evil) `touch evil`.db"
    code = (
        "import duckdb, os, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('create table executions as select true as success, 7 as task_id')\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    with pytest.raises(ImportFileError, match="has a write-ahead log beside it") as caught:
        import_file(database, file)
    advised = str(caught.value).partition("or run: ")[2]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        ["sh", "-c", advised], check=True, cwd=tmp_path, env={**os.environ, "PATH": path}
    )
    assert import_file(database, file).row_count == 1
    assert not (tmp_path / "evil").exists()


def test_a_line_that_a_gzip_blows_up_is_unreadable_and_the_next_is_read(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl.gz"
    with gzip.open(file, "wb", compresslevel=9) as stream:
        stream.write(b'{"repo": "r"}\n{"repo": "' + b"x" * (40 * 2**20) + b'"}\n{"repo": "r"}\n')
    assert file.stat().st_size < 100_000
    result = import_file(database, file)
    assert (result.row_count, result.unreadable_count) == (2, 1)
    assert result.unreadable_reasons[0][0] == "the line has more than 16 MB"
