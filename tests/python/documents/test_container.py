"""deploy/Dockerfile: built where there is a builder, else its steps run one after the other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
from pathlib import Path

import pytest
from building import REPOSITORY
from serving import wait_until_it_listens
from shell_blocks import words_of_shell_blocks

from orb_learning.backup.manifests import backups_in

pytestmark = pytest.mark.slow

DEPLOY = REPOSITORY / "deploy"
TOKEN = "a-token-of-the-test"  # noqa: S105
PLACES = ("/source", "/wheels", "/constraints.txt", "/data")


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def allowed() -> list[str]:
    """What of the checkout a builder sees."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule.removeprefix("!") for rule in rules if rule.startswith("!")]


class Container:
    """The image's steps in a folder in place of the root, with a virtual environment as Python."""

    def __init__(self, root: Path):
        self.root = root
        self.environment = {"PATH": f"{root}/python/bin:/usr/bin:/bin", "HOME": str(root)}
        self.command: list[str] = []
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "python"], check=True)
        pip = root / "python/bin/pip"
        pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {root}/python "$@"\n')
        pip.chmod(0o755)
        self._add_known_packages()

    def _add_known_packages(self) -> None:
        """What this environment has besides the project, so that it need not be installed."""
        known = self.root / "known"
        known.mkdir()
        for part in Path(sysconfig.get_path("purelib")).iterdir():
            if "orb_learning" not in part.name:
                (known / part.name).symlink_to(part)
        [site] = self.root.glob("python/lib/python*/site-packages")
        (site / "known.pth").write_text(f"{known}\n")

    def here(self, text: str) -> str:
        places = "|".join(map(re.escape, PLACES))
        return re.sub(rf'(?<![\w./])({places})(?=$|[/\s"])', rf"{self.root}\1", text)

    def build(self) -> None:
        folder = self.root
        for name, rest in instructions():
            words = rest.split()
            if name == "WORKDIR":
                folder = Path(self.here(rest))
                folder.mkdir(exist_ok=True)
            elif name == "COPY" and words[0] != "--from=built":  # here the stages are one
                to = folder if words[-1] == "." else self.root / words[-1].lstrip("/")
                for part in allowed() if words[0] == "." else words[:-1]:
                    self.copy(part, to)
            elif name in ("ARG", "ENV"):
                variable, _, value = self.here(rest.replace("=", " ")).partition(" ")
                self.environment[variable] = value
            elif name == "RUN" and words[0] == "useradd":
                (self.root / "data").mkdir(mode=0o700)
            elif name == "RUN":
                self.run("sh", "-c", self.here(rest), folder=folder)
            elif name == "CMD":
                self.command = json.loads(rest)
            else:
                assert name in ("FROM", "COPY", "USER"), name

    def copy(self, part: str, to: Path) -> None:
        source = REPOSITORY / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
            shutil.copytree(source, to / part, ignore=ignored)
        else:
            shutil.copy(source, to)

    def start(self, *words: str, folder: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            words,
            cwd=folder or self.root / "data",
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, folder: Path | None = None) -> str:
        process = self.start(*words, folder=folder)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return said


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Container:
    container = Container(tmp_path_factory.mktemp("root"))
    container.build()
    return container


def test_the_schedule_maintains_what_is_mounted(container: Container, tmp_path: Path) -> None:
    """What it calls to wait for the hour ends it, so that a second run does not begin."""
    sleep = container.root / "python/bin/sleep"
    sleep.write_text("#!/bin/sh\necho $1\nkill $PPID\n")
    sleep.chmod(0o755)
    # Without a project, the build fails at once; the schedule goes on.
    container.environment["ORB_LEARNING__PROJECT_PATH"] = str(tmp_path)
    process = container.start(*container.command)
    said, _ = process.communicate(timeout=300)
    assert said.splitlines()[-1] == "3600", said
    assert (container.root / "data/learning.db").is_file()
    assert len(backups_in(container.root / "data/backups")) == 1, said


def readme_commands() -> list[list[str]]:
    found = words_of_shell_blocks((DEPLOY / "README.md").read_text())
    return [words for words in found if words[0] == "docker"]


def test_agents_are_served_by_the_readmes_command(container: Container) -> None:
    [served] = [words for words in readme_commands() if "mcp" in words]
    name, _, value = served[served.index("--env") + 1].partition("=")
    tokens = container.root / "data" / value
    tokens.write_text(f"ada {TOKEN}\n")
    tokens.chmod(0o600)
    container.environment[name] = value
    process = container.start(*served[served.index("orb-learning") + 1 :])
    port = served[served.index("--publish") + 1].rpartition(":")[2]
    try:
        wait_until_it_listens(process, int(port))
        url = f"http://127.0.0.1:{port}/health"
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.communicate()


def test_the_readmes_commands_name_what_the_image_has() -> None:
    commands = readme_commands()
    assert [words[1] for words in commands] == ["build", "run", "run", "run"]
    assert commands[0] == ["docker", "build", "--file", "deploy/Dockerfile", "--tag",
                           "orb-learning", "."]  # fmt: skip
    for words in commands[1:]:
        assert words[words.index("--volume") + 1] == "orb-data:/data"
        assert "orb-learning" in words


def test_the_image_has_extras_that_there_are() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    [given] = [rest.partition("=")[2] for name, rest in instructions() if name == "ARG"]
    assert set(given.split(",")) <= set(project["optional-dependencies"])


def test_a_builder_builds_the_image() -> None:
    docker = shutil.which("docker")
    base = instructions()[0][1].split()[0]
    if docker is None or subprocess.run([docker, "pull", "--quiet", base], check=False).returncode:
        pytest.skip("no builder, or no base image; the steps were run without")
    words = [*readme_commands()[0], "--quiet"]
    subprocess.run(words, cwd=REPOSITORY, env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=True)
    said = subprocess.check_output([docker, "run", "--rm", "orb-learning", "orb", "--version"])
    assert re.search(rb"\d+\.\d+", said)
