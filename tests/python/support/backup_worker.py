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

from orb_learning.backup import create, prune
from orb_learning.backup.create import make_backup
from orb_learning.backup.manifests import verified_offsets
from orb_learning.backup.prune import prune_backups
from orb_learning.ingest import relay
from orb_learning.ingest.relay import RelayOptions, load_once
from orb_learning.operations import exchange, replaced_database, restored_copy
from orb_learning.operations import restore as operations_restore
from orb_learning.operations.restore import restore_backup
from orb_learning.settings import LearningSettings, load_settings


def settings_of(database: Path, project: Path | None = None) -> LearningSettings:
    """Of a database whose newest two backups are kept."""
    return load_settings(
        database_path=database,
        project_path=project,
        backup_keep_last=2,
        backup_keep_daily=0,
        backup_keep_weekly=0,
        backup_keep_monthly=0,
    )


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
        (create, "table_checksums"),
        (create, "copy_database"),
        (create, "copy_outbox"),
        (create, "sha256_of"),
        (create, "sign"),
        (create, "sync"),
        (prune, "_remove"),
        (prune.shutil, "rmtree"),
        (relay, "prune_segments"),
        (prune, "drop_covered_entries"),
    )
    options = RelayOptions(verified_offsets=partial(verified_offsets, folder))
    while True:
        load_once(database, outbox, options, wait_seconds=60)
        make_backup(settings_of(database))
        prune_backups(settings_of(database))


def restore(
    death: Death, database: Path, backup: Path, project: Path, parsed: dict[str, str]
) -> None:
    """Restore a backup again and again, until it is killed; its views are a project's.

    Args:
        parsed: the variables by which dbt finds the project parsed.
    """
    os.environ.update(parsed)
    begin(
        death,
        (replaced_database, "read_replaced"),
        (restored_copy, "_copy_file"),
        (operations_restore, "bring_up_to_date"),
        (operations_restore, "exchange"),
        (exchange, "_link"),
        (restored_copy, "sync"),
        (exchange, "sync"),
        (exchange, "_verify"),
        (operations_restore, "load_outbox"),
    )
    while True:
        restore_backup(settings_of(database, project), backup)


PHASES: dict[Callable[..., None], list[str]] = {
    back_up: [
        *("table_checksums", "copy_database", "after copy_database", "copy_outbox", "sha256_of"),
        *("sign", "after sign", "sync", "after sync"),
        *("_remove", "rmtree", "after rmtree"),
        *("prune_segments", "after prune_segments", "drop_covered_entries"),
    ],
    restore: [
        *("read_replaced", "_copy_file", "after _copy_file", "bring_up_to_date", "exchange"),
        *("_link", "after _link", "sync", "after sync", "_verify", "after _verify"),
        *("after exchange", "load_outbox", "after load_outbox"),
    ],
}
