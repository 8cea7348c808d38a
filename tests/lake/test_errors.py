"""What goes wrong on a lake ends in one line, and nothing that was recorded is lost."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from crash_worker import payload_of
from lake_servers import Postgres
from lakes import Lake
from ports import free_port

from orb_learning.errors import DatabaseError, LakeError, OrbError
from orb_learning.outbox import Outbox
from orb_learning.store.connection import connect
from orb_learning.store.lake import attaching

NOT_DONE = [
    ["export", "copy.duckdb"],
    ["index"],
]


def one_line(lake: Lake, *words: str, **variables: str) -> str:
    """Run a command that fails; return the one line that it says."""
    done = lake.run("orb", *words, check=False, **variables)
    assert done.returncode != 0
    said = done.stderr.strip()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.parametrize("words", NOT_DONE, ids=lambda words: words[0])
def test_what_is_not_done_says_so(lake: Lake, words: list[str]) -> None:
    with connect(lake.locator):
        pass
    assert "is not done on a lake; " in one_line(lake, *words)


def test_a_record_is_kept_while_postgres_is_away(lake: Lake) -> None:
    with connect(lake.locator):
        pass
    writer = Outbox(lake.folder / "outbox")
    assert writer.put("execution", payload_of("00000000-0000-4000-8000-000000000001", 1))
    away = f"ducklake:postgres:host=127.0.0.1 port={free_port()} user=postgres dbname=x"
    said = one_line(lake, "load", ORB_DATABASE=away)
    assert "Postgres cannot be reached" in said
    assert "Postgres cannot be reached" in one_line(lake, "stats", ORB_DATABASE=away)
    assert writer.put("execution", payload_of("00000000-0000-4000-8000-000000000002", 2))
    writer.close()
    lake.run("orb", "load")
    assert lake.rows("select count(*) from raw.executions") == [(2,)]


def test_a_wrong_password_says_where_it_belongs(lake: Lake, postgres: Postgres) -> None:
    with connect(lake.locator):
        pass
    rules = postgres.folder / "pg/pg_hba.conf"
    rules.write_text(f"host all locked 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    lake.sql("create role locked login password 'right'")
    lake.sql("select pg_reload_conf()")
    locked = str(lake.locator).replace("user=postgres", "user=locked")
    for words in (["load"], ["stats"]):
        said = one_line(lake, *words, ORB_DATABASE=locked, PGPASSWORD="wrong")
        assert "Postgres refuses this user or password" in said
        assert "wrong" not in said


def test_a_password_in_the_locator_is_refused_and_not_shown(lake: Lake) -> None:
    said = one_line(lake, "stats", ORB_DATABASE=f"{lake.locator} password=hidden")
    assert "may not have a password" in said
    assert "hidden" not in said


@pytest.mark.parametrize("name", attaching.EXTENSIONS)
def test_a_missing_extension_is_named(
    lake: Lake, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = importlib.util.find_spec

    def find_spec(module: str) -> ModuleSpec | None:
        return None if module == f"duckdb_extension_{name}" else known(module)

    monkeypatch.setattr(attaching, "find_spec", find_spec)
    monkeypatch.setitem(attaching.CONFIG, "extension_directory", str(tmp_path))
    with (
        pytest.raises(
            LakeError, match=rf"the extension {name} .*pip install 'orb-learning\[lake\]'"
        ),
        connect(lake.locator, read_only=True),
    ):
        pass


def test_a_lake_is_made_where_somebody_said_only(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORB_LAKE_DATA")
    with pytest.raises(LakeError, match="set ORB_LAKE_DATA"), connect(lake.locator):
        pass
    monkeypatch.setenv("ORB_LAKE_DATA", str(lake.folder / "lake"))
    with connect(lake.locator):
        pass
    monkeypatch.setenv("ORB_LAKE_DATA", str(lake.folder / "other"))
    with pytest.raises(LakeError, match="is not where this lake's data is"), connect(lake.locator):
        pass
    monkeypatch.delenv("ORB_LAKE_DATA")
    with connect(lake.locator, read_only=True) as connection:
        assert connection.execute("select count(*) from raw.executions").fetchall() == [(0,)]


@pytest.mark.parametrize(
    "locator", ["ducklake:x.ducklake", "ducklake:sqlite:x.db", "ducklake:postgres:postgres://a/b"]
)
def test_another_catalog_is_refused(locator: str) -> None:
    with pytest.raises(OrbError, match="a lake's locator is ducklake:postgres:"), connect(locator):
        pass


def test_a_file_is_refused_by_the_engine_of_a_lake(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"needs 2\.0\.0 or newer"), connect(tmp_path / "a.db"):
        pass
