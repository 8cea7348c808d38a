"""dbt's exposures name who reads which relation: as the code has it, and as it is read indeed."""

from __future__ import annotations

import asyncio
import re
import runpy
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY, DbtProject
from dbt.contracts.graph.manifest import Manifest

from orb_learning.figures.database_tools import (
    get_data_quality_report,
    get_database_alerts,
    get_execution_statistics,
    get_performance_metrics,
    get_storage_status,
)
from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.watching import database_status
from orb_learning.mcp.server import READING
from orb_learning.settings import load_settings
from orb_learning.time_ranges import GROUPS


async def every_execution_statistic() -> None:
    await get_execution_statistics()
    for by in GROUPS:
        await get_execution_statistics(by=by)


async def watched_status() -> None:
    reader = Reader(load_settings())
    await database_status(reader)
    reader.close()


GENERATOR = runpy.run_path(str(REPOSITORY / "docs/generate.py"))
ASKED: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
    "mcp_database_status": watched_status,
    "mcp_execution_statistics": every_execution_statistic,
    "mcp_performance_metrics": get_performance_metrics,
    "mcp_data_quality_report": get_data_quality_report,
    "orb_storage": get_storage_status,
    "orb_alerts": get_database_alerts,
}


@pytest.fixture(scope="module")
def manifest(project: DbtProject) -> Manifest:
    return project.parse()


@pytest.fixture(scope="module")
def exposures(manifest: Manifest) -> dict[str, set[str]]:
    """The relations that each exposure depends on, by its name."""
    return {
        exposure.name: {node.split(".")[-1] for node in exposure.depends_on.nodes}
        for exposure in manifest.exposures.values()
    }


def test_they_are_made_from_the_code() -> None:
    file = REPOSITORY / "models/exposures/exposures.yml"
    assert file.read_text() == GENERATOR["exposures"](), "stale: run `make docs`"


def test_every_view_is_in_one_and_every_tool_that_reads(
    manifest: Manifest, exposures: dict[str, set[str]]
) -> None:
    relations = {
        folder: {
            node.name
            for node in manifest.nodes.values()
            if node.resource_type == "model"
            and node.fqn[1] == folder
            and not node.name.startswith("int_")
        }
        for folder in ("reports", "public")
    }
    assert relations["public"] <= set.union(*exposures.values())
    assert len(relations["reports"]) > 40
    # The tool query may read everything. What the page shows by its own views, a test compares.
    read = set.union(*(exposures[name] for name in exposures.keys() - {"mcp_query"}))
    compared = manifest.nodes["test.orb_learning.assert_page_agrees_with_reports"]
    read |= {node.split(".")[-1] for node in compared.depends_on.nodes}
    # What is read shows what the reports behind it say, as rpt_what_to_change does.
    read |= reports_behind(manifest, read)
    assert relations["reports"] - read == set()
    assert {f"mcp_{tool.__name__}" for tool in READING} <= exposures.keys()
    commands = {"status", "stats", "metrics", "quality", "storage", "alerts", "similar"}
    assert {f"orb_{name}" for name in commands} <= exposures.keys()


def reports_behind(manifest: Manifest, read: set[str]) -> set[str]:
    """The reports that these reports are made of, however far behind."""
    names = [f"model.orb_learning.{name}" for name in read]
    behind: set[str] = set()
    while names:
        node = manifest.nodes.get(names.pop())
        if node and node.fqn[1] == "reports" and node.name not in behind:
            behind.add(node.name)
            names.extend(node.depends_on.nodes)
    return behind


@pytest.mark.parametrize("exposure", ASKED)
def test_what_is_asked_reads_what_its_exposure_names(
    exposure: str,
    exposures: dict[str, set[str]],
    empty_database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    rows = Snapshot.rows

    def noted(snapshot: Snapshot, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        asked.append(sql)
        return rows(snapshot, sql, **parameters)

    monkeypatch.setattr(Snapshot, "rows", noted)
    monkeypatch.setenv("ORB_DATABASE", str(empty_database))
    asyncio.run(ASKED[exposure]())
    read = set(re.findall(r"\b(?:from|join) (\w+)", " ".join(asked)))
    assert read == exposures[exposure]
