"""Each extra of the package works alone: installed from a wheel, away from the checkout."""

from __future__ import annotations

import asyncio
import email
import os
import re
import shutil
import subprocess
import sys
import tomllib
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY
from crash_worker import payload_of
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

pytestmark = pytest.mark.slow

EMBED = """
from orb_learning.embeddings.encoder import Encoder
assert Encoder().encode(["a text"]).shape == (1, 384)
"""
EMBED_MANY = """
from orb_learning.embeddings.encoder import TEXTS_WORTH_CONVERTING, Encoder
encoder = Encoder()
assert encoder.encode([f"text {number}" for number in range(TEXTS_WORTH_CONVERTING)]).any()
print(type(encoder._converted).__name__)
"""
FRAME = """
import duckdb
assert list(duckdb.sql("select 1 as n").fetchdf()["n"]) == [1]
"""


PARTS = (
    *("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"),
    *("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "tests", "data/sample"),
    "python_ingest",
)
"""What a wheel is built from."""


class Installed:
    """A virtual environment with the package and one extra, in a folder with a database."""

    def __init__(self, folder: Path, wheel: Path, extra: str, database: Path):
        self.folder = folder
        self.bin = folder / "venv/bin"
        self.database = folder / "data/learning.db"
        self.database.parent.mkdir(parents=True)
        shutil.copy(database, self.database)
        run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
        wanted = f"{wheel}[{extra}]" if extra else str(wheel)
        # This environment's pip, so that none is installed.
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "--quiet"]
        constraints = ["--constraint", str(REPOSITORY / "constraints.txt")]
        run(*pip, "install", "--no-compile", *constraints, wanted)

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ORB_", "DBT_", "PYTHONPATH", "VIRTUAL_ENV"))
        }
        return {**kept, **variables}  # the database is data/learning.db of the folder

    def run(self, program: str, *words: str, **variables: str) -> str:
        environment = self.environment(**variables)
        return run(str(self.bin / program), *words, cwd=self.folder, env=environment)


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    ended = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def import_rows(installed: Installed) -> None:
    shutil.rmtree(installed.database.parent)  # a newcomer's folder has none
    rows = [payload_of(str(uuid.UUID(int=number)), number) for number in range(100)]
    (installed.folder / "rows.jsonl").write_text("\n".join(rows))
    assert "100" in installed.run("orb", "import", "rows.jsonl")


NAIVE = """
import asyncio
from datetime import datetime, timedelta
from orb_learning import LearningDatabase

async def main():
    begin = datetime(2026, 4, 1)  # midnight in Tokyo
    task = {"id": "task-8", "prompt": "mend the tests", "model": "gpt-5-nano"}
    untold = {"id": 9, "type": "fix"}
    async with LearningDatabase() as learning:
        for each in (task, untold):
            assert learning.telemetry.store_execution_telemetry(
                "local", each, {"success": False}, begin, begin + timedelta(seconds=9)
            )

asyncio.run(main())
"""


RECORDED = """
import duckdb
print(duckdb.connect("data/learning.db", read_only=True).sql(
    "select model_tier, success, timestamp::varchar, metadata from executions "
    "where metadata ->> '$.external_id' is not null order by timestamp"
).fetchall())
"""


LOADED = """
import duckdb
print(duckdb.connect("data/learning.db", read_only=True).sql(
    "select count(*) from raw.executions where metadata ->> '$.external_id' = 'task-7' and success"
).fetchall())
"""


def record_the_smallest(installed: Installed) -> None:
    """As the README has it; closing loads it."""
    (smallest,) = re.findall(
        r"```python\n(import asyncio.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL
    )
    (installed.folder / "smallest.py").write_text(smallest)
    installed.run("python", "smallest.py", TZ="Asia/Tokyo")
    assert installed.run("python", "-c", LOADED) == "[(1,)]\n"


def build_every_model(installed: Installed) -> None:
    """As a newcomer: the README's smallest record, the sample, and nothing but the wheel."""
    (installed.folder / "naive.py").write_text(NAIVE)
    shutil.rmtree(installed.database.parent)
    record_the_smallest(installed)
    installed.run("python", "naive.py", TZ="Asia/Tokyo")
    assert "6,199 trials" in installed.run("orb", "sample")
    assert "ERROR=0" in installed.run("orb", "build")
    shown = installed.run("python", "-c", RECORDED)
    assert "('small', False, '2026-03-31 15:00:00'" in shown
    assert "'large', True" in shown
    assert "task-7" in shown
    assert "task-8" in shown
    assert "('unknown', False, '2026-03-31 15:00:00'" in shown
    draw_the_page(installed)
    installed.run("orb", "maintain")
    assert list((installed.folder / "data/backups").glob("2*Z/manifest.json"))
    assert "execution_count" in installed.run("orb", "status")
    assert "fix-git" in installed.run("orb", "changes")
    assert "claude-opus-4.5" in answer_of(installed, "list_executions", task_id="task-7")
    assert {"data", "logs", "target"} <= {path.name for path in installed.folder.iterdir()}


def embed_a_text(installed: Installed) -> None:
    installed.run("python", "-c", EMBED)


def embed_many_texts(installed: Installed) -> None:
    assert installed.run("python", "-c", EMBED_MANY) == "OnnxModel\n"


def index_vectors(installed: Installed) -> None:
    assert "vectors" in installed.run("orb", "index")


def serve_an_agent(installed: Installed) -> None:
    assert answer_of(installed, "database_status")


def answer_of(installed: Installed, tool: str, **arguments: str) -> str:
    """What ``orb mcp`` answers to an agent."""
    server = StdioServerParameters(
        command=str(installed.bin / "orb"),
        args=["mcp"],
        env=installed.environment(),
        cwd=installed.folder,
    )

    async def ask() -> Any:
        async with Client(stdio_client(server)) as client:
            return await client.call_tool(tool, arguments)

    answer = asyncio.run(ask())
    assert not answer.is_error
    return str(answer.content)


def receive_spans(installed: Installed) -> None:
    made = "from orb_learning.collector import make_app; print(make_app(load_settings(), None))"
    imported = "from orb_learning.settings import load_settings"
    assert "Starlette" in installed.run("python", "-c", f"{imported}; {made}")


def draw_the_page(installed: Installed) -> None:
    installed.run("orb", "report", "--output", "page.html")
    assert (installed.folder / "page.html").read_text().startswith("<!doctype html>")


def copy_a_backup(installed: Installed) -> None:
    place = f"file://{installed.folder}/elsewhere"
    installed.run("orb", "backup", ORB_LEARNING__BACKUP_COPY_TO=place)
    assert list((installed.folder / "elsewhere").iterdir())


def read_a_frame(installed: Installed) -> None:
    installed.run("python", "-c", FRAME)


USES: dict[str, Callable[[Installed], None]] = {
    "": import_rows,
    "analysis": read_a_frame,
    "dbt": build_every_model,
    "embeddings": embed_a_text,
    "index": index_vectors,
    "mcp": serve_an_agent,
    "onnx": embed_many_texts,
    "otel": receive_spans,
    "page": draw_the_page,
    "remote": copy_a_backup,
}


def copy_sources(folder: Path) -> Path:
    """Copy what a wheel is built from, as setuptools builds beside its sources."""
    folder.mkdir(exist_ok=True)
    ignored = shutil.ignore_patterns("*.egg-info", "__pycache__", "python", ".venv")
    for part in PARTS:
        if (REPOSITORY / part).is_dir():
            shutil.copytree(REPOSITORY / part, folder / part, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(REPOSITORY / part, folder)
    return folder


def build_wheel(sources: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", str(sources), str(sources))
    [built] = sources.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(copy_sources(tmp_path_factory.mktemp("wheel")))


def test_the_wheel_of_the_source_archive_is_that_of_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    sources = copy_sources(tmp_path / "checkout")
    build = "from setuptools.build_meta import build_sdist; build_sdist('.')"
    run(sys.executable, "-c", build, cwd=sources)
    [archive] = sources.glob("*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()

    def contents(file: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(file) as opened:
            return {name: opened.read(name) for name in opened.namelist()}

    expected, found = contents(wheel), contents(build_wheel(unpacked))
    assert {"orb_learning/project/dbt_project.yml", "orb_learning/store/raw.sql"} <= set(expected)
    sql = [
        file
        for part in ("models", "macros", "tests")
        for file in sources.glob(f"{part}/*/**/*.sql")
    ]
    assert {f"orb_learning/project/{file.relative_to(sources)}" for file in sql} <= set(expected)
    assert found.keys() ^ expected.keys() == set()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_what_an_index_shows_is_true_and_leads_somewhere(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        [name] = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        shown = email.message_from_bytes(opened.read(name))
        licences = {Path(name).name for name in opened.namelist() if "/licenses/" in name}
    assert licences == set(shown.get_all("License-File") or []) == {"LICENSE", "NOTICE"}
    assert shown["License-Expression"] == "Apache-2.0"
    assert {"Operating System :: POSIX :: Linux"} == {
        one for one in shown.get_all("Classifier") or [] if one.startswith("Operating System")
    }
    assert "duckdb" in shown["Keywords"]
    assert not shown.get_all("Project-URL")
    text = str(shown.get_payload())
    assert "docs/recording.md" in text
    assert "![" not in text
    links = re.findall(r"\]\((?!https?:)[^)]*\)", text)
    assert links == []


@pytest.mark.parametrize("extra", USES, ids=lambda extra: extra or "none")
def test_an_extra_works_by_itself(
    extra: str, wheel: Path, empty_database: Path, tmp_path: Path
) -> None:
    installed = Installed(tmp_path, wheel, extra, empty_database)
    USES[extra](installed)
    if extra != "dbt":  # whose walk begins with it
        record_the_smallest(installed)
    shutil.rmtree(installed.folder / "venv")  # up to 1.5 GB


def test_every_extra_is_tried() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    # The one of a lake needs another DuckDB: `make test-lake` has an environment of it.
    assert project["optional-dependencies"].keys() - {"dev", "lake"} == USES.keys() - {""}
