"""The processes that the crash tests kill: `python crash_worker.py <what> ...`.

A process writes what it does into its phase file before it does it, so that whoever kills it
knows what the kill hit. `-` there means that it has written nothing yet.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

PHASE_BYTES = 64
PATIENCE_MS = 10_000
"""Longer than any lock of the outbox, however slow the machine: a put is refused for no load."""
PR_SET_PDEATHSIG = 1


class Phase:
    def __init__(self, file: Path):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
        os.ftruncate(descriptor, PHASE_BYTES)
        self._memory = mmap.mmap(descriptor, PHASE_BYTES)
        self.has_written = False

    def is_now(self, name: str) -> None:
        text = name if self.has_written else "-"
        self._memory[:] = text.encode().ljust(PHASE_BYTES)


def read_phase(file: Path) -> str:
    return (file.read_bytes().decode().strip(" \0") if file.exists() else "") or "-"


def payload_of(task_id: str, number: int) -> str:
    from orb_learning.record.model import COLUMNS

    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    known: dict[str, Any] = {
        "task_id": task_id,
        "timestamp": now,
        "task_type": "refactor",
        "task_description": f"task {number} " * 20,
        "repo": "api",
        "model_tier": "small",
        "pool_type": "local",
        "success": number % 7 != 0,
        "duration_seconds": number % 100 / 4,
    }
    return json.dumps({name: known.get(name) for name in COLUMNS})


def produce(phase_file: str, outbox_folder: str, acknowledged: str, pause: str) -> None:
    """Record until SIGTERM, and note each id in a file once its put has returned True."""
    from orb_learning.outbox.writer import Outbox

    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    phase = Phase(Path(phase_file))
    outbox = Outbox(Path(outbox_folder), busy_timeout_ms=PATIENCE_MS)
    notes = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    chance = random.Random()  # noqa: S311
    slowest, number = 0.0, 0
    while not stopping:
        number += 1
        ids = [str(uuid.uuid4()) for _ in range(chance.choice((1, 1, 1, 7)))]
        payloads = [payload_of(task_id, number) for task_id in ids]
        phase.is_now("put" if len(ids) == 1 else "put_many")
        began = time.perf_counter()
        if len(ids) == 1:
            kept = outbox.put("execution", payloads[0])
        else:
            kept = outbox.put_many("execution", payloads) == len(ids)
        slowest = max(slowest, time.perf_counter() - began)
        phase.has_written = True
        phase.is_now("acknowledging")
        if kept:
            os.write(notes, "".join(f"{task_id}\n" for task_id in ids).encode())
        phase.is_now("between")
        if number % 50 == 0:  # in bursts, so that a kill hits more than the pause
            time.sleep(50 * float(pause))
    outbox.close()
    sys.stdout.write(json.dumps({"slowest": slowest, "refused": outbox.refused()}))


def load(phase_file: str, database: str, outbox_folder: str, pause: str) -> None:
    """Load again and again, in small batches, until it is killed."""
    from orb_learning.errors import DatabaseLockedError, LoaderBusyError
    from orb_learning.ingest import batches, relay
    from orb_learning.ingest.relay import load_once
    from orb_learning.outbox.reader import OutboxReader

    phase = Phase(Path(phase_file))

    def noting(module: Any, name: str, *, writes: bool = False) -> None:
        function = getattr(module, name)

        def noted(*arguments: Any, **named: Any) -> Any:
            phase.has_written |= writes
            phase.is_now(name)
            try:
                return function(*arguments, **named)
            finally:
                phase.is_now(f"after {name}")

        setattr(module, name, noted)

    noting(batches, "insert_executions", writes=True)
    noting(batches, "insert_dead_letters")
    noting(relay, "stored_offsets")
    noting(OutboxReader, "read")
    noting(OutboxReader, "bind", writes=True)
    noting(relay, "prune_segments")
    noting(relay, "connect")
    relay.MOST_RECORDS_A_TRANSACTION = 500
    while True:
        phase.is_now("load_once")
        try:
            load_once(Path(database), Path(outbox_folder), wait_seconds=60)
        except (LoaderBusyError, DatabaseLockedError):
            continue
        time.sleep(float(pause))  # so that there is something to load again


def read(_: str, database: str) -> None:
    """Open the database to read, again and again."""
    from orb_learning.store.connection import connect

    while True:
        with connect(database, read_only=True, wait_seconds=60) as connection:
            connection.execute("select count(*) from raw.executions").fetchall()
            time.sleep(0.01)  # open for as long as a report reads, with gaps for who writes


if __name__ == "__main__":
    # No worker outlives the test that started it, even one that was killed itself.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    commands: dict[str, Callable[..., None]] = {"produce": produce, "load": load, "read": read}
    commands[sys.argv[1]](*sys.argv[2:])
