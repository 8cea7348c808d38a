"""Where the dbt project is: a folder of the user's, else the one that the package brings."""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path

from orb_learning.errors import DbtError
from orb_learning.filesystem import make_folder, make_private
from orb_learning.settings import LearningSettings

FILE = "dbt_project.yml"
PACKAGE = Path(__file__).parents[1]
PARTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "tests", "data")
"""What a project consists of."""
IGNORED = shutil.ignore_patterns("python", "make_*.py", "__pycache__", "*.db*", "outbox", "backups")
_NAME = re.compile(r"^name: *['\"]?orb_learning['\"]? *$", re.MULTILINE)


def packaged_project() -> Path:
    """Return the project that came with the package.

    A wheel has it inside the package. An editable install has none there; then it is the checkout.

    Raises:
        DbtError: there is none in either place.
    """
    for folder in (PACKAGE / "project", PACKAGE.parents[1]):
        if is_project(folder):
            return folder
    raise DbtError(f"{PACKAGE} has no dbt project; install orb-learning again")


def find_project(settings: LearningSettings) -> Path:
    """Return the dbt project: the setting's, else the present folder's, else the package's.

    Raises:
        DbtError: the setting names a folder that is none, or the present one is another account's.
    """
    if settings.project_path is not None:
        project = settings.project_path.resolve()
        if not (project / FILE).is_file():
            raise DbtError(
                f"{project} has no {FILE}; `orb init FOLDER` makes a project, and "
                f"ORB_LEARNING__PROJECT_PATH names it"
            )
        return project
    here = Path.cwd()
    if not is_project(here):
        return packaged_project()
    if here == PACKAGE.parents[1]:
        return here  # the checkout whose code runs
    if not _is_trusted(here) or not _is_trusted(here / FILE):
        raise DbtError(
            f"{here} has a dbt project of another account, which could run what it wants; go "
            f"elsewhere, or name it by ORB_LEARNING__PROJECT_PATH where it is trusted"
        )
    return here


def _is_trusted(path: Path) -> bool:
    """Whether a file or folder is this user's, the system's, or that of a group which shares it."""
    found = path.stat()
    is_shared = bool(found.st_mode & stat.S_IWGRP) and found.st_gid in os.getgroups()
    return found.st_uid in (os.geteuid(), 0) or is_shared


def is_project(folder: Path) -> bool:
    """Return whether a folder has a dbt project of this name."""
    file = folder / FILE
    return file.is_file() and _NAME.search(file.read_text(encoding="utf-8")) is not None


def copy_project(folder: Path) -> Path:
    """Copy the package's project into a folder, for who wants to edit it; return the folder.

    Raises:
        DbtError: a part of it is there already, and nothing is copied; or it cannot be written.
    """
    source = packaged_project()
    standing = [part for part in PARTS if (folder / part).exists()]
    if standing:
        raise DbtError(f"{folder / standing[0]} is there already; name another folder")
    try:
        make_folder(folder)
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, folder / part, ignore=IGNORED)
                make_private(folder / part)  # the database will lie in one of them
            else:
                shutil.copy(source / part, folder / part)
    except OSError as error:
        raise DbtError(
            f"the project cannot be copied to {folder}: {error}; name another folder"
        ) from error
    return folder
