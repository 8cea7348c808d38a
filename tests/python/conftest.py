"""Fixtures that every test file may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import REPOSITORY, STEM, DbtProject


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
