"""The benchmarks run, at a small scale, and the one of exactness sees a mart that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from benchmarks.figures import Figure
from benchmarks.scales import FULL, SMALL

from benchmarks import (
    databases,
    documents,
    exact,
    expected,
    figures,
    freshness,
    page,
    reports,
    tools,
)
from orb_learning.mcp.server import READING, WRITING

pytestmark = pytest.mark.slow

ROWS = 4_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "CACHE", tmp_path_factory.mktemp("bench"))
        yield databases.built_database(ROWS)


def wrong_rows(figures: list[Figure]) -> dict[str, float]:
    return {figure.name.split(":")[0]: figure.measured for figure in figures}


@pytest.mark.usefixtures("built")
@pytest.mark.soak
def test_marts_are_exact_after_an_append():
    figures = list(exact.run(replace(SMALL, large_rows=ROWS, append_rows=400)))
    assert wrong_rows(figures) == {
        "fct_executions": 0,
        "rejected_executions": 0,
        "tier_performance_mv": 0,
        "pool_performance_mv": 0,
        "solution_patterns_mv": 0,
    }
    assert all(figure.is_met for figure in figures)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("fct_executions", "delete from {table} where rowid = 1"),
        ("rejected_executions", "delete from {table} where rowid = 1"),
        ("tier_performance_mv", "update {table} set p95_duration = 1.00001 * p95_duration"),
        ("tier_performance_mv", "update {table} set avg_cost = null"),
        ("pool_performance_mv", "insert into {table} by name select 'x' as pool_type, * exclude "
         "(pool_type) from {table} limit 1"),
        ("solution_patterns_mv", "update {table} set task_types = ['bugfix', 'x']"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_seen(built: Path, table: str, damage: str):
    with databases.copy_of(built) as database:
        with duckdb.connect(database) as connection:
            connection.execute(damage.format(table=table))
        wrong = wrong_rows(list(exact.check(database)))
    assert wrong.pop(table) > 0
    assert set(wrong.values()) == {0}


@pytest.mark.usefixtures("built")
@pytest.mark.soak
def test_reports_and_tools_are_measured_and_one_with_other_figures_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports, "RUNS", 1)
    with reports.database_as_of_its_end(ROWS) as database:
        figures = list(reports.measure(database))
        page_figures = list(page.measure(database, 1))
        tools.embed(database)
        tool_figures = list(tools.measure(database))
        with duckdb.connect(database) as connection:
            views = connection.execute(
                "select view_name from duckdb_views() where view_name like 'rpt_%'"
            ).fetchall()
            connection.execute("alter view rpt_pools rename to pools")
            connection.execute(
                "create view rpt_pools as select * replace (avg_cost * 1.00001 as avg_cost) "
                "from pools"
            )
        of_the_page = {figure.name for figure in page_figures if figure.most is None}
        assert {name for (name,) in views} == of_the_page | {
            figure.name.split(",")[0] for figure in figures
        }
        modules = {tool.__name__ for tool in READING + WRITING}
        measured = {figure.name.split(",")[0] for figure in tool_figures}
        assert measured == modules
        of_other_tables = (
            *("data_quality", "submit_feedback"),
            *("what_to_change", "policy_values", "recommend_route", "describe_data"),
            "list_executions",
        )
        assert all(
            figure.baseline or figure.name.startswith(of_other_tables) for figure in tool_figures
        )
        first_ones = [one for one in tool_figures if one.name.endswith(", after a pause")]
        assert {one.name.split(",")[0] for one in first_ones} == modules
        assert all(one.most is None for one in first_ones)
        assert all(one.most == 0.1 for one in tool_figures if one not in first_ones)
        assert all(figure.most == 0.1 for figure in figures if "median" not in figure.name)
        with pytest.raises(AssertionError, match=r"rpt_pools, .*avg_cost"):
            list(reports.measure(database))


def test_the_table_of_expected_performance_is_whole() -> None:
    operations = ["Single INSERT", "Batch INSERT (100)", "Time series query", "Tier performance"]
    operations += ["Semantic search", "Retention cleanup"]
    assert list(expected.SECONDS) == operations
    assert list(FULL.record_counts.values()) == [1_000, 10_000, 100_000, 1_000_000]
    for seconds in expected.SECONDS.values():
        assert list(seconds) == list(FULL.record_counts)
        assert list(seconds.values()) == sorted(seconds.values())


def test_a_figure_is_met_up_to_its_target():
    assert Figure("a", 2.0, baseline=1.0, most_ratio=2).is_met
    assert not Figure("a", 2.1, baseline=1.0, most_ratio=2).is_met
    assert not Figure("a", 16.0, most=15).is_met
    assert Figure("a", 16.0).is_met is None
    between = Figure("a", 95.04, "%", least=93, most=97.5)
    assert between.is_met
    assert between.cells()[1:] == ("95.0 %", "", "", "93 to 97.5 %", "yes")
    assert not Figure("a", 98.0, "%", least=93, most=97.5).is_met
    assert not Figure("a", 92.0, "%", least=93).is_met
    assert not Figure("a", float("nan"), "%", least=93).is_met


def test_the_document_keeps_what_was_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "RESULTS.md"
    document.write_text("# Benchmarks\n\n## One\n\nold one\n\n## Two\n\nold two\n\n| a |\n")
    monkeypatch.setattr(documents, "RESULTS", document)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    one, two = ModuleType("one", "How one is measured."), ModuleType("two", "How two is.")
    one.TITLE, two.TITLE = "One", "Two"  # type: ignore[attr-defined]
    figures.save("one", "full", [Figure("of one", 1.5)])
    documents.write({"one": one, "two": two})
    text = document.read_text()
    assert "old one" not in text
    assert "How one is measured." in text
    assert "| of one | 1.5 s |" in text
    assert text.endswith("## Two\n\nold two\n\n| a |\n")


@pytest.mark.soak
def test_what_is_captured_is_found_by_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "CACHE", tmp_path)
    found = {figure.name.split(",")[0]: figure.measured for figure in freshness.run(SMALL)}
    assert 0 < found["from call to executions"] <= found["from call to a report"]
    assert found["processor's time a build of the watch"] > 0
