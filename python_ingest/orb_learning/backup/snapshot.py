"""Copies of the database and of the outbox's segments, as they are just now."""

from __future__ import annotations

import errno
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from orb_learning.backup.manifests import OutboxCopy
from orb_learning.backup.verify import read_outbox_copy
from orb_learning.errors import OutboxError
from orb_learning.filesystem import open_private
from orb_learning.outbox import (
    DamagedFileError,
    StillInUseError,
    files_of,
    inherited,
    open_reader,
)
from orb_learning.store import log_of

SECONDS_TO_MAKE_A_FILE = 1.0
"""After so long, a segment that cannot be read is not one that is just made."""


def copy_database(database: Path, file: Path) -> None:
    """Copy the file of a database that the caller holds open to be read, and a killed writer's log.

    Raises:
        OSError: the copy cannot be written.
    """
    for source, copy in ((database, file), (log_of(database), log_of(file))):
        if source.exists():
            os.close(open_private(copy, os.O_WRONLY | os.O_EXCL))
            _copy_file(source, copy)


def _copy_file(source: Path, copy: Path) -> None:
    # By a process of its own: closing the file here would end the locks that this one has on it.
    # It shares the blocks where the file system can.
    command = ["cp", "--", str(source), str(copy)]
    ended = subprocess.run(
        command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        full = os.strerror(errno.ENOSPC) in ended.stderr
        raise OSError(errno.ENOSPC if full else errno.EIO, ended.stderr.strip(), str(copy))


def copy_outbox(
    outbox_folder: Path, target: Path, offsets: Mapping[uuid.UUID, int]
) -> tuple[dict[str, OutboxCopy], list[str]]:
    """Copy the segments with records that the database does not have yet.

    Args:
        outbox_folder: the outbox.
        target: the folder of the copies.
        offsets: how far the database holds each outbox.

    Returns:
        the copies by name, and which segments were left out, with the reason.
    """
    copies: dict[str, OutboxCopy] = {}
    left_out = [
        f"{Path(path).name}: the process that this one was forked from has it open"
        for path in sorted(inherited)
        if Path(path).parent == outbox_folder and Path(path).exists()
    ]
    for path in files_of(outbox_folder):
        file = target / path.name
        try:
            copied = _copy_segment(path, file, offsets)
        except FileNotFoundError:
            continue  # removed by hand
        except StillInUseError as error:
            left_out.append(
                f"{path.name}: it cannot be read, and a process has it, so that `orb load` cannot "
                f"take it either until that ends ({error.__cause__})"
            )
        except OutboxError as error:
            left_out.append(str(error))
        except (DamagedFileError, ValueError) as error:
            file.unlink(missing_ok=True)
            left_out.append(f"{path.name}: damaged, `orb load` takes what can be read ({error})")
        else:
            if copied is not None:
                copies[path.name] = copied
    return copies, left_out


def _copy_segment(path: Path, file: Path, offsets: Mapping[uuid.UUID, int]) -> OutboxCopy | None:
    """Copy a segment, unless the database has all of it.

    Raises:
        StillInUseError: it cannot be read, a process has it, and has had the time to make it.
    """
    deadline = time.monotonic() + SECONDS_TO_MAKE_A_FILE
    while True:
        try:
            with open_reader(path) as reader:
                if reader.last_sequence_number() <= offsets.get(reader.outbox_id, 0):
                    return None
                reader.back_up(file)
            return read_outbox_copy(file)
        except StillInUseError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)  # nothing tells when the other process has made its table
