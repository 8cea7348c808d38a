"""dbt as a process of its own: inside this one it would keep the database after it is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from datetime import datetime

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
    """Run a dbt command in the project's folder, on the settings' database.

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
    project = settings.project_path.resolve()
    if not (project / "dbt_project.yml").is_file():
        raise DbtError(
            f"{project} has no dbt_project.yml; run this in the project's folder, or set "
            f"ORB_LEARNING__PROJECT_PATH"
        )
    command = [
        *(sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors"),
        *(arguments[0], "--project-dir", str(project), "--profiles-dir", str(project)),
        *arguments[1:],
        *(("--vars", json.dumps({"as_of": now.isoformat()})) if now else ()),
    ]
    # dbt changes into the project's folder, so relative paths would be others there.
    environment = {**os.environ, "ORB_DATABASE": str(settings.database_path.resolve())}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, pass_fds=pass_fds
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:]
        if any("No module named 'dbt" in line for line in lines):
            raise DbtError("dbt is not installed here; pip install 'orb-learning[dbt]'")
        raise DbtError(f"dbt {arguments[0]} failed:\n" + "\n".join(lines))
    return done.stdout
