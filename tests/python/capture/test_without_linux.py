"""Recording on a system that has less than Linux: macOS, as far as it can be had here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RECORD = """
import os, signal, sys

for module, names in {
    os: (
        "O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC O_TMPFILE copy_file_range eventfd getrandom "
        "getxattr memfd_create pidfd_open posix_fadvise posix_fallocate sched_getaffinity "
        "sched_setaffinity setns setxattr splice unshare"
    ),
    signal: "pidfd_send_signal sigtimedwait sigwaitinfo",
}.items():
    for name in names.split():
        vars(module).pop(name, None)

import fcntl, resource
for name in [name for name in vars(fcntl) if name.startswith("F_OFD") or name == "F_SETPIPE_SZ"]:
    delattr(fcntl, name)
vars(resource).pop("prlimit", None)

import asyncio
from datetime import UTC, datetime
from orb_learning import LearningDatabase, Router

async def main():
    task = {"id": "task-7", "prompt": "mend the build", "model": "claude-opus-4.5"}
    async with LearningDatabase(sys.argv[1]) as learning:
        async with learning.execution(task) as run:
            run.result = {"cost": 0.02}
        now = datetime.now(UTC)
        record = learning.telemetry.store_execution_telemetry
        assert record("local", task, {"success": True}, now, now)
    assert learning.telemetry.counts() == {"kept": 2}
    router = Router(sys.argv[1], baseline="large", mode="shadow")
    assert router.draw({"prompt": "x"})["plan"] == "large"

asyncio.run(main())
"""


def test_records_are_captured_without_what_linux_alone_has(tmp_path: Path) -> None:
    database = tmp_path / "data/learning.db"
    outcome = subprocess.run(
        [sys.executable, "-c", RECORD, str(database)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
