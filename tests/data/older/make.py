"""Make what an older version leaves on disk: ``python make.py CHECKOUT FOLDER``.

CHECKOUT is a worktree of the older commit; PYTHONPATH names its python_ingest. FOLDER gets a
database, its archive, a backup, and an outbox with records that were not loaded; expected.json
says what is in each. ``tar -czf 87f30a4.tar.gz -C FOLDER expected.json data`` keeps it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from orb_learning import Outbox, TelemetryCapture

CHECKOUT, FOLDER = (Path(word).resolve() for word in sys.argv[1:3])
DATABASE = FOLDER / "data/learning.db"
OUTBOX = FOLDER / "data/outbox"
ENVIRONMENT = {
    **os.environ,
    "ORB_DATABASE": str(DATABASE),
    "ORB_LEARNING__PROJECT_PATH": str(CHECKOUT),
    "DBT_TARGET_PATH": str(FOLDER / "target"),
    "DBT_LOG_PATH": str(FOLDER / "logs"),
}
ARCHIVED, LIVE, REJECTED, LOADED, WAITING = (
    range(1, 13), range(13, 41), range(41, 42), range(50, 60), range(60, 66),
)  # fmt: skip


def task_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def execution(number: int, day: str, **other: Any) -> dict[str, Any]:
    return {
        "task_id": task_id(number),
        "timestamp": f"{day}T10:{number % 60:02d}:00Z",
        "task_type": "refactor",
        "task_description": f"split the module {number % 7}",
        "repo": "api",
        "model_tier": ["small", "medium", "large"][number % 3],
        "pool_type": "local",
        "success": number % 4 != 0,
        "duration_seconds": number / 4,
        "actual_cost": number / 128,
        "error_type": None if number % 4 else "timeout",
        "solution_summary": "cache it" if number % 2 else None,
        "metadata": {"model": f"m{number % 2}"},
        **other,
    }


def run(*words: str) -> None:
    subprocess.run([sys.executable, *words], env=ENVIRONMENT, check=True)


def orb(*words: str) -> None:
    run("-c", "from orb_learning.cli import app; app()", *words)


def put(numbers: range) -> None:
    outbox = Outbox(OUTBOX)
    for number in numbers:
        assert outbox.put("execution", json.dumps(execution(number, "2026-11-20")))
    telemetry = TelemetryCapture(outbox)
    decision = {"model_tier": "small", "pool_type": "local", "confidence": 0.5}
    task = {"description": "decided and never done", "task_type": "docs"}
    assert telemetry.capture_routing_decision(task_id(numbers[-1] + 100), task, decision)
    outbox.close()


def main() -> None:
    DATABASE.parent.mkdir(parents=True)
    rows = [
        *(execution(number, f"2025-03-{1 + number % 3:02d}") for number in ARCHIVED),
        *(execution(number, f"2026-11-{10 + number % 9}") for number in LIVE),
        *(execution(number, "2026-11-12", quality_score=101) for number in REJECTED),
        {"task_id": "none", "timestamp": "yesterday"},
    ]
    file = FOLDER / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    orb("import", str(file))
    put(LOADED)
    orb("load")
    words = ["--project-dir", str(CHECKOUT), "--profiles-dir", str(CHECKOUT)]
    without = ["--exclude-resource-type", "unit_test", "--vars", "{embeddings_enabled: false}"]
    run("-m", "dbt.cli.main", "build", *words, *without)
    orb("feedback", "submit", task_id(13), "good", "--comment", "as meant", "--visibility", "team")
    orb("load")
    orb("retention", "--days", "90")
    orb("backup")
    put(WAITING)
    expected = {
        "archived": [task_id(number) for number in ARCHIVED],
        "live": [task_id(number) for number in (*LIVE, *LOADED)],
        "rejected": [task_id(number) for number in REJECTED],
        "waiting": [task_id(number) for number in WAITING],
        "decided": [task_id(numbers[-1] + 100) for numbers in (LOADED, WAITING)],
        "with_feedback": [task_id(13)],
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
