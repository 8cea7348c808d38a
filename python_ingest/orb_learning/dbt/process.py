"""dbt as a process of its own: inside this one it would keep the database after it is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from orb_learning.dbt.project import find_project
from orb_learning.errors import DbtError
from orb_learning.settings import LearningSettings

LINES_SHOWN = 20
"""Of a failed command's output, in the error."""


def run_dbt(
    settings: LearningSettings,
    *arguments: str,
    now: datetime | None = None,
    pass_fds: Collection[int] = (),
) -> str:
    """Run a dbt command on the settings' project and database.

    Args:
        settings: name the project and the database.
        arguments: the command and its options.
        now: what the models take as the present time, naive UTC; the clock's if None.
        pass_fds: descriptors that dbt keeps open for as long as it lives.

    Returns:
        its standard output.

    Raises:
        DbtError: it failed; the message has the end of its output.
    """
    variables = ("--vars", json.dumps({"as_of": now.isoformat()})) if now else ()
    command, environment = _prepared(
        settings, arguments, ("--quiet", "--no-use-colors"), after=variables
    )
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, pass_fds=pass_fds
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:]
        raise DbtError(f"dbt {arguments[0]} failed:\n" + "\n".join(lines))
    return done.stdout


def show_dbt(settings: LearningSettings, *arguments: str) -> int:
    """Run a dbt command as ``run_dbt`` does, and let it print; return its exit status.

    Raises:
        DbtError: dbt is not installed, or there is no project.
    """
    settings.database_path.parent.mkdir(parents=True, exist_ok=True)
    command, environment = _prepared(settings, arguments)
    return subprocess.run(command, env=environment, check=False).returncode


def _prepared(
    settings: LearningSettings,
    arguments: Sequence[str],
    options: Sequence[str] = (),
    after: Sequence[str] = (),
) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of a dbt command."""
    project = find_project(settings)
    if find_spec("dbt") is None or find_spec("dbt.cli") is None:
        raise DbtError("dbt is not installed here; pip install 'orb-learning[dbt]'")
    command = [
        *(sys.executable, "-m", "dbt.cli.main", *options),
        *(arguments[0], "--project-dir", str(project), "--profiles-dir", str(project)),
        *arguments[1:],
        *after,
    ]
    # dbt changes into the project's folder, so relative paths would be others there.
    environment = {**os.environ, "ORB_DATABASE": str(settings.database_path.resolve())}
    if Path.cwd() != project:
        # An installed project may be where nobody can write, and belongs to several folders.
        environment.setdefault("DBT_TARGET_PATH", str(Path("target").resolve()))
        environment.setdefault("DBT_LOG_PATH", str(Path("logs").resolve()))
    return command, environment
