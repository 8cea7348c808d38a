"""A history of a database, whichever it is: `python history_worker.py FOLDER`, by ORB_DATABASE.

Imports, corrections, late rows, deletions and an edited policy, each with a build after it. At the
end FOLDER/contents.json has every table of main, and the versions in raw.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orb_learning.ingest import import_file
from orb_learning.store import connect

NOON = datetime(2026, 3, 31, 12)  # noqa: DTZ001 (naive UTC, as raw has it)
NAMES = ["api", "web", "core"]
BUILD = ("--resource-type", "seed", "--resource-type", "model")
OF_THE_CLOCK = ("_loaded_at", "built_at", "embedded_at", "as_of")


def record(choices: random.Random, number: int, days: float) -> dict[str, Any]:
    success = choices.random() < 0.7
    return {
        "task_id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "timestamp": (NOON - timedelta(days=days)).isoformat() + "Z",
        "task_type": choices.choice(["bugfix", "refactor", "test"]),
        "task_description": f"mend {choices.choice(NAMES)} {number % 40}",
        "repo": choices.choice(NAMES),
        "model_tier": choices.choice(["small", "medium", "large"]),
        "pool_type": choices.choice(["local", "cloud"]),
        "success": success,
        "error_type": None if success else "timeout",
        "error_message": None if success else f"timeout of step {number % 5}",
        "duration_seconds": round(choices.uniform(1, 900), 2),
        "quality_score": choices.choice([None, 20, 80, 95, 500]),
        "actual_cost": round(choices.uniform(0, 2), 4),
        "solution_summary": f"retry {number % 7}" if success else None,
        "metadata": {"model": choices.choice(["a", "b"]), "note": "Zürich 'x' \u2028"},
    }


def load(folder: Path, name: str, records: list[dict[str, Any]]) -> None:
    file = folder / name
    file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    import_file(Path(os.environ["ORB_DATABASE"]), file, now=NOON + timedelta(minutes=1))


def build(**variables: Any) -> None:
    known = json.dumps({"as_of": NOON.isoformat(), "load_block_size": 64, **variables})
    dbt = str(Path(sys.executable).with_name("dbt"))
    done = subprocess.run(
        [dbt, "build", *BUILD, "--vars", known], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]


def contents() -> dict[str, Any]:
    found: dict[str, Any] = {}
    with connect(os.environ["ORB_DATABASE"], read_only=True) as connection:
        tables = connection.execute(
            "select 'main.' || table_name from duckdb_tables() where schema_name = 'main' "
            "and database_name = current_database() and table_name <> 'build_state' order by 1"
        ).fetchall()
        for (table,) in [*tables, ("raw.executions",)]:
            described = connection.execute(f"describe {table}").fetchall()
            names = [name for name, *_ in described if name not in OF_THE_CLOCK]
            shown = ", ".join(f'to_json("{name}") as "{name}"' for name in names)
            rows = connection.execute(f"select {shown} from {table}").fetchall()
            found[table] = {"columns": names, "rows": sorted(rows, key=str)}
    return found


def main(folder: Path) -> None:
    choices = random.Random(7)  # noqa: S311 (the same for each)
    load(folder, "first.jsonl", [record(choices, n, choices.uniform(0, 60)) for n in range(500)])
    build()
    late = [record(choices, n, choices.uniform(20, 80)) for n in range(480, 700)]
    load(folder, "corrections.jsonl", [*late, record(choices, 3, 1.5), record(choices, 4, -9)])
    build()
    gone = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))) for n in range(40, 90)]
    with connect(os.environ["ORB_DATABASE"]) as connection:
        connection.execute(
            "delete from raw.executions where task_id in (select unnest(?::uuid[]))", [gone]
        )
    build()
    build(solution_min_usage=3)
    (folder / "contents.json").write_text(json.dumps(contents()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
