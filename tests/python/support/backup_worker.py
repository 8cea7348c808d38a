"""The processes that make backups or restore them until they kill themselves (SIGKILL).

They are forked from a process that has imported everything, because most of such a process's short
life would be imports. So that the kill hits also what takes no time, each does it itself: some
moment after a function was called, or had returned, for the n-th time.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from crash_worker import PR_SET_PDEATHSIG

from orb_learning.backup import create, verify
from orb_learning.backup.create import PrunePolicy, make_backup, prune_backups
from orb_learning.backup.manifests import verified_offsets
from orb_learning.ingest.relay import load_once
from orb_learning.operations import restore as operations_restore
from orb_learning.operations.restore import restore_backup
from orb_learning.outbox import pruning
from orb_learning.outbox.writer import Limits
from orb_learning.store import checksums

POLICY = PrunePolicy(last=2, daily=0, weekly=0, monthly=0)


class Death(NamedTuple):
    """When a process kills itself."""

    phase: str
    """The name of a function, or ``after`` it."""
    times: int
    seconds: float


def noting(module: Any, name: str, death: Death) -> None:
    """Let a process die when it comes to a function of a module."""
    function = getattr(module, name)
    left = death.times

    def comes_to(phase: str) -> None:
        nonlocal left
        left -= phase == death.phase
        if left == 0 and phase == death.phase:
            if death.seconds:
                threading.Timer(death.seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def noted(*arguments: Any, **named: Any) -> Any:
        comes_to(name)
        try:
            return function(*arguments, **named)
        finally:
            comes_to(f"after {name}")

    setattr(module, name, noted)


def begin(death: Death, *noted: tuple[Any, str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for module, name in noted:
        noting(module, name, death)


def back_up(death: Death, database: Path, outbox: Path, folder: Path) -> None:
    """Load, back up and prune, again and again, until it is killed."""
    begin(
        death,
        (checksums, "tables"),
        (create, "_copy_database"),
        (create, "_copy_outbox"),
        (create, "sha256_of"),
        (verify, "check"),
        (create, "sync"),
        (create, "_remove"),
        (create.shutil, "rmtree"),
        (pruning, "trim"),
        (pruning, "drop_covered"),
    )
    while True:
        load_once(
            database, outbox, verified_offsets=partial(verified_offsets, folder), wait_seconds=60
        )
        make_backup(database, outbox, folder)
        prune_backups(folder, POLICY, outbox)


def restore(death: Death, database: Path, outbox: Path, folder: Path, backup: Path) -> None:
    """Restore a backup again and again, until it is killed."""
    begin(
        death,
        (operations_restore, "_read_present"),
        (operations_restore.shutil, "copyfile"),
        (operations_restore, "_bring_up_to_date"),
        (operations_restore, "_exchange"),
        (operations_restore, "_link"),
        (operations_restore, "sync"),
        (operations_restore, "_look_at"),
        (operations_restore, "load_once"),
    )
    while True:
        restore_backup(
            backup,
            database,
            outbox,
            backup_folder=folder,
            archive_folder=folder.parent / "archive",
            limits=Limits(),
        )


PHASES: dict[Callable[..., None], list[str]] = {
    back_up: [
        *("tables", "_copy_database", "after _copy_database", "_copy_outbox", "sha256_of"),
        *("check", "after check", "sync", "after sync", "_remove", "rmtree", "after rmtree"),
        *("trim", "after trim", "drop_covered"),
    ],
    restore: [
        *("_read_present", "copyfile", "after copyfile", "_bring_up_to_date", "_exchange"),
        *("_link", "after _link", "sync", "after sync", "_look_at", "after _look_at"),
        *("after _exchange", "load_once", "after load_once"),
    ],
}
