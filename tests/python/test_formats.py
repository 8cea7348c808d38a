"""Figures as people read them, in Python and in the database's sentences."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb
import jinja2
import pytest
from building import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from orb_learning import formats

SHOWN: dict[str, dict[float, str]] = {
    "money": {
        0: "$0",
        0.000012: "$0.000012",
        0.00012: "$0.00012",
        0.0098: "$0.0098",
        0.00996: "$0.01",
        0.05: "$0.05",
        12.345: "$12.35",
        99.996: "$100",
        1324.5: "$1,324",
        -0.5: "-$0.50",
        -250: "-$250",
    },
    "duration": {
        0: "0 s",
        0.0004: "0.4 ms",
        0.042: "42 ms",
        0.9999: "1 s",
        9.5: "9.5 s",
        61: "61 s",
        119.4: "119 s",
        120: "2 min",
        3240: "54 min",
        11_520: "3.2 h",
        1_036_800: "12 d",
    },
    "rate": {
        0: "0 %",
        0.0002: "<0.1 %",
        0.162: "16.2 %",
        0.5: "50.0 %",
        0.9999: ">99.9 %",
        1: "100 %",
    },
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_figure_reads_the_same_in_python_and_in_sql(name: str) -> None:
    shown: Callable[[float], str] = getattr(formats, name)
    source = (REPOSITORY / "macros/formats/formats.sql").read_text()
    macros: Any = jinja2.Environment(autoescape=False).from_string(source).module  # noqa: S701
    in_sql = getattr(macros, f"shown_{name}")("x")
    for figure, text in SHOWN[name].items():
        assert shown(figure) == text
        query = f"select {in_sql} from (select $x::double as x)"
        assert duckdb.execute(query, {"x": figure}).fetchall() == [(text,)]
    assert duckdb.sql(f"select {in_sql} from (select null::double as x)").fetchall() == [(None,)]


def test_one_of_a_thing_is_no_plural() -> None:
    source = (REPOSITORY / "macros/formats/formats.sql").read_text()
    macros: Any = jinja2.Environment(autoescape=False).from_string(source).module  # noqa: S701
    in_sql = macros.shown_count("x", "retry", "retries")
    for number, text in {1: "1 retry", 0: "0 retries", 1324: "1,324 retries"}.items():
        assert formats.count(number, "retry", "retries") == text
        query = f"select {in_sql} from (select $x as x)"
        assert duckdb.execute(query, {"x": number}).fetchall() == [(text,)]
    assert formats.count(2, "execution") == "2 executions"


def test_what_is_not_known_is_a_dash() -> None:
    unknown = [formats.money, formats.duration, formats.rate, formats.number, formats.time]
    assert {show(None) for show in unknown} == {formats.UNKNOWN}
    assert formats.count(None, "run") == formats.UNKNOWN
    assert formats.time(datetime(2026, 3, 31, 12, 30)) == "2026-03-31 12:30:00"  # noqa: DTZ001
    assert formats.interval(0.2361, 0.7639) == "24-76 %"
    assert [formats.number(1324), formats.number(2.25)] == ["1,324", "2.2"]


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_recorded_number_is_the_same_float_in_few_digits(value: float) -> None:
    assert struct.pack("f", formats.recorded(value)) == struct.pack("f", value)


@pytest.mark.parametrize("number", [0.02, 0.1, 82.931, 1234.567, 0.0000012, -0.02, 0, 1e30])
def test_a_recorded_number_has_the_digits_that_were_given(number: float) -> None:
    (stored,) = struct.unpack("f", struct.pack("f", number))
    assert formats.recorded(stored) == number
