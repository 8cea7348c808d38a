"""A lake of a test, and what the tests ask it."""

from __future__ import annotations

import os
import shutil
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
                "ORB_LEARNING__BACKUP_PATH": str(folder / "backups"),
                "ORB_LEARNING__ARCHIVE_PATH": str(folder / "archive"),
                **variables,
            },
        )

    def copy(self, name: str, folder: Path) -> Lake:
        """Copy the catalog, which nobody has open, and the data."""
        shutil.copytree(self.data, folder / "lake")
        with psycopg.connect(f"{self.postgres.words} dbname=postgres", autocommit=True) as admin:
            admin.execute(f'create database "{name}" template "{self.name}"')
        variables = {
            key: value.replace(str(self.folder), str(folder)).replace(
                f"dbname={self.name}", f"dbname={name}"
            )
            for key, value in self.variables.items()
        }
        # What dbt parsed, it need not parse again.
        variables["DBT_TARGET_PATH"] = self.variables["DBT_TARGET_PATH"]
        copied = Lake(self.postgres, name, folder, variables)
        copied.sql(
            "update ducklake_metadata set value = %s where key = 'data_path'", f"{copied.data}/"
        )
        return copied

    @property
    def data(self) -> Path:
        """The folder of the data."""
        return Path(self.variables["ORB_LAKE_DATA"])

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

    def files(self) -> set[Path]:
        """Return the files of the data, whoever needs them."""
        return {file for file in self.data.rglob("*") if file.is_file()}

    def grow_old(self, days: float) -> None:
        """Let everything in the lake be older by so many days."""
        for table, column in (
            ("ducklake_snapshot", "snapshot_time"),
            ("ducklake_files_scheduled_for_deletion", "schedule_start"),
        ):
            self.sql(f"update {table} set {column} = {column} - %s * interval '1 day'", days)
        for file in self.files():
            changed = file.stat().st_mtime - days * 86_400
            os.utime(file, (changed, changed))

    def snapshots(self) -> int:
        [(count,)] = self.sql("select count(*) from ducklake_snapshot")
        return int(count)
