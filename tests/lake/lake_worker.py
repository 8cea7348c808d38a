"""The processes of the tests of many hosts: `python lake_worker.py <what> ...`.

record OUTBOX ACKNOWLEDGED SECONDS  puts records; each that was acknowledged is a line of the file
load OUTBOX SECONDS                 loads again and again; prints a line once it begins to, and at
                                    the end each load's seconds as JSON
read SECONDS                        counts raw again and again; prints the counts as JSON
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path

from crash_worker import payload_of

from orb_learning.ingest import load_once
from orb_learning.outbox import Outbox
from orb_learning.store import connect


def record(outbox: str, acknowledged: str, seconds: str) -> None:
    until, number = time.monotonic() + float(seconds), 0
    writer = Outbox(Path(outbox), busy_timeout_ms=10_000)
    with Path(acknowledged).open("a", encoding="utf-8") as file:
        while time.monotonic() < until:
            task_id = str(uuid.uuid4())
            if writer.put("execution", payload_of(task_id, number)):
                file.write(task_id + "\n")
                file.flush()
            number += 1
            time.sleep(0.01)  # a hundred a second
    writer.close()


def load(outbox: str, seconds: str) -> None:
    database = Path(os.environ["ORB_DATABASE"])
    until = time.monotonic() + float(seconds)
    known: dict[Path, tuple[uuid.UUID, int]] = {}
    took, failed = [], []
    print("loading", flush=True)  # noqa: T201
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            result = load_once(database, Path(outbox), known=known)
        except Exception as error:
            failed.append(repr(error))
            time.sleep(0.2)  # as the relay, which tries again later
            continue
        took.append(time.monotonic() - began)
        time.sleep(max(0.05, result.least_pause_seconds))  # the room that relays leave each other
    json.dump({"seconds": took, "failed": failed}, sys.stdout)


def read(seconds: str) -> None:
    until = time.monotonic() + float(seconds)
    counts = []
    with connect(os.environ["ORB_DATABASE"], read_only=True) as connection:
        while time.monotonic() < until:
            [(count,)] = connection.execute("select count(*) from raw.executions").fetchall()
            counts.append(count)
            time.sleep(0.05)  # twenty looks a second
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    {"record": record, "load": load, "read": read}[sys.argv[1]](*sys.argv[2:])
