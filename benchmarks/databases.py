"""The databases that the benchmarks measure: generated, imported and built once, then kept.

The names in data/bench/ carry a hash of what made the file. An edited model or generator makes a
new file, and the old one is deleted. Databases are all named learning.db, in folders of their own,
because a view knows its database by name. Every time is fixed. The rows end at UNTIL. dbt takes
AS_OF, a day later, as now, so that appended rows fall on the newest day.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.generate import generate
from orb_learning.ingest.files import import_file

PROJECT = Path(__file__).resolve().parent.parent
CACHE = PROJECT / "data" / "bench"
DAYS = 90
SEED = 1
UNTIL = datetime(2026, 4, 1, tzinfo=UTC)
AS_OF = UNTIL + timedelta(days=1)
LOADED_AT = AS_OF.replace(tzinfo=None)

GENERATOR = ("benchmarks/generate.sql",)
BUILD = (
    *GENERATOR,
    "python_ingest/orb_learning/store/raw.sql",
    "dbt_project.yml",
    "models",
    "macros",
    "seeds",
)


def parquet_of(rows: int) -> Path:
    """Return a file of so many generated executions over the 90 days before UNTIL."""
    return _kept(
        f"{rows}.parquet",
        GENERATOR,
        lambda path: generate(path, rows=rows, days=DAYS, seed=SEED, until=UNTIL),
    )


def built_database(rows: int) -> Path:
    """Return a database of so many executions, imported and built from nothing; only to be read."""
    return _kept(f"{rows}.built", BUILD, lambda folder: _build(folder, rows)) / "learning.db"


@contextmanager
def copy_of(database: Path) -> Iterator[Path]:
    """Yield a copy that may be written, and delete it."""
    with new_folder() as folder:
        yield Path(shutil.copy(database, folder))


@contextmanager
def new_folder() -> Iterator[Path]:
    """Yield an empty folder on the disk of the databases, and delete it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)


def append(database: Path, **which: Any) -> None:
    """Import what ``appended_rows`` returns for these arguments."""
    import_file(database, appended_rows(database, **which), now=LOADED_AT)


def appended_rows(
    database: Path,
    *,
    rows: int,
    after: int,
    minutes: float,
    number: int,
    with_corrections: bool = False,
) -> Path:
    """Return a file of the rows that come next: the ``number``-th stretch of time after UNTIL.

    Args:
        database: a copy of what ``built_database`` made; the file lies beside it.
        rows: how many to generate; of these one in a hundred is late, by up to 2 days.
        after: how many rows the database was made from.
        minutes: what they span.
        number: of the append, from 0.
        with_corrections: whether one in 200 may be a new version of an execution that is known.
    """
    stretch = timedelta(minutes=minutes)
    parquet = database.parent / "append.parquet"
    generate(
        parquet,
        rows=rows,
        days=stretch / timedelta(days=1),
        seed=SEED,
        until=UNTIL + (number + 1) * stretch,
        first=after + number * rows,
    )
    if not with_corrections:
        _drop_known_tasks(parquet, database)
    return parquet


def dbt(database: Path, *arguments: str, **variables: object) -> tuple[float, dict[str, float]]:
    """Run dbt as a user does, in a process of its own.

    Returns:
        the wall time, and the execution time of each node by its name, in seconds.
    """
    wall, _ = _dbt(database, *arguments, **variables)
    results = json.loads((database.parent / "target" / "run_results.json").read_text())["results"]
    return wall, {one["unique_id"].split(".")[2]: one["execution_time"] for one in results}


def compiled(query: str) -> str:
    """Return what dbt makes of a query with the project's macros."""
    with new_folder() as folder:
        _, said = _dbt(
            folder / "learning.db", "--quiet", "compile", "--inline", query, "--output", "json"
        )
    return str(json.loads(said[said.index("{") :])["compiled"])


def operate(database: Path, *arguments: str) -> tuple[float, dict[str, int]]:
    """Run a dbt operation; returns the wall time, and what it prints last, as JSON."""
    wall, said = _dbt(database, *arguments)
    return wall, json.loads(said.strip().splitlines()[-1])


def _dbt(database: Path, *arguments: str, **variables: object) -> tuple[float, str]:
    target = database.parent / "target"
    # Encoding would be most of the time; benchmarks of its own measure it.
    variables = {"as_of": AS_OF.isoformat(), "embeddings_enabled": False, **variables}
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *arguments,
        *("--vars", json.dumps(variables)),
        *("--target-path", str(target)),
        *("--log-path", str(target)),
    ]
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "ORB_DATABASE": str(database)},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return wall, done.stdout


def _build(folder: Path, rows: int) -> None:
    folder.mkdir()
    database = folder / "learning.db"
    import_file(database, parquet_of(rows), now=LOADED_AT)
    dbt(database, "build", "--exclude-resource-type", "test", "unit_test")


def _drop_known_tasks(parquet: Path, database: Path) -> None:
    rows = parquet.with_suffix(".new")
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute(
            f"""
            copy (
                select * from read_parquet('{parquet}')
                where task_id not in (select task_id from raw.executions)
            ) to '{rows}' (format parquet, kv_metadata {{orb_learning: 'utc'}})
            """
        )
    rows.replace(parquet)


def _kept(name: str, made_from: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    stem, _, ending = name.partition(".")
    path = CACHE / f"{stem}-{_hash(made_from)}.{ending}"
    if not path.exists():
        for old in CACHE.glob(f"*{stem}-*.{ending}"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        unfinished = CACHE / f"unfinished-{path.name}"
        print(f"making {path.name} …", file=sys.stderr)
        make(unfinished)
        unfinished.replace(path)
    return path


def _hash(names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in names:
        path = PROJECT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(file.read_bytes())
    return digest.hexdigest()[:8]
