"""Copies of the database and of the outbox's segments, as they are just now."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import duckdb

from orb_learning.backup.manifests import OutboxCopy
from orb_learning.backup.verify import read_outbox_copy
from orb_learning.filesystem import make_private
from orb_learning.outbox import (
    DamagedFileError,
    StillInUseError,
    files_of,
    inherited,
    open_reader,
)
from orb_learning.store import identifier, literal, translated_errors

SECONDS_TO_MAKE_A_FILE = 1.0
"""After so long, a segment that cannot be read is not one that is just made."""


def copy_database(source: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Copy the database that is open into a new file, with its indexes and constraints."""
    # Attached to the open database, and not both to a third: closing a second one of the same
    # file would end the lock that this process's readers have on it.
    [(name,)] = source.execute("select current_database()").fetchall()
    copy = identifier(f"copy of {name}")
    with translated_errors(file):
        source.execute(f"attach {literal(file)} as {copy} (read_write)")
        try:
            make_private(file)
            source.execute(f"copy from database {identifier(name)} to {copy}")
            source.execute(f"checkpoint {copy}")
        finally:
            source.execute(f"detach {copy}")


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
