"""Fixtures that every test file may use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from building import REPOSITORY, STEM, DbtProject
from histories import History, insert_rows_at_the_edges


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "learning.db"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """This project, parsed once for all tests."""
    return DbtProject(REPOSITORY, tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def empty_database(project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every model, built from no rows; to be copied."""
    file = tmp_path_factory.mktemp("empty") / f"{STEM}.db"
    project.run(file, command="seed")
    project.run(file)
    return file


@pytest.fixture(scope="session")
def small_database(project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built database with rows at the edges of everything; to be copied."""
    file = tmp_path_factory.mktemp("small") / f"{STEM}.db"
    history = History(project, file)
    insert_rows_at_the_edges(history)
    history.build_everything()
    return file


@pytest.fixture
def history(project: DbtProject, small_database: Path, database: Path) -> History:
    shutil.copy(small_database, database)
    return History(project, database)
