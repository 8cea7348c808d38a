"""A place where `orb maintain` is at work, on a project that builds quickly."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from building import edit, known_parse, untested_project
from crash_worker import payload_of

from orb_learning.archive.files import EXECUTIONS, FEEDBACK, archived_files, check_archived_file
from orb_learning.feedback.rows import Feedback
from orb_learning.outbox.writer import Outbox
from orb_learning.store.connection import connect
from orb_learning.store.schema import schema_version_of

ORB = [sys.executable, "-c", "from orb_learning.cli import app; app()"]
OLDEST = 95
"""Days; five of them are older than the limit."""


def quick_project(folder: Path) -> Path:
    """Copy the project without marts and data tests, which would take most of the time."""
    untested_project(folder)
    models = folder / "models"
    layers = [folder / "tests/reconciliation", folder / "tests/agreement"]
    for part in [*models.glob("*/"), *models.glob("reports/*/"), *layers]:
        if part.name not in ("staging", "core", "reports", "operations"):
            shutil.rmtree(part)
    for part in models.glob("reports/operations/rpt_database_status.*"):
        part.unlink()  # it reads the alerts, which read the marts
    edit(folder / "profiles.yml", "wait_seconds: 300", "wait_seconds: 0.5")
    return folder


class Site:
    """A database with everything beside it, and the `orb` that works there."""

    def __init__(self, folder: Path, project: Path, time_zone: str = "UTC", **variables: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "data/learning.db"
        self.outbox = folder / "data/outbox"
        self.archive = folder / "data/archive"
        self.put: set[str] = set()
        """The ids of the executions and the feedback that were recorded."""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ORB_")},
            "ORB_DATABASE": str(self.database),
            "ORB_LEARNING__PROJECT_PATH": str(project),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "TZ": time_zone,
            **known_parse(project, self.database, folder),
            **variables,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*ORB, "maintain", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def maintain(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    def record(self, chance: random.Random, count: int = 300) -> None:
        """Put executions of the last months, and feedback on each, into the outbox."""
        outbox = Outbox(self.outbox)
        payloads, feedback = [], []
        for number in range(count):
            task_id = str(uuid.uuid4())
            self.put.add(task_id)
            moment = datetime.now(UTC) - timedelta(days=chance.uniform(0, OLDEST))
            record = json.loads(payload_of(task_id, number))
            payloads.append(json.dumps(record | {"timestamp": moment.isoformat()}))
            said = Feedback(feedback_id=uuid.uuid4(), task_id=uuid.UUID(task_id))
            feedback.append(said.model_dump_json())
            self.put.add(str(said.feedback_id))
        assert outbox.put_many("execution", payloads) == count
        assert outbox.put_many("feedback", feedback) == count
        outbox.close()

    def steps(self) -> list[dict[str, Any]]:
        """What is in the outbox's files about runs, in the order in which it was put."""
        found = []
        for file in sorted(self.outbox.glob("*.sqlite")):
            try:
                with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                    rows = connection.execute(
                        "select payload from records where kind = 'maintenance' order by id"
                    ).fetchall()
            except sqlite3.Error:  # it is made or removed just now
                continue
            found += [json.loads(payload) for (payload,) in rows]
        return found

    def query(self, sql: str) -> list[Any]:
        with connect(self.database, read_only=True, wait_seconds=60) as connection:
            return connection.execute(sql).fetchall()

    def numbers(self) -> tuple[Counter[int], Counter[str]]:
        """How often each load number, task and feedback is there, in the database or in a file."""
        numbers: Counter[int] = Counter()
        ids: Counter[str] = Counter()
        with connect(self.database, read_only=True, wait_seconds=60) as connection:
            if not schema_version_of(connection):
                return numbers, ids  # the kill came before the first load had made its tables
            rows = []
            for archive, id_ in (
                (EXECUTIONS, "task_id"),
                (FEEDBACK, "feedback_id"),
            ):
                columns = f"select _load_seq, {id_}"
                rows += connection.execute(f"{columns} from {archive.table}").fetchall()
                for file in archived_files(connection, archive):
                    if file.unarchived_at is None:
                        check_archived_file(self.archive, file)
                        rows += connection.execute(
                            f"{columns} from read_parquet(?)", [str(self.archive / file.file_name)]
                        ).fetchall()
        for number, id_ in rows:
            numbers[number] += 1
            ids[str(id_)] += 1
        return numbers, ids
