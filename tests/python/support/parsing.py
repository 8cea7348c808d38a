"""A parse of a dbt project, kept for every dbt of the tests that works on the same files."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pprint
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner
from dbt.version import __version__

REPOSITORY = Path(__file__).parents[3]
PROJECT_PARTS = ["dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "tests"]
STEM = "learning"
"""The stem of every database file: the relations of a parsed project carry its name."""

CACHE = REPOSITORY / "target" / "test_parses"
KEPT = 12
"""Parses in the cache: the newest, of several projects, variables and edits."""
PROJECT_LINK = "project"
"""Leads from a kept parse to the folder that was parsed."""
PARSED_FOR = f"{STEM}.db"


@dataclass(frozen=True)
class KeptParse:
    """A ``partial_parse.msgpack``, and what its dbt was told of the database and the variables."""

    file: Path
    connection: dict[str, Any]
    variables: dict[str, Any]

    def for_dbt(self, folder: Path, database: Path, variables: dict[str, Any]) -> Path:
        """Write the parse into the folder as if it were of this database and these variables.

        dbt parses anew when the hash of either is another, so these are replaced: a parse depends
        on the database's stem only, and on variables that models' configs take, which the caller
        keeps. A hash that dbt works out in another way costs a parse, and nothing else.
        """
        wanted = _state_hashes({**self.connection, "path": str(database)}, variables)
        file = folder / f"parse_{wanted[0][:16]}_{wanted[1][:16]}.msgpack"
        if not file.exists():
            parsed = self.file.read_bytes()
            pairs = zip(_state_hashes(self.connection, self.variables), wanted, strict=True)
            for old, new in pairs:
                parsed = parsed.replace(old.encode(), new.encode())
            _write(file, parsed)
        return file


def parse_of(project: Path, variables: dict[str, Any]) -> KeptParse:
    """Parse a project, unless one with the same files and variables was parsed before."""
    key = _key(project, variables)
    folder = CACHE / key
    with locked(CACHE / f"{key}.lock"):
        # A parse names the folder that its seeds are read from: a copy's may be gone.
        if not (folder / PROJECT_LINK).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _parse(project, variables, folder)
            _drop_old_parses()
        os.utime(folder)
    told = json.loads((folder / "connection.json").read_text())
    return KeptParse(folder / "partial_parse.msgpack", told, variables)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Wait for every other process that has the same file locked."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _parse(project: Path, variables: dict[str, Any], folder: Path) -> None:
    making = folder.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    with environment("ORB_DATABASE", PARSED_FOR):
        outcome = dbtRunner().invoke(
            [
                *("--log-level", "none", "--log-level-file", "none", "parse", "--no-write-json"),
                *("--project-dir", str(project), "--profiles-dir", str(project)),
                *("--target-path", str(making), "--log-path", str(making)),
                *("--vars", json.dumps(variables)),
            ]
        )
    if not outcome.success:
        raise outcome.exception or AssertionError(outcome.result)
    credentials = FACTORY.adapters["duckdb"].config.credentials
    (making / "connection.json").write_text(json.dumps(dict(credentials.connection_info())))
    (making / PROJECT_LINK).symlink_to(project.resolve())
    making.rename(folder)


def _key(project: Path, variables: dict[str, Any]) -> str:
    """Hash everything that dbt reads in the project."""
    found = hashlib.sha256(json.dumps([__version__, variables], sort_keys=True).encode())
    for part in PROJECT_PARTS:
        for file in sorted([project / part, *(project / part).rglob("*")]):
            name = file.relative_to(project)
            if file.is_file() and name.parts[:2] != ("tests", "python"):
                found.update(f"{name}\0".encode())
                found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:32]


def _drop_old_parses() -> None:
    folders = [folder for folder in CACHE.iterdir() if folder.is_dir() and not folder.suffix]
    for folder in sorted(folders, key=lambda folder: folder.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _state_hashes(connection: dict[str, Any], variables: dict[str, Any]) -> tuple[str, str]:
    """What dbt compares of the connection and the variables: ManifestLoader's state check."""
    texts = (
        pprint.pformat(sorted(connection.items())),
        "\0".join([pprint.pformat(variables), "", "", __version__]),
    )
    one, other = (hashlib.sha256(text.encode()).hexdigest() for text in texts)
    return one, other


def _write(file: Path, content: bytes) -> None:
    """Write a file that another process may look for at the same time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    making = file.with_suffix(f".{os.getpid()}")
    making.write_bytes(content)
    making.rename(file)


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for as long as a block takes."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
