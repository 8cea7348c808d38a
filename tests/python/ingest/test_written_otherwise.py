"""Values as people write them otherwise: read rightly, or said to be what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orb_learning.ingest import import_file
from orb_learning.mappings import named_mapping
from orb_learning.store import connect

HEAD = "task_id,timestamp,task_description,success\n"
SEMICOLONS = "task_id;timestamp;task_description;success;actual_cost;duration_seconds;file_count\n"
AT = "2026-11-20T10:00:00Z"


def rows(database: Path, columns: str) -> list[tuple[Any, ...]]:
    with connect(database, read_only=True) as connection:
        query = f"select {columns} from raw.executions order by _load_seq"
        return connection.execute(query).fetchall()


def reasons(database: Path) -> list[str]:
    with connect(database, read_only=True) as connection:
        found = connection.execute("select reason from raw.unreadable_rows order by row_number")
        return [reason for (reason,) in found.fetchall()]


def imported(tmp_path: Path, name: str, text: str) -> tuple[Path, Any]:
    file, database = tmp_path / name, tmp_path / "learning.db"
    file.write_text(text)
    return database, import_file(database, file)


def costs(tmp_path: Path, *written: str) -> tuple[list[Any], tuple[str, ...]]:
    lines = [f"t{n};{AT};x;true;{cost};1;1" for n, cost in enumerate(written)]
    database, result = imported(tmp_path, "costs.csv", SEMICOLONS + "\n".join(lines))
    return [cost for (cost,) in rows(database, "actual_cost")], result.notes


def test_a_point_that_may_stand_between_thousands_is_said(tmp_path: Path) -> None:
    found, [note] = costs(tmp_path, "1.234", "2,5", "1.234,5", "1.234.567", "12.500")
    assert found == pytest.approx([1.234, 2.5, 1234.5, 1_234_567, 12.5])
    assert note.startswith("2 such as actual_cost 1.234 may have a point between thousands")


@pytest.mark.parametrize("other", ["0.125", "1234.567", "1.23456"])
def test_a_point_that_another_number_shows_to_part_fractions_is_none(
    tmp_path: Path, other: str
) -> None:
    found, notes = costs(tmp_path, "1.234", other)
    assert (found, notes) == (pytest.approx([1.234, float(other)]), ())


def test_a_count_may_have_a_comma_before_nothing(tmp_path: Path) -> None:
    text = f"{SEMICOLONS}a;{AT};x;true;1;1;7,0\nb;{AT};x;true;1;1;7,5\nc;{AT};x;true;1;1;1.234\n"
    database, _ = imported(tmp_path, "counts.csv", text)
    found = rows(database, "file_count, metadata ->> '$._import.set_aside.file_count'")
    assert found == [(7, None), (None, "7,5"), (None, "1.234")]


def test_times_in_iso_8601s_basic_format_are_read(tmp_path: Path) -> None:
    times = [
        "20261120T100000Z", "20261120T1000Z", "20261120T10Z", "2026-11-20T10Z",
        "20261120T110000+0100", "20261120T110000.000+01", "2026-11-20T10:00Z",
    ]  # fmt: skip
    lines = "".join(f"t{n},{time},x,true\n" for n, time in enumerate(times))
    database, _ = imported(tmp_path, "times.csv", HEAD + lines)
    assert rows(database, '"timestamp"::varchar') == [("2026-11-20 10:00:00",)] * len(times)


NO_TIMES = {
    "2026-W47-5T10:00:00Z": "is a week or an ordinal date; write year, month and day",
    "2026W475T100000Z": "is a week or an ordinal date",
    "2026-324T10:00:00Z": "is a week or an ordinal date",
    "20261120": "has no time zone",
    "20261120T100000": "has no time zone",
    "20261120100000": "may be year, month, day and time, or milliseconds since 1970",
    "20261332T100000Z": "is not a time of ISO 8601",
}


@pytest.mark.parametrize("name", ["times.csv", "times.jsonl"])
def test_another_calendar_or_an_open_number_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    text = HEAD + "".join(f"a,{time},x,true\n" for time in NO_TIMES)
    if name.endswith("jsonl"):
        text = "".join(
            json.dumps({"task_id": "a", "timestamp": time, "success": True}) + "\n"
            for time in NO_TIMES
        )
    database, result = imported(tmp_path, name, text)
    assert result.row_count == 0
    for said, reason in zip(reasons(database), NO_TIMES.values(), strict=True):
        assert reason in said


def test_the_same_digits_named_as_milliseconds_are_a_time(tmp_path: Path) -> None:
    text = "task_id,timestamp_ms,task_description,success\na,20261120100000,x,true\n"
    database, _ = imported(tmp_path, "ms.csv", text)
    assert rows(database, 'year("timestamp")') == [(2612,)]


def test_a_whole_number_is_one_id_however_it_is_written(tmp_path: Path) -> None:
    ids = [7, 7.0, "7", -7.0, "7.0", 7.5]
    lines = [
        json.dumps({"task_id": each, "timestamp": AT, "task_description": "x", "success": True})
        for each in ids
    ]
    database, _ = imported(tmp_path, "ids.jsonl", "\n".join(lines))
    found = [each for (each,) in rows(database, "metadata ->> 'external_id'")]
    assert found == ["7", "7", "7", "-7", "7.0", "7.5"]


def test_spaces_around_a_value_of_csv_are_none_of_it(tmp_path: Path) -> None:
    text = (
        "task_id,timestamp,task_description,success,repo,task_type,actual_cost\n"
        f"  a1 ,  {AT}  ,  keep ,  TRUE , shop ,  , 1.5 \n"
    )
    database, _ = imported(tmp_path, "spaces.csv", text)
    found = rows(database, "metadata ->> 'external_id', task_description, repo, success")
    assert found == [("a1", "  keep ", "shop", True)]
    assert rows(database, "actual_cost, nullif(task_type, '')") == [(1.5, None)]


DEPTHS = (127, 128, 129, 2_000)


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_deep_json_is_kept_as_it_is(tmp_path: Path) -> None:
    line = f'"timestamp": "{AT}", "task_description": "x", "success": true, "metadata": {{"a": '
    text = "".join(f'{{"task_id": "{n}", {line}{deep(n)}}}}}\n' for n in DEPTHS)
    database, result = imported(tmp_path, "deep.jsonl", text)
    assert (result.row_count, result.unreadable_count) == (4, 0)
    assert rows(database, "metadata -> '$.a'") == [(deep(depth),) for depth in DEPTHS]


def test_a_deep_log_of_another_system_is_read(tmp_path: Path) -> None:
    file, database = tmp_path / "spend.jsonl", tmp_path / "learning.db"
    file.write_text(
        "".join(
            f'{{"request_id": "r{depth}", "call_type": "c", "spend": 1.0, "startTime": "{AT}", '
            f'"messages": {deep(depth)}}}\n'
            for depth in DEPTHS
        )
    )
    import_file(database, file, mapping=named_mapping("litellm"))
    assert rows(database, "actual_cost, task_type") == [(1.0, "c")] * 4
