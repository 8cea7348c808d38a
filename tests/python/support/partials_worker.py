"""The processes of test_correlation_across_processes: `python partials_worker.py <what> ...`."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
DECIDED = datetime(2026, 4, 1, 10, tzinfo=UTC)
START = DECIDED + timedelta(seconds=1)
SECONDS = 2.5
LIMIT = timedelta(hours=1)
"""How long a partial record waits for the other one."""


def task(number: int) -> dict[str, Any]:
    return {"type": "bugfix", "prompt": f"mend {number}", "repo": "orb"}


def decision(number: int) -> dict[str, Any]:
    return {
        "model_tier": "small",
        "pool_type": "local",
        "routing_confidence": 0.75,
        "candidates": [
            {"pool_type": "local", "load": number / 4},
            {"pool_type": "cloud", "load": 1.0},
        ],
        "policy": "epsilon_greedy",
        "propensity": 1 / (number + 1),
    }


def result(number: int) -> dict[str, Any]:
    return {"status": "completed", "worker_id": f"agent-{number}", "model_tier": "large"}


def capture(outbox_folder: str, partials: str, end: str) -> None:
    """Record partial records, each a kind and a task's number, and end killed or by itself."""
    from orb_learning import Outbox, TelemetryCapture

    telemetry = TelemetryCapture(Outbox(Path(outbox_folder)), now=lambda: DECIDED)
    ended = START + timedelta(seconds=SECONDS)
    for kind, number in json.loads(partials):
        task_id = uuid.UUID(int=number)
        if kind == "routing":
            kept = telemetry.capture_routing_decision(task_id, task(number), decision(number))
        else:
            kept = telemetry.capture_execution_outcome(
                task_id, result(number), START, ended, pool_id=f"pool-{number}"
            )
        assert kept, telemetry.counts()
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


def load(database: str, outbox_folder: str, now: str) -> None:
    """Load once, as if it were that moment."""
    from orb_learning.ingest.relay import RelayOptions, load_once

    load_once(
        Path(database),
        Path(outbox_folder),
        RelayOptions(unmatched_limit=LIMIT),
        now=datetime.fromisoformat(now),
        wait_seconds=60,
    )


if __name__ == "__main__":
    # No process outlives the test that started it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    commands: dict[str, Callable[..., None]] = {"capture": capture, "load": load}
    commands[sys.argv[1]](*sys.argv[2:])
