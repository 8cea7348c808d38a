"""Programs of other packages, in one virtual environment of their own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import venv
from pathlib import Path

from building import REPOSITORY

CLIENTS = REPOSITORY / "tests/clients"
ENVIRONMENTS = Path(os.environ.get("ORB_CLIENTS", REPOSITORY / "target/clients"))


def client_python(requirements: str = "requirements.txt") -> Path:
    """Return the interpreter of an environment of clients, which is made if there is none."""
    listed = CLIENTS / requirements
    folder = ENVIRONMENTS / hashlib.sha256(listed.read_bytes()).hexdigest()[:12]
    python, ready = folder / "bin/python", folder / ".ready"
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENTS / "lock").open("w") as lock:  # of several workers one makes it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            venv.create(folder, with_pip=True, clear=True)
            install = [str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(listed)]
            subprocess.run(install, check=True, env=inherited())
            ready.touch()
    return python


def inherited() -> dict[str, str]:
    """Return this process's environment without the project's constraints and settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "PIP_CONSTRAINT" and not name.startswith(("ORB_", "OTEL_"))
    }


def run_client(name: str, environment: dict[str, str], *arguments: str) -> str:
    """Run a client in its environment; returns what it printed."""
    ended = subprocess.run(
        [str(client_python()), str(CLIENTS / f"{name}_client.py"), *arguments],
        env=inherited() | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
