"""A place of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from restore_cases import Place


@pytest.fixture
def place(database: Path) -> Place:
    return Place(database)
