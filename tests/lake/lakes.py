"""A lake of a test, and what the tests ask it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from lake_servers import Postgres

from orb_learning.store.connection import connect

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Lake:
    """A catalog in a database of its own, and a folder for what belongs to one test."""

    postgres: Postgres
    name: str
    folder: Path
    variables: dict[str, str]

    @classmethod
    def create(
        cls,
        postgres: Postgres,
        name: str,
        folder: Path,
        data: str | None,
        variables: dict[str, str],
    ) -> Lake:
        folder.mkdir(parents=True)
        with psycopg.connect(f"{postgres.words} dbname=postgres", autocommit=True) as admin:
            admin.execute(f'create database "{name}"')
        return cls(
            postgres,
            name,
            folder,
            {
                "ORB_DATABASE": postgres.locator(name),
                "ORB_LAKE_DATA": data or str(folder / "lake"),
                "ORB_OUTBOX": str(folder / "outbox"),
                "DBT_TARGET_PATH": str(folder / "target"),
                "DBT_LOG_PATH": str(folder / "logs"),
                "ORB_LEARNING__ROUTING_PATH": str(folder / "routing.json"),
                **variables,
            },
        )

    @property
    def locator(self) -> Path:
        return Path(self.variables["ORB_DATABASE"])

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the catalog's Postgres."""
        words = f"{self.postgres.words} dbname={self.name}"
        with psycopg.connect(words, autocommit=True) as connection:
            result = connection.execute(query, values or None)
            return result.fetchall() if result.description else []

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the lake, by a connection of its own."""
        with connect(self.locator, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def run(
        self, *words: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment on the lake."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name(words[0])), *words[1:]],
            env={**os.environ, **self.variables, **variables},
            cwd=REPOSITORY,
            text=True,
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
        return done

    def snapshots(self) -> int:
        [(count,)] = self.sql("select count(*) from ducklake_snapshot")
        return int(count)
