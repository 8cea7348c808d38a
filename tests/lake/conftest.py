"""The servers of these tests: started once, each lake in a database of its own."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import lake_servers
import pytest
from lakes import Lake

from orb_learning.store.lake.opening import close_kept

NEEDED = os.environ.get("ORB_NEED_LAKE") == "1"
AS_OF = json.dumps({"as_of": datetime.now(UTC).isoformat()})
"""What is as of now changes with it, so builds that are compared are of one moment."""
_numbers = itertools.count()


def _unavailable(reason: str) -> None:
    """Skip loudly; where the lake must be tested, fail."""
    if NEEDED:
        pytest.fail(f"ORB_NEED_LAKE=1, and the lake cannot be tested here: {reason}")
    pytest.skip(f"THE LAKE IS NOT TESTED: {reason}")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("ORB_DATABASE", "ORB_LAKE_DATA"))]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    close_kept()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lake_servers.Postgres]:
    pytest.importorskip("psycopg") if not NEEDED else __import__("psycopg")
    try:
        lake_servers.postgres_bin()
    except lake_servers.UnavailableError as error:
        _unavailable(str(error))
    folder = tmp_path_factory.mktemp("postgres")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # another user runs it
    with lake_servers.postgres_server(folder / "server") as running:
        yield running


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        lake_servers.weed_program()
    except lake_servers.UnavailableError as error:
        _unavailable(str(error))
    with lake_servers.s3_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def new_lake(
    postgres: lake_servers.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Lake]:
    """Make a lake that has nothing yet, and name it in the environment."""

    def make(data: str | None = None, variables: dict[str, str] | None = None) -> Lake:
        name = f"lake{os.getpid()}x{next(_numbers)}"
        lake = Lake.create(postgres, name, tmp_path / name, data, variables or {})
        for key, value in lake.variables.items():
            monkeypatch.setenv(key, value)
        return lake

    return make


@pytest.fixture(scope="session")
def built(
    postgres: lake_servers.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, str]:
    """A lake with the sample and every model, tested, and what that build said."""
    folder = tmp_path_factory.mktemp("built") / "lake"
    lake = Lake.create(postgres, f"built{os.getpid()}", folder, None, {})
    lake.run("orb", "sample")
    return lake, lake.run("dbt", "build", "--vars", AS_OF).stdout


@pytest.fixture
def built_lake(built: tuple[Lake, str]) -> Lake:
    """The lake of ``built``; nobody may change its rows."""
    return built[0]


@pytest.fixture
def clone(built_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A copy of the built lake that a test may change: its catalog, and the files of its data."""
    lake = built_lake.copy(f"clone{os.getpid()}x{next(_numbers)}", tmp_path / "clone")
    for key, value in lake.variables.items():
        monkeypatch.setenv(key, value)
    return lake


@pytest.fixture
def lake(new_lake: Callable[..., Lake]) -> Lake:
    return new_lake()
