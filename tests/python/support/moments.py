"""Executions, feedback and sizes around a moment, many of their values unknown."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from histories import NOON, task_id
from oracle import Row, text_id
from report_rows import insert

from orb_learning.store.connection import connect

MOMENT = NOON
LATER = MOMENT + timedelta(days=12)
EARLIER = MOMENT - timedelta(days=12)
TEXTS = [f"{verb} the {thing}" for verb in ("cache", "retry", "split") for thing in "abcdef"]


def random_rows(chance: random.Random) -> list[Row]:
    """Return executions of 100 days before the moment and 12 after it, most of them near it."""
    moments = [0.0, 1e-6 / 86400, -1e-6 / 86400, -30.0, -90.0, 0.2, -0.2]
    moments += [chance.uniform(-100, 12) for _ in range(300)]
    moments += [chance.gauss(0, 0.6) for _ in range(300)]
    return [
        {
            "timestamp": MOMENT + timedelta(days=days),
            "task_type": chance.choice(["refactor", "docs"]),
            "task_description": chance.choice(TEXTS),
            "repo": chance.choice(["api", "web"]),
            "model_tier": chance.choice(["small", "large"]),
            "pool_type": chance.choice(["local", "cloud"]),
            "success": (success := chance.random() < 0.6),
            "duration_seconds": chance.choice([None, 5.0, 60.0, 4000.0]),
            "quality_score": chance.choice([None, 20, 80]),
            "actual_cost": chance.choice([None, 0.25]),
            "error_type": None if success else chance.choice([None, "timeout"]),
            "error_message": None if success else chance.choice(TEXTS),
            "solution_summary": chance.choice([None, *TEXTS]) if success else None,
        }
        for days in moments
    ]


def fill(database: Path, *, until: datetime | None = None, seed: int = 14) -> None:
    """Load executions, feedback, sizes and vectors; those that are later than a moment not."""
    chance = random.Random(seed)  # noqa: S311
    rows = random_rows(chance)
    insert(database, rows)
    with connect(database) as connection:
        connection.execute(
            "update raw.executions set _loaded_at = timestamp where timestamp > _loaded_at"
        )
        for number, row in enumerate(rows):
            satisfaction = chance.choice(["good", "poor"])
            given = row["timestamp"] + timedelta(hours=chance.uniform(0, 40))
            if number % 3 == 0:
                connection.execute(
                    "insert into raw.feedback select uuid(), ?, ?, ?, 'too_slow', null, 'team', "
                    "'ann', nextval('raw.load_seq'), ?",
                    [task_id(100 + number), given, satisfaction, given],
                )
        for day in range(-40, 12):
            sampled = MOMENT + timedelta(days=day, hours=1)
            connection.execute(
                "insert into raw.storage_samples values (?, 'place', 'database', ?, ?), "
                "(?, 'table', 'fct_executions', ?, ?)",
                [sampled, 10**6 * (60 + day), 60 + day] * 2,
            )
        for number, text in enumerate(TEXTS):
            connection.execute(
                "insert into text_embeddings values "
                "(?, ?, sha256(?), ?, ?::float[384], 'all-MiniLM-L6-v2', ?, null)",
                [text_id(text), number, text, text, vector(number), EARLIER],
            )
        if until:
            connection.execute("delete from raw.executions where timestamp > ?", [until])
            connection.execute("delete from raw.feedback where submitted_at > ?", [until])
            connection.execute("delete from raw.storage_samples where sampled_at > ?", [until])


def vector(number: int) -> list[float]:
    values = [0.0] * 384
    turned = 0.1 * (number % 6)
    values[number // 6], values[3] = (1 - turned**2) ** 0.5, turned
    return values
