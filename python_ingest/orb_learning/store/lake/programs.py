"""Postgres' own programs, which dump a lake's catalog and bring it back."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from orb_learning.errors import LakeError
from orb_learning.store.lake.lake_errors import explain, first_line

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian has the programs of each version."""


def run_program(locator: Path | str, name: str, *arguments: str | Path) -> None:
    """Run one of Postgres' programs.

    Raises:
        LakeError: it is not installed, or fails, and what it says.
    """
    ended = subprocess.run(
        [_program(name), *map(str, arguments)],
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise explain(ended.stderr, locator) or LakeError(
            f"{locator}: {name} failed. {first_line(ended.stderr)}"
        )


def _program(name: str) -> str:
    newest = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda file: int(file.parts[-3]))
    program = shutil.which(name) or (str(newest[-1]) if newest else None)
    if program is None:
        raise LakeError(
            f"{name}, by which a lake is backed up and restored, is not installed here: "
            f"apt-get install postgresql-client, of the server's version or a newer one"
        )
    return program
