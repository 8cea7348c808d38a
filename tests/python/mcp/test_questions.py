"""Twenty questions that an agent has: each is answered from the sample in at most three calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY, DbtProject

from orb_learning.ingest.sample import SAMPLE_FILE, load_sample
from orb_learning.mcp.server import make_server
from orb_learning.settings import LearningSettings

NOW = datetime(2026, 4, 1, 12)  # noqa: DTZ001
QUESTIONS = json.loads((REPOSITORY / "tests/data/questions.json").read_text("utf-8"))
"""Each with its answer, the calls that give it, and what stands in their answers."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sample(project: DbtProject, made_once: Callable[..., Path]) -> Path:
    def build(file: Path) -> None:
        load_sample(file, file=REPOSITORY / SAMPLE_FILE, now=NOW)
        project.run(file, command="seed", embeddings_enabled=True)
        project.run(file, with_comments=True, embeddings_enabled=True, as_of=f"{NOW.isoformat()}Z")

    return made_once("sample", build)


def test_there_are_twenty_and_no_two_alike() -> None:
    assert len({question["question"] for question in QUESTIONS}) == 20
    assert all(1 <= len(question["calls"]) <= 3 and question["facts"] for question in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["question"][:60])
def test_a_question_is_answered_in_three_calls(sample: Path, question: dict[str, Any]) -> None:
    server = make_server(LearningSettings(database_path=sample))

    async def ask() -> str:
        answers = [await server.call_tool(tool, given) for tool, given in question["calls"]]
        return "\n".join(answer.content[0].text for answer in answers)  # type: ignore[union-attr]

    said = asyncio.run(ask())
    assert [fact for fact in question["facts"] if fact not in said] == [], said
