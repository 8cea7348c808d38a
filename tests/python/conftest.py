"""Fixtures that every test file may use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from browsers import BROWSERS, NO_BROWSER
from building import PARSE_VARIABLE, REPOSITORY, STEM, DbtProject, known_parse
from histories import History, insert_rows_at_the_edges
from parsing import locked

from orb_learning.cli.console import err, out
from orb_learning.dbt import process
from orb_learning.settings import LearningSettings

FIGURES = "figures"


@pytest.fixture(autouse=True, scope="session")
def wide_console() -> None:
    """Print as in a wide terminal, whatever COLUMNS was when rich was imported."""
    out.width = err.width = 200


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "learning.db"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """This project, parsed once for all tests."""
    return DbtProject(REPOSITORY, tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a database once for all workers, by a function of its file; each has a copy of it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, build: Callable[[Path], None]) -> Path:
        made = shared / f"made_{name}" / f"{STEM}.db"
        with locked(shared / f"made_{name}.lock"):
            if not made.exists():
                making = shared / f"making_{name}"
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                build(making / made.name)
                making.rename(made.parent)
        return Path(shutil.copy(made, tmp_path_factory.mktemp(name)))

    return make


@pytest.fixture(scope="session")
def empty_database(project: DbtProject, made_once: Callable[..., Path]) -> Path:
    """A database with every model, built from no rows; to be copied."""

    def build(file: Path) -> None:
        project.run(file, command="seed")
        project.run(file, with_comments=True)

    return made_once("empty", build)


@pytest.fixture(scope="session")
def small_database(project: DbtProject, made_once: Callable[..., Path]) -> Path:
    """A built database with rows at the edges of everything; to be copied."""

    def build(file: Path) -> None:
        history = History(project, file)
        insert_rows_at_the_edges(history)
        history.build_everything()

    return made_once("small", build)


@pytest.fixture
def history(project: DbtProject, small_database: Path, database: Path) -> History:
    shutil.copy(small_database, database)
    return History(project, database)


@pytest.fixture(autouse=True)
def known_parses(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dbt processes that a test's code starts find this project parsed, as after a first run.

    dbt parses anew for another database, and each test has its own.
    """
    prepared = process._prepared

    def with_parse(
        settings: LearningSettings, *arguments: Sequence[str], after: Sequence[str] = ()
    ) -> tuple[list[str], dict[str, str]]:
        command, variables = prepared(settings, *arguments, after=after)
        if PARSE_VARIABLE not in variables and str(REPOSITORY) in command:
            folder = tmp_path_factory.getbasetemp() / "parses"
            given = json.loads(after[1]) if after else {}
            variables |= known_parse(REPOSITORY, settings.database_path, folder, given)
        return command, variables

    monkeypatch.setattr(process, "_prepared", with_parse)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system of a size such as 4m; skips where that is not allowed."""
    folder = tmp_path / "small-disk"

    def mount(size: str) -> Path:
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if (
            os.geteuid() != 0
            or subprocess.run(["mount", *options], capture_output=True, check=False).returncode
        ):
            pytest.skip("a small disk can be mounted by root only")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Print lines after the tests: the figures are what a reader wants of some of them."""
    return lambda *lines: request.node.user_properties.append((FIGURES, lines))


@pytest.fixture(scope="session")
def browser_file() -> str:
    """The browser that draws the page."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        # Said in red at the end; .ci/run installs one, or fails.
        pytest.skip(NO_BROWSER)
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    undrawn = sum(NO_BROWSER in str(report.longrepr) for report in skipped)
    if undrawn:
        terminalreporter.write_line(
            f"WARNING: {undrawn} tests of the page did NOT run: {NO_BROWSER}", red=True, bold=True
        )
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, lines in getattr(report, "user_properties", ()):
                if name == FIGURES and report.when == "call":
                    terminalreporter.write_line("\n".join(lines))
