"""What the commands show acts on no terminal, whatever an agent wrote."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from building import STEM
from rich.text import Text as Markup

from orb_learning import formats
from orb_learning.cli.search_commands import tier_columns
from orb_learning.cli.status_commands import show_contents
from orb_learning.cli.tables import (
    LONGEST_CELL,
    over,
    print_json,
    printable,
    rate,
    show_table,
    text,
    text_of,
)
from orb_learning.figures.results import LONGEST_TEXT
from orb_learning.figures.similar import SimilarTask
from orb_learning.settings import load_settings

HOSTILE = "[bold]x[/bold] \x1b[31m \x9b31m \u202eevil [/]"
SHOWN = "[bold]x[/bold] [31m 31m evil [/]"
RATE: dict[str, Any] = {
    "success_rate": 0.5,
    "success_rate_lower": 0.2,
    "success_rate_upper": 0.8,
}


def test_a_cell_shows_a_text_as_it_is_but_for_what_acts() -> None:
    assert Markup.from_markup(text(HOSTILE)).plain == SHOWN
    tier = tier_columns(10)["tier"]
    assert Markup.from_markup(tier({"model_tier": HOSTILE})).plain == SHOWN
    assert text(None) == "-"
    assert len(text("x" * 1_000)) == LONGEST_CELL + 1
    assert Markup.from_markup(printable("a  [b]/c")).plain == "a  [b]/c"


def test_a_rate_over_too_few_has_a_question_mark() -> None:
    assert rate({**RATE, "has_enough_samples": True}) == "50.0 % (20-80 %)"
    few = Markup.from_markup(rate({**RATE, "has_enough_samples": False}))
    assert few.plain == "50.0 % (20-80 %)?"
    assert rate({"success_rate": None}) == "-"
    succeeded = tier_columns(10)["succeeded"]
    assert succeeded({**RATE, "execution_count": 10}) == "50.0 % (20-80 %)"
    assert succeeded({**RATE, "execution_count": 9}) == "[dim]50.0 % (20-80 %)?[/]"


def test_a_mean_says_over_how_many_and_marks_too_few() -> None:
    cell = over("avg_cost", "cost_known_count", 10, formats.money)
    assert cell({"avg_cost": 2.5, "cost_known_count": 10}) == "$2.50 of 10"
    few = {"avg_cost": 2.5, "cost_known_count": 9, "has_enough_samples": True}
    one_task = {"avg_cost": 2.5, "cost_known_count": 3000, "has_enough_samples": False}
    shown = [Markup.from_markup(cell(row)).plain for row in (few, one_task)]
    assert shown == ["$2.50 of 9?", "$2.50 of 3,000?"]
    assert cell({"avg_cost": None, "cost_known_count": 0}) == "-"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"text": HOSTILE, "at": datetime(2026, 3, 1, 12), "id": UUID(int=1)}  # noqa: DTZ001
    print_json(found)
    said = capsys.readouterr().out
    assert said.isascii()
    assert "\x1b" not in said
    assert json.loads(said) == {
        "text": HOSTILE,
        "at": "2026-03-01T12:00:00Z",
        "id": str(UUID(int=1)),
    }


def test_a_path_is_no_markup(
    empty_database: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "[bold]" / f"{STEM}.db"
    file.parent.mkdir()
    shutil.copy(empty_database, file)
    assert show_contents(load_settings(database_path=file))
    assert capsys.readouterr().out.count(f"[bold]/{STEM}.db") == 2


def test_the_status_warns_of_a_folder_that_every_account_can_look_into(
    empty_database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as made:  # those above pytest's own are closed
        folder = Path(made)
        file = Path(shutil.copy(empty_database, folder))
        for mode, is_said in ((0o755, True), (0o700, False)):
            folder.chmod(mode)
            assert show_contents(load_settings(database_path=file))
            assert (f"can look into {folder}" in capsys.readouterr().out) is is_said


def test_the_tools_tiers_are_texts_that_are_cut() -> None:
    task = SimilarTask.model_validate(
        {
            **RATE,
            "has_enough_samples": False,
            "latest": {
                "task_id": UUID(int=1),
                "timestamp": datetime(2026, 3, 1),  # noqa: DTZ001
                **dict.fromkeys(("task_type", "repo", "model_tier", "pool_type"), "x"),
                "success": True,
                **dict.fromkeys(
                    ("duration_seconds", "quality_score", "actual_cost", "solution_summary")
                ),
            },
            "task_description": "x",
            "similarity": 1.0,
            "strength": "strong",
            "execution_count": 1,
            "success_count": 1,
            "by_tier": [
                {
                    **{name: value for name, value in RATE.items() if name.startswith("success")},
                    "model_tier": "x" * 1_000_000,
                    "execution_count": 1,
                    "success_count": 1,
                    "avg_cost": None,
                    "cost_known_count": 0,
                    "avg_duration": None,
                    "duration_known_count": 0,
                    "has_enough_samples": False,
                }
            ],
            "best_solution": None,
        }
    )
    (outcome,) = task.by_tier
    assert outcome.model_tier.endswith("(1,000,000 characters, cut here)")
    assert len(outcome.model_tier) < LONGEST_TEXT + 100


def test_a_table_without_rows_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("by pool type", {"pool": text_of("pool_type")}, [])
    assert capsys.readouterr().out == "by pool type: none\n"
